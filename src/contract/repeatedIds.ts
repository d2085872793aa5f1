/**
 * All contract ids of a file, to find those that occur more than once: 64-bit fingerprints, 8 bytes per contract and at
 * most 4 MiB besides. What it finds may be a collision of fingerprints (chance about n²/2^65: 3 in a
 * million at 10 million contracts); callers that must be exact confirm in a second pass.
 */
import { fingerprint } from './idTable.js';

const PARTS = 256;
/** Words of the first block of a part; it doubles up to {@link BLOCK_WORDS}, then blocks are added: nothing is copied again. */
const FIRST_WORDS = 64;
const BLOCK_WORDS = 4096;

export interface RepeatedIds {
  /** Takes fingerprints as `fingerprintInto` writes them. */
  add(ids: Uint32Array): void;
  /** Fingerprints that were added more than once, each once, as {@link fingerprintText} gives it; at most `limit` of them. */
  repeated(limit: number): Set<string>;
}

/** The fingerprint of the raw contract id `buf[start, end)` as {@link RepeatedIds.repeated} gives it. */
export function fingerprintText(buf: Buffer, start: number, end: number): string {
  const [high, low] = fingerprint(buf, start, end);
  return `${high}.${low}`;
}

interface Part {
  full: Uint32Array[];
  last: Uint32Array;
  /** Words of `last` in use. */
  filled: number;
}

export function repeatedIds(): RepeatedIds {
  /** By the topmost byte; appending to 256 places is cheap where a table would miss the cache every time. */
  const parts = Array.from(
    { length: PARTS },
    (): Part => ({ full: [], last: new Uint32Array(FIRST_WORDS), filled: 0 }),
  );
  return {
    add(ids) {
      for (let i = 0; i < ids.length; i += 2) {
        const part = parts[ids[i + 1] >>> 24];
        if (part.filled === part.last.length) makeRoom(part);
        const { last, filled } = part;
        last[filled] = ids[i];
        last[filled + 1] = ids[i + 1];
        part.filled = filled + 2;
      }
    },
    repeated(limit) {
      const found = new Set<string>();
      for (const part of parts) {
        const list = joined(part);
        new BigUint64Array(list.buffer).sort();
        for (let i = 2; i < list.length && found.size < limit; i += 2) {
          if (list[i] === list[i - 2] && list[i + 1] === list[i - 1]) found.add(`${list[i + 1]}.${list[i]}`);
        }
      }
      return found;
    },
  };
}

function makeRoom(part: Part): void {
  const { last } = part;
  if (last.length === BLOCK_WORDS) {
    part.full.push(last);
    part.last = new Uint32Array(BLOCK_WORDS);
    part.filled = 0;
  } else {
    part.last = new Uint32Array(2 * last.length);
    part.last.set(last);
  }
}

function joined({ full, last, filled }: Part): Uint32Array {
  const list = new Uint32Array(full.length * BLOCK_WORDS + filled);
  full.forEach((block, i) => {
    list.set(block, i * BLOCK_WORDS);
  });
  list.set(last.subarray(0, filled), full.length * BLOCK_WORDS);
  return list;
}
