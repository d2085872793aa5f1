/** The names of one comparison (synchronizers, templates, packages, parties), which its rows hold as numbers. */
import { AcsError } from '../io/error.js';
import { Interner } from '../wire/interner.js';
import { PartySets } from './partySets.js';

/** The numbers that stand for texts in the rows of one comparison. */
export interface Vocabulary {
  readonly synchronizers: Interner;
  readonly templates: Interner;
  /** Per template number `package:Module:Entity`. */
  readonly templateNames: string[];
  readonly headers: Interner;
  readonly packages: Interner;
  readonly parties: PartySets;
}

export function openVocabulary(partyCapacity?: number): Vocabulary {
  return {
    synchronizers: new Interner(1 << 16),
    templates: new Interner(1 << 18),
    templateNames: [],
    headers: new Interner(1 << 18),
    packages: new Interner(1 << 18),
    parties: new PartySets(partyCapacity),
  };
}

const NAMES = {
  synchronizers: 'synchronizer ids',
  templates: 'templates',
  headers: 'package names',
  packages: 'package ids',
} as const;

/** The number of a name. `guess` is the number expected. Throws `DIFF_TOO_MANY_NAMES`. */
export function numberOf(
  vocabulary: Vocabulary,
  which: keyof typeof NAMES,
  buf: Buffer,
  start: number,
  end: number,
  guess = -1,
): number {
  const id = vocabulary[which].id(buf, start, end, guess);
  if (id >= 0) return id;
  throw new AcsError('DIFF_TOO_MANY_NAMES', `the inputs have too many ${NAMES[which]}`, {
    hint: 'compare smaller parts; see `acs split`',
  });
}
