/**
 * Comparing a Ledger API value (`create_arguments`, `contract_key`) with the LF value of the blob, byte by byte and
 * without building either (snapshot-format spec, sections 3.4 item 8 and 4). The Ledger API form may lack trailing Nones
 * in any record and may carry labels and type ids; numbers of the oneof members differ between the two.
 */
import { AcsError } from '../io/error.js';
import { sameHex } from '../wire/hexDigits.js';
import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT } from '../wire/reader.js';
import { sameBytes } from '../wire/sameBytes.js';
import { LF_FIELD } from './value.js';

/** Ledger API member number for each LF member number. */
const LAPI_OF_LF = [-1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 12];

/*
 * The walk keeps its results in these instead of returning objects: a record has some twenty nodes, a file millions of
 * records. Everything here is synchronous, and each result is copied out before the next call.
 */
let at = 0;
let found = 0;
let foundEnd = 0;
/** Path parts from the inside out, filled while a difference travels up. */
let trail: string[] = [];

function truncated(pos: number): AcsError {
  return new AcsError('WIRE_TRUNCATED', 'a value ends inside one of its fields', { byteOffset: pos });
}

/** A varint cut to 32 bits; leaves the position behind it in `at`. */
function varint(buf: Buffer, pos: number, end: number): number {
  if (pos < end && buf[pos] < 0x80) {
    at = pos + 1;
    return buf[pos];
  }
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (pos >= end) throw truncated(pos);
    const b = buf[pos++];
    if (shift < 32) value |= (b & 0x7f) << shift;
    if (b < 0x80) {
      at = pos;
      return value >>> 0;
    }
  }
  throw new AcsError('WIRE_VARINT_TOO_LONG', 'a varint is longer than 10 bytes', { byteOffset: pos });
}

/**
 * The next occurrence of the length-delimited `field` from `pos` on: its content is `[found, foundEnd)`, `at` is
 * `foundEnd`. False when there is none; other fields are skipped.
 */
function nextField(buf: Buffer, pos: number, end: number, field: number): boolean {
  const wanted = (field << 3) | WIRE_BYTES;
  // Nearly always it comes first, with a length of one byte.
  if (pos + 1 < end && buf[pos] === wanted && buf[pos + 1] < 0x80 && buf[pos + 1] <= end - pos - 2) {
    found = pos + 2;
    foundEnd = found + buf[pos + 1];
    at = foundEnd;
    return true;
  }
  while (pos < end) {
    const tag = varint(buf, pos, end);
    pos = at;
    switch (tag & 7) {
      case WIRE_BYTES: {
        const n = varint(buf, pos, end);
        if (n > end - at) throw truncated(at);
        if (tag === wanted) {
          found = at;
          foundEnd = at + n;
          at = foundEnd;
          return true;
        }
        pos = at + n;
        break;
      }
      case WIRE_VARINT:
        varint(buf, pos, end);
        pos = at;
        break;
      case WIRE_FIXED64:
        pos += 8;
        break;
      case WIRE_FIXED32:
        pos += 4;
        break;
      default:
        throw new AcsError('WIRE_BAD_TAG', 'not a valid protobuf field tag', { byteOffset: pos });
    }
  }
  at = pos;
  return false;
}

/**
 * Path of the first difference between a Ledger API `Record` and a serialized LF record, or undefined when they agree.
 * The path counts fields from 0, e.g. `2.0` or `3[1]`.
 */
export function recordDifference(
  lapi: Buffer,
  lapiStart: number,
  lapiEnd: number,
  lf: Buffer,
  lfStart: number,
  lfEnd: number,
): string | undefined {
  if (lf[lfStart] !== ((LF_FIELD.record << 3) | WIRE_BYTES)) return '';
  const n = varint(lf, lfStart + 1, lfEnd);
  if (at + n !== lfEnd) return '';
  return sameRecord(lapi, lapiStart, lapiEnd, lf, at, lfEnd) ? undefined : pathText();
}

