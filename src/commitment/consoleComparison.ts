/** The differences of two opened commitments in the JSON of the Canton console's `compare`, which the mismatch runbook takes. */
import { listEnd, listEntry, listStart, MISMATCH_LISTS, type MismatchList } from './mismatchJson.js';
import type { OpenCommitmentDiff, OpenCommitmentDifference } from './openCommitmentDiff.js';

/** Compares the two once, e.g. with `diffOpenCommitments`, and hands over each difference; always the same ones. */
export type DiffPass = (
  use: (difference: OpenCommitmentDifference) => unknown,
) => Promise<OpenCommitmentDiff>;

/**
 * Writes that JSON: one list after the other, so the files are compared once for each. `write` is awaited. Returns the
 * totals.
 */
export async function consoleComparison(
  pass: DiffPass,
  write: (text: string) => Promise<void>,
): Promise<OpenCommitmentDiff> {
  let total: OpenCommitmentDiff | undefined;
  for (const list of MISMATCH_LISTS) {
    await write(listStart(list));
    let isEmpty = true;
    total = await pass((d) => {
      if (d.kind !== KIND_OF[list]) return undefined;
      const entry = listEntry(d.contractId, isEmpty);
      isEmpty = false;
      return write(entry);
    });
    await write(listEnd(list, isEmpty));
  }
  return total!;
}

const KIND_OF: Record<MismatchList, OpenCommitmentDifference['kind']> = {
  cidsOnlyLocal: 'only-local',
  cidsOnlyRemote: 'only-remote',
  differentReassignmentCounters: 'counter-differs',
};
