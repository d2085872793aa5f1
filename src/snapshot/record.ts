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
  /** Elements of the party lists in stored order: field, start, end, field, start, end, … */
  private listElements = new Int32Array(3 * 64);
  private listLength = 0;
  private readonly reader = new WireReader(this.buf);

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
    this.parseCreatedEvent(this.reader.reset(buf, start, end));
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
    this.listLength = 0;
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
        hint:
          this.index === 0
            ? 'an answer of the Ledger API looks like this: `acs convert` reads active contracts, `acs store append` updates'
            : undefined,
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
    this.parseCreatedEvent(r.reset(this.buf, this.eventStart, this.eventEnd));
  }

  private parseCreatedEvent(r: WireReader): void {
    const fields = this.eventFields;
    while (r.pos < r.end) {
      const tag = r.tag();
      const field = tag >>> 3;
      const type = tag & 7;
      if (field >= EVENT_FIELDS || type !== EVENT_WIRE_TYPES[field]) {
        this.unknownFields++;
        r.skip(type);
        continue;
      }
      if (type !== WIRE_BYTES) {
        fields[2 * field] = r.pos;
        r.skip(type);
        fields[2 * field + 1] = r.pos;
        continue;
      }
      const n = r.length();
      if (field >= EVENT.interfaceViews && field <= EVENT.observers) {
        if (field !== EVENT.interfaceViews) this.addListElement(field, r.pos, r.pos + n);
        // The first start and the last end are kept: everything lies between.
        if (fields[2 * field] < 0) fields[2 * field] = r.pos;
      } else {
        if (fields[2 * field] >= 0 && (MESSAGE_FIELDS >> field) & 1) {
          throw new AcsError('EVENT_FIELD_TWICE', `field ${field} of the created event occurs twice`, {
            byteOffset: r.pos,
          });
        }
        fields[2 * field] = r.pos;
      }
      r.pos += n;
      fields[2 * field + 1] = r.pos;
    }
  }

  private addListElement(field: number, start: number, end: number): void {
    const at = this.listLength;
    if (at + 3 > this.listElements.length) {
      const grown = new Int32Array(this.listElements.length * 2);
      grown.set(this.listElements);
      this.listElements = grown;
    }
    this.listElements[at] = field;
    this.listElements[at + 1] = start;
    this.listElements[at + 2] = end;
    this.listLength = at + 3;
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

  /** The same as a plain number; NaN when absent, before 1970 or not exact in a double: then ask {@link createdAtMicros}. */
  get createdAtNumber(): number {
    const start = this.eventFields[2 * EVENT.createdAt];
    return start < 0 ? Number.NaN : plainMicros(this.buf, start, this.eventFields[2 * EVENT.createdAt + 1]);
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
    this.eachString(field, pushString, list);
    return list;
  }

  /**
   * Calls `use` with the borders of every element of a party list (witnesses, signatories, observers); `mark` is handed
   * through, so that no closure need be made per record.
   */
  eachString(field: number, use: (buf: Buffer, start: number, end: number) => void): void;
  eachString<Mark>(
    field: number,
    use: (buf: Buffer, start: number, end: number, mark: Mark) => void,
    mark: Mark,
  ): void;
  eachString<Mark>(
    field: number,
    use: (buf: Buffer, start: number, end: number, mark?: Mark) => void,
    mark?: Mark,
  ): void {
    const list = this.listElements;
    for (let i = 0; i < this.listLength; i += 3) {
      if (list[i] === field) use(this.buf, list[i + 1], list[i + 2], mark);
    }
  }
}

/** Wire type of each CreatedEvent field, by number. */
const EVENT_WIRE_TYPES = [-1, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2];
/** By bit. */
const MESSAGE_FIELDS =
  (1 << EVENT.templateId) | (1 << EVENT.contractKey) | (1 << EVENT.createArguments) | (1 << EVENT.createdAt);

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

function pushString(buf: Buffer, start: number, end: number, list: string[]): void {
  list.push(decodeUtf8(buf, start, end));
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
