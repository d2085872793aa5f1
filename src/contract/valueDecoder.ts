/**
 * Reads the bytes of a Daml-LF value as `created_event_blob` holds it (snapshot-format spec, sections 5.3 and 5.5), as
 * strictly as the real decoder.
 */
import { AcsError } from '../io/error.js';
import { decodeUtf8, WireReader } from '../wire/reader.js';
import { contractIdValueProblem } from './contractId.js';
import { nameProblem, partyProblem } from './identifier.js';
import { type LfValue, MAX_DATE, MAX_TIMESTAMP, MAX_VALUE_DEPTH, MIN_DATE, MIN_TIMESTAMP } from './value.js';

/** Decodes a serialized `Value`. Throws `VALUE_*` or `WIRE_*` errors with the byte offset inside `buf`. */
export function decodeValue(buf: Buffer, start = 0, end = buf.length): LfValue {
  return readValue(new WireReader(buf, start, end), end, 0);
}

function readValue(r: WireReader, end: number, depth: number): LfValue {
  if (depth > MAX_VALUE_DEPTH) {
    throw fail(r.pos, 'VALUE_TOO_DEEP', 'values are nested too deeply', `at most ${MAX_VALUE_DEPTH} levels`);
  }
  const outerEnd = r.end;
  r.end = end;
  let value: LfValue | undefined;
  while (r.pos < end) {
    const at = r.pos;
    const tag = r.tag();
    if (value !== undefined)
      throw fail(at, 'VALUE_AMBIGUOUS', 'a value has more than one member', 'exactly one');
    value = readMember(r, tag, depth, at);
  }
  r.end = outerEnd;
  if (value === undefined) throw fail(r.pos, 'VALUE_NOT_SET', 'a value has no member', 'exactly one');
  return value;
}

function readMember(r: WireReader, tag: number, depth: number, at: number): LfValue {
  switch (tag) {
    case 0x0a: {
      const n = r.length();
      if (n !== 0)
        throw fail(r.pos, 'BLOB_UNKNOWN_FIELD', 'the unit value holds an unknown field', 'no bytes');
      return { kind: 'unit' };
    }
    case 0x10:
      return { kind: 'bool', value: r.bool() };
    case 0x18:
      return { kind: 'int64', value: r.sint64() };
    case 0x20: {
      const days = r.int32();
      if (days < MIN_DATE || days > MAX_DATE) {
        throw fail(
          at,
          'VALUE_OUT_OF_RANGE',
          'a date is out of range',
          '0001-01-01 to 9999-12-31',
          `${days} days`,
        );
      }
      return { kind: 'date', value: days };
    }
    case 0x29: {
      const micros = r.sfixed64();
      if (micros < MIN_TIMESTAMP || micros > MAX_TIMESTAMP) {
        throw fail(
          at,
          'VALUE_OUT_OF_RANGE',
          'a timestamp is out of range',
          'years 1 to 9999',
          `${micros} µs`,
        );
      }
      return { kind: 'timestamp', value: micros };
    }
    case 0x32: {
      const text = r.string();
      checkNumeric(text, at);
      return { kind: 'numeric', value: text };
    }
    case 0x3a: {
      const n = r.length();
      const problem = partyProblem(r.buf, r.pos, r.pos + n);
      if (problem !== undefined)
        throw fail(r.pos, 'VALUE_BAD_PARTY', problem, '1 to 255 of A-Z a-z 0-9 : - _ space');
      const value = r.buf.toString('latin1', r.pos, r.pos + n);
      r.pos += n;
      return { kind: 'party', value };
    }
    case 0x42:
      return { kind: 'text', value: readText(r) };
    case 0x4a: {
      const n = r.length();
      const problem = contractIdValueProblem(r.buf, r.pos, r.pos + n);
      if (problem !== undefined) throw fail(r.pos, 'VALUE_BAD_CONTRACT_ID', problem);
      const value = r.buf.toString('hex', r.pos, r.pos + n);
      r.pos += n;
      return { kind: 'contractId', value };
    }
    case 0x52:
      return { kind: 'optional', value: readOptional(r, depth) };
    case 0x5a:
      return { kind: 'list', items: readRepeated(r, (end) => readValue(r, end, depth + 1)) };
    case 0x62:
      return { kind: 'genMap', entries: readRepeated(r, (end) => readMapEntry(r, end, depth)) };
    case 0x6a:
      return { kind: 'record', fields: readRepeated(r, (end) => readField(r, end, depth)) };
    case 0x72: {
      const end = messageEnd(r);
      let tagName: string | undefined;
      let value: LfValue | undefined;
      const outerEnd = r.end;
      r.end = end;
      while (r.pos < end) {
        const inner = r.tag();
        if (inner === 0x0a) tagName = readName(r);
        else if (inner === 0x12) value = readValue(r, messageEnd(r), depth + 1);
        else unknownField(r, inner);
      }
      r.end = outerEnd;
      if (tagName === undefined) throw fail(at, 'VALUE_BAD_NAME', 'a variant has no constructor');
      if (value === undefined) throw fail(at, 'VALUE_NOT_SET', 'a variant has no value', 'a value');
      return { kind: 'variant', tag: tagName, value };
    }
    case 0x7a: {
      const end = messageEnd(r);
      let tagName: string | undefined;
      const outerEnd = r.end;
      r.end = end;
      while (r.pos < end) {
        const inner = r.tag();
        if (inner === 0x0a) tagName = readName(r);
        else unknownField(r, inner);
      }
      r.end = outerEnd;
      if (tagName === undefined) throw fail(at, 'VALUE_BAD_NAME', 'an enum value has no constructor');
      return { kind: 'enum', tag: tagName };
    }
    case 0x82:
      return { kind: 'textMap', entries: readTextMap(r, depth) };
    default:
      return unknownField(r, tag);
  }
}

