/**
 * Whether an opened commitment is what its commitment stands for (commitments spec, section 3, step 3). The file names no
 * stakeholders, so the grouping must come from elsewhere; with a single group it is not needed.
 */

import { GroupStates } from './groups.js';
import { commitmentOf, isEmptyState, statesEqual } from './lthash16.js';
import type { OpenedContract } from './openCommitment.js';

export type OpenCommitmentVerdict =
  /** All contracts in one group give the commitment. */
  | { verdict: 'valid'; grouping: 'single' | 'known' }
  /** Grouped by the stakeholders known here, it gives another commitment. */
  | { verdict: 'invalid'; computed: Buffer }
  /** The stakeholders of some contracts are not known here and it is no single group. */
  | { verdict: 'inconclusive'; unknown: number };

/**
 * Checks opened contracts against a commitment. `stakeholdersOf` returns the stakeholders of a contract where they are
 * known. Holds the contracts' groups only.
 */
export async function checkOpenCommitment(
  contracts: AsyncIterable<OpenedContract[]>,
  commitment: Uint8Array,
  stakeholdersOf: (contractId: string) => readonly string[] | undefined,
): Promise<OpenCommitmentVerdict> {
  const grouped = new GroupStates();
  const single = new GroupStates();
  let unknown = 0;
  for await (const batch of contracts) {
    for (const { contractId, reassignmentCounter } of batch) {
      single.add(contractId, reassignmentCounter, ['*']);
      const stakeholders = stakeholdersOf(contractId);
      if (stakeholders === undefined) unknown++;
      else grouped.add(contractId, reassignmentCounter, stakeholders);
    }
  }
  if (statesEqual(combined(single), commitment)) return { verdict: 'valid', grouping: 'single' };
  if (unknown > 0) return { verdict: 'inconclusive', unknown };
  const computed = combined(grouped);
  return statesEqual(computed, commitment)
    ? { verdict: 'valid', grouping: 'known' }
    : { verdict: 'invalid', computed };
}

/** The commitment over all groups, whoever hosts them. */
function combined(states: GroupStates): Buffer {
  const { engine } = states;
  const slot = engine.open();
  for (const { state } of states.rows()) if (!isEmptyState(state)) engine.change(slot, state, 1);
  return commitmentOf(engine.read(slot));
}
