/** JSON as UTF-8 bytes, written straight from the bytes it is about: no string is made for what needs no escaping. */

import { writeHex } from './hexDigits.js';
import { decodeUtf8 } from './reader.js';
import { wordsOf } from './sameBytes.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Longer texts are written natively. */
const SHORT_CHARS = 48;

/** Two bytes at once: 1 when both stand in a JSON string as they are. */
const PLAIN_PAIR = Uint8Array.from({ length: 1 << 16 }, (_, i) =>
  Number(isPlain(i & 0xff) && isPlain(i >> 8)),
);

function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH;
}

/** A growing output buffer. */
export class JsonBytes {
  private buf: Buffer;
  private words: DataView;
  private readonly initial: number;
  /** Bytes written; setting it back drops what was written behind. */
  length = 0;

  constructor(initialBytes = 1 << 16) {
    this.initial = initialBytes;
    this.buf = Buffer.allocUnsafeSlow(initialBytes);
    this.words = newWords(this.buf);
  }

  /** The bytes written so far; the writer starts again with a new buffer. */
  take(): Buffer {
    const taken = this.buf.subarray(0, this.length);
    this.buf = Buffer.allocUnsafeSlow(Math.max(this.initial, this.length + (this.length >> 3)));
    this.words = newWords(this.buf);
    this.length = 0;
    return taken;
  }

  /** What was written from `start` on, as a string. */
  textFrom(start: number): string {
    return this.buf.toString('utf8', start, this.length);
  }

  /** One ASCII character by its code. */
  char(code: number): void {
    if (this.length === this.buf.length) this.grow(1);
    this.buf[this.length++] = code;
  }

  /** The last character written. */
  get last(): number {
    return this.buf[this.length - 1];
  }

  /** JSON bytes made before. */
  json(bytes: Buffer): void {
    const size = bytes.length;
    this.grow(size);
    if (size > SHORT_CHARS) bytes.copy(this.buf, this.length);
    else for (let i = 0, at = this.length; i < size; i++, at++) this.buf[at] = bytes[i];
    this.length += size;
  }

  /** JSON text that is ASCII. */
  ascii(text: string): void {
    const size = text.length;
    this.grow(size);
    if (size > SHORT_CHARS) this.buf.write(text, this.length, 'latin1');
    else for (let i = 0, at = this.length; i < size; i++, at++) this.buf[at] = text.charCodeAt(i);
    this.length += size;
  }

  /** Any JSON text. */
  text(text: string): void {
    this.grow(3 * text.length);
    this.length += this.buf.write(text, this.length, 'utf8');
  }

  /** The UTF-8 text `from[start, end)` as a JSON string; invalid UTF-8 is an error. */
  string(from: Buffer, start: number, end: number): void {
    this.grow(end - start + 2);
    const source = wordsOf(from);
    const words = this.words;
    const buf = this.buf;
    let at = this.length;
    let i = start;
    buf[at++] = QUOTE;
    for (const last = end - 2; i <= last; i += 2, at += 2) {
      const pair = source.getUint16(i, true);
      if (PLAIN_PAIR[pair] === 0) break;
      words.setUint16(at, pair, true);
    }
    if (i === end - 1 && isPlain(from[i])) buf[at++] = from[i++];
    if (i < end) {
      this.text(JSON.stringify(decodeUtf8(from, start, end)));
      return;
    }
    buf[at++] = QUOTE;
    this.length = at;
  }

  /** The bytes `from[start, end)` as a JSON string of lower-case hex. */
  hex(from: Buffer, start: number, end: number): void {
    this.grow(2 * (end - start) + 2);
    const buf = this.buf;
    buf[this.length] = QUOTE;
    const at = writeHex(from, start, end, this.words, this.length + 1);
    buf[at] = QUOTE;
    this.length = at + 1;
  }

  private grow(bytes: number): void {
    const need = this.length + bytes;
    if (need <= this.buf.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(need, this.buf.length * 2));
    this.buf.copy(grown, 0, 0, this.length);
    this.buf = grown;
    this.words = newWords(grown);
  }
}

function newWords(buf: Buffer): DataView {
  return new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
}
