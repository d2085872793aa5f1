/**
 * Protobuf wire primitives over a byte array: the hot path of every decoder.
 * Bounds are checked on every read; nothing is allocated except where a value has to be returned as an object.
 */
import { AcsError } from '../io/error.js';

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

/**
 * A cursor over `buf[pos, end)`. Field numbers and wire types come from {@link tag}; the value must then be read or
 * skipped. Errors carry the byte offset inside `buf` relative to `base` (the offset of `buf[0]` in its stream).
 */
export class WireReader {
  buf: Buffer;
  pos: number;
  end: number;
  constructor(buf: Buffer, pos = 0, end = buf.length) {
    this.buf = buf;
    this.pos = pos;
    this.end = end;
  }

  reset(buf: Buffer, pos: number, end: number): this {
    this.buf = buf;
    this.pos = pos;
    this.end = end;
    return this;
  }

  fail(code: string, message: string, expected?: string, found?: string): never {
    throw new AcsError(code, message, {
      byteOffset: this.pos,
      ...(expected === undefined ? {} : { expected }),
      ...(found === undefined ? {} : { found }),
    });
  }

  /** An unsigned varint that must fit 32 bits; longer encodings of up to 10 bytes are cut to 32 bits as protobuf does. */
  uint32(): number {
    const buf = this.buf;
    let pos = this.pos;
    const end = this.end;
    if (pos + 1 < end) {
      // Nearly all tags and lengths have one or two bytes.
      const first = buf[pos];
      if (first < 0x80) {
        this.pos = pos + 1;
        return first;
      }
      const second = buf[pos + 1];
      if (second < 0x80) {
        this.pos = pos + 2;
        return (first & 0x7f) | (second << 7);
      }
    }
    let result = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (pos >= end) this.fail('WIRE_TRUNCATED', 'the message ends inside a varint');
      const b = buf[pos++];
      if (shift < 32) result |= (b & 0x7f) << shift;
      if (b < 0x80) {
        this.pos = pos;
        return result >>> 0;
      }
    }
    return this.fail('WIRE_VARINT_TOO_LONG', 'a varint is longer than 10 bytes', 'at most 10 bytes');
  }

  /** A protobuf int32: negative numbers travel as 10-byte varints. */
  int32(): number {
    return this.uint32() | 0;
  }

  /** An unsigned 64-bit varint. */
  uint64(): bigint {
    const buf = this.buf;
    let pos = this.pos;
    const end = this.end;
    let lo = 0;
    let hi = 0;
    for (let i = 0; i < 10; i++) {
      if (pos >= end) this.fail('WIRE_TRUNCATED', 'the message ends inside a varint');
      const b = buf[pos++];
      const bits = b & 0x7f;
      if (i < 4) lo |= bits << (i * 7);
      else if (i === 4) {
        lo |= (bits & 0x0f) << 28;
        hi |= bits >>> 4;
      } else hi |= bits << (i * 7 - 32);
      if (b < 0x80) {
        this.pos = pos;
        return hi === 0 ? BigInt(lo >>> 0) : (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
      }
    }
    return this.fail('WIRE_VARINT_TOO_LONG', 'a varint is longer than 10 bytes', 'at most 10 bytes');
  }

  /** A signed 64-bit varint (protobuf int64). */
  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  /** A zigzag 64-bit varint (protobuf sint64). */
  sint64(): bigint {
    const n = this.uint64();
    return (n >> 1n) ^ -(n & 1n);
  }

  bool(): boolean {
    return this.uint64() !== 0n;
  }

  /** sfixed64, little endian. */
  sfixed64(): bigint {
    if (this.end - this.pos < 8) this.fail('WIRE_TRUNCATED', 'the message ends inside a fixed64');
    const value = this.buf.readBigInt64LE(this.pos);
    this.pos += 8;
    return value;
  }

  /**
   * A field tag: `field << 3 | wireType`. Field number 0 and the group wire types (3, 4, and the unassigned 6, 7) are
   * errors.
   */
  tag(): number {
    const at = this.pos;
    const tag = this.uint32();
    const type = tag & 7;
    if (tag >>> 3 === 0 || type === 3 || type === 4 || type > 5) {
      this.pos = at;
      this.fail(
        'WIRE_BAD_TAG',
        'not a valid protobuf field tag',
        'a field number ≥ 1 and wire type 0, 1, 2 or 5',
        `0x${tag.toString(16)}`,
      );
    }
    return tag;
  }

  /** Reads a length prefix and checks that the value fits; `pos` is then its start. Returns its length. */
  length(): number {
    const at = this.pos;
    const n = this.uint32();
    if (n > this.end - this.pos) {
      this.pos = at;
      this.fail(
        'WIRE_TRUNCATED',
        'a length-delimited field runs past the end of its message',
        `at most ${this.end - at} bytes`,
        `${n}`,
      );
    }
    return n;
  }

  /** A copy-free view of a bytes field. */
  bytes(): Buffer {
    const n = this.length();
    const start = this.pos;
    this.pos = start + n;
    return this.buf.subarray(start, start + n);
  }

  /** A string field; invalid UTF-8 is an error. */
  string(): string {
    const n = this.length();
    const start = this.pos;
    this.pos = start + n;
    return decodeUtf8(this.buf, start, start + n);
  }

  /** Skips the value of a field whose tag was just read. */
  skip(wireType: number): void {
    switch (wireType) {
      case WIRE_VARINT: {
        const buf = this.buf;
        let pos = this.pos;
        for (let i = 0; i < 10; i++) {
          if (pos >= this.end) this.fail('WIRE_TRUNCATED', 'the message ends inside a varint');
          if (buf[pos++] < 0x80) {
            this.pos = pos;
            return;
          }
        }
        this.fail('WIRE_VARINT_TOO_LONG', 'a varint is longer than 10 bytes', 'at most 10 bytes');
        break;
      }
      case WIRE_FIXED64:
        if (this.end - this.pos < 8) this.fail('WIRE_TRUNCATED', 'the message ends inside a fixed64');
        this.pos += 8;
        return;
      case WIRE_BYTES: {
        const n = this.length();
        this.pos += n;
        return;
      }
      case WIRE_FIXED32:
        if (this.end - this.pos < 4) this.fail('WIRE_TRUNCATED', 'the message ends inside a fixed32');
        this.pos += 4;
        return;
      default:
        this.fail('WIRE_BAD_TAG', 'not a valid protobuf wire type', '0, 1, 2 or 5', `${wireType}`);
    }
  }
}

const fatalUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes `buf[start, end)` as UTF-8. ASCII takes a short cut; anything else is checked strictly. */
export function decodeUtf8(buf: Buffer, start: number, end: number): string {
  if (end - start <= 1024) {
    let i = start;
    while (i < end && buf[i] < 0x80) i++;
    if (i === end) return buf.toString('latin1', start, end);
  }
  try {
    // A TextDecoder takes no memory that threads share.
    const bytes = buf.subarray(start, end);
    return fatalUtf8.decode(buf.buffer instanceof ArrayBuffer ? bytes : Buffer.from(bytes));
  } catch (cause) {
    throw new AcsError('WIRE_BAD_UTF8', 'a string field is not valid UTF-8', {
      byteOffset: start,
      expected: 'UTF-8',
      found: buf.subarray(start, Math.min(end, start + 32)).toString('hex'),
      cause,
    });
  }
}
