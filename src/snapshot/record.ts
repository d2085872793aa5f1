/**
 * One record of a format-A snapshot, decoded lazily: the envelope and the field borders of the Ledger API
 * `ActiveContract` and `CreatedEvent` are found in one pass; a value nobody asks for is not decoded
 * (snapshot-format spec, section 3).
 */
import { AcsError } from '../io/error.js';
import { decodeUtf8, WIRE_BYTES, WIRE_VARINT, WireReader } from '../wire/reader.js';

/** The frame a real export writes for a contract that is in flight at the offset (spec, section 3.4 item 3). */
export const IN_FLIGHT_FRAME = Buffer.from('040a00101e', 'hex');

export const ENVELOPE_VERSION = 30;

/** Field numbers of `com.daml.ledger.api.v2.CreatedEvent`. */
export const EVENT = {
  offset: 1,
  nodeId: 2,
  contractId: 3,
  templateId: 4,
  contractKey: 5,
  createArguments: 6,
  createdEventBlob: 7,
  interfaceViews: 8,
  witnessParties: 9,
  signatories: 10,
  observers: 11,
  createdAt: 12,
  packageName: 13,
  acsDelta: 14,
  representativePackageId: 15,
  contractKeyHash: 16,
} as const;

const EVENT_FIELDS = 17;

export interface TemplateId {
  packageId: string;
  /** Dotted. */
  moduleName: string;
  /** Dotted. */
  entityName: string;
}

/**
 * A view of one record, reused from record to record: copy what must outlive the current one.
 * Positions are into `buf`.
 */
export class RecordView {
  buf: Buffer = Buffer.alloc(0);
  /** Start of the length prefix. */
  start = 0;
  /** Start of the envelope. */
  bodyStart = 0;
  end = 0;
  /** Offset of `start` in the inflated stream. */
  offset = 0;
  /** 0-based. */
  index = 0;
  /** True for the empty record of an in-flight contract: it has no event, no id and no parties. */
  inFlight = false;
  version = 0;
  /** The Ledger API ActiveContract. */
  lapiStart = 0;
  lapiEnd = 0;
  eventStart = -1;
  eventEnd = -1;
  synchronizerStart = 0;
  synchronizerEnd = 0;
  private counterLow = 0;
  private counterStart = -1;
  /** Borders of the last occurrence of each event field: `2 * field` start, `2 * field + 1` end; -1 when absent. */
  readonly eventFields = new Int32Array(2 * EVENT_FIELDS).fill(-1);
  /** Unknown fields seen in envelope, ActiveContract or CreatedEvent. Canton ignores them. */
  unknownFields = 0;
  private readonly reader = new WireReader(this.buf);
  private readonly listReader = new WireReader(this.buf);

  /** Points the view at a frame. Throws `ENVELOPE_*`, `EVENT_*` or `WIRE_*` errors located at the record. */
  parse(buf: Buffer, start: number, bodyStart: number, end: number, offset: number, index: number): this {
    this.clear(buf, start, end);
    this.bodyStart = bodyStart;
    this.offset = offset;
    this.index = index;
    try {
      this.parseEnvelope();
    } catch (error) {
      throw this.locate(error);
    }
    return this;
  }

  /**
   * Points the view at a bare Ledger API `ActiveContract` message, as `GetActiveContracts` streams hold it: there is no
   * envelope, so `start` and `bodyStart` are those of the message itself.
   */
  parseActive(buf: Buffer, start: number, end: number): this {
    this.clear(buf, start, end);
    this.lapiStart = start;
    this.lapiEnd = end;
    this.parseActiveContract(this.reader);
    return this;
  }

  /** Points the view at a bare `CreatedEvent`, as update streams hold it; synchronizer and counter are not in it. */
  parseEvent(buf: Buffer, start: number, end: number): this {
    this.clear(buf, start, end);
    this.lapiStart = start;
    this.lapiEnd = end;
    this.eventStart = start;
    this.eventEnd = end;
    this.parseCreatedEvent(this.reader);
    return this;
  }

  private clear(buf: Buffer, start: number, end: number): void {
    this.buf = buf;
    this.start = start;
    this.bodyStart = start;
    this.end = end;
    this.inFlight = false;
    this.unknownFields = 0;
    this.eventStart = -1;
    this.eventEnd = -1;
    this.synchronizerStart = 0;
    this.synchronizerEnd = 0;
    this.counterLow = 0;
    this.counterStart = -1;
    this.eventFields.fill(-1);
  }

  /** Adds this record's place to an error raised while one of its fields was decoded. */
  locate(error: unknown): unknown {
    if (!(error instanceof AcsError) || error.place.record !== undefined) return error;
    const inner = error.place.byteOffset;
    if (error.place.stream === undefined) {
      if (inner !== undefined) error.place.byteOffset = this.offset + inner - this.start;
      error.place.stream = 'inflated';
    }
    error.locate({ record: this.index, byteOffset: this.offset });
    return error;
  }

