import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { HashBuffer } from '../../src/hash/hashBuffer.js';
import { UntypedForm } from '../../src/hash/untypedForm.js';

/** `BigInteger.toByteArray` with its length in front, digit by digit. */
function unscaled(text: string): string {
  const value = BigInt(text.replace('.', ''));
  let bytes = 1;
  while (BigInt.asIntN(8 * bytes, value) !== value) bytes++;
  const hex = BigInt.asUintN(8 * bytes, value)
    .toString(16)
    .padStart(2 * bytes, '0');
  return `${bytes.toString(16).padStart(8, '0')}${hex}`;
}

function hashed(text: string): string {
  const out = new HashBuffer();
  new UntypedForm().write(out, 'legacy', encodeValue({ kind: 'numeric', value: text }));
  return out.view().toString('hex');
}

describe('numerics', () => {
  it('are hashed as the smallest two’s complement of their digits, whatever their size', () => {
    const limits = [7, 15, 16, 23, 31, 47, 63, 64, 95, 103, 126].flatMap((bits) =>
      [-1n, 0n, 1n].flatMap((d) => [2n ** BigInt(bits) + d, -(2n ** BigInt(bits)) + d]),
    );
    for (const value of [0n, ...limits]) expect(hashed(`${value}.`)).toBe(unscaled(`${value}`));
    expect(hashed('-0.00')).toBe('0000000100');
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
        fc.integer({ min: 0, max: 37 }),
        fc.integer({ min: 0, max: 38 }),
        (value, scale, size) => {
          const cut = value % 10n ** BigInt(size);
          const digits = (cut < 0n ? -cut : cut).toString().padStart(scale + 1, '0');
          const point = digits.length - scale;
          const text = `${cut < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
          expect(hashed(text)).toBe(unscaled(text));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('int64 and dates', () => {
  it('are hashed as big-endian numbers', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const out = new HashBuffer();
        new UntypedForm().write(out, 'legacy', encodeValue({ kind: 'int64', value }));
        expect(out.view().readBigInt64BE()).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: -719162, max: 2932896 }), (value) => {
        const out = new HashBuffer();
        const form = new UntypedForm();
        form.write(out, 'legacy', encodeValue({ kind: 'date', value }));
        expect(out.view().readInt32BE()).toBe(value);
        expect(form.irregular).toBe(false);
      }),
    );
  });
});