/** The same for two values. */
export function valueDifference(
  lapi: Buffer,
  lapiStart: number,
  lapiEnd: number,
  lf: Buffer,
  lfStart: number,
  lfEnd: number,
): string | undefined {
  return sameValue(lapi, lapiStart, lapiEnd, lf, lfStart, lfEnd) ? undefined : pathText();
}

/** The path noted, which is then forgotten. */
function pathText(): string {
  const path = trail.reverse().join('').replace(/^\./, '');
  trail = [];
  return path;
}

/** Notes where on the way up a difference lies; always false. */
function differs(part: string): false {
  trail.push(part);
  return false;
}

function sameValue(
  a: Buffer,
  aStart: number,
  aEnd: number,
  b: Buffer,
  bStart: number,
  bEnd: number,
): boolean {
  if (bStart >= bEnd || aStart >= aEnd) return aStart >= aEnd && bStart >= bEnd;
  const tagB = varint(b, bStart, bEnd);
  let bPos = at;
  const tagA = varint(a, aStart, aEnd);
  let aPos = at;
  const field = tagB >>> 3;
  if (tagA >>> 3 !== LAPI_OF_LF[field] || (tagA & 7) !== (tagB & 7)) return false;
  if ((tagB & 7) !== WIRE_BYTES) {
    // Booleans, integers, dates and timestamps are encoded alike on both sides.
    return aEnd - aPos === bEnd - bPos && sameBytes(a, aPos, aEnd, b, bPos);
  }
  const aSize = varint(a, aPos, aEnd);
  aPos = at;
  const bSize = varint(b, bPos, bEnd);
  bPos = at;
  const aTo = aPos + aSize;
  const bTo = bPos + bSize;
  // A value has exactly one member, and it fills the message.
  if (aTo !== aEnd || bTo !== bEnd) return false;
  switch (field) {
    case LF_FIELD.unit:
      return true;
    case LF_FIELD.numeric:
    case LF_FIELD.party:
    case LF_FIELD.text:
      return aTo - aPos === bTo - bPos && sameBytes(a, aPos, aTo, b, bPos);
    case LF_FIELD.contractId:
      return sameHex(a, aPos, aTo, b, bPos, bTo);
    case LF_FIELD.optional:
      return sameOptional(a, aPos, aTo, b, bPos, bTo);
    case LF_FIELD.list:
      return sameList(a, aPos, aTo, b, bPos, bTo);
    case LF_FIELD.genMap:
      return sameEntries(a, aPos, aTo, b, bPos, bTo, false);
    case LF_FIELD.textMap:
      return sameEntries(a, aPos, aTo, b, bPos, bTo, true);
    case LF_FIELD.record:
      return sameRecord(a, aPos, aTo, b, bPos, bTo);
    case LF_FIELD.variant:
      return sameConstructed(a, aPos, aTo, b, bPos, bTo, true);
    case LF_FIELD.enum:
      return sameConstructed(a, aPos, aTo, b, bPos, bTo, false);
    default:
      return false;
  }
}

function sameRecord(a: Buffer, aPos: number, aEnd: number, b: Buffer, bPos: number, bEnd: number): boolean {
  for (let i = 0; ; i++) {
    const haveB = nextField(b, bPos, bEnd, 1);
    const bField = found;
    const bFieldEnd = foundEnd;
    bPos = at;
    const haveA = nextField(a, aPos, aEnd, 2);
    const aField = found;
    const aFieldEnd = foundEnd;
    aPos = at;
    if (!haveB) return haveA ? differs(`.${i}`) : true;
    const bSet = nextField(b, bField, bFieldEnd, 1);
    const bValue = found;
    const bValueEnd = foundEnd;
    if (!haveA) {
      // Trailing Nones are left out of the Ledger API form.
      if (!bSet || !isNone(b, bValue, bValueEnd)) return differs(`.${i}`);
      continue;
    }
    const aSet = nextField(a, aField, aFieldEnd, 2);
    if (!aSet || !bSet || !sameValue(a, found, foundEnd, b, bValue, bValueEnd)) return differs(`.${i}`);
  }
}

