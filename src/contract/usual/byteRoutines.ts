/**
 * What every walk through the bytes of a usual record needs: lengths, comparisons, and the alphabets of identifiers.
 * A range may be followed by anything; up to 15 bytes behind it are read and ignored.
 */
import { I32, I64, V128 } from '../../wire/wasmAssembler.js';
import {
  above,
  atMost,
  below,
  bitAnd,
  bitOr,
  both,
  byteAt,
  bytesAbove,
  bytesDiffer,
  bytesEqual,
  bytesShiftRight,
  type Code,
  equal,
  give,
  halvesShiftLeft,
  halvesShiftRight,
  highBits,
  long,
  longAt,
  longEqual,
  longOf,
  longOr,
  longShiftLeft,
  longXor,
  lowestBit,
  lowWord,
  minus,
  need,
  picked,
  plus,
  type Routine,
  shiftLeft,
  shiftRight,
  type Variable,
  vector,
  vectorAnd,
  vectorAt,
  vectorOr,
  type WasmProgram,
  when,
  whenElse,
  whileTrue,
  widenedAt,
} from '../../wire/wasmProgram.js';

/** Bytes behind the last range that must be readable. */
export const OVERREAD = 16;

export interface ByteRoutines {
  /**
   * `(at, limit)`: where the bytes end whose length of at most three bytes stands at `at`; they start at {@link from}. 0
   * when they do not end by `limit` or the length is longer.
   */
  span: Routine;
  from: Variable;
  /** `(a, aEnd, b, bEnd)`: 1 when both ranges hold the same bytes. */
  same: Routine;
  /** `(a, aEnd, b, bEnd)`: 1 when the first range is before the second in the order of bytes. */
  ascend: Routine;
  /** `(text, textEnd, raw, rawEnd)`: 1 when the first range is the lower-case hex of the second. */
  sameHex: Routine;
  /** `(at, limit)`: a varint of at most seven bytes as a 64-bit number; it ends at {@link next}, 0 when it is longer or cut. */
  smallVarint: Routine;
  next: Variable;
  /** Makes `(start, end)`: 1 when every byte belongs to the alphabet, of ASCII characters. */
  alphabet(name: string, character: RegExp): Routine;
  /** `(start, end)`: 1 when every byte is ASCII and not 0. */
  plainText: Routine;
}

