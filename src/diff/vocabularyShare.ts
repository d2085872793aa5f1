/**
 * The numbers of one thread's vocabulary told to another: every string and every set once, in the order of their numbers,
 * so that rows can be sent as they are and be put into the numbers of the receiver.
 */
import type { Interner } from '../wire/interner.js';
import { HAS_CONTENT, ROW } from './row.js';
import { numberOf, type Vocabulary } from './vocabulary.js';

const TEXTS = ['synchronizers', 'templates', 'headers', 'packages'] as const;
type Texts = (typeof TEXTS)[number];

/** What is new in a vocabulary since the part before. */
export interface VocabularyPart extends Record<Texts, Uint8Array[]> {
  templateNames: string[];
  parties: Uint8Array[];
  /** Party sets, one behind the other: how many signatories, how many observers, their party numbers. */
  sets: Int32Array;
}

/** Each call gives what is new since the last one. */
export function vocabularyParts(vocabulary: Vocabulary): () => VocabularyPart {
  const told = { synchronizers: 0, templates: 0, headers: 0, packages: 0 };
  let names = 0;
  let parties = 0;
  let sets = 0;
  const copies = (from: number, to: number, bytes: (id: number) => Buffer): Uint8Array[] => {
    const list: Uint8Array[] = [];
    for (let id = from; id < to; id++) list.push(new Uint8Array(bytes(id)));
    return list;
  };
  const texts = (which: Texts): Uint8Array[] => {
    const interner: Interner = vocabulary[which];
    const list = copies(told[which], interner.size, (id) => interner.bytes(id));
    told[which] = interner.size;
    return list;
  };
  return () => {
    const known = vocabulary.parties;
    const numbers: number[] = [];
    for (; sets < known.size; sets++) for (const word of known.wordsOf(sets)) numbers.push(word);
    const part: VocabularyPart = {
      synchronizers: texts('synchronizers'),
      templates: texts('templates'),
      headers: texts('headers'),
      packages: texts('packages'),
      templateNames: vocabulary.templateNames.slice(names),
      parties: copies(parties, known.parties, (id) => known.partyBytes(id)),
      sets: Int32Array.from(numbers),
    };
    names = vocabulary.templateNames.length;
    parties = known.parties;
    return part;
  };
}

export interface VocabularyReceiver {
  /** Takes the parts in the order in which they were made. */
  learn(part: VocabularyPart): void;
  /** Puts the row `words[at …]` into the receiver's numbers. */
  translate(words: Int32Array, at: number): void;
}

export function vocabularyReceiver(vocabulary: Vocabulary): VocabularyReceiver {
  const numbers: Record<Texts, number[]> = { synchronizers: [], templates: [], headers: [], packages: [] };
  const parties: number[] = [];
  const sets: number[] = [];
  return {
    learn(part) {
      for (const which of TEXTS) {
        for (const bytes of part[which])
          numbers[which].push(numberOf(vocabulary, which, Buffer.from(bytes.buffer), 0, bytes.length));
      }
      part.templateNames.forEach((name, i) => {
        const own = numbers.templates[numbers.templates.length - part.templateNames.length + i]!;
        vocabulary.templateNames[own] = name;
      });
      const known = vocabulary.parties;
      for (const bytes of part.parties) parties.push(known.party(Buffer.from(bytes.buffer), 0, bytes.length));
      const { sets: words } = part;
      for (let at = 0; at < words.length; ) {
        const end = at + 2 + words[at]! + words[at + 1]!;
        for (let i = at + 2; i < end; i++) words[i] = parties[words[i]!]!;
        sets.push(known.ofWords(words, at));
        at = end;
      }
    },
    translate(words, at) {
      const synchronizer = words[at + ROW.synchronizer]!;
      if (synchronizer >= 0) words[at + ROW.synchronizer] = numbers.synchronizers[synchronizer]!;
      const representative = words[at + ROW.representative]!;
      if ((words[at + ROW.flags]! & HAS_CONTENT) === 0) return;
      if (representative >= 0) words[at + ROW.representative] = numbers.packages[representative]!;
      words[at + ROW.parties] = sets[words[at + ROW.parties]!]!;
      words[at + ROW.template] = numbers.templates[words[at + ROW.template]!]!;
      const header = words[at + ROW.header]!;
      words[at + ROW.header] = (numbers.headers[header >>> 2]! << 2) | (header & 3);
    },
  };
}
