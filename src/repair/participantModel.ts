/**
 * A participant's active contracts under repair, by the rules of the real one (commitments spec, section 5.6;
 * legacy-import-and-recovery spec, sections 1.6, 2.2 and 4): kept for the contracts a plan touches only.
 */
import { AcsError } from '../io/error.js';

/** `away`: reassigned to another synchronizer; `in-flight`: unassigned, and not known to be assigned anywhere. */
export type ModelState = 'active' | 'away' | 'in-flight' | 'archived' | 'purged';

export interface SynchronizerState {
  synchronizer: string;
  state: ModelState;
  /** Of an active contract; of one that has left the counter of its unassignment. */
  reassignmentCounter: bigint;
}

export interface ModelContract {
  /** At most one entry per synchronizer; none where it was never seen. */
  states: SynchronizerState[];
  /** First half of the SHA-256 of its content, where the participant has it. */
  contentDigest: string | undefined;
  /** Whether the participant hosts a stakeholder. */
  hosted: boolean;
}

export interface OperationOutcome {
  op: 'purge' | 'import' | 'assign';
  synchronizerId: string;
  targetSynchronizerId?: string;
  contracts: number;
  done: number;
  /** Imports of contracts that are active already. */
  skipped: number;
  /** Rows of other synchronizers. */
  dropped: number;
}

export interface ImportRow {
  contractId: string;
  synchronizer: string;
  reassignmentCounter: bigint;
  contentDigest: string;
  hosted: boolean;
}

const SHOWN = 3;

/** Collects refusals: an operation is all or nothing, so one is enough to fail it. */
function refusals(participant: string, op: string) {
  const found: string[] = [];
  let count = 0;
  return {
    add(contractId: string, why: string): void {
      count++;
      if (found.length < SHOWN) found.push(`${contractId}: ${why}`);
    },
    check(): void {
      if (count === 0) return;
      throw new AcsError('SIMULATE_REFUSED', `${participant} would refuse the ${op} for ${count} contracts`, {
        expected: 'every contract in the state the plan was made for',
        found: found.join('; '),
        hint: 'make the plan anew from fresh exports',
      });
    },
  };
}

export function stateOn(contract: ModelContract, synchronizer: string): SynchronizerState | undefined {
  return contract.states.find((state) => state.synchronizer === synchronizer);
}

function hasLeft(state: SynchronizerState): boolean {
  return state.state === 'away' || state.state === 'in-flight';
}

function setState(
  contract: ModelContract,
  synchronizer: string,
  state: ModelState,
  reassignmentCounter: bigint,
): void {
  // Active anywhere, the contract is in flight no longer: the reassignment is completed.
  if (state === 'active')
    for (const other of contract.states) if (other.state === 'in-flight') other.state = 'away';
  const known = stateOn(contract, synchronizer);
  if (known === undefined) contract.states.push({ synchronizer, state, reassignmentCounter });
  else {
    known.state = state;
    known.reassignmentCounter = reassignmentCounter;
  }
}

/** `PurgeContracts` without ignoring purged ones. */
export function purgeContracts(
  participant: string,
  contracts: ReadonlyMap<string, ModelContract>,
  synchronizer: string,
  ids: Iterable<string>,
): OperationOutcome {
  const outcome: OperationOutcome = {
    op: 'purge',
    synchronizerId: synchronizer,
    contracts: 0,
    done: 0,
    skipped: 0,
    dropped: 0,
  };
  const refused = refusals(participant, 'purge');
  const seen = new Set<string>();
  for (const id of ids) {
    outcome.contracts++;
    const contract = contracts.get(id);
    const state = contract === undefined ? undefined : stateOn(contract, synchronizer);
    if (seen.has(id)) refused.add(id, 'listed twice');
    else if (state === undefined) refused.add(id, 'unknown contract');
    else if (state.state === 'archived' || state.state === 'purged')
      refused.add(id, `${state.state} contract`);
    else {
      // One that has left is assigned with its counter plus one first, then purged.
      setState(
        contract!,
        synchronizer,
        'purged',
        hasLeft(state) ? state.reassignmentCounter + 1n : state.reassignmentCounter,
      );
      outcome.done++;
    }
    seen.add(id);
  }
  refused.check();
  return outcome;
}

