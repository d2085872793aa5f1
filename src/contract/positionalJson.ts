/**
 * A serialized LF value as JSON without a package: records by position (`{"_0": …, "_1": …}`), since labels and types
 * are not in the blob. Straight from bytes to text. Int64, numeric and timestamp print as strings; `Some x` prints as
 * `{"some": x}`, so that nested optionals stay distinct. The result cannot be read back without the package.
 */
import { AcsError } from '../io/error.js';
import { decodeUtf8, WireReader } from '../wire/reader.js';
import { formatTimestampValue } from './time.js';
import { MAX_VALUE_DEPTH } from './value.js';

/** JSON text of the value `buf[start, end)`. */
export function positionalJson(buf: Buffer, start: number, end: number): string {
  return valueJson(new WireReader(buf, start, end), end, 0);
}

function valueJson(r: WireReader, end: number, depth: number): string {
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
  const tag = r.tag();
  const text = memberJson(r, tag, depth);
  r.pos = end;
  r.end = outer;
  return text;
}

function memberJson(r: WireReader, tag: number, depth: number): string {
  switch (tag) {
    case 0x0a:
      return '{}';
    case 0x10:
      return r.bool() ? 'true' : 'false';
    case 0x18:
      return `"${r.sint64()}"`;
    case 0x20:
      return `"${dateText(r.int32())}"`;
    case 0x29:
      return `"${formatTimestampValue(r.sfixed64())}"`;
    case 0x32:
    case 0x3a:
      return `"${rawText(r)}"`;
    case 0x42: {
      const n = r.length();
      const text = decodeUtf8(r.buf, r.pos, r.pos + n);
      r.pos += n;
      return JSON.stringify(text);
    }
    case 0x4a: {
      const n = r.length();
      return `"${r.buf.toString('hex', r.pos, r.pos + n)}"`;
    }
    case 0x52: {
      const n = r.length();
      if (n === 0) return 'null';
      r.tag();
      const inner = r.length();
      return inner === 0 ? 'null' : `{"some":${valueJson(r, r.pos + inner, depth + 1)}}`;
    }
    case 0x5a:
      return `[${each(r, (end) => valueJson(r, end, depth + 1)).join(',')}]`;
    case 0x6a: {
      let i = 0;
      const fields = each(r, (end) => {
        r.tag();
        const inner = r.length();
        const text = `"_${i++}":${valueJson(r, Math.min(end, r.pos + inner), depth + 1)}`;
        return text;
      });
      return `{${fields.join(',')}}`;
    }
    case 0x62:
      return `[${each(r, (end) => {
        const [key, value] = entry(r, end, depth);
        return `[${key},${value}]`;
      }).join(',')}]`;
    case 0x82:
      return `{${each(r, (end) => textEntry(r, end, depth)).join(',')}}`;
    case 0x72: {
      const n = r.length();
      const end = r.pos + n;
      r.tag();
      const name = rawText(r);
      r.tag();
      const inner = r.length();
      return `{"tag":"${name}","value":${valueJson(r, Math.min(end, r.pos + inner), depth + 1)}}`;
    }
    case 0x7a: {
      r.length();
      r.tag();
      return `"${rawText(r)}"`;
    }
    default:
      throw new AcsError('BLOB_UNKNOWN_FIELD', 'a value holds an unknown field', {
        byteOffset: r.pos,
        found: `field ${tag >>> 3}, wire type ${tag & 7}`,
      });
  }
}

/** Text that needs no escaping by its grammar (parties, numerics, names); anything else is escaped. */
function rawText(r: WireReader): string {
  const n = r.length();
  const text = decodeUtf8(r.buf, r.pos, r.pos + n);
  r.pos += n;
  return /^[A-Za-z0-9:\-_ .$]*$/.test(text) ? text : JSON.stringify(text).slice(1, -1);
}

function each(r: WireReader, element: (end: number) => string): string[] {
  const n = r.length();
  const end = r.pos + n;
  const items: string[] = [];
  while (r.pos < end) {
    r.tag();
    const size = r.length();
    const to = r.pos + size;
    items.push(element(to));
    r.pos = to;
  }
  return items;
}

function entry(r: WireReader, end: number, depth: number): [string, string] {
  let key = 'null';
  let value = 'null';
  while (r.pos < end) {
    const tag = r.tag();
    const size = r.length();
    const text = valueJson(r, r.pos + size, depth + 1);
    if (tag === 0x0a) key = text;
    else value = text;
  }
  return [key, value];
}

function textEntry(r: WireReader, end: number, depth: number): string {
  let key = '""';
  let value = 'null';
  while (r.pos < end) {
    const tag = r.tag();
    const size = r.length();
    if (tag === 0x0a) {
      key = JSON.stringify(decodeUtf8(r.buf, r.pos, r.pos + size));
      r.pos += size;
    } else value = valueJson(r, r.pos + size, depth + 1);
  }
  return `${key}:${value}`;
}

/** Days since the epoch as `YYYY-MM-DD`. */
export function dateText(days: number): string {
  const date = new Date(0);
  date.setTime(days * 86_400_000);
  return date.toISOString().slice(0, 10);
}
