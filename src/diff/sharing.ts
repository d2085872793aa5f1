/** Whether the threads that read the inputs of a comparison tell each other what they have read, and what they need for it. */
import { stat } from 'node:fs/promises';
import { canReadTwice } from '../io/readTwice.js';
import { type Claims, MAX_CLAIMING_INPUTS, newClaimsMemory, openClaims } from './claims.js';
import { canHash, newHashKey } from './keyedHash.js';
import type { DiffSource } from './source.js';

/** What a thread is given. */
export interface ThreadSharing {
  /** Memory of the claims. */
  claims: SharedArrayBuffer;
  /** See `newHashKey`. */
  key: Uint8Array;
  /** All inputs, one bit each, when what all of them show alike may be dropped. */
  droppable: number | undefined;
}

export interface Sharing {
  readonly claims: Claims;
  readonly forThreads: ThreadSharing;
  /** Memory taken. */
  readonly bytes: number;
}

/** A contract rarely takes less of a compressed file; where it does the claims are closed before the end of the file. */
const BYTES_PER_CONTRACT = 150;

/**
 * `threads` read the inputs. `droppable`: contracts that every input shows alike need not be told. `maxBytes` of memory. Undefined when fewer than two
 * threads read side by side, or when an input cannot be read again: threads that share cannot tell the error that reading
 * the inputs one by one would, so in case of any fault they are read once more without.
 */
export async function openSharing(
  sources: readonly DiffSource[],
  threads: number,
  droppable: boolean,
  maxBytes: number,
): Promise<Sharing | undefined> {
  if (threads < 2 || sources.length > MAX_CLAIMING_INPUTS || !canHash()) return undefined;
  let largest = 0;
  for (const { records } of sources) {
    if (records === undefined) continue;
    if (!(await canReadTwice(records.path))) return undefined;
    const { size } = await stat(records.path).catch(() => ({ size: 0 }));
    largest = Math.max(largest, size);
  }
  const claims = newClaimsMemory(largest / BYTES_PER_CONTRACT, maxBytes);
  const all = droppable && threads === sources.length ? 2 ** sources.length - 1 : undefined;
  return {
    claims: openClaims(claims),
    forThreads: { claims, key: newHashKey(), droppable: all },
    bytes: claims.byteLength,
  };
}