/** `ImportAcs` in mode VALIDATION into `synchronizer`. */
export function importContracts(
  participant: string,
  contracts: Map<string, ModelContract>,
  synchronizer: string,
  rows: readonly ImportRow[],
): OperationOutcome {
  const outcome: OperationOutcome = {
    op: 'import',
    synchronizerId: synchronizer,
    contracts: 0,
    done: 0,
    skipped: 0,
    dropped: 0,
  };
  const refused = refusals(participant, 'import');
  const seen = new Set<string>();
  for (const row of rows) {
    outcome.contracts++;
    const { contractId, reassignmentCounter } = row;
    if (row.synchronizer !== synchronizer) {
      outcome.dropped++;
      continue;
    }
    if (seen.has(contractId)) refused.add(contractId, 'twice in one file');
    seen.add(contractId);
    let contract = contracts.get(contractId);
    if (contract === undefined) {
      contract = { states: [], contentDigest: undefined, hosted: row.hosted };
      contracts.set(contractId, contract);
    }
    if (contract.contentDigest !== undefined && contract.contentDigest !== row.contentDigest) {
      refused.add(contractId, 'already exists in the contract store, but differs');
      continue;
    }
    contract.contentDigest = row.contentDigest;
    contract.hosted = row.hosted;
    const state = stateOn(contract, synchronizer);
    if (contract.states.some((s) => s.state === 'archived')) {
      refused.add(contractId, 'cannot add previously archived contract');
    } else if (state?.state === 'active') outcome.skipped++;
    else if (state !== undefined && hasLeft(state) && reassignmentCounter <= state.reassignmentCounter) {
      refused.add(contractId, `the reassignment counter ${reassignmentCounter} needs to be strictly larger`);
    } else {
      setState(contract, synchronizer, 'active', reassignmentCounter);
      outcome.done++;
    }
  }
  refused.check();
  return outcome;
}

/** `ChangeAssignation` with a counter for every contract, without skipping inactive ones. */
export function changeAssignation(
  participant: string,
  contracts: ReadonlyMap<string, ModelContract>,
  source: string,
  target: string,
  moves: Iterable<readonly [contractId: string, reassignmentCounter: bigint]>,
): OperationOutcome {
  const outcome: OperationOutcome = {
    op: 'assign',
    synchronizerId: source,
    targetSynchronizerId: target,
    contracts: 0,
    done: 0,
    skipped: 0,
    dropped: 0,
  };
  const refused = refusals(participant, 'change of assignation');
  if (source === target) {
    throw new AcsError('SIMULATE_REFUSED', 'source must differ from target synchronizer', { found: source });
  }
  for (const [id, reassignmentCounter] of moves) {
    outcome.contracts++;
    const contract = contracts.get(id);
    const here = contract === undefined ? undefined : stateOn(contract, source);
    const there = contract === undefined ? undefined : stateOn(contract, target);
    if (contract === undefined || here === undefined)
      refused.add(id, 'does not exist on the source synchronizer');
    else if (here.state !== 'active') refused.add(id, `is ${here.state} on the source synchronizer`);
    else if (there?.state === 'active' || there?.state === 'archived') {
      refused.add(id, `is ${there.state} on the target synchronizer`);
    } else if (!contract.hosted) refused.add(id, 'no stakeholder is hosted on the target synchronizer');
    else {
      setState(contract, source, 'away', reassignmentCounter);
      setState(contract, target, 'active', reassignmentCounter);
      outcome.done++;
    }
  }
  refused.check();
  return outcome;
}
