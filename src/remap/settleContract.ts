/** Where the first pass puts what it found out about a contract. */
import type { ContractIdVersion } from '../contract/contractId.js';
import { AcsError } from '../io/error.js';
import { computeNewId } from './newContractId.js';
import { addFinding, type RemapState } from './remapState.js';

/** Gives a contract its new id, or keeps it until those it refers to have theirs. */
export function settle(
  state: RemapState,
  number: number,
  blob: Buffer,
  references: number[],
  changed: boolean,
  version: ContractIdVersion | undefined,
  representativePackageId: string,
): void {
  if (references.length > 0) {
    const handle = state.kept.put(blob);
    state.pending.push({ number, handle, references, changed, version, representativePackageId });
  } else if (changed) computeNewId(state, number, blob, version, representativePackageId);
  else state.table.keepId(number);
}

export function notAuthentic(state: RemapState, contractId: string, fault: string): void {
  const wanted = state.findings.wants('NOT_AUTHENTIC');
  addFinding(state, 'NOT_AUTHENTIC', wanted ? `${contractId} ${fault}` : undefined);
}

export function conflict(contractId: string): AcsError {
  return new AcsError('CONTENT_CONFLICT', 'two records hold the same contract with different content', {
    contractId,
    hint: 'find out which one is genuine with `acs verify` before going on',
  });
}