  private parseEnvelope(): void {
    const r = this.reader.reset(this.buf, this.bodyStart, this.end);
    let dataStart = -1;
    let dataEnd = -1;
    this.version = 0;
    while (r.pos < r.end) {
      const tag = r.tag();
      if (tag === 0x0a) {
        const n = r.length();
        dataStart = r.pos;
        dataEnd = r.pos + n;
        r.pos = dataEnd;
      } else if (tag === 0x10) this.version = r.int32();
      else {
        this.unknownFields++;
        r.skip(tag & 7);
      }
    }
    if (dataStart < 0) {
      throw new AcsError('ENVELOPE_NO_DATA', 'the envelope of a record has no data field', {
        byteOffset: this.bodyStart,
        expected: 'field 1 (data)',
        found: `${this.end - this.bodyStart} bytes without it`,
      });
    }
    this.inFlight = dataStart === dataEnd;
    this.lapiStart = dataStart;
    this.lapiEnd = dataEnd;
    if (this.inFlight) return;
    r.reset(this.buf, dataStart, dataEnd);
    let lapiStart = -1;
    while (r.pos < r.end) {
      const tag = r.tag();
      if (tag === 0x0a) {
        const n = r.length();
        lapiStart = r.pos;
        this.lapiEnd = r.pos + n;
        r.pos += n;
      } else if (tag === 0x12 && lapiStart >= 0) {
        throw new AcsError('FORMAT_MIXED', 'a record of the old format B in a file of format A', {
          byteOffset: r.pos,
          expected: 'ActiveContract with the single field 1',
          found: 'a second length-delimited field',
          hint: 'convert the old file first: `acs convert`',
        });
      } else {
        this.unknownFields++;
        r.skip(tag & 7);
      }
    }
    if (lapiStart < 0) {
      throw new AcsError('RECORD_NO_CONTRACT', 'a record holds no active contract', {
        byteOffset: dataStart,
        expected: 'field 1 (active_contract)',
      });
    }
    this.lapiStart = lapiStart;
    this.parseActiveContract(r);
  }

  private parseActiveContract(r: WireReader): void {
    r.reset(this.buf, this.lapiStart, this.lapiEnd);
    while (r.pos < r.end) {
      const tag = r.tag();
      switch (tag) {
        case 0x0a: {
          if (this.eventStart >= 0) {
            throw new AcsError('EVENT_TWICE', 'a record holds two created events', { byteOffset: r.pos });
          }
          const n = r.length();
          this.eventStart = r.pos;
          this.eventEnd = r.pos + n;
          r.pos += n;
          break;
        }
        case 0x12: {
          const n = r.length();
          this.synchronizerStart = r.pos;
          this.synchronizerEnd = r.pos + n;
          r.pos += n;
          break;
        }
        case 0x18:
          this.counterStart = r.pos;
          this.counterLow = r.buf[r.pos];
          r.skip(WIRE_VARINT);
          break;
        default:
          this.unknownFields++;
          r.skip(tag & 7);
      }
    }
    if (this.eventStart < 0) {
      throw new AcsError('EVENT_MISSING', 'a record has no created event', {
        byteOffset: this.lapiStart,
        expected: 'field 1 (created_event)',
        hint: 'Canton refuses such a record on import',
      });
    }
    this.parseCreatedEvent(r);
  }

  private parseCreatedEvent(r: WireReader): void {
    const fields = this.eventFields;
    r.reset(this.buf, this.eventStart, this.eventEnd);
    while (r.pos < r.end) {
      const tag = r.tag();
      const field = tag >>> 3;
      const type = tag & 7;
      if (field >= EVENT_FIELDS || type !== EVENT_WIRE_TYPES[field]) {
        this.unknownFields++;
        r.skip(type);
        continue;
      }
      if (type === WIRE_BYTES) {
        const n = r.length();
        if (fields[2 * field] >= 0 && MESSAGE_FIELDS.has(field)) {
          throw new AcsError('EVENT_FIELD_TWICE', `field ${field} of the created event occurs twice`, {
            byteOffset: r.pos,
          });
        }
        // For the repeated party lists the first start and the last end are kept: everything lies between.
        if (field < EVENT.interfaceViews || field > EVENT.observers || fields[2 * field] < 0)
          fields[2 * field] = r.pos;
        fields[2 * field + 1] = r.pos + n;
        r.pos += n;
      } else {
        fields[2 * field] = r.pos;
        r.skip(type);
        fields[2 * field + 1] = r.pos;
      }
    }
  }

  get synchronizerId(): string {
    return decodeUtf8(this.buf, this.synchronizerStart, this.synchronizerEnd);
  }

