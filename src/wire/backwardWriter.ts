/**
 * Writing protobuf from the end to the beginning: a message's length is known when its prefix is written, so nothing is
 * moved and nothing is computed twice. For hot paths that rebuild nested messages from pieces of others.
 */
export class BackwardWriter {
  private buf: Buffer;
  private pos: number;

  constructor(initialBytes = 16 * 1024) {
    this.buf = Buffer.allocUnsafeSlow(initialBytes);
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

  private reserve(n: number): void {
    if (this.pos >= n) return;
    const used = this.length;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buf.length * 2, used + n));
    this.buf.copy(grown, grown.length - used, this.pos);
    this.pos = grown.length - used;
    this.buf = grown;
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
    if (n > 24) source.copy(this.buf, this.pos, start, end);
    else for (let i = 0; i < n; i++) this.buf[this.pos + i] = source[start + i];
    return this;
  }

  /** The bytes as lower-case hex digits. */
  hex(source: Buffer, start: number, end: number): this {
    this.reserve(2 * (end - start));
    const { buf } = this;
    let at = this.pos;
    for (let i = end - 1; i >= start; i--) {
      const b = source[i];
      buf[--at] = HEX_DIGITS[b & 15];
      buf[--at] = HEX_DIGITS[b >> 4];
    }
    this.pos = at;
    return this;
  }

  /** A length-delimited field with a one-byte tag, around bytes of elsewhere. */
  field(tag: number, source: Buffer, start = 0, end = source.length): this {
    return this.raw(source, start, end)
      .varint(end - start)
      .byte(tag);
  }

  /** Closes a message: everything since `mark` is its content. One-byte tag. */
  close(tag: number, mark: number): this {
    return this.varint(this.length - mark).byte(tag);
  }
}

const HEX_DIGITS = Buffer.from('0123456789abcdef');
