/**
 * Checks a serialized LF value against the real decoder's rules (snapshot-format spec, sections 5.3 and 5.5) without
 * building it: the same refusals as `decodeValue`, at a fraction of the cost. The trick is that anything unusual is left
 * to `decodeValue`, which then names the fault.
 */
import { contractIdValueProblem } from './contractId.js';
import { nameProblem, partyProblem } from './identifier.js';
import { MAX_DATE, MAX_TIMESTAMP, MAX_VALUE_DEPTH, MIN_DATE, MIN_TIMESTAMP } from './value.js';
import { decodeValue } from './valueDecoder.js';

/** Throws what `decodeValue` throws when `buf[start, end)` is no valid value. */
export function checkValue(buf: Buffer, start: number, end: number): void {
  if (!plainValue(buf, start, end, 0)) decodeValue(buf, start, end);
}

/** Position behind the varint just read by {@link varint}. */
let next = 0;

/** A varint of up to 4 bytes, or -1: longer ones are left to the slow path. */
function varint(buf: Buffer, pos: number, end: number): number {
  if (pos < end && buf[pos] < 0x80) {
    next = pos + 1;
    return buf[pos];
  }
  let value = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    if (pos >= end) return -1;
    const b = buf[pos++];
    value |= (b & 0x7f) << shift;
    if (b < 0x80) {
      next = pos;
      return value;
    }
  }
  return -1;
}

/** True when the value is valid and plain; false when it is invalid or merely unusual. */
function plainValue(buf: Buffer, start: number, end: number, depth: number): boolean {
  if (depth > MAX_VALUE_DEPTH || start >= end) return false;
  const tag = buf[start];
  const pos = start + 1;
  switch (tag) {
    case 0x0a:
      return end - pos === 1 && buf[pos] === 0;
    case 0x10:
      return end - pos === 1 && buf[pos] <= 1;
    case 0x18:
      return plainVarint64(buf, pos, end);
    case 0x20: {
      const days = varint(buf, pos, end);
      return days >= MIN_DATE && days >= 0 && days <= MAX_DATE && next === end;
    }
    case 0x29: {
      if (end - pos !== 8) return false;
      // Compare in floating point: exact enough to accept, and near the limits the slow path decides.
      const micros = buf.readInt32LE(pos + 4) * 4294967296 + buf.readUInt32LE(pos);
      return micros > Number(MIN_TIMESTAMP) + 4096 && micros < Number(MAX_TIMESTAMP) - 4096;
    }
    case 0x82:
      return buf[pos] === 0x01 && plainTextMap(buf, pos + 1, end, depth);
    default:
      break;
  }
  const size = varint(buf, pos, end);
  if (size < 0) return false;
  const body = next;
  if (body + size !== end) return false;
  switch (tag) {
    case 0x32:
      return plainNumeric(buf, body, end);
    case 0x3a:
      return partyProblem(buf, body, end) === undefined;
    case 0x42:
      return plainText(buf, body, end);
    case 0x4a:
      return contractIdValueProblem(buf, body, end) === undefined;
    case 0x52: {
      if (size === 0) return true;
      if (buf[body] !== 0x0a) return false;
      const inner = varint(buf, body + 1, end);
      return inner > 0 && next + inner === end && plainValue(buf, next, end, depth + 1);
    }
    case 0x5a:
      return plainRepeated(buf, body, end, depth, false);
    case 0x6a:
      return plainRepeated(buf, body, end, depth, true);
    case 0x62:
      return plainEntries(buf, body, end, depth);
    case 0x72: {
      const afterName = plainName(buf, body, end);
      if (afterName < 0 || buf[afterName] !== 0x12) return false;
      const inner = varint(buf, afterName + 1, end);
      return inner >= 0 && next + inner === end && plainValue(buf, next, end, depth + 1);
    }
    case 0x7a:
      return plainName(buf, body, end) === end;
    default:
      return false;
  }
}

function plainVarint64(buf: Buffer, start: number, end: number): boolean {
  const n = end - start;
  if (n < 1 || n > 10 || buf[end - 1] >= 0x80) return false;
  for (let i = start; i < end - 1; i++) if (buf[i] < 0x80) return false;
  return true;
}

