/**
 * Pre-images: one growing buffer, written front to back with the deterministic encodings of the contract-id spec
 * (section 3) and hashed in one call. All integers are big endian.
 */
import { hash } from 'node:crypto';
import { copyBytes, copyWords } from '../wire/copyBytes.js';
import { newWords } from '../wire/sameBytes.js';

/** Hash purposes (`HashPurpose`) that this toolkit uses: the first four bytes of a pre-image. */
export const HASH_PURPOSE = {
  unicum: 29,
  hashedAcsCommitment: 34,
  contractIdAbsolutization: 59,
} as const;

/** A multihash of SHA-256 starts with these bytes. */
export const SHA256_MULTIHASH_PREFIX = Buffer.from('1220', 'hex');

export class HashBuffer {
  buf: Buffer;
  pos = 0;
  private words: DataView;

  constructor(size = 4096) {
    this.buf = Buffer.allocUnsafe(size);
    this.words = newWords(this.buf);
  }

  /** Forgets the content, keeps the memory. */
  reset(): this {
    this.pos = 0;
    return this;
  }

  /** Makes room for `n` more bytes. */
  reserve(n: number): void {
    const need = this.pos + n;
    if (need <= this.buf.length) return;
    const grown = Buffer.allocUnsafe(Math.max(need, this.buf.length * 2));
    this.buf.copy(grown, 0, 0, this.pos);
    this.buf = grown;
    this.words = newWords(grown);
  }

  u8(value: number): this {
    this.reserve(1);
    this.buf[this.pos++] = value;
    return this;
  }

  i32(value: number): this {
    this.reserve(4);
    this.words.setInt32(this.pos, value);
    this.pos += 4;
    return this;
  }

  /** Overwrites four bytes written before, e.g. a count that was not yet known. */
  putI32(at: number, value: number): void {
    this.words.setInt32(at, value);
  }

  i64(value: bigint): this {
    this.reserve(8);
    this.buf.writeBigInt64BE(value, this.pos);
    this.pos += 8;
    return this;
  }

  bool(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  /** Bytes as they are. */
  raw(from: Uint8Array, start = 0, end = from.length): this {
    const n = end - start;
    this.reserve(n);
    copyBytes(from, start, end, this.buf, this.words, this.pos);
    this.pos += n;
    return this;
  }

  /** A piece that comes again and again, kept as its word view. */
  piece(words: DataView): this {
    const n = words.byteLength;
    this.reserve(n);
    copyWords(words, 0, n, this.words, this.pos);
    this.pos += n;
    return this;
  }

  /** Four bytes of length, then the bytes: `lp` of the spec. */
  prefixed(from: Uint8Array, start = 0, end = from.length): this {
    return this.i32(end - start).raw(from, start, end);
  }

  /** `str` of the spec: UTF-8 with its length. */
  text(value: string): this {
    return this.prefixed(Buffer.from(value, 'utf8'));
  }

  /** An instant given in microseconds since the epoch: seconds (floor) and nanoseconds. */
  instant(micros: bigint): this {
    let seconds = micros / 1_000_000n;
    let rest = micros % 1_000_000n;
    if (rest < 0n) {
      rest += 1_000_000n;
      seconds -= 1n;
    }
    return this.i64(seconds).i32(Number(rest) * 1000);
  }

  /** The same for one that is not negative and held exactly by a double. */
  plainInstant(micros: number): this {
    const seconds = Math.floor(micros / 1_000_000);
    this.i32(Math.floor(seconds / 0x100000000)).i32(seconds | 0);
    return this.i32((micros - seconds * 1_000_000) * 1000);
  }

  /** Starts a length-prefixed block; give the result to {@link endBlock}. */
  startBlock(): number {
    this.i32(0);
    return this.pos;
  }

  endBlock(start: number): this {
    this.putI32(start - 4, this.pos - start);
    return this;
  }

  /** A view of the content; valid until the next write. */
  view(): Buffer {
    return this.buf.subarray(0, this.pos);
  }

  /** SHA-256 of the content: 32 bytes. Asked for as text, since a native buffer costs more than the hash. */
  sha256(): Buffer {
    return Buffer.from(hash('sha256', this.view(), 'binary'), 'latin1');
  }
}