  /** Unsigned on the wire; Canton reads it as signed. */
  get reassignmentCounter(): bigint {
    if (this.counterStart < 0) return 0n;
    if (this.counterLow < 0x80) return BigInt(this.counterLow);
    return this.reader.reset(this.buf, this.counterStart, this.lapiEnd).uint64();
  }

  /** True when the counter is 0; no bigint is made. */
  get counterIsZero(): boolean {
    return this.counterStart < 0 || this.counterLow === 0;
  }

  has(field: number): boolean {
    return this.eventFields[2 * field] >= 0;
  }

  private varintField(field: number): bigint {
    const start = this.eventFields[2 * field];
    return start < 0 ? 0n : this.reader.reset(this.buf, start, this.eventEnd).int64();
  }

  stringField(field: number): string {
    const start = this.eventFields[2 * field];
    return start < 0 ? '' : decodeUtf8(this.buf, start, this.eventFields[2 * field + 1]);
  }

  /** A view of a bytes or message field, or undefined. */
  bytesField(field: number): Buffer | undefined {
    const start = this.eventFields[2 * field];
    return start < 0 ? undefined : this.buf.subarray(start, this.eventFields[2 * field + 1]);
  }

  /** Offset of the last activation on the exporting participant; 0 when absent. */
  get ledgerOffset(): bigint {
    return this.varintField(EVENT.offset);
  }

  get nodeId(): number {
    return Number(BigInt.asIntN(32, this.varintField(EVENT.nodeId)));
  }

  /** Lower-case hex as written in the event; empty in a minimal record that lacks it. */
  get contractId(): string {
    return this.stringField(EVENT.contractId);
  }

  get packageName(): string {
    return this.stringField(EVENT.packageName);
  }

  get representativePackageId(): string {
    return this.stringField(EVENT.representativePackageId);
  }

  get acsDelta(): boolean {
    return this.varintField(EVENT.acsDelta) !== 0n;
  }

  get createdEventBlob(): Buffer | undefined {
    return this.bytesField(EVENT.createdEventBlob);
  }

  get templateId(): TemplateId | undefined {
    const start = this.eventFields[2 * EVENT.templateId];
    if (start < 0) return undefined;
    return readIdentifier(this.reader.reset(this.buf, start, this.eventFields[2 * EVENT.templateId + 1]));
  }

  /** Microseconds since the epoch (nanoseconds below are floored), or undefined. */
  get createdAtMicros(): bigint | undefined {
    const start = this.eventFields[2 * EVENT.createdAt];
    if (start < 0) return undefined;
    return readTimestampMicros(this.reader.reset(this.buf, start, this.eventFields[2 * EVENT.createdAt + 1]));
  }

  get witnessParties(): string[] {
    return this.strings(EVENT.witnessParties);
  }

  get signatories(): string[] {
    return this.strings(EVENT.signatories);
  }

  /** Stakeholders that are not signatories. */
  get observers(): string[] {
    return this.strings(EVENT.observers);
  }

  strings(field: number): string[] {
    const list: string[] = [];
    this.eachString(field, (buf, start, end) => list.push(decodeUtf8(buf, start, end)));
    return list;
  }

  /** Calls `use` with the borders of every element of a repeated string field. */
  eachString(field: number, use: (buf: Buffer, start: number, end: number) => void): void {
    const first = this.eventFields[2 * field];
    if (first < 0) return;
    const last = this.eventFields[2 * field + 1];
    // The first element's length is implied by its borders only if it is the last one too: walk from the event's start
    // when the list is not contiguous, else element by element.
    const r = this.listReader.reset(this.buf, this.eventStart, this.eventEnd);
    const tagByte = (field << 3) | WIRE_BYTES;
    r.pos = this.tagBefore(first, tagByte);
    while (r.pos < last) {
      const tag = r.tag();
      if (tag === tagByte) {
        const n = r.length();
        use(this.buf, r.pos, r.pos + n);
        r.pos += n;
      } else r.skip(tag & 7);
    }
  }

  /** Position of the tag in front of a length-delimited value at `valueStart` (the prefix may be padded). */
  private tagBefore(valueStart: number, tagByte: number): number {
    for (let back = 2; back <= 12; back++) {
      if (this.buf[valueStart - back] === tagByte) {
        const r = this.listReader;
        r.pos = valueStart - back;
        if (r.tag() === tagByte) {
          r.length();
          if (r.pos === valueStart) return valueStart - back;
        }
      }
    }
    return this.eventStart;
  }
}

/** Wire type of each CreatedEvent field, by number. */
const EVENT_WIRE_TYPES = [-1, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2];
const MESSAGE_FIELDS = new Set<number>([
  EVENT.templateId,
  EVENT.contractKey,
  EVENT.createArguments,
  EVENT.createdAt,
]);

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
