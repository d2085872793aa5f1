/** The small messages inside a created event: template ids and times (snapshot-format spec, section 3.4). */
import type { WireReader } from '../wire/reader.js';

export interface TemplateId {
  packageId: string;
  /** Dotted. */
  moduleName: string;
  /** Dotted. */
  entityName: string;
}

/** Ledger API `Identifier`. */
export function readIdentifier(r: WireReader): TemplateId {
  const id: TemplateId = { packageId: '', moduleName: '', entityName: '' };
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) id.packageId = r.string();
    else if (tag === 0x12) id.moduleName = r.string();
    else if (tag === 0x1a) id.entityName = r.string();
    else r.skip(tag & 7);
  }
  return id;
}

/** Position behind the varint just read by {@link smallVarint}. */
let behind = 0;

/** A varint of at most 7 bytes, or NaN. */
function smallVarint(buf: Buffer, start: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let pos = start; pos < end && pos < start + 7; pos++) {
    const b = buf[pos];
    value += (b & 0x7f) * scale;
    if (b < 0x80) {
      behind = pos + 1;
      return value;
    }
    scale *= 128;
  }
  return Number.NaN;
}

/** A timestamp as every writer writes it (seconds, then nanoseconds, not negative) in microseconds; NaN for any other. */
export function plainMicros(buf: Buffer, start: number, end: number): number {
  let pos = start;
  let seconds = 0;
  let nanos = 0;
  if (pos < end && buf[pos] === 0x08) {
    seconds = smallVarint(buf, pos + 1, end);
    pos = behind;
  }
  if (pos < end && buf[pos] === 0x10) {
    nanos = smallVarint(buf, pos + 1, end);
    pos = behind;
  }
  const micros = seconds * 1_000_000 + Math.floor(nanos / 1000);
  return pos === end && nanos < 2 ** 31 && Number.isSafeInteger(micros) ? micros : Number.NaN;
}

/** `google.protobuf.Timestamp` as microseconds since the epoch. */
export function readTimestampMicros(r: WireReader): bigint {
  let seconds = 0n;
  let nanos = 0;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x08) seconds = r.int64();
    else if (tag === 0x10) nanos = r.int32();
    else r.skip(tag & 7);
  }
  return seconds * 1_000_000n + BigInt(Math.floor(nanos / 1000));
}
