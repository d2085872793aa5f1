import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameHex, writeHex } from '../../src/wire/hexDigits.js';

describe('hex digits', () => {
  it('are those of Buffer, wherever they are written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(5), (bytes, at) => {
        const out = Buffer.alloc(200);
        const end = writeHex(
          bytes,
          0,
          bytes.length,
          new DataView(out.buffer, out.byteOffset, out.length),
          at,
        );
        expect(out.toString('latin1', at, end)).toBe(Buffer.from(bytes).toString('hex'));
      }),
    );
  });

  it('are compared in full: no other text is the hex of the bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 80 }),
        fc.nat(3),
        fc.nat(),
        fc.nat(255),
        (bytes, at, where, other) => {
          const raw = Buffer.concat([Buffer.alloc(at), bytes]);
          const hex = Buffer.from(bytes).toString('hex');
          const text = Buffer.from(`xyz${hex}`);
          const same = (changed: Buffer): boolean => sameHex(changed, 3, changed.length, raw, at, raw.length);
          expect(same(text)).toBe(true);
          const place = 3 + (where % hex.length);
          const before = text[place] as number;
          text[place] = other;
          expect(same(text)).toBe(other === before);
          text[place] = before;
          expect(same(text.subarray(0, -1))).toBe(false);
          expect(same(Buffer.concat([text, Buffer.from('0')]))).toBe(false);
        },
      ),
    );
  });

  it('are lower case', () => {
    expect(sameHex(Buffer.from('AB'), 0, 2, Buffer.from([0xab]), 0, 1)).toBe(false);
    expect(sameHex(Buffer.from('ab'), 0, 2, Buffer.from([0xab]), 0, 1)).toBe(true);
    expect(sameHex(Buffer.alloc(0), 0, 0, Buffer.alloc(0), 0, 0)).toBe(true);
  });
});
