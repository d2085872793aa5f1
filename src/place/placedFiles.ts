/** Whose a file is, by its name and a placement. */
import { AcsError } from '../io/error.js';
import { type ImportFile, importFiles, safeName } from './importFiles.js';
import type { PlacementRow } from './placement.js';

/** Of a file that was counted: the participant, and the synchronizer where its name says so. */
export interface FileOwner {
  readonly participant: string;
  readonly synchronizerId?: string;
}

export interface PlacedFiles {
  /** Every import file of the placement. */
  readonly files: readonly ImportFile[];
  /**
   * Of the file at `path`: the participant, and the synchronizer where the name is exactly that of an import file.
   * Error: `PARTICIPANT_UNKNOWN`.
   */
  ownerOf(path: string): FileOwner;
}

/**
 * The import files for which no file was given. None, when no name was that of an import file: whole exports were
 * counted.
 */
export function filesNotGiven(files: readonly ImportFile[], given: readonly FileOwner[]): ImportFile[] {
  if (given.every(({ synchronizerId }) => synchronizerId === undefined)) return [];
  return files.filter(
    ({ participant, synchronizerId }) =>
      !given.some(
        (owner) =>
          owner.participant === participant && (owner.synchronizerId ?? synchronizerId) === synchronizerId,
      ),
  );
}

export function placedFiles(placement: readonly PlacementRow[]): PlacedFiles {
  const files = importFiles(placement.filter(({ reason }) => reason !== 'witness'));
  const byName = new Map(files.map((file) => [file.name, file]));
  const participants = [...new Set(placement.map((row) => row.participant))].sort();
  return {
    files,
    ownerOf(path) {
      const name = path.replace(/^.*[\\/]/, '');
      const file = byName.get(name);
      if (file !== undefined) return file;
      const matching = participants.filter((participant) => name.startsWith(`${safeName(participant)}.`));
      // `p.1` and `p` may both fit `p.1.sync.acs.gz`: the longer one is meant.
      const best = matching.sort((a, b) => b.length - a.length)[0];
      if (best !== undefined) return { participant: best };
      throw new AcsError('PARTICIPANT_UNKNOWN', 'the name of the file does not say whose it is', {
        file: path,
        expected: participants.join(', '),
        hint: 'write NAME=FILE',
        exitCode: 2,
      });
    },
  };
}
