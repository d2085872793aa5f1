/**
 * Writing protobuf from the end to the beginning: a message's length is known when its prefix is written, so nothing is
 * moved and nothing is computed twice. For hot paths that rebuild nested messages from pieces of others.
 */
import { copyBytes, copyWords } from './copyBytes.js';
import { writeHex } from './hexDigits.js';
import type { Interner } from './interner.js';
import { newWords } from './sameBytes.js';

export class BackwardWriter {
  private buf: Buffer;
  private words: DataView;
  private pos: number;

  constructor(initialBytes = 16 * 1024) {
    this.buf = Buffer.allocUnsafeSlow(initialBytes);
    this.words = newWords(this.buf);
    this.pos = initialBytes;
  }

  /** Bytes written so far. A message's length is the difference of two of these. */
  get length(): number {
    return this.buf.length - this.pos;
  }

  clear(): this {
    this.pos = this.buf.length;
    return this;
  }

  /** Drops what was written after `length` was the given one. */
  rewind(length: number): this {
    this.pos = this.buf.length - length;
    return this;
  }

  /** What was written, in reading order; valid until the next write. */
  view(): Buffer {
    return this.buf.subarray(this.pos);
  }

  /** Where {@link view} lies: from {@link start} to the end of this buffer, which may be another one after a write. */
  get store(): Buffer {
    return this.buf;
  }

  get start(): number {
    return this.pos;
  }

  private reserve(n: number): void {
    if (this.pos >= n) return;
    const used = this.length;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buf.length * 2, used + n));
    this.buf.copy(grown, grown.length - used, this.pos);
    this.pos = grown.length - used;
    this.buf = grown;
    this.words = newWords(grown);
  }

  byte(b: number): this {
    if (this.pos === 0) this.reserve(1);
    this.buf[--this.pos] = b;
    return this;
  }

  /** 0 ≤ n < 2^31. */
  varint(n: number): this {
    if (n < 0x80) return this.byte(n);
    this.reserve(5);
    const { buf } = this;
    let size = 2;
    for (let rest = n >>> 14; rest > 0; rest >>>= 7) size++;
    let at = this.pos - size;
    this.pos = at;
    let rest = n;
    while (rest >= 0x80) {
      buf[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buf[at] = rest;
    return this;
  }

  raw(source: Buffer, start = 0, end = source.length): this {
    const n = end - start;
    this.reserve(n);
    this.pos -= n;
    copyBytes(source, start, end, this.buf, this.words, this.pos);
    return this;
  }

  /** A piece that comes again and again, kept as its word view. */
  piece(words: DataView): this {
    const n = words.byteLength;
    this.reserve(n);
    this.pos -= n;
    copyWords(words, 0, n, this.words, this.pos);
    return this;
  }

  /** Eight bytes, little endian, from two halves. */
  fixed64(low: number, high: number): this {
    this.reserve(8);
    this.pos -= 8;
    this.words.setInt32(this.pos, low, true);
    this.words.setInt32(this.pos + 4, high, true);
    return this;
  }

  /** The bytes as lower-case hex digits. */
  hex(source: Buffer, start: number, end: number): this {
    this.reserve(2 * (end - start));
    this.pos -= 2 * (end - start);
    writeHex(source, start, end, this.words, this.pos);
    return this;
  }

  /** A length-delimited field with a one-byte tag, around bytes of elsewhere. */
  field(tag: number, source: Buffer, start = 0, end = source.length): this {
    return this.raw(source, start, end)
      .varint(end - start)
      .byte(tag);
  }

  /** The same around a {@link piece}. */
  pieceField(tag: number, words: DataView): this {
    return this.piece(words).varint(words.byteLength).byte(tag);
  }

  /** The same around a string that is interned. */
  internedField(tag: number, strings: Interner, id: number): this {
    const start = strings.start(id);
    const end = strings.end(id);
    const n = end - start;
    this.reserve(n);
    this.pos -= n;
    copyWords(strings.words, start, end, this.words, this.pos);
    return this.varint(n).byte(tag);
  }

  /** Closes a message: everything since `mark` is its content. One-byte tag. */
  close(tag: number, mark: number): this {
    return this.varint(this.length - mark).byte(tag);
  }
}
