/**
 * Counting usual records in WebAssembly: how many there are of each template, synchronizer, party, counter and size. A
 * record with a string that is not known yet, or that is not usual, does not pass and is counted by the caller, who then
 * makes the string known.
 */
import { EVENT } from '../../snapshot/recordBorders.js';
import { I32, I64 } from '../../wire/wasmAssembler.js';
import {
  atMost,
  below,
  both,
  byteAt,
  type Code,
  constant,
  equal,
  long,
  longAt,
  longBelow,
  longEqual,
  longOf,
  longPlus,
  minus,
  need,
  not,
  type Operand,
  plus,
  putLong,
  putWord,
  type Routine,
  shiftLeft,
  when,
  whileTrue,
  wordAt,
} from '../../wire/wasmProgram.js';
import type { ContentDigest } from '../contentDigest.js';
import {
  COUNT,
  findText,
  KNOWN_TEXTS_BYTES,
  knownTexts,
  OTHER_COUNT,
  type TextExports,
  TOTAL,
} from './knownTexts.js';
import {
  assemblePass,
  compiledOnce,
  FREE_MEMORY,
  type PassExports,
  type PassParts,
  passNothing,
  startPass,
} from './usualPass.js';
import { MAX_PARTIES } from './usualRecord.js';
import { usualTime } from './usualTime.js';

/** Sizes of records and blobs below this are counted; what is larger is not usual. */
export const COUNTED_SIZES = 1 << 16;
const COUNTED_COUNTERS = 128;

/** Memory: single numbers (of the last time 1 more, so that 0 is none), the entries of the parties of a record, counts by counter, by size; the strings; the chunk. */
const OTHER_PACKAGE = FREE_MEMORY;
const LONGEST = FREE_MEMORY + 4;
const FIRST = FREE_MEMORY + 8;
const LAST = FREE_MEMORY + 16;
const FOUND = FREE_MEMORY + 24;
const COUNTERS = FOUND + 8 * MAX_PARTIES;
const RECORD_SIZES = COUNTERS + 4 * COUNTED_COUNTERS;
const BLOB_SIZES = RECORD_SIZES + 4 * COUNTED_SIZES;
const TEXTS = Math.ceil((BLOB_SIZES + 4 * COUNTED_SIZES) / 16) * 16;
const CHUNK = TEXTS + KNOWN_TEXTS_BYTES;

/** What a string is. */
export const TEMPLATE = 1;
export const SYNCHRONIZER = 2;
export const PARTY = 3;
export type TextKind = typeof TEMPLATE | typeof SYNCHRONIZER | typeof PARTY;

type Exports = PassExports & TextExports;

/** What was counted of the records that passed. */
export interface UsualCounts {
  /** Whose representative package is not that of the template id. */
  representedByOtherPackage: number;
  /** Creation times in microseconds, undefined when there was none. */
  created: { first: number; last: number } | undefined;
  /** By reassignment counter from 0 on, by bytes of the whole record, by bytes of the blob. */
  counters: Uint32Array;
  recordSizes: Uint32Array;
  blobSizes: Uint32Array;
}

export interface CountedRecords<Mark> {
  digest: ContentDigest;
  hold(chunk: Buffer): void;
  pass(from: number, to: number, longest: number): number;
  readonly passed: number;
  /** Records of more bytes do not pass. */
  passUpTo(bytes: number): void;
  /** Makes a string known, while there is room: a template id or party as the event has it, or a synchronizer id. */
  know(kind: TextKind, text: Uint8Array, mark: Mark): void;
  /** What was counted of all records that passed; `texts` gets that of templates, synchronizers and parties. */
  counts(texts: UseTextCounts<Mark>): UsualCounts;
}

/** Counts of a string: of a party as signatory and as observer, of others how many records, and their bytes. */
export type UseTextCounts<Mark> = (
  kind: TextKind,
  mark: Mark,
  count: number,
  asObserver: number,
  bytes: number,
) => void;

const compiled = compiledOnce(() => assemblePass(CHUNK, build));

export function countedRecords<Mark>(): CountedRecords<Mark> {
  const module = compiled();
  if (module === undefined) {
    const none = new Uint32Array(0);
    return {
      ...passNothing(),
      passUpTo: () => undefined,
      know: () => undefined,
      counts: () => ({
        representedByOtherPackage: 0,
        created: undefined,
        counters: none,
        recordSizes: none,
        blobSizes: none,
      }),
    };
  }
  const core = startPass<Exports>(module, CHUNK);
  const known = knownTexts<Mark>(core, TEXTS);
  core.words.setBigInt64(FIRST, 2n ** 63n - 1n, true);
  return {
    digest: core.digest,
    hold: core.hold,
    pass: core.pass,
    get passed() {
      return core.passed;
    },
    passUpTo(bytes) {
      core.words.setUint32(LONGEST, Math.min(bytes, COUNTED_SIZES - 1), true);
    },
    know(kind, text, mark) {
      known.know(kind, text, mark, kind !== PARTY);
    },
    counts(texts) {
      known.each((kind, mark, count, asObserver, bytes) => {
        texts(kind as TextKind, mark, count, asObserver, Number(bytes));
      });
      const { words, bytes } = core;
      const numbers = (at: number, count: number): Uint32Array => new Uint32Array(bytes.buffer, at, count);
      const last = Number(words.getBigInt64(LAST, true)) - 1;
      return {
        representedByOtherPackage: words.getUint32(OTHER_PACKAGE, true),
        created: last < 0 ? undefined : { first: Number(words.getBigInt64(FIRST, true)), last },
        counters: numbers(COUNTERS, COUNTED_COUNTERS),
        recordSizes: numbers(RECORD_SIZES, COUNTED_SIZES),
        blobSizes: numbers(BLOB_SIZES, COUNTED_SIZES),
      };
    },
  };
}

