/**
 * Cutting JSON of any size into its elements without parsing it whole: a top-level array, an object with one big array
 * inside (`result`, `activeContracts`, …), JSON lines, or such documents one after the other. Bytes in, slices out.
 */
import { AcsError } from '../io/error.js';

/** Longest element, and longest document around the elements. */
export const MAX_ELEMENT_BYTES = 64 << 20;

export interface JsonSink {
  /** One element of a top-level array (`key` is '') or of the array under `key`. Valid during the call only. */
  element(buf: Buffer, start: number, end: number, key: string): void;
  /** A whole top-level object, with the arrays whose elements were handed out left empty. */
  document(buf: Buffer, start: number, end: number): void;
}

export interface JsonSplitter {
  push(chunk: Buffer, sink: JsonSink): void;
  finish(): void;
  /** Offset of the next byte; inside a call of the sink, of the element it is about. */
  readonly offset: number;
  /** 1-based line of the next byte, or of the element. */
  readonly line: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Growing bytes that survive a chunk. */
class Gathered {
  buf: Buffer = Buffer.allocUnsafe(4096);
  length = 0;
  add(chunk: Buffer, start: number, end: number): void {
    const need = this.length + end - start;
    if (need > MAX_ELEMENT_BYTES) {
      throw new AcsError('JSON_TOO_LARGE', 'a JSON element is larger than allowed', {
        expected: `at most ${MAX_ELEMENT_BYTES} bytes`,
        found: `more than ${need}`,
      });
    }
    if (need > this.buf.length) {
      const grown = Buffer.allocUnsafe(Math.max(need, this.buf.length * 2));
      this.buf.copy(grown, 0, 0, this.length);
      this.buf = grown;
    }
    chunk.copy(this.buf, this.length, start, end);
    this.length = need;
  }
}

/** Where the scanner stands. */
type Mode =
  /** Between top-level values. */
  | 'top'
  /** In a top-level array or in a listed one, between elements. */
  | 'elements'
  /** Inside an element. */
  | 'element'
  /** Inside a top-level object, outside the listed arrays. */
  | 'document';

/** `arrays` names the members of a top-level object whose elements are handed out one by one. */
export function jsonSplitter(arrays: ReadonlySet<string> = new Set()): JsonSplitter {
  let mode: Mode = 'top';
  let offset = 0;
  let line = 1;
  /** Of the current element or document. */
  let depth = 0;
  /** Where the current element begins. */
  let elementOffset = 0;
  let elementLine = 0;
  let handing = false;
  let inString = false;
  let escaped = false;
  /** Elements belong to this member of a document, or to the top-level array. */
  let arrayKey: string | undefined;
  let expectComma = false;
  let afterComma = false;
  const element = new Gathered();
  const skeleton = new Gathered();
  /** Start of the last string at depth 1 of the document, inside `skeleton`; -1 when none. */
  let keyStart = -1;
  let keyEnd = -1;
  let sawColon = false;

  function fail(code: string, message: string, expected?: string, found?: string): AcsError {
    return new AcsError(code, message, { byteOffset: offset, stream: 'inflated', line, expected, found });
  }

  function unexpected(byte: number, expected: string): AcsError {
    const found =
      byte >= 0x20 && byte < 0x7f ? JSON.stringify(String.fromCharCode(byte)) : `byte 0x${byte.toString(16)}`;
    return fail('JSON_SYNTAX', 'the JSON is malformed', expected, found);
  }

  /** Scans an element; returns the position behind it or -1 when the chunk ends first. */
  function scanElement(chunk: Buffer, from: number): number {
    let pos = from;
    const end = chunk.length;
    let d = depth;
    let string = inString;
    let esc = escaped;
    for (; pos < end; pos++) {
      const b = chunk[pos];
      if (string) {
        if (esc) esc = false;
        else if (b === BACKSLASH) esc = true;
        else if (b === QUOTE) string = false;
        else if (b < 0x20) throw unexpected(b, 'no control characters inside a string');
      } else if (b === QUOTE) string = true;
      else if (b === OPEN_OBJECT || b === OPEN_ARRAY) d++;
      else if (b === CLOSE_OBJECT || b === CLOSE_ARRAY) {
        if (--d === 0) {
          pos++;
          depth = 0;
          inString = false;
          escaped = false;
          return pos;
        }
      } else if (b === 0x0a) line++;
    }
    depth = d;
    inString = string;
    escaped = esc;
    return -1;
  }

  return {
    get offset() {
      return handing ? elementOffset : offset;
    },
    get line() {
      return handing ? elementLine : line;
    },
    push(chunk, sink) {
      let pos = 0;
      const end = chunk.length;
      const base = offset;
      while (pos < end) {
        if (mode === 'element') {
          const behind = scanElement(chunk, pos);
          if (behind < 0) {
            element.add(chunk, pos, end);
            pos = end;
            break;
          }
          offset = base + pos;
          handing = true;
          if (element.length === 0) sink.element(chunk, pos, behind, arrayKey ?? '');
          else {
            element.add(chunk, pos, behind);
            const whole = element.length;
            element.length = 0;
            sink.element(element.buf, 0, whole, arrayKey ?? '');
          }
          handing = false;
          pos = behind;
          mode = 'elements';
          expectComma = true;
          afterComma = false;
          continue;
        }
        const b = chunk[pos];
        offset = base + pos;
        if (mode === 'document') {
          pos = scanDocument(chunk, pos, sink);
          continue;
        }
        if (b === 0x20 || b === 0x0a || b === 0x0d || b === 0x09) {
          if (b === 0x0a) line++;
          pos++;
          continue;
        }
        if (mode === 'top') {
          if (b === 0xef && offset === 0) throw unexpected(b, 'JSON without a byte order mark');
          if (b === OPEN_ARRAY) {
            mode = 'elements';
            arrayKey = undefined;
            expectComma = false;
            afterComma = false;
            pos++;
          } else if (b === OPEN_OBJECT) {
            mode = 'document';
            depth = 0;
            skeleton.length = 0;
            keyStart = -1;
            sawColon = false;
          } else throw unexpected(b, 'an object or an array');
          continue;
        }
        // Between elements.
        if (b === CLOSE_ARRAY) {
          if (afterComma) throw unexpected(b, 'another element');
          pos++;
          if (arrayKey === undefined) mode = 'top';
          else {
            skeleton.add(chunk, pos - 1, pos);
            arrayKey = undefined;
            depth = 1;
            mode = 'document';
          }
        } else if (b === COMMA) {
          if (!expectComma) throw unexpected(b, 'an element');
          expectComma = false;
          afterComma = true;
          pos++;
        } else if (expectComma) throw unexpected(b, '"," or "]"');
        else if (b === OPEN_OBJECT || b === OPEN_ARRAY) {
          mode = 'element';
          depth = 0;
          elementOffset = offset;
          elementLine = line;
        } else throw unexpected(b, 'an object');
      }
      offset = base + end;
    },
    finish() {
      if (mode !== 'top') {
        throw fail(
          'JSON_TRUNCATED',
          'the input ends inside a JSON value',
          'the rest of it',
          'the end of the input',
        );
      }
    },
  };

  /** Copies the document into the skeleton until it ends, or until a listed array opens. Returns the next position. */
  function scanDocument(chunk: Buffer, from: number, sink: JsonSink): number {
    let pos = from;
    const end = chunk.length;
    for (; pos < end; pos++) {
      const b = chunk[pos];
      if (inString) {
        if (escaped) escaped = false;
        else if (b === BACKSLASH) escaped = true;
        else if (b === QUOTE) {
          inString = false;
          if (depth === 1 && keyEnd < 0) keyEnd = skeleton.length + pos - from + 1;
        } else if (b < 0x20) throw unexpected(b, 'no control characters inside a string');
        continue;
      }
      switch (b) {
        case QUOTE:
          inString = true;
          if (depth === 1 && !sawColon) {
            keyStart = skeleton.length + pos - from;
            keyEnd = -1;
          }
          break;
        case 0x3a:
          if (depth === 1) sawColon = true;
          break;
        case COMMA:
          if (depth === 1) sawColon = false;
          break;
        case OPEN_ARRAY:
          depth++;
          if (depth === 2 && sawColon && arrays.size > 0) {
            skeleton.add(chunk, from, pos + 1);
            const key = memberName();
            if (arrays.has(key)) {
              depth = 1;
              mode = 'elements';
              arrayKey = key;
              expectComma = false;
              afterComma = false;
            }
            return pos + 1;
          }
          break;
        case OPEN_OBJECT:
          depth++;
          break;
        case CLOSE_OBJECT:
        case CLOSE_ARRAY:
          depth--;
          if (depth === 0) {
            if (skeleton.length === 0) sink.document(chunk, from, pos + 1);
            else {
              skeleton.add(chunk, from, pos + 1);
              sink.document(skeleton.buf, 0, skeleton.length);
              skeleton.length = 0;
            }
            mode = 'top';
            return pos + 1;
          }
          break;
        case 0x0a:
          line++;
          break;
      }
    }
    skeleton.add(chunk, from, end);
    return end;
  }

  function memberName(): string {
    try {
      return JSON.parse(skeleton.buf.toString('utf8', keyStart, keyEnd)) as string;
    } catch {
      throw fail('JSON_SYNTAX', 'the JSON is malformed', 'a member name');
    }
  }
}