function readOptional(r: WireReader, depth: number): LfValue | null {
  const end = messageEnd(r);
  const outerEnd = r.end;
  r.end = end;
  let value: LfValue | null = null;
  while (r.pos < end) {
    const tag = r.tag();
    if (tag !== 0x0a) unknownField(r, tag);
    const valueEnd = messageEnd(r);
    // An optional holding an empty value message is read as None.
    value = valueEnd === r.pos ? null : readValue(r, valueEnd, depth + 1);
  }
  r.end = outerEnd;
  return value;
}

function readRepeated<T>(r: WireReader, element: (end: number) => T): T[] {
  const end = messageEnd(r);
  const outerEnd = r.end;
  r.end = end;
  const items: T[] = [];
  while (r.pos < end) {
    const tag = r.tag();
    if (tag !== 0x0a) unknownField(r, tag);
    items.push(element(messageEnd(r)));
  }
  r.end = outerEnd;
  return items;
}

function readField(r: WireReader, end: number, depth: number): LfValue {
  const outerEnd = r.end;
  r.end = end;
  let value: LfValue | undefined;
  while (r.pos < end) {
    const tag = r.tag();
    if (tag !== 0x0a) unknownField(r, tag);
    value = readValue(r, messageEnd(r), depth + 1);
  }
  r.end = outerEnd;
  if (value === undefined) throw fail(r.pos, 'VALUE_NOT_SET', 'a record field has no value', 'a value');
  return value;
}

function readMapEntry(r: WireReader, end: number, depth: number): [LfValue, LfValue] {
  const outerEnd = r.end;
  r.end = end;
  let key: LfValue | undefined;
  let value: LfValue | undefined;
  while (r.pos < end) {
    const tag = r.tag();
    if (tag === 0x0a) key = readValue(r, messageEnd(r), depth + 1);
    else if (tag === 0x12) value = readValue(r, messageEnd(r), depth + 1);
    else unknownField(r, tag);
  }
  r.end = outerEnd;
  if (key === undefined || value === undefined) {
    throw fail(r.pos, 'VALUE_NOT_SET', 'a map entry lacks its key or its value', 'both');
  }
  return [key, value];
}

function readTextMap(r: WireReader, depth: number): [string, LfValue][] {
  const at = r.pos;
  const entries = readRepeated(r, (end): [string, LfValue] => {
    const outerEnd = r.end;
    r.end = end;
    let key = '';
    let value: LfValue | undefined;
    while (r.pos < end) {
      const tag = r.tag();
      if (tag === 0x0a) key = readText(r);
      else if (tag === 0x12) value = readValue(r, messageEnd(r), depth + 1);
      else unknownField(r, tag);
    }
    r.end = outerEnd;
    if (value === undefined) throw fail(r.pos, 'VALUE_NOT_SET', 'a text map entry has no value', 'a value');
    return [key, value];
  });
  // Stored in any order, but no key twice; the canonical order is that of the UTF-8 bytes.
  const seen = new Set<string>();
  for (const [key] of entries) {
    if (seen.has(key))
      throw fail(
        at,
        'VALUE_DUPLICATE_KEY',
        'a text map has a key twice',
        'distinct keys',
        JSON.stringify(key),
      );
    seen.add(key);
  }
  return entries;
}

function messageEnd(r: WireReader): number {
  const n = r.length();
  return r.pos + n;
}

function readText(r: WireReader): string {
  const n = r.length();
  const text = decodeUtf8(r.buf, r.pos, r.pos + n);
  const nul = text.indexOf('\0');
  if (nul >= 0)
    throw fail(r.pos, 'VALUE_NUL_IN_TEXT', 'a text contains the character U+0000', 'text without it');
  r.pos += n;
  return text;
}

function readName(r: WireReader): string {
  const n = r.length();
  const problem = nameProblem(r.buf, r.pos, r.pos + n);
  if (problem !== undefined)
    throw fail(r.pos, 'VALUE_BAD_NAME', problem, 'a letter, $ or _, then those and digits');
  const name = r.buf.toString('latin1', r.pos, r.pos + n);
  r.pos += n;
  return name;
}

/** Throws unless `text` is a numeric as the real decoder accepts it: a point is mandatory, at most 38 digits. */
export function checkNumeric(text: string, at = 0): void {
  const match = /^-?([1-9][0-9]*|0)\.([0-9]*)$/.exec(text);
  if (match === null) {
    throw fail(
      at,
      'VALUE_BAD_NUMERIC',
      'a numeric has the wrong form',
      'digits, a point, digits; no leading zero',
      JSON.stringify(text.slice(0, 60)),
    );
  }
  const integerDigits = match[1] === '0' ? 0 : match[1].length;
  const scale = match[2].length;
  if (scale > 37 || integerDigits + scale > 38) {
    throw fail(
      at,
      'VALUE_BAD_NUMERIC',
      'a numeric has too many digits',
      'at most 38, at most 37 after the point',
      `${integerDigits} + ${scale}`,
    );
  }
}

function unknownField(r: WireReader, tag: number): never {
  throw fail(
    r.pos,
    'BLOB_UNKNOWN_FIELD',
    'a value holds an unknown field',
    'only the fields of the value schema',
    `field ${tag >>> 3}, wire type ${tag & 7}`,
  );
}

function fail(
  byteOffset: number,
  code: string,
  message: string,
  expected?: string,
  found?: string,
): AcsError {
  return new AcsError(code, message, { byteOffset, expected, found });
}
