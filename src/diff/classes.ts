/**
 * The classes of a contract between two inputs (commitments spec, section 5.5). Rules in order, the first that fits
 * names the class; a difference in content always comes first, because no repair may touch such a contract.
 */
import type { ContentField } from './contentFields.js';

/** In order of precedence. */
export const DIFF_CLASSES = [
  'stakeholders-differ',
  'content-differs',
  'counter-differs',
  'other-synchronizer',
  'in-flight',
  'archived-elsewhere',
  'purged-elsewhere',
  'only-in',
] as const;

export type DiffClass = (typeof DIFF_CLASSES)[number];

/** What one input shows of a contract. */
export interface DiffState {
  /** Position of the input. */
  input: number;
  /** Whether the input has to show the contract. */
  expected: boolean;
  state: 'active' | 'in-flight' | 'absent' | 'archived' | 'purged';
  /** Undefined when the input does not say, or shows nothing. */
  synchronizer?: string | undefined;
  reassignmentCounter?: bigint | undefined;
  /** First 128 bits of the SHA-256 of the blob, hex. */
  contentDigest?: string | undefined;
  stakeholders?: readonly string[] | undefined;
  representativePackageId?: string | undefined;
  /** Record time (microseconds) of an archive or purge, when known. */
  at?: bigint | undefined;
  /** Other synchronizers on which the input shows the contract too, which no sound participant does. */
  alsoOn?: readonly string[] | undefined;
}

export interface PairVerdict {
  /** Undefined: no difference. */
  class: DiffClass | undefined;
  fields: readonly ContentField[];
  /** More that differs and does not name the class. */
  also: readonly DiffClass[];
}

const SAME: PairVerdict = { class: undefined, fields: [], also: [] };

/** Compares what two inputs show. `fields` tells the content fields that differ and is asked only when digests differ. */
export function classifyPair(a: DiffState, b: DiffState, fields: () => readonly ContentField[]): PairVerdict {
  const shownA = isShown(a);
  const shownB = isShown(b);
  if (!shownA && !shownB) return SAME;
  if (shownA !== shownB) return verdict([absence(shownA ? a : b, shownA ? b : a)]);
  const found: DiffClass[] = [];
  let differing: readonly ContentField[] = [];
  if (a.stakeholders !== undefined && b.stakeholders !== undefined) {
    if (a.stakeholders.join('\n') !== b.stakeholders.join('\n')) found.push('stakeholders-differ');
    if (a.contentDigest !== b.contentDigest) {
      differing = fields();
      if (differing.length > 0 && found.length === 0) found.push('content-differs');
    }
  }
  const counters = a.reassignmentCounter !== b.reassignmentCounter;
  const inFlight = a.state === 'in-flight' || b.state === 'in-flight';
  const elsewhere =
    a.synchronizer !== undefined && b.synchronizer !== undefined && a.synchronizer !== b.synchronizer;
  if (inFlight) {
    if (a.state !== b.state || counters || elsewhere) found.push('in-flight');
  } else {
    if (elsewhere) found.push('other-synchronizer');
    else if (counters) found.push('counter-differs');
  }
  return verdict(found, differing);
}

function isShown(side: DiffState): boolean {
  return side.state === 'active' || side.state === 'in-flight';
}

function absence(present: DiffState, absent: DiffState): DiffClass {
  if (present.state === 'in-flight') return 'in-flight';
  if (absent.state === 'archived') return 'archived-elsewhere';
  return absent.state === 'purged' ? 'purged-elsewhere' : 'only-in';
}

function verdict(found: readonly DiffClass[], fields: readonly ContentField[] = []): PairVerdict {
  if (found.length === 0) return SAME;
  if (found.length === 1) return { class: found[0], fields, also: [] };
  const sorted = sortClasses(found);
  return { class: sorted[0], fields, also: sorted.slice(1) };
}

/** In order of precedence, each once. */
export function sortClasses(classes: readonly DiffClass[]): DiffClass[] {
  return DIFF_CLASSES.filter((name) => classes.includes(name));
}
