import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprintInto } from '../../src/contract/idTable.js';
import { fingerprintText, repeatedIds } from '../../src/contract/repeatedIds.js';

function packed(ids: readonly Buffer[]): Uint32Array {
  const words = new Uint32Array(2 * ids.length);
  ids.forEach((id, i) => {
    fingerprintInto(id, 0, id.length, words, 2 * i);
  });
  return words;
}

describe('the list of contract ids', () => {
  it('finds what was added more than once, whatever the portions', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 600 }),
        fc.integer({ min: 1, max: 50 }),
        (numbers, portion) => {
          const ids = numbers.map((n) => Buffer.from(`00${n.toString(16).padStart(64, '0')}`, 'hex'));
          const list = repeatedIds();
          for (let i = 0; i < ids.length; i += portion) list.add(packed(ids.slice(i, i + portion)));
          const twice = ids.filter((_, i) => numbers.indexOf(numbers[i] as number) !== i);
          expect(list.repeated(1000)).toEqual(new Set(twice.map((id) => fingerprintText(id, 0, id.length))));
        },
      ),
    );
  });

  it('grows beyond one block in one part, and stops at the limit', () => {
    const list = repeatedIds();
    const ids = Uint32Array.from({ length: 40_000 }, (_, i) => (i % 2 === 0 ? i >>> 2 : 0x42000000));
    list.add(ids);
    expect(list.repeated(10).size).toBe(10);
    expect(list.repeated(1e6)).toEqual(
      new Set(Array.from({ length: 10_000 }, (_, i) => `${0x42000000}.${i}`)),
    );
  });
});
