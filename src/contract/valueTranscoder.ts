/**
 * LF value bytes to Ledger API bytes as an export of a participant has them: without labels and type ids, everything else
 * in the order and with the trailing Nones of the source (snapshot-format spec, section 4). `plainTranscoder.ts` makes
 * the form that other sources are brought to, which drops trailing Nones.
 */
import { AcsError } from '../io/error.js';
import type { ForwardWriter } from '../wire/forwardWriter.js';
import { WireReader } from '../wire/reader.js';
import { MAX_VALUE_DEPTH } from './value.js';

/** All positions are into `src`, which the writer given to {@link valueTranscoder} copies from. */
export interface ValueTranscoder {
  /** Writes the value `src[start, end)`, without tag and length. Throws `VALUE_TOO_DEEP`, `VALUE_NOT_CANONICAL`. */
  value(src: Buffer, start: number, end: number): void;
  /** Writes field 6 of a `CreatedEvent` (create_arguments), with its tag, from the LF record `src[start, end)`. */
  createArguments(src: Buffer, start: number, end: number): void;
}

type Element = (src: Buffer, start: number, end: number, depth: number) => void;

export function valueTranscoder(w: ForwardWriter): ValueTranscoder {
  const reader = new WireReader(Buffer.alloc(0));

  function value(src: Buffer, start: number, end: number, depth: number): void {
    if (start === end) return;
    if (depth > MAX_VALUE_DEPTH) throw new AcsError('VALUE_TOO_DEEP', 'values are nested too deeply');
    const tag = src[start];
    switch (tag) {
      case 0x4a: {
        const r = reader.reset(src, start + 1, end);
        const n = r.length();
        const idStart = r.pos;
        w.reserve(2 * n + 8);
        w.byte(0x4a);
        w.varint(2 * n);
        w.hex(idStart, idStart + n);
        return;
      }
      case 0x52:
      case 0x5a:
        repeated(src, start, end, tag, 0x0a, 0x0a, depth, plainValue);
        return;
      case 0x62:
        repeated(src, start, end, 0x6a, 0x0a, 0x0a, depth, mapEntry);
        return;
      case 0x6a:
        repeated(src, start, end, 0x72, 0x0a, 0x12, depth, recordField);
        return;
      case 0x72: {
        const [bodyStart, bodyEnd, room] = body(src, start + 1, end);
        w.reserve(16);
        w.byte(0x7a);
        const prefixAt = w.at;
        w.at += room;
        constructed(src, bodyStart, bodyEnd, depth);
        w.close(prefixAt, room);
        return;
      }
      case 0x7a: {
        const [bodyStart, bodyEnd, room] = body(src, start + 1, end);
        w.reserve(16);
        w.byte(0x82);
        w.byte(0x01);
        const prefixAt = w.at;
        w.at += room;
        constructed(src, bodyStart, bodyEnd, depth);
        w.close(prefixAt, room);
        return;
      }
      case 0x82:
        repeated(src, start + 1, end, 0x62, 0x0a, 0x0a, depth, textMapEntry);
        return;
      default:
        // Unit, bool, int64, date, timestamp, numeric, party and text have the same bytes on both sides.
        w.reserve(end - start);
        w.copy(start, end);
    }
  }

  /** Borders of the message whose length prefix is at `pos`, and the size of the prefix. */
  function body(src: Buffer, pos: number, end: number): [number, number, number] {
    const short = src[pos];
    if (short < 0x80 && pos + 1 + short <= end) return [pos + 1, pos + 1 + short, 1];
    const r = reader.reset(src, pos, end);
    const n = r.length();
    return [r.pos, r.pos + n, r.pos - pos];
  }

  /** A message of one repeated length-delimited field, under another tag. */
  function repeated(
    src: Buffer,
    start: number,
    end: number,
    outerTag: number,
    innerTag: number,
    innerTagOut: number,
    depth: number,
    element: Element,
  ): void {
    const [bodyStart, bodyEnd, room] = body(src, start + 1, end);
    w.reserve(16);
    w.byte(outerTag);
    const prefixAt = w.at;
    w.at += room;
    elements(src, bodyStart, bodyEnd, innerTag, innerTagOut, depth, element);
    w.close(prefixAt, room);
  }

  function elements(
    src: Buffer,
    bodyStart: number,
    bodyEnd: number,
    innerTag: number,
    innerTagOut: number,
    depth: number,
    element: Element,
  ): void {
    let pos = bodyStart;
    while (pos < bodyEnd) {
      if (src[pos] !== innerTag) throw unexpected(pos);
      const [from, to, size] = body(src, pos + 1, bodyEnd);
      w.reserve(16);
      w.byte(innerTagOut);
      const prefixAt = w.at;
      w.at += size;
      element(src, from, to, depth + 1);
      w.close(prefixAt, size);
      pos = to;
    }
  }

  // A field and an entry are messages of their own, but no values: what they hold is one level below the record or map.
  const plainValue: Element = (src, start, end, depth) => value(src, start, end, depth);
  const recordField: Element = (src, start, end, depth) =>
    elements(src, start, end, 0x0a, 0x12, depth - 1, plainValue);
  const mapEntry: Element = (src, start, end, depth) => {
    let pos = start;
    while (pos < end) {
      const tag = src[pos];
      if (tag !== 0x0a && tag !== 0x12) throw unexpected(pos);
      const [from, to, size] = body(src, pos + 1, end);
      w.reserve(16);
      w.byte(tag);
      const prefixAt = w.at;
      w.at += size;
      value(src, from, to, depth);
      w.close(prefixAt, size);
      pos = to;
    }
  };
  const textMapEntry: Element = (src, start, end, depth) => {
    let pos = start;
    while (pos < end) {
      const tag = src[pos];
      const [from, to, size] = body(src, pos + 1, end);
      w.reserve(to - pos + 16);
      w.byte(tag);
      const prefixAt = w.at;
      w.at += size;
      if (tag === 0x0a) w.copy(from, to);
      else if (tag === 0x12) value(src, from, to, depth);
      else throw unexpected(pos);
      w.close(prefixAt, size);
      pos = to;
    }
  };

  /** Variant and enum: the constructor moves from 1 to 2, the value from 2 to 3. */
  function constructed(src: Buffer, start: number, end: number, depth: number): void {
    let pos = start;
    while (pos < end) {
      const tag = src[pos];
      const [from, to, size] = body(src, pos + 1, end);
      w.reserve(to - pos + 16);
      if (tag === 0x0a) {
        w.byte(0x12);
        w.varint(to - from);
        w.copy(from, to);
      } else if (tag === 0x12) {
        w.byte(0x1a);
        const prefixAt = w.at;
        w.at += size;
        value(src, from, to, depth + 1);
        w.close(prefixAt, size);
      } else throw unexpected(pos);
      pos = to;
    }
  }

  return {
    value: (src, start, end) => value(src, start, end, 0),
    createArguments(src, start, end) {
      if (src[start] !== 0x6a) throw unexpected(start);
      repeated(src, start, end, 0x32, 0x0a, 0x12, 0, recordField);
    },
  };
}

function unexpected(byteOffset: number): AcsError {
  return new AcsError('VALUE_NOT_CANONICAL', 'a value is not in canonical form', { byteOffset });
}