export function byteRoutines(program: WasmProgram): ByteRoutines {
  const from = program.global();
  const next = program.global();

  const span = program.routine('span', 2, I32);
  span.body(([at, limit], local) => {
    const first = local();
    const second = local();
    const third = local();
    const end = local();
    return [
      first.set(byteAt(at)),
      whenElse(
        below(first, 0x80),
        [from.set(plus(at, 1)), end.set(plus(plus(at, 1), first))],
        [
          second.set(byteAt(at, 1)),
          first.set(bitOr(bitAnd(first, 0x7f), shiftLeft(bitAnd(second, 0x7f), 7))),
          whenElse(
            below(second, 0x80),
            [from.set(plus(at, 2)), end.set(plus(plus(at, 2), first))],
            [
              third.set(byteAt(at, 2)),
              need(below(third, 0x80)),
              from.set(plus(at, 3)),
              end.set(plus(plus(at, 3), bitOr(first, shiftLeft(third, 14)))),
            ],
          ),
        ],
      ),
      need(atMost(end, limit)),
      end,
    ];
  });

  /** The lowest bits, one for each of up to 15 bytes. */
  const bitsOf = (bytes: Variable): Code => minus(shiftLeft(1, bytes), 1);
  /** The bits of the bytes that count are all set. */
  const allOf = (bits: Code, bytes: Variable): Code => equal(bitAnd(bits, bitsOf(bytes)), bitsOf(bytes));

  const same = program.routine('same', 4, I32);
  same.body(([a, aEnd, b, bEnd], local) => {
    const rest = local();
    return [
      rest.set(minus(aEnd, a)),
      need(equal(rest, minus(bEnd, b))),
      whileTrue(
        above(rest, 15),
        need(equal(highBits(bytesEqual(vectorAt(a), vectorAt(b))), 0xffff)),
        a.set(plus(a, 16)),
        b.set(plus(b, 16)),
        rest.set(minus(rest, 16)),
      ),
      allOf(highBits(bytesEqual(vectorAt(a), vectorAt(b))), rest),
    ];
  });

  const ascend = program.routine('ascend', 4, I32);
  ascend.body(([a, aEnd, b, bEnd], local) => {
    const different = local(I64);
    const bit = local();
    // One begins the other, and both are passed by equally many bytes, less than 8 behind the shorter one's end.
    const shorter = below(plus(minus(aEnd, a), 8), plus(minus(bEnd, b), 8));
    return [
      whileTrue(
        both(below(a, aEnd), below(b, bEnd)),
        different.set(longXor(longAt(a), longAt(b))),
        whenElse(
          longEqual(different, long(0n)),
          [a.set(plus(a, 8)), b.set(plus(b, 8))],
          [
            bit.set(shiftRight(lowWord(lowestBit(different)), 3)),
            a.set(plus(a, bit)),
            b.set(plus(b, bit)),
            when(both(below(a, aEnd), below(b, bEnd)), give(below(byteAt(a), byteAt(b)))),
            give(shorter),
          ],
        ),
      ),
      shorter,
    ];
  });

  const sameHex = program.routine('sameHex', 4, I32);
  sameHex.body(([text, textEnd, raw, rawEnd], local) => {
    const rest = local();
    const wide = local(V128);
    const digits = vector(Buffer.from('0123456789abcdef'));
    const lowHalves = vector(Buffer.alloc(16, Buffer.from([0x00, 0x0f])));
    // A lane holds one byte: its upper digit goes to the first of the two places, the lower one to the second.
    const expected = picked(
      digits,
      vectorOr(halvesShiftRight(wide, 4), vectorAnd(halvesShiftLeft(wide, 8), lowHalves)),
    );
    const matching = highBits(bytesEqual(expected, vectorAt(text)));
    return [
      rest.set(minus(textEnd, text)),
      need(equal(rest, shiftLeft(minus(rawEnd, raw), 1))),
      whileTrue(
        above(rest, 15),
        wide.set(widenedAt(raw)),
        need(equal(matching, 0xffff)),
        text.set(plus(text, 16)),
        raw.set(plus(raw, 8)),
        rest.set(minus(rest, 16)),
      ),
      wide.set(widenedAt(raw)),
      allOf(matching, rest),
    ];
  });

  const smallVarint = program.routine('smallVarint', 2, I64);
  smallVarint.body(([at, limit], local) => {
    const value = local(I64);
    const shift = local();
    const byte = local();
    return [
      next.set(0),
      when(above(limit, plus(at, 7)), limit.set(plus(at, 7))),
      whileTrue(
        below(at, limit),
        byte.set(byteAt(at)),
        at.set(plus(at, 1)),
        value.set(longOr(value, longShiftLeft(longOf(bitAnd(byte, 0x7f)), longOf(shift)))),
        when(below(byte, 0x80), next.set(at), give(value)),
        shift.set(plus(shift, 7)),
      ),
      long(0n),
    ];
  });

  /** `(start, end)`: 1 when the bytes that `fits` marks by their highest bit are all of them. */
  function everywhere(name: string, fits: (bytes: Variable) => Code): Routine {
    const routine = program.routine(name, 2, I32);
    routine.body(([start, end], local) => {
      const bytes = local(V128);
      const rest = local();
      return [
        rest.set(minus(end, start)),
        whileTrue(
          above(rest, 15),
          bytes.set(vectorAt(start)),
          need(equal(highBits(fits(bytes)), 0xffff)),
          start.set(plus(start, 16)),
          rest.set(minus(rest, 16)),
        ),
        bytes.set(vectorAt(start)),
        allOf(highBits(fits(bytes)), rest),
      ];
    });
    return routine;
  }

  const zero = vector(Buffer.alloc(16));
  const plainText = everywhere('plainText', (bytes) => bytesAbove(bytes, zero));

  /**
   * Each upper digit (0 … 7) of a character has a bit of its own; a table by the lower digit has those that may stand
   * before it.
   */
  function alphabet(name: string, character: RegExp): Routine {
    const uppers = Buffer.alloc(16);
    const lowers = Buffer.alloc(16);
    for (let upper = 0; upper < 8; upper++) uppers[upper] = 1 << upper;
    for (let c = 0; c < 128; c++) if (character.test(String.fromCharCode(c))) lowers[c & 15] |= 1 << (c >> 4);
    const lowDigits = vector(Buffer.alloc(16, 0x0f));
    return everywhere(name, (bytes) =>
      bytesDiffer(
        vectorAnd(
          picked(vector(lowers), vectorAnd(bytes, lowDigits)),
          picked(vector(uppers), bytesShiftRight(bytes, 4)),
        ),
        zero,
      ),
    );
  }

  return { span, from, same, ascend, sameHex, smallVarint, next, alphabet, plainText };
}
