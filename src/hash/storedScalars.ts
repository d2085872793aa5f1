/**
 * Copies scalars of a stored LF value from its protobuf bytes into a pre-image, checking them on the way as strictly as
 * the real decoder. Anything out of the ordinary (bad bytes, but also legal bytes in an unusual arrangement) is answered
 * with {@link IRREGULAR}: the caller then decodes the value as a whole, which names the fault or gives canonical bytes.
 */
import { isUtf8 } from 'node:buffer';
import { contractIdValueProblem } from '../contract/contractId.js';
import { nameProblem, partyProblem } from '../contract/identifier.js';
import { MAX_DATE, MAX_TIMESTAMP, MIN_DATE, MIN_TIMESTAMP } from '../contract/value.js';
import { HashBuffer } from './hashBuffer.js';

/** Thrown, without the cost of an Error, when the fast walk gives up. Never leaves src/hash. */
export const IRREGULAR = Symbol('irregular value');

/** Tags of the members of the blob's `Value`. */
export const VALUE_TAG = {
  unit: 0x0a,
  bool: 0x10,
  int64: 0x18,
  date: 0x20,
  timestamp: 0x29,
  numeric: 0x32,
  party: 0x3a,
  text: 0x42,
  contractId: 0x4a,
  optional: 0x52,
  list: 0x5a,
  genMap: 0x62,
  record: 0x6a,
  variant: 0x72,
  enum: 0x7a,
  textMap: 0x82,
} as const;

const HIGH_MIN_TIMESTAMP = Number(MIN_TIMESTAMP >> 32n);
const HIGH_MAX_TIMESTAMP = Number(MAX_TIMESTAMP >> 32n);

/**
 * A cursor `pos` over `buf` and the pre-image `out`. Containers check their own ends: a scalar may read past the end of
 * its message, which shows as `pos` being beyond it.
 */
export class ScalarCopier {
  buf: Buffer = Buffer.alloc(0);
  pos = 0;
  out = new HashBuffer();
  /** True when the stored bytes are not the canonical ones of their value: something other than Canton wrote them. */
  irregular = false;
  /** Start and end of every party copied since the last reset, in order. */
  readonly partyBorders: number[] = [];
  private readonly limbs = new Float64Array(6);
  /** Two's complement, big endian: 38 digits need 127 bits and a sign. */
  private readonly magnitude = new Uint8Array(18);
  /** Borders of the bytes of the last text, party or contract id. */
  lastStart = 0;
  lastEnd = 0;

  protected start(buf: Buffer, pos: number): void {
    this.buf = buf;
    this.pos = pos;
    this.partyBorders.length = 0;
  }

