/**
 * The layout of the mismatch file of Canton's own console (commitments spec, section 3, step 4), which its runbook goes on
 * with: three lists of contract ids, indented by two blanks, written piece by piece.
 */
export const MISMATCH_LISTS = ['cidsOnlyLocal', 'cidsOnlyRemote', 'differentReassignmentCounters'] as const;

export type MismatchList = (typeof MISMATCH_LISTS)[number];

/** What stands in front of a list; they have to come in the order of {@link MISMATCH_LISTS}. */
export function listStart(list: MismatchList): string {
  return `${list === MISMATCH_LISTS[0] ? '{' : ','}\n  "${list}": [`;
}

/** An entry, and what separates it from the one before. */
export function listEntry(contractId: string, isFirst: boolean): string {
  return `${isFirst ? '' : ','}\n    "${contractId}"`;
}

/** What stands behind a list. */
export function listEnd(list: MismatchList, isEmpty: boolean): string {
  return `${isEmpty ? '' : '\n  '}]${list === MISMATCH_LISTS[2] ? '\n}\n' : ''}`;
}
