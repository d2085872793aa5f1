/**
 * Is a value of the Ledger API the same as the LF value of the blob, and the latter valid? One walk through both, with
 * the rules of valueCheck.ts and lapiCompare.ts for everything that participants write; what is rarer (text beyond ASCII,
 * dates before 1970, an empty key) is not usual and left to them.
 */
import { I32, I64 } from '../../wire/wasmAssembler.js';
import {
  above,
  atLeast,
  atMost,
  below,
  both,
  byteAt,
  type Code,
  constant,
  either,
  equal,
  give,
  long,
  longAt,
  longBelow,
  longPlus,
  lowWord,
  minus,
  need,
  not,
  plus,
  type Routine,
  type Variable,
  type WasmProgram,
  when,
  whenElse,
  whileTrue,
} from '../../wire/wasmProgram.js';
import { V1_DISCRIMINATOR_BYTES, V1_MAX_BYTES, V2_CANTON_BYTES, V2_LOCAL_BYTES } from '../contractId.js';
import { MAX_NAME_BYTES, MAX_PARTY_BYTES, NAME_CHARACTER } from '../identifier.js';
import { MAX_DATE, MAX_TIMESTAMP, MAX_VALUE_DEPTH, MIN_TIMESTAMP } from '../value.js';
import type { ByteRoutines } from './byteRoutines.js';

/** Digits behind the point, and all of them but a zero before it (spec, section 5.3). */
const MAX_SCALE = 37;
const MAX_PRECISION = 38;

/**
 * `(lapi, lapiEnd, lf, lfEnd)`: 1 when a Ledger API `Record` and the fields of a serialized record are the same and usual.
 * `party` checks the alphabet of parties.
 */
