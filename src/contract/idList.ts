/**
 * All contract ids of a file, to find those that occur more than once: 64-bit fingerprints, 8 to 12 bytes per contract
 * (4 million contracts: 32 to 48 MB). What it finds may be a collision of fingerprints (chance about n²/2^65: 3 in a
 * million at 10 million contracts); callers that must be exact confirm in a second pass.
 */
import { fingerprint } from './idTable.js';

const PARTS = 256;
const FIRST_SIZE = 64;

export interface ContractIdList {
  /** Takes fingerprints as `fingerprintInto` writes them. */
  add(ids: Uint32Array): void;
  /** Fingerprints that were added more than once, each once, as {@link fingerprintText} gives it; at most `limit` of them. */
  repeated(limit: number): Set<string>;
}

/** The fingerprint of the raw contract id `buf[start, end)` as {@link ContractIdList.repeated} gives it. */
export function fingerprintText(buf: Buffer, start: number, end: number): string {
  const [high, low] = fingerprint(buf, start, end);
  return `${high}.${low}`;
}

export function contractIdList(): ContractIdList {
  /** By the topmost byte, each a list; appending to 256 places is cheap where a table would miss the cache every time. */
  const parts = Array.from({ length: PARTS }, () => new Uint32Array(FIRST_SIZE));
  const filled = new Uint32Array(PARTS);
  return {
    add(ids) {
      for (let i = 0; i < ids.length; i += 2) {
        const part = ids[i + 1] >>> 24;
        let list = parts[part];
        const at = filled[part];
        if (at === list.length) {
          list = new Uint32Array(2 * Math.ceil(0.75 * list.length));
          list.set(parts[part]);
          parts[part] = list;
        }
        list[at] = ids[i];
        list[at + 1] = ids[i + 1];
        filled[part] = at + 2;
      }
    },
    repeated(limit) {
      const found = new Set<string>();
      parts.forEach((list, part) => {
        new BigUint64Array(list.buffer, 0, filled[part] / 2).sort();
        for (let i = 2; i < filled[part] && found.size < limit; i += 2) {
          if (list[i] === list[i - 2] && list[i + 1] === list[i - 1]) found.add(`${list[i + 1]}.${list[i]}`);
        }
      });
      return found;
    },
  };
}
