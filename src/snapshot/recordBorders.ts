/**
 * Finding the parts of a format-A record: the envelope and the field borders of the Ledger API `ActiveContract` and
 * `CreatedEvent`, in one pass and without a look at any value (snapshot-format spec, section 3).
 */
import { AcsError } from '../io/error.js';
import { WIRE_BYTES, WIRE_VARINT, WireReader } from '../wire/reader.js';

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

/**
 * Where the parts of a record are. A view is reused from record to record: copy what must outlive the current one.
 * Positions are into `buf`.
 */
export class RecordBorders {
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
  protected counterLow = 0;
  protected counterStart = -1;
  /** Borders of the last occurrence of each event field: `2 * field` start, `2 * field + 1` end; -1 when absent. */
  readonly eventFields = new Int32Array(2 * EVENT_FIELDS).fill(-1);
  /** Unknown fields seen in envelope, ActiveContract or CreatedEvent. Canton ignores them. */
  unknownFields = 0;
  /** Elements of the party lists in stored order: field, start, end, field, start, end, … */
  protected listElements = new Int32Array(3 * 64);
  protected listLength = 0;
  protected readonly reader = new WireReader(this.buf);

  /** Points the view at a frame. Throws `ENVELOPE_*`, `EVENT_*` or `WIRE_*` errors located at the record. */
  parse(buf: Buffer, start: number, bodyStart: number, end: number, offset: number, index: number): this {
    this.clear(buf, start, end);
    this.bodyStart = bodyStart;
    this.offset = offset;
    this.index = index;
    try {
      if (this.findUsualParts())
        this.parseCreatedEvent(this.reader.reset(buf, this.eventStart, this.eventEnd));
      else this.parseEnvelope();
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

  /**
   * Finds the parts of a record that is written as every participant writes it: no field twice, none unknown, in ascending
   * order, lengths of at most three bytes. False for any other, which {@link parseEnvelope} judges field by field.
   */
  private findUsualParts(): boolean {
    const { buf, bodyStart, end } = this;
    if (buf[bodyStart] !== 0x0a) return false;
    const dataEnd = usualEnd(buf, bodyStart + 1, end);
    const dataStart = usualStart;
    if (dataEnd !== end - 2 || dataEnd === dataStart || buf[dataEnd] !== 0x10 || buf[dataEnd + 1] >= 0x80)
      return false;
    if (buf[dataStart] !== 0x0a || usualEnd(buf, dataStart + 1, dataEnd) !== dataEnd) return false;
    const lapiStart = usualStart;
    if (lapiStart === dataEnd || buf[lapiStart] !== 0x0a) return false;
    const eventEnd = usualEnd(buf, lapiStart + 1, dataEnd);
    const eventStart = usualStart;
    if (eventEnd < 0 || eventEnd === dataEnd || buf[eventEnd] !== 0x12) return false;
    const synchronizerEnd = usualEnd(buf, eventEnd + 1, dataEnd);
    if (synchronizerEnd < 0) return false;
    const synchronizerStart = usualStart;
    if (synchronizerEnd < dataEnd) {
      if (
        synchronizerEnd + 2 !== dataEnd ||
        buf[synchronizerEnd] !== 0x18 ||
        buf[synchronizerEnd + 1] >= 0x80
      )
        return false;
      this.counterStart = synchronizerEnd + 1;
      this.counterLow = buf[synchronizerEnd + 1];
    }
    this.version = buf[dataEnd + 1];
    this.lapiStart = lapiStart;
    this.lapiEnd = dataEnd;
    this.eventStart = eventStart;
    this.eventEnd = eventEnd;
    this.synchronizerStart = synchronizerStart;
    this.synchronizerEnd = synchronizerEnd;
    return true;
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
        if (lapiStart >= 0) {
          throw new AcsError('CONTRACT_TWICE', 'a record holds two active contracts', { byteOffset: r.pos });
        }
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
    const { buf, end } = r;
    const fields = this.eventFields;
    let { pos } = r;
    while (pos < end) {
      // The usual field: a tag of one byte, a length of one or two. Anything else is left to the reader, byte by byte.
      const tag = buf[pos];
      const kind = EVENT_KINDS[tag];
      if (kind !== ODD && end - pos > MAX_VARINT_BYTES) {
        const field = tag >>> 3;
        let start = pos + 1;
        if (kind === NUMBER) {
          let last = start;
          while (buf[last] >= 0x80 && last - start < MAX_VARINT_BYTES) last++;
          if (last - start < MAX_VARINT_BYTES) {
            fields[2 * field] = start;
            fields[2 * field + 1] = pos = last + 1;
            continue;
          }
        } else {
          let length = buf[start++];
          if (length >= 0x80) length = buf[start] < 0x80 ? (length & 0x7f) | (buf[start++] << 7) : end;
          const known = fields[2 * field] >= 0;
          if (length <= end - start && !(kind === ONCE && known)) {
            if (kind === PARTIES) this.addListElement(field, start, start + length);
            // Of a list the first start and the last end are kept: everything lies between.
            if (kind === PLAIN || !known) fields[2 * field] = start;
            fields[2 * field + 1] = pos = start + length;
            continue;
          }
        }
      }
      r.pos = pos;
      this.parseEventField(r);
      pos = r.pos;
    }
  }

  /** One field of the event, however it is written. */
  private parseEventField(r: WireReader): void {
    const fields = this.eventFields;
    const tag = r.tag();
    const field = tag >>> 3;
    const type = tag & 7;
    if (field >= EVENT_FIELDS || type !== EVENT_WIRE_TYPES[field]) {
      this.unknownFields++;
      r.skip(type);
      return;
    }
    if (type !== WIRE_BYTES) {
      fields[2 * field] = r.pos;
      r.skip(type);
      fields[2 * field + 1] = r.pos;
      return;
    }
    const n = r.length();
    const kind = BYTES_KINDS[field];
    const known = fields[2 * field] >= 0;
    if (kind === ONCE && known) {
      throw new AcsError('EVENT_FIELD_TWICE', `field ${field} of the created event occurs twice`, {
        byteOffset: r.pos,
      });
    }
    if (kind === PARTIES) this.addListElement(field, r.pos, r.pos + n);
    if (kind === PLAIN || !known) fields[2 * field] = r.pos;
    r.pos += n;
    fields[2 * field + 1] = r.pos;
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
}

/** Where the bytes start whose end {@link usualEnd} gave last. */
let usualStart = 0;

/** End of the bytes whose length of at most three bytes stands at `pos`, when they end by `limit`; else -1. */
function usualEnd(buf: Buffer, pos: number, limit: number): number {
  let start = pos + 3;
  // Behind the buffer's end a byte reads as undefined and every comparison fails.
  let length = buf[pos];
  if (length < 0x80) start = pos + 1;
  else {
    const second = buf[pos + 1];
    length = (length & 0x7f) | ((second & 0x7f) << 7);
    if (second < 0x80) start = pos + 2;
    else if (buf[pos + 2] < 0x80) length |= buf[pos + 2] << 14;
    else return -1;
  }
  usualStart = start;
  return start + length <= limit ? start + length : -1;
}

/** Wire type of each CreatedEvent field, by number. */
const EVENT_WIRE_TYPES = [-1, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2];

const MAX_VARINT_BYTES = 10;

// How a field is taken: not here; a number; bytes, the last ones count; a list; a list of parties; bytes, once only.
const ODD = 0;
const NUMBER = 1;
const PLAIN = 2;
const LIST = 3;
const PARTIES = 4;
const ONCE = 5;

/** Of the fields of wire type 2, by number. */
const BYTES_KINDS: number[] = EVENT_WIRE_TYPES.map((type) => (type === WIRE_BYTES ? PLAIN : ODD));
for (const field of [EVENT.templateId, EVENT.contractKey, EVENT.createArguments, EVENT.createdAt])
  BYTES_KINDS[field] = ONCE;
for (const field of [EVENT.witnessParties, EVENT.signatories, EVENT.observers]) BYTES_KINDS[field] = PARTIES;
BYTES_KINDS[EVENT.interfaceViews] = LIST;

/** Of all fields whose tag has one byte, by tag. */
const EVENT_KINDS = new Uint8Array(256);
EVENT_WIRE_TYPES.forEach((type, field) => {
  if (field > 0 && field < 16)
    EVENT_KINDS[(field << 3) | type] = type === WIRE_BYTES ? BYTES_KINDS[field] : NUMBER;
});