export function usualArgument(
  program: WasmProgram,
  { span, from, same, ascend, sameHex, smallVarint, next, alphabet, plainText }: ByteRoutines,
  party: Routine,
): Routine {
  const nameBytes = alphabet('nameBytes', NAME_CHARACTER);

  const name = program.routine('name', 2, I32);
  name.body(([start, end]) => [
    need(both(below(start, end), atMost(minus(end, start), MAX_NAME_BYTES))),
    need(above(minus(byteAt(start), 0x30), 9)),
    nameBytes(start, end),
  ]);

  /** A varint fills the range. */
  const wholeVarint = program.routine('wholeVarint', 2, I32);
  wholeVarint.body(([start, end], local) => {
    const bytes = local();
    return [
      bytes.set(minus(end, start)),
      need(both(above(bytes, 0), atMost(bytes, 10))),
      whileTrue(atLeast(byteAt(start), 0x80), start.set(plus(start, 1)), need(below(start, end))),
      equal(plus(start, 1), end),
    ];
  });

  const digits = program.routine('digits', 2, I32);
  digits.body(([at, end]) => [
    whileTrue(both(below(at, end), atMost(minus(byteAt(at), 0x30), 9)), at.set(plus(at, 1))),
    at,
  ]);

  const numeric = program.routine('numeric', 2, I32);
  numeric.body(([start, end], local) => {
    const point = local();
    const whole = local();
    const scale = local();
    return [
      when(both(below(start, end), equal(byteAt(start), 0x2d)), start.set(plus(start, 1))),
      point.set(digits(start, end)),
      whole.set(minus(point, start)),
      need(whole),
      need(both(below(point, end), equal(byteAt(point), 0x2e))),
      need(equal(digits(plus(point, 1), end), end)),
      scale.set(minus(end, plus(point, 1))),
      need(atMost(scale, MAX_SCALE)),
      when(equal(byteAt(start), 0x30), need(equal(whole, 1)), whole.set(0)),
      atMost(plus(whole, scale), MAX_PRECISION),
    ];
  });

  const contractId = program.routine('contractId', 2, I32);
  contractId.body(([start, end], local) => {
    const bytes = local();
    return [
      bytes.set(minus(end, start)),
      need(bytes),
      either(
        both(
          equal(byteAt(start), 0),
          atMost(minus(bytes, V1_DISCRIMINATOR_BYTES + 1), V1_MAX_BYTES - V1_DISCRIMINATOR_BYTES - 1),
        ),
        both(equal(byteAt(start), 1), atMost(minus(bytes, V2_LOCAL_BYTES), V2_CANTON_BYTES - V2_LOCAL_BYTES)),
      ),
    ];
  });

  const date = program.routine('date', 2, I32);
  date.body(([start, end], local) => {
    const days = local(I64);
    return [
      need(both(below(start, end), atMost(minus(end, start), 4))),
      days.set(smallVarint(start, end)),
      need(equal(next, end)),
      atMost(lowWord(days), MAX_DATE),
    ];
  });

  const value = program.routine('value', 5, I32);
  const record = program.routine('record', 5, I32);
  const constructed = program.routine('constructed', 5, I32);

  /** Two items side by side that fill `a` to `aTo` and `b` to `bTo` but for tag and length are the same. */
  const list = program.routine('list', 5, I32);
  list.body(([a, aEnd, b, bEnd, depth], local) => {
    const aTo = local();
    const bTo = local();
    const item = local();
    return [
      whileTrue(
        below(b, bEnd),
        ...part(0x0a, a, aEnd, aTo, item),
        ...part(0x0a, b, bEnd, bTo),
        need(value(item, aTo, from, bTo, plus(depth, 1))),
        a.set(aTo),
        b.set(bTo),
      ),
      equal(a, aEnd),
    ];
  });

  /** Of a text map: keys in ascending order, as they are serialized. */
  const textEntries = program.routine('textEntries', 5, I32);
  textEntries.body(([a, aEnd, b, bEnd, depth], local) => {
    const aTo = local();
    const bTo = local();
    const aAt = local();
    const bAt = local();
    const key = local();
    const keyEnd = local();
    const lastKey = local();
    const lastKeyEnd = local();
    const aPart = local();
    return [
      whileTrue(
        below(b, bEnd),
        ...part(0x0a, a, aEnd, aTo, aAt),
        ...part(0x0a, b, bEnd, bTo, bAt),
        ...part(0x0a, bAt, bTo, keyEnd, key),
        ...part(0x0a, aAt, aTo, aAt, aPart),
        need(both(below(key, keyEnd), plainText(key, keyEnd))),
        need(same(aPart, aAt, key, keyEnd)),
        when(lastKey, need(ascend(lastKey, lastKeyEnd, key, keyEnd))),
        lastKey.set(key),
        lastKeyEnd.set(keyEnd),
        need(both(equal(byteAt(aAt), 0x12), equal(span(plus(aAt, 1), aTo), aTo))),
        aPart.set(from),
        need(both(equal(byteAt(keyEnd), 0x12), equal(span(plus(keyEnd, 1), bTo), bTo))),
        need(value(aPart, aTo, from, bTo, plus(depth, 1))),
        a.set(aTo),
        b.set(bTo),
      ),
      equal(a, aEnd),
    ];
  });

  const entries = program.routine('entries', 5, I32);
  entries.body(([a, aEnd, b, bEnd, depth], local) => {
    const aTo = local();
    const bTo = local();
    const aPart = local();
    const aAt = local();
    const bAt = local();
    const aPartEnd = local();
    const bPartEnd = local();
    return [
      whileTrue(
        below(b, bEnd),
        ...part(0x0a, a, aEnd, aTo, aAt),
        ...part(0x0a, b, bEnd, bTo, bAt),
        ...part(0x0a, aAt, aTo, aPartEnd, aPart),
        ...part(0x0a, bAt, bTo, bPartEnd),
        need(value(aPart, aPartEnd, from, bPartEnd, plus(depth, 1))),
        ...part(0x12, aPartEnd, aTo, aPartEnd, aPart),
        ...part(0x12, bPartEnd, bTo, bPartEnd),
        need(both(equal(aPartEnd, aTo), equal(bPartEnd, bTo))),
        need(value(aPart, aTo, from, bTo, plus(depth, 1))),
        a.set(aTo),
        b.set(bTo),
      ),
      equal(a, aEnd),
    ];
  });

  /** The part with this tag at `at` ends at `to`; it starts at `from`, or at `start` if that is given. */
  function part(tag: number, at: Code, limit: Code, to: Variable, start?: Variable): Code[] {
    return [
      need(both(below(at, limit), equal(byteAt(at), tag))),
      to.set(span(plus(at, 1), limit)),
      ...(start === undefined ? [] : [start.set(from)]),
      need(to),
    ];
  }

  record.body(([a, aEnd, b, bEnd, depth], local) => {
    const aTo = local();
    const bTo = local();
    const aField = local();
    const bValue = local();
    return [
      // The type's id, and the labels below, are not in the blob.
      when(both(below(a, aEnd), equal(byteAt(a), 0x0a)), a.set(span(plus(a, 1), aEnd)), need(a)),
      whileTrue(
        below(b, bEnd),
        ...part(0x0a, b, bEnd, bTo, bValue),
        need(both(below(bValue, bTo), equal(byteAt(bValue), 0x0a))),
        need(equal(span(plus(bValue, 1), bTo), bTo)),
        bValue.set(from),
        whenElse(
          below(a, aEnd),
          [
            ...part(0x12, a, aEnd, aTo, aField),
            when(
              both(below(aField, aTo), equal(byteAt(aField), 0x0a)),
              aField.set(span(plus(aField, 1), aTo)),
              need(aField),
            ),
            need(both(below(aField, aTo), equal(byteAt(aField), 0x12))),
            need(equal(span(plus(aField, 1), aTo), aTo)),
            need(value(from, aTo, bValue, bTo, plus(depth, 1))),
            a.set(aTo),
          ],
          [
            // Trailing Nones are left out of the Ledger API form.
            need(equal(minus(bTo, bValue), 2)),
            need(both(equal(byteAt(bValue), 0x52), equal(byteAt(bValue, 1), 0))),
          ],
        ),
        b.set(bTo),
      ),
      equal(a, aEnd),
    ];
  });

  /** Variant or enum; of the latter nothing follows the constructor. */
  constructed.body(([a, aEnd, b, bEnd, depth], local) => {
    const aTo = local();
    const bTo = local();
    const aPart = local();
    const bPart = local();
    return [
      when(both(below(a, aEnd), equal(byteAt(a), 0x0a)), a.set(span(plus(a, 1), aEnd)), need(a)),
      ...part(0x12, a, aEnd, aTo, aPart),
      ...part(0x0a, b, bEnd, bTo, bPart),
      need(both(same(aPart, aTo, bPart, bTo), name(bPart, bTo))),
      when(equal(bTo, bEnd), give(both(equal(aTo, aEnd), equal(depth, ENUM)))),
      need(both(equal(byteAt(aTo), 0x1a), equal(span(plus(aTo, 1), aEnd), aEnd))),
      aPart.set(from),
      need(both(equal(byteAt(bTo), 0x12), equal(span(plus(bTo, 1), bEnd), bEnd))),
      need(differEnum(depth)),
      value(aPart, aEnd, from, bEnd, plus(depth, 1)),
    ];
  });

  value.body(([a, aEnd, b, bEnd, depth], local) => {
    const tag = local();
    const aTag = local();
    const aPart = local();
    const bPart = local();
    const equalBytes = same(a, aEnd, b, bEnd);
    const equalParts = same(aPart, aEnd, bPart, bEnd);
    /** The value has this tag on both sides, which are then compared like this. */
    const of = (lf: number, lapi: number, ...check: Code[]): Code =>
      when(equal(tag, lf), need(equal(aTag, lapi)), ...check.slice(0, -1), give(check[check.length - 1]));
    return [
      need(atMost(depth, MAX_VALUE_DEPTH)),
      need(both(below(b, bEnd), below(a, aEnd))),
      tag.set(byteAt(b)),
      // Numbers and the like are encoded alike on both sides.
      when(equal(tag, 0x18), need(wholeVarint(plus(b, 1), bEnd)), give(equalBytes)),
      when(
        equal(tag, 0x29),
        need(equal(minus(bEnd, b), 9)),
        need(
          longBelow(longPlus(longAt(b, 1), long(-MIN_TIMESTAMP)), long(MAX_TIMESTAMP - MIN_TIMESTAMP + 1n)),
        ),
        give(equalBytes),
      ),
      when(equal(tag, 0x20), need(date(plus(b, 1), bEnd)), give(equalBytes)),
      when(
        either(equal(tag, 0x10), equal(tag, 0x0a)),
        need(equal(minus(bEnd, b), 2)),
        need(atMost(byteAt(b, 1), equal(tag, 0x10))),
        give(equalBytes),
      ),
      // Only the tags of a text map on this side and of an enum on the other have two bytes.
      when(equal(tag, 0x82), need(equal(byteAt(b, 1), 0x01)), b.set(plus(b, 1))),
      need(equal(span(plus(b, 1), bEnd), bEnd)),
      bPart.set(from),
      aTag.set(byteAt(a)),
      when(equal(aTag, 0x82), need(equal(byteAt(a, 1), 0x01)), a.set(plus(a, 1))),
      need(equal(span(plus(a, 1), aEnd), aEnd)),
      aPart.set(from),
      of(
        0x3a,
        0x3a,
        need(both(below(bPart, bEnd), atMost(minus(bEnd, bPart), MAX_PARTY_BYTES))),
        need(party(bPart, bEnd)),
        equalParts,
      ),
      of(0x42, 0x42, need(plainText(bPart, bEnd)), equalParts),
      of(0x32, 0x32, need(numeric(bPart, bEnd)), equalParts),
      of(0x6a, 0x72, record(aPart, aEnd, bPart, bEnd, depth)),
      of(
        0x52,
        0x52,
        when(equal(bPart, bEnd), give(equal(aPart, aEnd))),
        need(both(equal(byteAt(bPart), 0x0a), equal(span(plus(bPart, 1), bEnd), bEnd))),
        bPart.set(from),
        need(both(below(aPart, aEnd), equal(byteAt(aPart), 0x0a))),
        need(equal(span(plus(aPart, 1), aEnd), aEnd)),
        value(from, aEnd, bPart, bEnd, plus(depth, 1)),
      ),
      of(0x5a, 0x5a, list(aPart, aEnd, bPart, bEnd, depth)),
      of(0x4a, 0x4a, need(contractId(bPart, bEnd)), sameHex(aPart, aEnd, bPart, bEnd)),
      of(0x72, 0x7a, constructed(aPart, aEnd, bPart, bEnd, depth)),
      of(0x7a, 0x82, constructed(aPart, aEnd, bPart, bEnd, ENUM)),
      of(0x62, 0x6a, entries(aPart, aEnd, bPart, bEnd, depth)),
      of(0x82, 0x62, textEntries(aPart, aEnd, bPart, bEnd, depth)),
      constant(0),
    ];
  });

  const argument = program.routine('usualArgument', 4, I32);
  argument.body(([a, aEnd, b, bEnd]) => [
    need(both(below(b, bEnd), equal(byteAt(b), 0x6a))),
    need(equal(span(plus(b, 1), bEnd), bEnd)),
    record(a, aEnd, from, bEnd, 0),
  ]);
  return argument;
}

/** In place of a depth: an enum, which has no value to go down into. */
const ENUM = -1;

function differEnum(depth: Code): Code {
  return not(equal(depth, ENUM));
}
