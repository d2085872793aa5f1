/**
 * Which contracts an output of a remap has already. One that an input holds twice on a synchronizer is written once, as
 * an import would take it; what an import consumes beside the content (representative package, counter) must be the same.
 * Two synchronizers that become one may bring the same contract together too.
 */
import { AcsError } from '../io/error.js';
import { Interner } from '../wire/interner.js';

/** All after renaming. The numbers of synchronizers and packages are those this gives to the texts `buf[start, end)`. */
export interface WrittenContracts {
  /**
   * Notes contract `number` of the table; false when it was noted before. `representative` may be empty. Error
   * `CONTENT_CONFLICT` when it was noted with another counter or representative package; `id` tells of which contract.
   */
  add(
    number: number,
    synchronizer: number,
    representative: number,
    counter: bigint,
    id: () => string,
  ): boolean;
  synchronizer(buf: Buffer, start: number, end: number): number;
  representative(buf: Buffer, start: number, end: number): number;
}

interface Attributes {
  representative: number;
  counter: bigint;
}

/** Different synchronizers and packages told apart; more is an error. */
const MAX_NAMES = 1 << 20;

/** `contracts`: numbers are below this. Memory: 8 bytes for each. */
export function writtenContracts(contracts: number): WrittenContracts {
  const synchronizers = new Interner(MAX_NAMES);
  const packages = new Interner(MAX_NAMES);
  /** Of the first synchronizer a contract is written for, plus one; 0: not written. */
  const first = new Uint32Array(contracts);
  const representatives = new Uint32Array(contracts);
  /** Those that are not 0, of the same. */
  const counters = new Map<number, bigint>();
  /** For each further synchronizer. */
  const further = new Map<string, Attributes>();
  let lastSynchronizer = -1;
  let lastPackage = -1;

  const known = (number: number): number => {
    if (number >= 0) return number;
    throw new AcsError('REMAP_TOO_MANY_NAMES', 'the input has too many synchronizers or packages', {
      expected: `at most ${MAX_NAMES} of each`,
      hint: 'remap smaller parts; see `acs split`',
    });
  };

  return {
    add(number, synchronizer, representative, counter, id) {
      if (first[number] === 0) {
        first[number] = synchronizer + 1;
        representatives[number] = representative;
        if (counter !== 0n) counters.set(number, counter);
        return true;
      }
      let before: Attributes | undefined;
      if (first[number] === synchronizer + 1) {
        before = { representative: representatives[number], counter: counters.get(number) ?? 0n };
      } else {
        const key = `${number} ${synchronizer}`;
        before = further.get(key);
        if (before === undefined) {
          further.set(key, { representative, counter });
          return true;
        }
      }
      if (before.representative === representative && before.counter === counter) return false;
      const describe = (a: Attributes): string =>
        `counter ${a.counter}, represented by ${packages.text(a.representative) || 'its creation package'}`;
      throw new AcsError(
        'CONTENT_CONFLICT',
        'the same contract would be written twice on a synchronizer, with different counter or package',
        {
          contractId: id(),
          expected: describe(before),
          found: describe({ representative, counter }),
          hint: 'find out which one is genuine, and take out the other with `acs filter`',
        },
      );
    },
    synchronizer(buf, start, end) {
      lastSynchronizer = known(synchronizers.id(buf, start, end, lastSynchronizer));
      return lastSynchronizer;
    },
    representative(buf, start, end) {
      lastPackage = known(packages.id(buf, start, end, lastPackage));
      return lastPackage;
    },
  };
}