function build({ program, bytes, record }: PassParts): Routine {
  const { same } = bytes;
  const time = usualTime(program, bytes);
  const find = findText(program, bytes, TEXTS);
  const { start, end, signatories, observers } = record;

  /** Adds 1 to the number at an address. */
  const count = (address: Operand, offset = 0): Code =>
    putWord(address, plus(wordAt(address, offset), 1), offset);

  /** A V12 id: told by its length, its first byte and the four behind the discriminator. */
  const usualId = program.routine('usualId', 2, I32);
  usualId.body(([from, to]) => [
    need(equal(minus(to, from), 138)),
    need(both(equal(byteAt(from), 0x30), equal(byteAt(from, 1), 0x30))),
    longEqual(longAt(from, 66), long(Buffer.from('ca121220').readBigUInt64LE())),
  ]);

  /** Looks up the parties of a list; their entries go to `at` and behind. */
  const findParties = (name: string, list: typeof signatories, at: number): Routine => {
    const routine = program.routine(name, 0, I32);
    routine.body((_, local) => {
      const i = local();
      const entry = local();
      return [
        whileTrue(
          below(i, list.count),
          entry.set(find(PARTY, list.start(i), list.end(i))),
          need(entry),
          putWord(shiftLeft(i, 2), entry, at),
          i.set(plus(i, 1)),
        ),
        constant(1),
      ];
    });
    return routine;
  };
  const findSignatories = findParties('findSignatories', signatories, FOUND);
  const findObservers = findParties('findObservers', observers, FOUND + 4 * MAX_PARTIES);

  /** The template id starts with the package id; whether the representative one is another. */
  const otherPackage = program.routine('otherPackage', 2, I32);
  otherPackage.body(([id, template], local) => {
    const length = local();
    return [
      length.set(minus(end(EVENT.representativePackageId), id)),
      not(same(id, plus(id, length), plus(template, 2), plus(plus(template, 2), length))),
    ];
  });

  const counted = program.routine('counted', 4, I32);
  counted.body(([frame, from, to], local) => {
    const size = local();
    const blobSize = local();
    const template = local();
    const templateEnd = local();
    const templateEntry = local();
    const synchronizerEntry = local();
    const other = local();
    const representative = local();
    const created = local(I64);
    const i = local();
    return [
      size.set(minus(to, frame)),
      need(atMost(size, wordAt(LONGEST))),
      need(record.find(from, to)),
      blobSize.set(minus(end(EVENT.createdEventBlob), start(EVENT.createdEventBlob))),
      need(usualId(start(EVENT.contractId), end(EVENT.contractId))),
      created.set(time.micros(start(EVENT.createdAt), end(EVENT.createdAt))),
      need(time.isUsual),
      template.set(start(EVENT.templateId)),
      templateEnd.set(end(EVENT.templateId)),
      when(
        record.has(EVENT.representativePackageId),
        representative.set(start(EVENT.representativePackageId)),
        need(
          both(
            equal(byteAt(template), 0x0a),
            equal(byteAt(template, 1), minus(end(EVENT.representativePackageId), representative)),
          ),
        ),
        need(atMost(plus(plus(template, 2), byteAt(template, 1)), templateEnd)),
        other.set(otherPackage(representative, template)),
      ),
      templateEntry.set(find(TEMPLATE, template, templateEnd)),
      need(templateEntry),
      synchronizerEntry.set(find(SYNCHRONIZER, record.synchronizer, record.synchronizerEnd)),
      need(synchronizerEntry),
      need(findSignatories()),
      need(findObservers()),
      // Everything is known: from here on it counts.
      count(templateEntry, COUNT),
      putLong(templateEntry, longPlus(longAt(templateEntry, TOTAL), longOf(size)), TOTAL),
      count(synchronizerEntry, COUNT),
      whileTrue(below(i, signatories.count), count(wordAt(shiftLeft(i, 2), FOUND), COUNT), i.set(plus(i, 1))),
      i.set(0),
      whileTrue(
        below(i, observers.count),
        count(wordAt(shiftLeft(i, 2), FOUND + 4 * MAX_PARTIES), OTHER_COUNT),
        i.set(plus(i, 1)),
      ),
      count(shiftLeft(record.counter, 2), COUNTERS),
      count(shiftLeft(size, 2), RECORD_SIZES),
      count(shiftLeft(blobSize, 2), BLOB_SIZES),
      when(other, count(OTHER_PACKAGE)),
      when(longBelow(created, longAt(FIRST)), putLong(FIRST, created)),
      when(longBelow(longAt(LAST), longPlus(created, long(1n))), putLong(LAST, longPlus(created, long(1n)))),
      constant(1),
    ];
  });
  return counted;
}
