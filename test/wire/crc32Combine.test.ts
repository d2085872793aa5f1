import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32Combine } from '../../src/wire/crc32Combine.js';

it('joins checksums wherever the bytes are cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat(5000), (bytes, at) => {
      const a = bytes.subarray(0, at);
      const b = bytes.subarray(at);
      expect(crc32Combine(crc32(a), crc32(b), b.length)).toBe(crc32(bytes));
    }),
  );
});

it('joins long runs', () => {
  const bytes = Buffer.alloc((5 << 20) + 3, 'snapshot');
  for (const at of [1, 1 << 20, (4 << 20) + 1]) {
    const b = bytes.subarray(at);
    expect(crc32Combine(crc32(bytes.subarray(0, at)), crc32(b), b.length)).toBe(crc32(bytes));
  }
});
