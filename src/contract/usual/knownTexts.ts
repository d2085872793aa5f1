/**
 * Strings that come again and again, in the memory of a WebAssembly program, each with numbers that the program adds to.
 * New ones are not met by the program: it says that it does not know them, and the caller makes them known.
 */
import { I32, I64 } from '../../wire/wasmAssembler.js';
import {
  above,
  below,
  bitAnd,
  both,
  constant,
  equal,
  give,
  long,
  longAnd,
  longAt,
  longOf,
  longPlus,
  longRotateLeft,
  longShiftLeft,
  longShiftRight,
  longTimes,
  longXor,
  lowWord,
  minus,
  plus,
  type Routine,
  shiftLeft,
  type WasmProgram,
  when,
  whileTrue,
  wordAt,
} from '../../wire/wasmProgram.js';
import { type ByteRoutines, OVERREAD } from './byteRoutines.js';

/** Strings known at most. The table has twice as many places. */
const MAX_TEXTS = 1 << 16;
const PLACES = 2 * MAX_TEXTS;
/** What is left to strings of which there are few. */
const USUAL_SHARE = 15 / 16;
const MAX_PROBES = 16;
const ENTRY_BYTES = 32;
const TEXT_BYTES = 6 << 20;
const TABLE_BYTES = 4 * PLACES;
const ENTRIES_BYTES = ENTRY_BYTES * MAX_TEXTS;
export const KNOWN_TEXTS_BYTES = TABLE_BYTES + ENTRIES_BYTES + TEXT_BYTES;

/** An entry: address, length, hash and kind of the string; what is counted, as the program likes. */
const ADDRESS = 0;
const LENGTH = 4;
const HASH = 8;
const KIND = 12;
/** Two 32-bit numbers and one of 64 bits. */
export const COUNT = 16;
export const OTHER_COUNT = 20;
export const TOTAL = 24;

/** Adds the routine `findText(kind, start, end)`: the address of the entry, 0 for an unknown string. */
export function findText(program: WasmProgram, { same }: ByteRoutines, memory: number): Routine {
  const first = long(0x9e3779b185ebca87n);
  const second = long(0xc2b2ae3d27d4eb4fn);
  const hash = program.routine('hashText', 3, I32);
  hash.body(([kind, start, end], local) => {
    const a = local(I64);
    const b = local(I64);
    const rest = local();
    const step = long(29n);
    return [
      rest.set(minus(end, start)),
      a.set(longTimes(longOf(plus(shiftLeft(rest, 4), kind)), first)),
      whileTrue(
        above(rest, 15),
        a.set(longTimes(longXor(longRotateLeft(a, step), longAt(start)), first)),
        b.set(longTimes(longXor(longRotateLeft(b, step), longAt(start, 8)), second)),
        start.set(plus(start, 16)),
        rest.set(minus(rest, 16)),
      ),
      when(
        above(rest, 7),
        a.set(longTimes(longXor(longRotateLeft(a, step), longAt(start)), first)),
        start.set(plus(start, 8)),
        rest.set(minus(rest, 8)),
      ),
      when(
        rest,
        b.set(
          longTimes(
            longXor(
              longRotateLeft(b, step),
              longAnd(
                longAt(start),
                longPlus(longShiftLeft(long(1n), longOf(shiftLeft(rest, 3))), long(-1n)),
              ),
            ),
            second,
          ),
        ),
      ),
      a.set(longTimes(longXor(longXor(a, longShiftRight(a, long(32n))), longRotateLeft(b, step)), first)),
      lowWord(longShiftRight(a, long(32n))),
    ];
  });

  const find = program.routine('findText', 3, I32);
  find.body(([kind, start, end], local) => {
    const wanted = local();
    const place = local();
    const probes = local();
    const entry = local();
    return [
      wanted.set(hash(kind, start, end)),
      place.set(shiftLeft(bitAnd(wanted, PLACES - 1), 2)),
      whileTrue(
        below(probes, MAX_PROBES),
        entry.set(wordAt(place, memory)),
        when(equal(entry, 0), give(0)),
        when(
          both(
            both(equal(wordAt(entry, HASH), wanted), equal(wordAt(entry, KIND), kind)),
            same(start, end, wordAt(entry, ADDRESS), plus(wordAt(entry, ADDRESS), wordAt(entry, LENGTH))),
          ),
          give(entry),
        ),
        place.set(bitAnd(plus(place, 4), 4 * PLACES - 1)),
        probes.set(plus(probes, 1)),
      ),
      constant(0),
    ];
  });
  return find;
}

export interface TextExports {
  hashText(kind: number, start: number, end: number): number;
  findText(kind: number, start: number, end: number): number;
}

export interface KnownTexts<Mark> {
  /**
   * Makes a string known, unless there is no room; `mark` is handed back with what was counted for it. One that is not
   * `rare` finds the last part of the room closed.
   */
  know(kind: number, text: Uint8Array, mark: Mark, rare: boolean): void;
  /** Gives what was counted for each string. */
  each(use: (kind: number, mark: Mark, count: number, otherCount: number, total: bigint) => void): void;
}

/** `core` gives the memory of the program that {@link findText} was added to at the same address. */
export function knownTexts<Mark>(
  core: { readonly bytes: Uint8Array; readonly words: DataView; readonly exports: TextExports },
  memory: number,
): KnownTexts<Mark> {
  const entries = memory + TABLE_BYTES;
  const texts = entries + ENTRIES_BYTES;
  let textEnd = texts;
  const marks: Mark[] = [];
  return {
    know(kind, text, mark, rare) {
      const share = rare ? 1 : USUAL_SHARE;
      if (marks.length >= share * MAX_TEXTS || textEnd + text.length > texts + share * TEXT_BYTES - OVERREAD)
        return;
      const { bytes, words, exports } = core;
      bytes.set(text, textEnd);
      if (exports.findText(kind, textEnd, textEnd + text.length) !== 0) return;
      const hash = exports.hashText(kind, textEnd, textEnd + text.length);
      let place = hash & (PLACES - 1);
      for (
        let probes = 0;
        words.getUint32(memory + 4 * place, true) !== 0;
        place = (place + 1) & (PLACES - 1)
      )
        if (++probes === MAX_PROBES) return;
      const entry = entries + marks.length * ENTRY_BYTES;
      words.setUint32(memory + 4 * place, entry, true);
      words.setUint32(entry + ADDRESS, textEnd, true);
      words.setUint32(entry + LENGTH, text.length, true);
      words.setInt32(entry + HASH, hash, true);
      words.setUint32(entry + KIND, kind, true);
      textEnd += text.length;
      marks.push(mark);
    },
    each(use) {
      const { words } = core;
      marks.forEach((mark, i) => {
        const entry = entries + i * ENTRY_BYTES;
        use(
          words.getUint32(entry + KIND, true),
          mark,
          words.getUint32(entry + COUNT, true),
          words.getUint32(entry + OTHER_COUNT, true),
          words.getBigUint64(entry + TOTAL, true),
        );
      });
    },
  };
}