function isNone(buf: Buffer, start: number, end: number): boolean {
  if (start >= end || buf[start] !== ((LF_FIELD.optional << 3) | WIRE_BYTES)) return false;
  const n = varint(buf, start + 1, end);
  return !nextField(buf, at, Math.min(at + n, end), 1);
}

function sameOptional(a: Buffer, aPos: number, aEnd: number, b: Buffer, bPos: number, bEnd: number): boolean {
  const haveA = nextField(a, aPos, aEnd, 1) && foundEnd > found;
  const aValue = found;
  const aValueEnd = foundEnd;
  const haveB = nextField(b, bPos, bEnd, 1) && foundEnd > found;
  if (!haveA || !haveB) return haveA === haveB;
  return sameValue(a, aValue, aValueEnd, b, found, foundEnd);
}

function sameList(a: Buffer, aPos: number, aEnd: number, b: Buffer, bPos: number, bEnd: number): boolean {
  for (let i = 0; ; i++) {
    const haveA = nextField(a, aPos, aEnd, 1);
    const aItem = found;
    const aItemEnd = foundEnd;
    aPos = at;
    const haveB = nextField(b, bPos, bEnd, 1);
    bPos = at;
    if (!haveA || !haveB) return haveA === haveB;
    if (!sameValue(a, aItem, aItemEnd, b, found, foundEnd)) return differs(`[${i}]`);
  }
}

function sameEntries(
  a: Buffer,
  aPos: number,
  aEnd: number,
  b: Buffer,
  bPos: number,
  bEnd: number,
  textKeys: boolean,
): boolean {
  const left = entries(a, aPos, aEnd);
  const right = entries(b, bPos, bEnd);
  if (left.length !== right.length) return false;
  if (textKeys) {
    // Stored in any order; the Ledger API prints them by key.
    sortByKey(a, left);
    sortByKey(b, right);
  }
  for (let i = 0; i < left.length; i++) {
    const x = left[i];
    const y = right[i];
    const sameKey = textKeys
      ? x.keyEnd - x.key === y.keyEnd - y.key && sameBytes(a, x.key, x.keyEnd, b, y.key)
      : sameValue(a, x.key, x.keyEnd, b, y.key, y.keyEnd);
    if (!sameKey || !sameValue(a, x.value, x.valueEnd, b, y.value, y.valueEnd)) return differs(`[${i}]`);
  }
  return true;
}

interface Entry {
  key: number;
  keyEnd: number;
  value: number;
  valueEnd: number;
}

function entries(buf: Buffer, start: number, end: number): Entry[] {
  const list: Entry[] = [];
  let pos = start;
  while (nextField(buf, pos, end, 1)) {
    pos = at;
    const from = found;
    const to = foundEnd;
    const entry: Entry = { key: 0, keyEnd: 0, value: 0, valueEnd: 0 };
    if (nextField(buf, from, to, 1)) {
      entry.key = found;
      entry.keyEnd = foundEnd;
    }
    if (nextField(buf, from, to, 2)) {
      entry.value = found;
      entry.valueEnd = foundEnd;
    }
    list.push(entry);
  }
  return list;
}

function sortByKey(buf: Buffer, list: Entry[]): void {
  list.sort((x, y) => buf.compare(buf, y.key, y.keyEnd, x.key, x.keyEnd));
}

/** Variants and enums: Ledger API `{1 type id, 2 constructor, 3 value}`, blob `{1 constructor, 2 value}`. */
function sameConstructed(
  a: Buffer,
  aPos: number,
  aEnd: number,
  b: Buffer,
  bPos: number,
  bEnd: number,
  withValue: boolean,
): boolean {
  if (!nextField(a, aPos, aEnd, 2)) return false;
  const name = found;
  const nameEnd = foundEnd;
  if (!nextField(b, bPos, bEnd, 1)) return false;
  if (nameEnd - name !== foundEnd - found || !sameBytes(a, name, nameEnd, b, found)) return false;
  if (!withValue) return true;
  if (!nextField(a, aPos, aEnd, 3)) return false;
  const value = found;
  const valueEnd = foundEnd;
  return nextField(b, bPos, bEnd, 2) && sameValue(a, value, valueEnd, b, found, foundEnd);
}
