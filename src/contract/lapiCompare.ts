/**
 * Comparing a Ledger API value (`create_arguments`, `contract_key`) with the LF value of the blob, byte by byte and
 * without building either (snapshot-format spec, sections 3.4 item 8 and 4). The Ledger API form may lack trailing Nones
 * in any record and may carry labels and type ids; numbers of the oneof members differ between the two.
 */
import { WIRE_BYTES, WireReader } from '../wire/reader.js';
import { LF_FIELD } from './valueCodec.js';

/** Ledger API member number for each LF member number. */
const LAPI_OF_LF = [-1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 12];

/** Borders of a value or message inside a buffer. */
interface Span {
  start: number;
  end: number;
}

/**
 * Path of the first difference between a Ledger API `Record` and a serialized LF record, or undefined when they agree.
 * The path counts fields from 0, e.g. `2.0` or `3[1]`.
 */
export function recordDifference(lapiBuf: Buffer, lapi: Span, lfBuf: Buffer, lf: Span): string | undefined {
  const r = new WireReader(lfBuf, lf.start, lf.end);
  const tag = r.pos < r.end ? r.tag() : 0;
  if (tag !== ((LF_FIELD.record << 3) | WIRE_BYTES)) return '';
  const n = r.length();
  return compareRecord(lapiBuf, lapi, lfBuf, { start: r.pos, end: r.pos + n }, '');
}

/** The same for two values. */
export function valueDifference(
  lapiBuf: Buffer,
  lapi: Span,
  lfBuf: Buffer,
  lf: Span,
  path = '',
): string | undefined {
  const a = new WireReader(lapiBuf, lapi.start, lapi.end);
  const b = new WireReader(lfBuf, lf.start, lf.end);
  if (b.pos >= b.end || a.pos >= a.end) return a.pos >= a.end && b.pos >= b.end ? undefined : path;
  const tagB = b.tag();
  const tagA = a.tag();
  const field = tagB >>> 3;
  if (tagA >>> 3 !== LAPI_OF_LF[field]) return path;
  switch (field) {
    case LF_FIELD.unit:
      return undefined;
    case LF_FIELD.bool:
      return a.bool() === b.bool() ? undefined : path;
    case LF_FIELD.int64:
      return a.uint64() === b.uint64() ? undefined : path;
    case LF_FIELD.date:
      return a.int32() === b.int32() ? undefined : path;
    case LF_FIELD.timestamp:
      return a.sfixed64() === b.sfixed64() ? undefined : path;
    case LF_FIELD.numeric:
    case LF_FIELD.party:
    case LF_FIELD.text:
      return sameBytes(a, b) ? undefined : path;
    case LF_FIELD.contractId:
      return sameHex(a, b) ? undefined : path;
    case LF_FIELD.optional:
      return compareOptional(a, b, path);
    case LF_FIELD.list:
      return compareLists(a, b, path);
    case LF_FIELD.genMap:
      return compareEntries(a, b, path, false);
    case LF_FIELD.textMap:
      return compareEntries(a, b, path, true);
    case LF_FIELD.record:
      return compareRecord(lapiBuf, span(a), lfBuf, span(b), path);
    case LF_FIELD.variant:
      return compareConstructed(a, b, path, true);
    case LF_FIELD.enum:
      return compareConstructed(a, b, path, false);
    default:
      return path;
  }
}

function span(r: WireReader): Span {
  const n = r.length();
  return { start: r.pos, end: r.pos + n };
}

function sameBytes(a: WireReader, b: WireReader): boolean {
  const x = span(a);
  const y = span(b);
  return x.end - x.start === y.end - y.start && a.buf.compare(b.buf, y.start, y.end, x.start, x.end) === 0;
}

/** Hex text on the Ledger API side, raw bytes in the blob. */
function sameHex(a: WireReader, b: WireReader): boolean {
  const x = span(a);
  const y = span(b);
  return hexMatches(a.buf, x.start, x.end, b.buf, y.start, y.end);
}

/** True when `text[start, end)` is the lower-case hex of `raw[rawStart, rawEnd)`. */
export function hexMatches(
  text: Buffer,
  start: number,
  end: number,
  raw: Buffer,
  rawStart: number,
  rawEnd: number,
): boolean {
  if (end - start !== 2 * (rawEnd - rawStart)) return false;
  for (let i = rawStart, j = start; i < rawEnd; i++, j += 2) {
    const b = raw[i];
    if (text[j] !== HEX_DIGITS[b >> 4] || text[j + 1] !== HEX_DIGITS[b & 15]) return false;
  }
  return true;
}

const HEX_DIGITS = Buffer.from('0123456789abcdef');

/** Elements (all length-delimited occurrences of `field`) of a message. */
function elements(buf: Buffer, message: Span, field: number): Span[] {
  const r = new WireReader(buf, message.start, message.end);
  const wanted = (field << 3) | WIRE_BYTES;
  const found: Span[] = [];
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === wanted) {
      const s = span(r);
      found.push(s);
      r.pos = s.end;
    } else r.skip(tag & 7);
  }
  return found;
}

