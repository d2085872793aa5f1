/**
 * A serialized LF value as JSON without a package: records by position (`{"_0": …, "_1": …}`), since labels and types
 * are not in the blob. Straight from bytes to text. Int64, numeric and timestamp print as strings; `Some x` prints as
 * `{"some": x}`, so that nested optionals stay distinct. The result cannot be read back without the package.
 */
import { AcsError } from '../io/error.js';
import { JsonBytes } from '../wire/jsonBytes.js';
import { WireReader } from '../wire/reader.js';
import { formatTimestampValue } from './time.js';
import { MAX_VALUE_DEPTH } from './value.js';

/** JSON text of the value `buf[start, end)`. */
export function positionalJson(buf: Buffer, start: number, end: number): string {
  const out = new JsonBytes(4 * (end - start) + 64);
  writePositionalJson(out, buf, start, end);
  return out.textFrom(0);
}

const reader = new WireReader(Buffer.alloc(0));

/** The same, appended to `out`. */
export function writePositionalJson(out: JsonBytes, buf: Buffer, start: number, end: number): void {
  writeValue(out, reader.reset(buf, start, end), end, 0);
}

const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Leaves the reader at `end`, its own end unchanged. */
function writeValue(out: JsonBytes, r: WireReader, end: number, depth: number): void {
  if (depth > MAX_VALUE_DEPTH) {
    throw new AcsError('VALUE_TOO_DEEP', 'values are nested too deeply', {
      byteOffset: r.pos,
      expected: `at most ${MAX_VALUE_DEPTH} levels`,
    });
  }
  const outer = r.end;
  r.end = end;
  if (r.pos >= end)
    throw new AcsError('VALUE_NOT_SET', 'a value has no member', {
      byteOffset: r.pos,
      expected: 'exactly one',
    });
  writeMember(out, r, r.tag(), depth);
  r.pos = end;
  r.end = outer;
}

function writeMember(out: JsonBytes, r: WireReader, tag: number, depth: number): void {
  switch (tag) {
    case 0x0a:
      out.ascii('{}');
      return;
    case 0x10:
      out.ascii(r.bool() ? 'true' : 'false');
      return;
    case 0x18:
      out.ascii(`"${r.sint64()}"`);
      return;
    case 0x20:
      out.text(`"${dateText(r.int32())}"`);
      return;
    case 0x29:
      out.text(`"${formatTimestampValue(r.sfixed64())}"`);
      return;
    case 0x32:
    case 0x3a:
    case 0x42:
      writeString(out, r);
      return;
    case 0x4a: {
      const n = r.length();
      out.hex(r.buf, r.pos, r.pos + n);
      return;
    }
    case 0x52: {
      const n = r.length();
      if (n === 0) {
        out.ascii('null');
        return;
      }
      r.tag();
      const inner = r.length();
      if (inner === 0) {
        out.ascii('null');
        return;
      }
      out.ascii('{"some":');
      writeValue(out, r, r.pos + inner, depth + 1);
      out.char(CLOSE_BRACE);
      return;
    }
    case 0x5a:
      writeEach(out, r, depth, OPEN_BRACKET, writeElement, CLOSE_BRACKET);
      return;
    case 0x6a:
      writeEach(out, r, depth, OPEN_BRACE, writeField, CLOSE_BRACE);
      return;
    case 0x62:
      writeEach(out, r, depth, OPEN_BRACKET, writeEntry, CLOSE_BRACKET);
      return;
    case 0x82:
      writeEach(out, r, depth, OPEN_BRACE, writeTextEntry, CLOSE_BRACE);
      return;
    case 0x72: {
      const n = r.length();
      const end = r.pos + n;
      r.tag();
      out.ascii('{"tag":');
      writeString(out, r);
      r.tag();
      const inner = r.length();
      out.ascii(',"value":');
      writeValue(out, r, Math.min(end, r.pos + inner), depth + 1);
      out.char(CLOSE_BRACE);
      return;
    }
    case 0x7a: {
      r.length();
      r.tag();
      writeString(out, r);
      return;
    }
    default:
      throw new AcsError('BLOB_UNKNOWN_FIELD', 'a value holds an unknown field', {
        byteOffset: r.pos,
        found: `field ${tag >>> 3}, wire type ${tag & 7}`,
      });
  }
}

function writeString(out: JsonBytes, r: WireReader): void {
  const n = r.length();
  out.string(r.buf, r.pos, r.pos + n);
  r.pos += n;
}

/** Writes what `[r.pos, end)` holds; `index` counts from 0. */
type WriteItem = (out: JsonBytes, r: WireReader, end: number, depth: number, index: number) => void;

function writeEach(
  out: JsonBytes,
  r: WireReader,
  depth: number,
  open: number,
  item: WriteItem,
  close: number,
): void {
  const n = r.length();
  const end = r.pos + n;
  out.char(open);
  for (let index = 0; r.pos < end; index++) {
    if (index > 0) out.char(COMMA);
    r.tag();
    const size = r.length();
    const to = r.pos + size;
    item(out, r, to, depth, index);
    r.pos = to;
  }
  out.char(close);
}

function writeElement(out: JsonBytes, r: WireReader, end: number, depth: number): void {
  writeValue(out, r, end, depth + 1);
}

/** `"_0":` and so on, as far as they are common. */
const FIELD_NAMES = Array.from({ length: 32 }, (_, i) => Buffer.from(`"_${i}":`));

function writeField(out: JsonBytes, r: WireReader, end: number, depth: number, index: number): void {
  out.json(FIELD_NAMES[index] ?? Buffer.from(`"_${index}":`));
  r.tag();
  const inner = r.length();
  writeValue(out, r, Math.min(end, r.pos + inner), depth + 1);
}

function writeEntry(out: JsonBytes, r: WireReader, end: number, depth: number): void {
  findEntry(r, end);
  const { valueStart, valueEnd } = entry;
  out.char(OPEN_BRACKET);
  writeValueAt(out, r, entry.keyStart, entry.keyEnd, depth);
  out.char(COMMA);
  writeValueAt(out, r, valueStart, valueEnd, depth);
  out.char(CLOSE_BRACKET);
}

function writeTextEntry(out: JsonBytes, r: WireReader, end: number, depth: number): void {
  findEntry(r, end);
  if (entry.keyStart < 0) out.ascii('""');
  else out.string(r.buf, entry.keyStart, entry.keyEnd);
  out.char(COLON);
  writeValueAt(out, r, entry.valueStart, entry.valueEnd, depth);
}

function writeValueAt(out: JsonBytes, r: WireReader, start: number, end: number, depth: number): void {
  if (start < 0) out.ascii('null');
  else {
    r.pos = start;
    writeValue(out, r, end, depth + 1);
  }
}

/** Borders of the key and the value of the map entry found last; -1 when absent. */
const entry = { keyStart: -1, keyEnd: -1, valueStart: -1, valueEnd: -1 };

function findEntry(r: WireReader, end: number): void {
  entry.keyStart = -1;
  entry.valueStart = -1;
  while (r.pos < end) {
    const tag = r.tag();
    const size = r.length();
    if (tag === 0x0a) {
      entry.keyStart = r.pos;
      entry.keyEnd = r.pos + size;
    } else {
      entry.valueStart = r.pos;
      entry.valueEnd = r.pos + size;
    }
    r.pos += size;
  }
}

/** Days since the epoch as `YYYY-MM-DD`. */
export function dateText(days: number): string {
  const date = new Date(0);
  date.setTime(days * 86_400_000);
  return date.toISOString().slice(0, 10);
}
