/**
 * Protobuf wire primitives, writing. One growing buffer; nested messages are written in place by reserving their
 * length prefix and moving the body when the prefix turns out longer than one byte.
 */

/** Number of bytes of the varint of `n` (0 ≤ n < 2^53). */
export function varintSize(n: number): number {
  let size = 1;
  while (n >= 0x80) {
    n = Math.floor(n / 128);
    size++;
  }
  return size;
}

export class WireWriter {
  private buf: Buffer;
  private len = 0;

  constructor(initialBytes = 1024) {
    this.buf = Buffer.allocUnsafe(initialBytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.len;
  }

  /** Forgets everything written; the storage is kept. */
  clear(): this {
    this.len = 0;
    return this;
  }

  /** A copy of the bytes written. */
  finish(): Buffer {
    return Buffer.from(this.buf.subarray(0, this.len));
  }

  /** A view of the bytes written, valid until the next write or {@link clear}. */
  view(): Buffer {
    return this.buf.subarray(0, this.len);
  }

  private reserve(n: number): void {
    if (this.len + n <= this.buf.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buf.length * 2, this.len + n));
    this.buf.copy(grown, 0, 0, this.len);
    this.buf = grown;
  }

  byte(b: number): this {
    this.reserve(1);
    this.buf[this.len++] = b;
    return this;
  }

  /** Unsigned varint, 0 ≤ n < 2^53. */
  varint(n: number): this {
    this.reserve(8);
    while (n >= 0x80) {
      this.buf[this.len++] = (n % 128) | 0x80;
      n = Math.floor(n / 128);
    }
    this.buf[this.len++] = n;
    return this;
  }

  /** 64-bit varint; negative numbers as two's complement (10 bytes), as protobuf int64 and int32 do. */
  varint64(n: bigint): this {
    this.reserve(10);
    let rest = BigInt.asUintN(64, n);
    while (rest >= 0x80n) {
      this.buf[this.len++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buf[this.len++] = Number(rest);
    return this;
  }

  /** Zigzag varint (protobuf sint64). */
  sint64(n: bigint): this {
    return this.varint64((n << 1n) ^ (n >> 63n));
  }

  sfixed64(n: bigint): this {
    this.reserve(8);
    this.buf.writeBigInt64LE(n, this.len);
    this.len += 8;
    return this;
  }

  tag(field: number, wireType: number): this {
    return this.varint(field * 8 + wireType);
  }

  /** Raw bytes, no prefix. */
  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length);
    this.buf.set(bytes, this.len);
    this.len += bytes.length;
    return this;
  }

  /** A bytes field with its tag. */
  bytesField(field: number, bytes: Uint8Array): this {
    return this.tag(field, 2).varint(bytes.length).raw(bytes);
  }

  /** A string field with its tag. */
  stringField(field: number, text: string): this {
    const n = Buffer.byteLength(text);
    this.tag(field, 2).varint(n).reserve(n);
    this.buf.write(text, this.len, n, 'utf8');
    this.len += n;
    return this;
  }

  /** A message field: `body` writes its content into this same writer. */
  messageField(field: number, body: (w: WireWriter) => void): this {
    this.tag(field, 2).reserve(1);
    const prefixAt = this.len;
    this.len += 1;
    const start = this.len;
    body(this);
    const n = this.len - start;
    const size = varintSize(n);
    if (size > 1) {
      this.reserve(size - 1);
      this.buf.copyWithin(start + size - 1, start, this.len);
    }
    const endAt = this.len + size - 1;
    this.len = prefixAt;
    this.varint(n);
    this.len = endAt;
    return this;
  }
}
