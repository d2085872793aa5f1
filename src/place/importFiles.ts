/** The import files of a placement: one per participant and synchronizer, and what they are called. */
import { AcsError } from '../io/error.js';

export interface ImportFile {
  readonly participant: string;
  readonly synchronizerId: string;
  /** Without folder. */
  readonly name: string;
}

/**
 * Every pair once, sorted, with its name: `participant.synchronizer.acs.gz`, with a piece of the fingerprint where two
 * synchronizers share a hint. Error: `OUTPUT_NAMES_CLASH`.
 */
export function importFiles(
  pairs: Iterable<Pick<ImportFile, 'participant' | 'synchronizerId'>>,
): ImportFile[] {
  const distinct = new Map<string, Pick<ImportFile, 'participant' | 'synchronizerId'>>();
  for (const pair of pairs) distinct.set(importFileKey(pair.participant, pair.synchronizerId), pair);
  const sorted = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pair]) => pair);
  const hints = new Map<string, Set<string>>();
  for (const { synchronizerId } of sorted) {
    const hint = synchronizerId.split('::')[0];
    const ids = hints.get(hint) ?? new Set();
    hints.set(hint, ids.add(synchronizerId));
  }
  const taken = new Set<string>();
  return sorted.map(({ participant, synchronizerId }) => {
    const [hint, fingerprint = ''] = synchronizerId.split('::');
    const clash = (hints.get(hint)?.size ?? 0) > 1;
    const synchronizer = clash ? `${hint}-${fingerprint.slice(0, 16)}` : hint;
    const name = `${safeName(participant)}.${safeName(synchronizer)}.acs.gz`;
    if (taken.has(name)) {
      throw new AcsError('OUTPUT_NAMES_CLASH', 'two import files would have the same name', { found: name });
    }
    taken.add(name);
    return { participant, synchronizerId, name };
  });
}

export function importFileKey(participant: string, synchronizerId: string): string {
  return `${participant}\0${synchronizerId}`;
}

/** Participant names and synchronizer hints may hold characters that file names should not. */
export function safeName(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '_');
}
