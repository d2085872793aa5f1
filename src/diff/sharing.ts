/** Whether the threads that read the inputs of a comparison tell each other what they read, and what they need for it. */
import { stat } from 'node:fs/promises';
import { canReadTwice } from '../io/readTwice.js';
import { type Claims, MAX_CLAIMING_INPUTS, newClaimsMemory, openClaims } from './claims.js';
import type { DiffSource } from './diffSource.js';
import { ID_LOG_BYTES } from './idLog.js';
import { canHash, newHashKey } from './keyedHash.js';

/** What a thread is given. */
export interface ThreadSharing {
  /** Memory of the claims. */
  claims: SharedArrayBuffer;
  /** See `newHashKey`. */
  key: Uint8Array;
  /** Whether what every input shows alike may be dropped. */
  drops: boolean;
  /** Whether threads wait for others that have not read as far: then all of them run at once. */
  paced: boolean;
}

export interface Sharing {
  readonly claims: Claims;
  readonly forThreads: ThreadSharing;
  /** Memory taken, about. */
  readonly bytes: number;
}

/** What a contract takes of a compressed file, to estimate their number. */
const BYTES_PER_CONTRACT = 200;

/**
 * So many `threads` read the inputs `aside`. `mayDrop`: contracts that every input shows alike need not be told; they are
 * dropped when at most `maxBytes` of memory have to remember them. Undefined when fewer than two threads read side by
 * side, or when an input cannot be read again: threads that share cannot tell the error that reading the inputs one by one
 * would, so in case of any fault they are read once more without.
 */
export async function openSharing(
  sources: readonly DiffSource[],
  { threads, aside }: { threads: number; aside: ReadonlySet<number> },
  mayDrop: boolean,
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
  const memory = newClaimsMemory();
  const claims = openClaims(memory);
  for (const input of sources.keys()) if (!aside.has(input)) claims.advance(input, Number.POSITIVE_INFINITY);
  const idBytes = (largest / BYTES_PER_CONTRACT) * ID_LOG_BYTES;
  const paced = threads === aside.size;
  const drops = mayDrop && paced && threads === sources.length && idBytes <= maxBytes;
  return {
    claims,
    forThreads: { claims: memory, key: newHashKey(), drops, paced },
    bytes: memory.byteLength + (drops ? idBytes : 0),
  };
}
