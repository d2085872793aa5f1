/**
 * A scanned protobuf message: where each field lies, nothing decoded. Package messages are read by picking a few fields
 * out of many; expressions are never looked into. Unknown fields are tolerated, as the schema reader of Canton does.
 */
import { AcsError } from '../io/error.js';
import {
  decodeUtf8,
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_VARINT,
  WireReader,
} from '../wire/reader.js';

export class WireMessage {
  readonly buf: Buffer;
  /** Four numbers per field occurrence: field number, wire type, start, end (of the content). */
  private readonly entries: number[] = [];

  constructor(buf: Buffer, start = 0, end = buf.length) {
    this.buf = buf;
    const reader = new WireReader(buf, start, end);
    while (reader.pos < end) {
      const tag = reader.tag();
      const wire = tag & 7;
      let from = reader.pos;
      let to: number;
      if (wire === WIRE_BYTES) {
        const n = reader.length();
        from = reader.pos;
        to = from + n;
        reader.pos = to;
      } else {
        reader.skip(wire);
        to = reader.pos;
      }
      this.entries.push(tag >>> 3, wire, from, to);
    }
  }

  /** The last one of the given fields that is present: the arm of a oneof. Otherwise 0. */
  arm(fields: readonly number[]): number {
    const { entries } = this;
    for (let i = entries.length - 4; i >= 0; i -= 4) if (fields.includes(entries[i])) return entries[i];
    return 0;
  }

  has(field: number): boolean {
    return this.find(field) >= 0;
  }

  /** Index of the last occurrence: protobuf's rule for a repeated singular field. */
  private find(field: number): number {
    const { entries } = this;
    for (let i = entries.length - 4; i >= 0; i -= 4) if (entries[i] === field) return i;
    return -1;
  }

  private expectWire(at: number, wire: number): void {
    if (this.entries[at + 1] !== wire) {
      throw new AcsError('WIRE_WRONG_TYPE', `field ${this.entries[at]} has the wrong wire type`, {
        byteOffset: this.entries[at + 2],
        expected: wireName(wire),
        found: wireName(this.entries[at + 1]),
      });
    }
  }

  /** A plain int32: absent means 0. */
  int(field: number): number {
    return this.optionalInt(field) ?? 0;
  }

  optionalInt(field: number): number | undefined {
    const at = this.find(field);
    if (at < 0) return undefined;
    this.expectWire(at, WIRE_VARINT);
    return new WireReader(this.buf, this.entries[at + 2], this.entries[at + 3]).int32();
  }

  /** A zigzag sint64. */
  sint(field: number): bigint {
    const at = this.find(field);
    if (at < 0) return 0n;
    this.expectWire(at, WIRE_VARINT);
    return new WireReader(this.buf, this.entries[at + 2], this.entries[at + 3]).sint64();
  }

  /** An sfixed64. */
  fixed64(field: number): bigint {
    const at = this.find(field);
    if (at < 0) return 0n;
    this.expectWire(at, WIRE_FIXED64);
    return new WireReader(this.buf, this.entries[at + 2], this.entries[at + 3]).sfixed64();
  }

  bool(field: number): boolean {
    return this.int(field) !== 0;
  }

  /** `repeated int32`, packed or not. */
  ints(field: number): number[] {
    const out: number[] = [];
    const { entries } = this;
    for (let i = 0; i < entries.length; i += 4) {
      if (entries[i] !== field) continue;
      if (entries[i + 1] !== WIRE_BYTES) this.expectWire(i, WIRE_VARINT);
      const reader = new WireReader(this.buf, entries[i + 2], entries[i + 3]);
      while (reader.pos < reader.end) out.push(reader.int32());
    }
    return out;
  }

  string(field: number): string | undefined {
    const at = this.find(field);
    if (at < 0) return undefined;
    this.expectWire(at, WIRE_BYTES);
    return decodeUtf8(this.buf, this.entries[at + 2], this.entries[at + 3]);
  }

  strings(field: number): string[] {
    return this.occurrences(field).map((i) => decodeUtf8(this.buf, this.entries[i + 2], this.entries[i + 3]));
  }

  /** A view of a bytes field. */
  bytes(field: number): Buffer | undefined {
    const at = this.find(field);
    if (at < 0) return undefined;
    this.expectWire(at, WIRE_BYTES);
    return this.buf.subarray(this.entries[at + 2], this.entries[at + 3]);
  }

  message(field: number): WireMessage | undefined {
    const at = this.find(field);
    if (at < 0) return undefined;
    this.expectWire(at, WIRE_BYTES);
    return new WireMessage(this.buf, this.entries[at + 2], this.entries[at + 3]);
  }

  messages(field: number): WireMessage[] {
    return this.occurrences(field).map(
      (i) => new WireMessage(this.buf, this.entries[i + 2], this.entries[i + 3]),
    );
  }

  private occurrences(field: number): number[] {
    const { entries } = this;
    const found: number[] = [];
    for (let i = 0; i < entries.length; i += 4) {
      if (entries[i] !== field) continue;
      this.expectWire(i, WIRE_BYTES);
      found.push(i);
    }
    return found;
  }
}

function wireName(wire: number): string {
  switch (wire) {
    case WIRE_VARINT:
      return 'varint';
    case WIRE_FIXED64:
      return 'fixed64';
    case WIRE_FIXED32:
      return 'fixed32';
    default:
      return 'length-delimited';
  }
}
