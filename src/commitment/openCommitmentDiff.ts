/**
 * Comparing two opened commitments (commitments spec, section 3, step 4): contracts on one side only, and contracts whose
 * reassignment counters differ. Memory is bounded: large files are read several times, each time for one range of
 * contract ids.
 */
import { stat } from 'node:fs/promises';
import { AcsError } from '../io/error.js';
import { fileError } from '../io/input.js';
import { refuseReadOnce } from '../io/readTwice.js';
import { compareText } from './compareText.js';
import { readOpenCommitment } from './openCommitment.js';

export type OpenCommitmentDifference =
  | { kind: 'only-local' | 'only-remote'; contractId: string; reassignmentCounter: bigint }
  | { kind: 'counter-differs'; contractId: string; local: bigint; remote: bigint };

export interface OpenCommitmentDiff {
  /** Contracts in each file. */
  local: number;
  remote: number;
  /** Contracts in both with the same counter. */
  same: number;
  onlyLocal: number;
  onlyRemote: number;
  counterDiffers: number;
}

export interface OpenCommitmentDiffOptions {
  /** About how much memory to use, in bytes; default 256 MB. */
  memoryBytes?: number;
}

/** A file path, or the bytes of a file. */
export type OpenCommitmentFile = string | Uint8Array;

const DEFAULT_MEMORY_BYTES = 256_000_000;
/** Memory a contract takes in the comparison, per byte it takes in the file. */
const MEMORY_PER_FILE_BYTE = 4;

/**
 * Compares two opened commitments and calls `onDifference` for every difference, in ascending order of contract ids; a
 * promise it returns is awaited.
 * Throws `OPEN_COMMITMENT_DUPLICATE` when a contract occurs twice in one file.
 */
export async function diffOpenCommitments(
  local: OpenCommitmentFile,
  remote: OpenCommitmentFile,
  onDifference: (difference: OpenCommitmentDifference) => unknown,
  options: OpenCommitmentDiffOptions = {},
): Promise<OpenCommitmentDiff> {
  await refuseReadOnce([local, remote].filter((file) => typeof file === 'string'));
  const bytes = (await sizeOf(local)) + (await sizeOf(remote));
  const memory = options.memoryBytes ?? DEFAULT_MEMORY_BYTES;
  const ranges = Math.max(1, Math.ceil((bytes * MEMORY_PER_FILE_BYTE) / memory));
  const total: OpenCommitmentDiff = {
    local: 0,
    remote: 0,
    same: 0,
    onlyLocal: 0,
    onlyRemote: 0,
    counterDiffers: 0,
  };
  const present = new Set<number>();
  // With one range everything is in it; else there are `ranges` for each of the two id versions, and one for the rest.
  const last = ranges === 1 ? 0 : 2 * ranges;
  const report = async (difference: OpenCommitmentDifference): Promise<void> => {
    const taken = onDifference(difference);
    if (taken instanceof Promise) await taken;
  };
  for (let range = 0; range <= last; range++) {
    if (range > 0 && !present.has(range)) continue;
    const inRange = (contractId: string): boolean => {
      if (ranges === 1) return true;
      const own = rangeOf(contractId, ranges);
      if (range === 0) present.add(own);
      return own === range;
    };
    const here = await load(local, inRange);
    const there = await load(remote, inRange);
    total.local += here.size;
    total.remote += there.size;
    for (const contractId of [...new Set([...here.keys(), ...there.keys()])].sort(compareText)) {
      const mine = here.get(contractId);
      const theirs = there.get(contractId);
      if (mine === undefined) {
        total.onlyRemote++;
        await report({ kind: 'only-remote', contractId, reassignmentCounter: theirs! });
      } else if (theirs === undefined) {
        total.onlyLocal++;
        await report({ kind: 'only-local', contractId, reassignmentCounter: mine });
      } else if (mine !== theirs) {
        total.counterDiffers++;
        await report({ kind: 'counter-differs', contractId, local: mine, remote: theirs });
      } else total.same++;
    }
  }
  return total;
}

/** Ascending with the contract id; ids of version 00 and 01 spread evenly by the hash that follows. */
function rangeOf(contractId: string, ranges: number): number {
  const version = Number.parseInt(contractId.slice(0, 2), 16);
  if (version > 1) return 2 * ranges;
  const spread = Number.parseInt(contractId.slice(2, 10).padEnd(8, '0'), 16);
  return version * ranges + Math.floor((spread * ranges) / 0x1_0000_0000);
}

async function load(
  file: OpenCommitmentFile,
  wanted: (contractId: string) => boolean,
): Promise<Map<string, bigint>> {
  const found = new Map<string, bigint>();
  for await (const contracts of readOpenCommitment(file)) {
    for (const { contractId, reassignmentCounter } of contracts) {
      if (!wanted(contractId)) continue;
      if (found.has(contractId)) {
        throw new AcsError('OPEN_COMMITMENT_DUPLICATE', 'a contract occurs twice in an opened commitment', {
          contractId,
          ...(typeof file === 'string' ? { file } : {}),
        });
      }
      found.set(contractId, reassignmentCounter);
    }
  }
  return found;
}

async function sizeOf(file: OpenCommitmentFile): Promise<number> {
  if (typeof file !== 'string') return file.length;
  const found = await stat(file).catch((cause) => {
    throw fileError(file, cause);
  });
  return found.size;
}
