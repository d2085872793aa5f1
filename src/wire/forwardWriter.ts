/**
 * Writing protobuf from the beginning to the end, where the length of a nested message is nearly always known beforehand:
 * it mostly equals that of the message it is made from. No write makes room by itself: {@link ForwardWriter.reserve}
 * does, once for many of them. For hot paths that copy most of what they write from one other buffer.
 */
import { copyWords, NATIVE_BYTES } from './copyBytes.js';
import { writeHex } from './hexDigits.js';
import { newWords } from './sameBytes.js';
import { varintSize } from './writer.js';

export class ForwardWriter {
  /** Replaced by a longer one when it does not suffice. */
  bytes: Buffer;
  /** Where the next byte goes. */
  at = 0;
  private words: DataView;
  private source: Uint8Array;
  private sourceWords: DataView;

  constructor(initialBytes = 64 * 1024) {
    this.bytes = Buffer.allocUnsafeSlow(initialBytes);
    this.words = newWords(this.bytes);
    this.source = this.bytes;
    this.sourceWords = this.words;
  }

  /** What follows is written into `bytes`. */
  writeInto(bytes: Buffer): void {
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.words = newWords(bytes);
  }

  /** What follows is copied from `source`. */
  copyFrom(source: Uint8Array): void {
    if (source === this.source) return;
    this.source = source;
    this.sourceWords = newWords(source);
  }

  /** Makes room for so many more bytes. */
  reserve(n: number): void {
    if (this.at + n > this.bytes.length) this.grow(n);
  }

  private grow(n: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at + n));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
    this.words = newWords(grown);
  }

  byte(b: number): void {
    this.bytes[this.at++] = b;
  }

  /** 0 ≤ n < 2^53. */
  varint(n: number): void {
    while (n >= 0x80) {
      this.bytes[this.at++] = (n % 128) | 0x80;
      n = Math.floor(n / 128);
    }
    this.bytes[this.at++] = n;
  }

  /** 64 bits; negative numbers as two's complement (10 bytes), as protobuf int64 and int32 do. */
  varint64(n: bigint | number): void {
    if (n >= 0 && n <= Number.MAX_SAFE_INTEGER) {
      this.varint(Number(n));
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(n));
    while (rest >= 0x80n) {
      this.bytes[this.at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.at++] = Number(rest);
  }

  /** Bytes `[start, end)` of the source. */
  copy(start: number, end: number): void {
    const n = end - start;
    if (n <= NATIVE_BYTES) copyWords(this.sourceWords, start, end, this.words, this.at);
    else this.bytes.set(this.source.subarray(start, end), this.at);
    this.at += n;
  }

  /** A piece of elsewhere, as a whole. */
  put(piece: Uint8Array): void {
    const n = piece.length;
    const { bytes, at } = this;
    if (n <= 32) for (let i = 0; i < n; i++) bytes[at + i] = piece[i];
    else bytes.set(piece, at);
    this.at = at + n;
  }

  /** Bytes `[start, end)` of the source as lower-case hex digits. */
  hex(start: number, end: number): void {
    this.at = writeHex(this.source, start, end, this.words, this.at);
  }

  /** Fixes the length prefix at `prefixAt`, for which `room` bytes were left: its content is everything behind. */
  close(prefixAt: number, room: number): void {
    const start = prefixAt + room;
    const n = this.at - start;
    const size = varintSize(n);
    if (size !== room) this.bytes.copyWithin(prefixAt + size, start, this.at);
    this.at = prefixAt;
    this.varint(n);
    this.at += n;
  }
}