/** List elements, or record fields when `wrapped` (each is a message holding the value as field 1). */
function plainRepeated(buf: Buffer, start: number, end: number, depth: number, wrapped: boolean): boolean {
  let pos = start;
  while (pos < end) {
    if (buf[pos] !== 0x0a) return false;
    let size = varint(buf, pos + 1, end);
    if (size < 0 || next + size > end) return false;
    let from = next;
    const to = from + size;
    if (wrapped) {
      if (from >= to || buf[from] !== 0x0a) return false;
      size = varint(buf, from + 1, to);
      from = next;
      if (size < 0 || from + size !== to) return false;
    }
    if (!plainValue(buf, from, to, depth + 1)) return false;
    pos = to;
  }
  return true;
}

function plainEntries(buf: Buffer, start: number, end: number, depth: number): boolean {
  let pos = start;
  while (pos < end) {
    if (buf[pos] !== 0x0a) return false;
    const size = varint(buf, pos + 1, end);
    if (size < 0 || next + size > end) return false;
    let at = next;
    const to = at + size;
    for (const tag of [0x0a, 0x12]) {
      if (at >= to || buf[at] !== tag) return false;
      const inner = varint(buf, at + 1, to);
      if (inner < 0 || next + inner > to) return false;
      const from = next;
      at = from + inner;
      if (!plainValue(buf, from, at, depth + 1)) return false;
    }
    if (at !== to) return false;
    pos = to;
  }
  return true;
}

/** Entries with keys strictly ascending by bytes; any other order goes the slow way. */
function plainTextMap(buf: Buffer, start: number, end: number, depth: number): boolean {
  const size = varint(buf, start, end);
  if (size < 0 || next + size !== end) return false;
  let pos = next;
  let previousStart = -1;
  let previousEnd = -1;
  while (pos < end) {
    if (buf[pos] !== 0x0a) return false;
    const entry = varint(buf, pos + 1, end);
    if (entry < 0 || next + entry > end) return false;
    let at = next;
    const to = at + entry;
    let keyStart = at;
    let keyEnd = at;
    if (buf[at] === 0x0a) {
      const n = varint(buf, at + 1, to);
      if (n <= 0 || next + n > to) return false;
      keyStart = next;
      keyEnd = keyStart + n;
      if (!plainText(buf, keyStart, keyEnd)) return false;
      at = keyEnd;
    }
    if (previousStart >= 0 && buf.compare(buf, keyStart, keyEnd, previousStart, previousEnd) >= 0)
      return false;
    previousStart = keyStart;
    previousEnd = keyEnd;
    if (buf[at] !== 0x12) return false;
    const inner = varint(buf, at + 1, to);
    if (inner < 0 || next + inner !== to) return false;
    if (!plainValue(buf, next, to, depth + 1)) return false;
    pos = to;
  }
  return true;
}

/** ASCII without U+0000; other text goes the slow way. */
function plainText(buf: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const b = buf[i];
    if (b === 0 || b >= 0x80) return false;
  }
  return true;
}

function plainNumeric(buf: Buffer, start: number, end: number): boolean {
  let pos = start;
  if (buf[pos] === 0x2d) pos++;
  const first = pos;
  while (pos < end && buf[pos] >= 0x30 && buf[pos] <= 0x39) pos++;
  const integer = pos - first;
  if (integer === 0 || (integer > 1 && buf[first] === 0x30) || pos >= end || buf[pos] !== 0x2e) return false;
  const scale = end - pos - 1;
  for (pos++; pos < end; pos++) if (buf[pos] < 0x30 || buf[pos] > 0x39) return false;
  return scale <= 37 && (integer === 1 && buf[first] === 0x30 ? 0 : integer) + scale <= 38;
}

/** Field 1 holding a name; returns the position behind it or -1. */
function plainName(buf: Buffer, start: number, end: number): number {
  if (start >= end || buf[start] !== 0x0a) return -1;
  const n = varint(buf, start + 1, end);
  if (n < 0 || next + n > end) return -1;
  const from = next;
  return nameProblem(buf, from, from + n) === undefined ? from + n : -1;
}