  protected varint32(): number {
    const { buf } = this;
    const first = buf[this.pos++];
    if (first < 0x80) return first;
    let result = first & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const b = buf[this.pos++];
      result |= (b & 0x7f) << shift;
      if (b < 0x80) return result >>> 0;
    }
    throw IRREGULAR;
  }

  /** The end of the length-delimited field that starts here. */
  protected fieldEnd(end: number): number {
    const n = this.varint32();
    const fieldEnd = this.pos + n;
    if (fieldEnd > end) throw IRREGULAR;
    return fieldEnd;
  }

  /** The end of the length-delimited field whose tag must come next. */
  protected expectField(tag: number, end: number): number {
    if (this.buf[this.pos++] !== tag) throw IRREGULAR;
    return this.fieldEnd(end);
  }

  /** The scalars below return true when the value is the default one of its kind. */

  protected unit(): true {
    if (this.buf[this.pos++] !== 0) throw IRREGULAR;
    return true;
  }

  protected bool(): boolean {
    const b = this.buf[this.pos++];
    if (b > 1) throw IRREGULAR;
    this.out.u8(b);
    return b === 0;
  }

  protected int64(): boolean {
    const { buf, out } = this;
    let lo = 0;
    let hi = 0;
    for (let i = 0; ; i++) {
      const b = buf[this.pos++];
      const bits = b & 0x7f;
      if (i < 4) lo |= bits << (i * 7);
      else if (i === 4) {
        lo |= (bits & 0x0f) << 28;
        hi = bits >>> 4;
      } else hi |= bits << (i * 7 - 32);
      if (i === 9 && b > 1) throw IRREGULAR;
      if (b < 0x80) break;
    }
    // Zigzag: shift right by one, flip all bits when the lowest was set.
    const flip = -(lo & 1);
    const low = ((lo >>> 1) | (hi << 31)) ^ flip;
    const high = (hi >>> 1) ^ flip;
    out.i32(high).i32(low);
    return low === 0 && high === 0;
  }

  protected date(): boolean {
    const { buf, pos } = this;
    let value = 0;
    let n = 0;
    for (; ; n++) {
      const b = buf[pos + n];
      if (n < 5) value |= (b & 0x7f) << (n * 7);
      if (b < 0x80) break;
      if (n === 9) throw IRREGULAR;
    }
    this.pos = pos + n + 1;
    // The decoder drops what is above 32 bits: only the sign belongs there.
    if (n >= 4) {
      if (value >= 0 || n !== 9 || (buf[pos + 4] & 0x70) !== 0x70 || buf[pos + 9] !== 1) throw IRREGULAR;
      for (let i = 5; i < 9; i++) if (buf[pos + i] !== 0xff) throw IRREGULAR;
    } else if (value < 0) throw IRREGULAR;
    if (value < MIN_DATE || value > MAX_DATE) throw IRREGULAR;
    this.out.i32(value);
    return value === 0;
  }

  protected timestamp(end: number): boolean {
    const { buf, pos, out } = this;
    if (pos + 8 > end) throw IRREGULAR;
    const high = buf.readInt32LE(pos + 4);
    if (high <= HIGH_MIN_TIMESTAMP || high >= HIGH_MAX_TIMESTAMP) {
      const micros = buf.readBigInt64LE(pos);
      if (micros < MIN_TIMESTAMP || micros > MAX_TIMESTAMP) throw IRREGULAR;
    }
    const low = buf.readInt32LE(pos);
    this.pos = pos + 8;
    out.i32(high).i32(low);
    return high === 0 && low === 0;
  }

  /**
   * The unscaled number as minimal two's complement with its length. `scale` is the number of digits that must follow the
   * point, or -1 for any.
   */
  protected numeric(end: number, scale: number): boolean {
    const { buf } = this;
    const stop = this.fieldEnd(end);
    let i = this.pos;
    this.pos = stop;
    const negative = buf[i] === 0x2d && i < stop;
    if (negative) i++;
    const first = i;
    let point = -1;
    let magnitude = 0;
    for (; i < stop; i++) {
      const digit = buf[i] - 0x30;
      if (digit >= 0 && digit <= 9) magnitude = magnitude * 10 + digit;
      else if (digit === -2 && point < 0) point = i;
      else throw IRREGULAR;
    }
    const integerDigits = point - first;
    const fractionDigits = stop - point - 1;
    if (point < 0 || integerDigits === 0 || (integerDigits > 1 && buf[first] === 0x30)) throw IRREGULAR;
    if (fractionDigits > 37 || (buf[first] === 0x30 ? 0 : integerDigits) + fractionDigits > 38)
      throw IRREGULAR;
    if (scale >= 0 && fractionDigits !== scale) throw IRREGULAR;
    if (integerDigits + fractionDigits <= 15) return this.smallUnscaled(negative ? -magnitude : magnitude);
    return this.largeUnscaled(negative, first, stop);
  }

  private smallUnscaled(value: number): boolean {
    const { out } = this;
    let bytes = 1;
    // -2^(8k-1) ≤ value < 2^(8k-1)
    for (let limit = 128; value >= limit || value < -limit; limit *= 256) bytes++;
    out.i32(bytes);
    for (let shift = bytes - 1; shift >= 0; shift--) out.u8(Math.floor(value / 256 ** shift) & 0xff);
    return value === 0;
  }

  /** More than 15 digits: six limbs of 24 bits, multiplied up seven digits at a time. */
  private largeUnscaled(negative: boolean, start: number, stop: number): boolean {
    const buf = this.buf;
    const limbs = this.limbs;
    limbs.fill(0);
    let chunk = 0;
    let factor = 1;
    for (let i = start; i < stop; i++) {
      const digit = buf[i] - 0x30;
      if (digit < 0) continue;
      chunk = chunk * 10 + digit;
      factor *= 10;
      if (factor === 10_000_000) {
        this.multiplyAdd(factor, chunk);
        chunk = 0;
        factor = 1;
      }
    }
    if (factor > 1) this.multiplyAdd(factor, chunk);
    const magnitude = this.magnitude;
    for (let i = 0; i < 6; i++) {
      const at = 15 - 3 * i;
      magnitude[at] = limbs[i] >>> 16;
      magnitude[at + 1] = limbs[i] >>> 8;
      magnitude[at + 2] = limbs[i];
    }
    if (negative) {
      let carry = 1;
      for (let i = 17; i >= 0; i--) {
        const flipped = (magnitude[i] ^ 0xff) + carry;
        magnitude[i] = flipped;
        carry = flipped >>> 8;
      }
    }
    let from = 0;
    const sign = magnitude[0];
    while (from < 17 && magnitude[from] === sign && (magnitude[from + 1] ^ sign) < 0x80) from++;
    this.out.prefixed(magnitude, from, 18);
    return from === 17 && magnitude[17] === 0;
  }

  private multiplyAdd(factor: number, summand: number): void {
    const limbs = this.limbs;
    let carry = summand;
    for (let i = 0; i < 6; i++) {
      const value = limbs[i] * factor + carry;
      carry = Math.floor(value / 0x1000000);
      limbs[i] = value - carry * 0x1000000;
    }
  }

  protected party(end: number): false {
    const { buf } = this;
    const stop = this.fieldEnd(end);
    const start = this.pos;
    if (partyProblem(buf, start, stop) !== undefined) throw IRREGULAR;
    this.partyBorders.push(start, stop);
    this.out.prefixed(buf, start, stop);
    this.lastStart = start;
    this.pos = this.lastEnd = stop;
    return false;
  }

  protected text(end: number): boolean {
    const stop = this.fieldEnd(end);
    const start = this.pos;
    this.checkText(start, stop);
    this.out.prefixed(this.buf, start, stop);
    this.lastStart = start;
    this.pos = this.lastEnd = stop;
    return start === stop;
  }

  private checkText(start: number, stop: number): void {
    const { buf } = this;
    for (let i = start; i < stop; i++) {
      const b = buf[i];
      if (b === 0) throw IRREGULAR;
      if (b >= 0x80 || i - start === 256) {
        const rest = buf.subarray(i, stop);
        if (!isUtf8(rest) || rest.includes(0)) throw IRREGULAR;
        return;
      }
    }
  }

  protected contractId(end: number, mustBeSuffixed: boolean): false {
    const { buf } = this;
    const stop = this.fieldEnd(end);
    const start = this.pos;
    if (contractIdValueProblem(buf, start, stop) !== undefined) throw IRREGULAR;
    if (mustBeSuffixed && stop - start === (buf[start] === 0 ? 33 : 13)) throw IRREGULAR;
    this.out.prefixed(buf, start, stop);
    this.lastStart = start;
    this.pos = this.lastEnd = stop;
    return false;
  }

  /** A constructor name; `pos` is then behind it. */
  protected name(end: number): void {
    const stop = this.fieldEnd(end);
    if (nameProblem(this.buf, this.pos, stop) !== undefined) throw IRREGULAR;
    this.lastStart = this.pos;
    this.pos = this.lastEnd = stop;
  }
}