/** The last occurrence of a length-delimited field, or undefined. */
function member(buf: Buffer, message: Span, field: number): Span | undefined {
  const all = elements(buf, message, field);
  return all[all.length - 1];
}

function compareRecord(
  lapiBuf: Buffer,
  lapi: Span,
  lfBuf: Buffer,
  lf: Span,
  path: string,
): string | undefined {
  const left = elements(lapiBuf, lapi, 2);
  const right = elements(lfBuf, lf, 1);
  const at = (i: number): string => (path === '' ? `${i}` : `${path}.${i}`);
  for (let i = 0; i < right.length; i++) {
    const value = member(lfBuf, right[i], 1) ?? { start: 0, end: 0 };
    if (i >= left.length) {
      if (!isNone(lfBuf, value)) return at(i);
      continue;
    }
    const other = member(lapiBuf, left[i], 2) ?? { start: 0, end: 0 };
    const difference = valueDifference(lapiBuf, other, lfBuf, value, at(i));
    if (difference !== undefined) return difference;
  }
  return left.length > right.length ? at(right.length) : undefined;
}

function isNone(buf: Buffer, value: Span): boolean {
  const r = new WireReader(buf, value.start, value.end);
  if (r.pos >= r.end || r.tag() !== ((LF_FIELD.optional << 3) | WIRE_BYTES)) return false;
  const inner = span(r);
  return member(buf, inner, 1) === undefined;
}

function compareOptional(a: WireReader, b: WireReader, path: string): string | undefined {
  const left = member(a.buf, span(a), 1);
  const right = member(b.buf, span(b), 1);
  const leftSet = left !== undefined && left.end > left.start;
  const rightSet = right !== undefined && right.end > right.start;
  if (!leftSet || !rightSet) return leftSet === rightSet ? undefined : path;
  return valueDifference(a.buf, left, b.buf, right, path);
}

function compareLists(a: WireReader, b: WireReader, path: string): string | undefined {
  const left = elements(a.buf, span(a), 1);
  const right = elements(b.buf, span(b), 1);
  if (left.length !== right.length) return path;
  for (let i = 0; i < left.length; i++) {
    const difference = valueDifference(a.buf, left[i], b.buf, right[i], `${path}[${i}]`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function compareEntries(a: WireReader, b: WireReader, path: string, textKeys: boolean): string | undefined {
  const left = elements(a.buf, span(a), 1);
  let right = elements(b.buf, span(b), 1);
  if (left.length !== right.length) return path;
  // Text maps may be stored in any order; the Ledger API prints them by key.
  if (textKeys) right = sortByKey(b.buf, right);
  const ordered = textKeys ? sortByKey(a.buf, left) : left;
  for (let i = 0; i < ordered.length; i++) {
    const here = `${path}[${i}]`;
    const keyA = member(a.buf, ordered[i], 1) ?? { start: 0, end: 0 };
    const keyB = member(b.buf, right[i], 1) ?? { start: 0, end: 0 };
    if (textKeys) {
      if (keyA.end - keyA.start !== keyB.end - keyB.start) return here;
      if (a.buf.compare(b.buf, keyB.start, keyB.end, keyA.start, keyA.end) !== 0) return here;
    } else {
      const difference = valueDifference(a.buf, keyA, b.buf, keyB, here);
      if (difference !== undefined) return difference;
    }
    const valueA = member(a.buf, ordered[i], 2) ?? { start: 0, end: 0 };
    const valueB = member(b.buf, right[i], 2) ?? { start: 0, end: 0 };
    const difference = valueDifference(a.buf, valueA, b.buf, valueB, here);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function sortByKey(buf: Buffer, entries: Span[]): Span[] {
  const keyed = entries.map((entry) => ({ entry, key: member(buf, entry, 1) ?? { start: 0, end: 0 } }));
  keyed.sort((x, y) => buf.compare(buf, y.key.start, y.key.end, x.key.start, x.key.end));
  return keyed.map((k) => k.entry);
}

/** Variants and enums: Ledger API `{1 type id, 2 constructor, 3 value}`, blob `{1 constructor, 2 value}`. */
function compareConstructed(
  a: WireReader,
  b: WireReader,
  path: string,
  withValue: boolean,
): string | undefined {
  const left = span(a);
  const right = span(b);
  const nameA = member(a.buf, left, 2);
  const nameB = member(b.buf, right, 1);
  if (nameA === undefined || nameB === undefined) return path;
  if (a.buf.compare(b.buf, nameB.start, nameB.end, nameA.start, nameA.end) !== 0) return path;
  if (!withValue) return undefined;
  const valueA = member(a.buf, left, 3) ?? { start: 0, end: 0 };
  const valueB = member(b.buf, right, 2) ?? { start: 0, end: 0 };
  return valueDifference(a.buf, valueA, b.buf, valueB, path);
}
