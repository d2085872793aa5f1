/**
 * Protobuf values outside the blob: those of the Ledger API v1 and v2 and of Daml-LF 1 transactions. The shapes are the
 * same, the numbers differ (snapshot-format spec, section 4; legacy-import spec, 1.3). Labels and type ids are dropped.
 */
import { nameProblem, partyProblem } from '../contract/identifier.js';
import {
  type LfKind,
  type LfValue,
  MAX_DATE,
  MAX_TIMESTAMP,
  MAX_VALUE_DEPTH,
  MIN_DATE,
  MIN_TIMESTAMP,
} from '../contract/value.js';
import { checkNumeric } from '../contract/valueDecoder.js';
import { AcsError } from '../io/error.js';
import { LEDGER_API_FIELD } from '../typed/ledgerApiValueWriter.js';
import { decodeUtf8, WireReader } from '../wire/reader.js';

/** Field number of each kind in the `Value` oneof, by number. */
export type ValueNumbers = readonly (LfKind | undefined)[];

function numbers(table: Record<LfKind, number>): ValueNumbers {
  const byNumber: (LfKind | undefined)[] = [];
  for (const [kind, number] of Object.entries(table)) byNumber[number] = kind as LfKind;
  return byNumber;
}

export const LEDGER_API_V1: ValueNumbers = numbers({
  record: 1,
  variant: 2,
  contractId: 3,
  list: 4,
  int64: 5,
  numeric: 6,
  text: 8,
  timestamp: 9,
  party: 11,
  bool: 12,
  unit: 13,
  date: 14,
  optional: 15,
  textMap: 16,
  enum: 17,
  genMap: 18,
});

export const LEDGER_API_V2: ValueNumbers = numbers(LEDGER_API_FIELD);

export const LF1_VALUE: ValueNumbers = numbers({
  record: 1,
  variant: 2,
  list: 4,
  int64: 5,
  numeric: 6,
  text: 8,
  timestamp: 9,
  party: 10,
  bool: 11,
  unit: 12,
  date: 13,
  optional: 14,
  contractId: 15,
  textMap: 16,
  enum: 17,
  genMap: 18,
});

/** Decodes a serialized `Value`. Errors: `VALUE_*`, `WIRE_*`, with the byte offset inside `buf`. */
export function decodeOtherValue(buf: Buffer, start: number, end: number, table: ValueNumbers): LfValue {
  return new ValueDecoder(buf, table).value(start, end, 0);
}

/** Decodes a serialized `Record` (`create_arguments` of an event). */
export function decodeOtherRecord(buf: Buffer, start: number, end: number, table: ValueNumbers): LfValue {
  return new ValueDecoder(buf, table).record(start, end, 0);
}

const WIRE_OF_KIND: Record<LfKind, number> = {
  unit: 2,
  bool: 0,
  int64: 0,
  date: 0,
  timestamp: 1,
  numeric: 2,
  party: 2,
  text: 2,
  contractId: 2,
  optional: 2,
  list: 2,
  genMap: 2,
  textMap: 2,
  record: 2,
  variant: 2,
  enum: 2,
};

class ValueDecoder {
  private readonly buf: Buffer;
  private readonly table: ValueNumbers;

  constructor(buf: Buffer, table: ValueNumbers) {
    this.buf = buf;
    this.table = table;
  }

  private fail(
    byteOffset: number,
    code: string,
    message: string,
    expected?: string,
    found?: string,
  ): AcsError {
    return new AcsError(code, message, { byteOffset, expected, found });
  }

  value(start: number, end: number, depth: number): LfValue {
    if (depth > MAX_VALUE_DEPTH) {
      throw this.fail(
        start,
        'VALUE_TOO_DEEP',
        'values are nested too deeply',
        `at most ${MAX_VALUE_DEPTH} levels`,
      );
    }
    const r = new WireReader(this.buf, start, end);
    let value: LfValue | undefined;
    while (r.pos < end) {
      const at = r.pos;
      const tag = r.tag();
      const kind = this.table[tag >>> 3];
      if (kind === undefined || WIRE_OF_KIND[kind] !== (tag & 7)) {
        throw this.fail(
          at,
          'VALUE_UNKNOWN_FIELD',
          'a value holds an unknown field',
          'only the fields of the value schema',
          `field ${tag >>> 3}, wire type ${tag & 7}`,
        );
      }
      // A oneof written twice: the last one counts.
      value = this.member(r, kind, depth, at);
    }
    if (value === undefined) throw this.fail(start, 'VALUE_NOT_SET', 'a value has no member', 'exactly one');
    return value;
  }

  private member(r: WireReader, kind: LfKind, depth: number, at: number): LfValue {
    switch (kind) {
      case 'unit':
        r.skip(2);
        return { kind };
      case 'bool':
        return { kind, value: r.bool() };
      case 'int64':
        return { kind, value: r.sint64() };
      case 'date': {
        const value = r.int32();
        if (value < MIN_DATE || value > MAX_DATE)
          throw this.fail(
            at,
            'VALUE_OUT_OF_RANGE',
            'a date is out of range',
            'years 1 to 9999',
            `${value} days`,
          );
        return { kind, value };
      }
      case 'timestamp': {
        const value = r.sfixed64();
        if (value < MIN_TIMESTAMP || value > MAX_TIMESTAMP)
          throw this.fail(
            at,
            'VALUE_OUT_OF_RANGE',
            'a timestamp is out of range',
            'years 1 to 9999',
            `${value} µs`,
          );
        return { kind, value };
      }
      case 'numeric':
        return { kind, value: numericText(r.string(), at) };
      case 'party': {
        const n = r.length();
        const problem = partyProblem(this.buf, r.pos, r.pos + n);
        if (problem !== undefined) throw this.fail(r.pos, 'VALUE_BAD_PARTY', problem);
        r.pos += n;
        return { kind, value: this.buf.toString('latin1', r.pos - n, r.pos) };
      }
      case 'text':
        return { kind, value: this.text(r) };
      case 'contractId':
        return { kind, value: this.contractId(r) };
      default: {
        const n = r.length();
        const start = r.pos;
        r.pos += n;
        return this.composite(kind, start, start + n, depth, at);
      }
    }
  }

  private composite(kind: LfKind, start: number, end: number, depth: number, at: number): LfValue {
    switch (kind) {
      case 'optional': {
        let value: LfValue | null = null;
        this.fields(start, end, (field, s, e) => {
          if (field === 1) value = this.value(s, e, depth + 1);
        });
        return { kind, value };
      }
      case 'list': {
        const items: LfValue[] = [];
        this.fields(start, end, (field, s, e) => {
          if (field === 1) items.push(this.value(s, e, depth + 1));
        });
        return { kind, items };
      }
      case 'genMap': {
        const entries: [LfValue, LfValue][] = [];
        this.fields(start, end, (field, s, e) => {
          if (field === 1) entries.push(this.mapEntry(s, e, depth));
        });
        return { kind, entries };
      }
      case 'textMap': {
        const entries: [string, LfValue][] = [];
        const seen = new Set<string>();
        this.fields(start, end, (field, s, e) => {
          if (field !== 1) return;
          const entry = this.textEntry(s, e, depth);
          if (seen.has(entry[0]))
            throw this.fail(
              s,
              'VALUE_DUPLICATE_KEY',
              'a text map has a key twice',
              'distinct keys',
              JSON.stringify(entry[0]),
            );
          seen.add(entry[0]);
          entries.push(entry);
        });
        return { kind, entries };
      }
      case 'record':
        return this.record(start, end, depth);
      case 'variant': {
        let tag = '';
        let value: LfValue | undefined;
        this.fields(start, end, (field, s, e) => {
          if (field === 2) tag = this.name(s, e);
          else if (field === 3) value = this.value(s, e, depth + 1);
        });
        if (value === undefined) throw this.fail(at, 'VALUE_NOT_SET', 'a variant has no value', 'a value');
        if (tag === '') throw this.fail(at, 'VALUE_BAD_NAME', 'a variant has no constructor');
        return { kind, tag, value };
      }
      default: {
        let tag = '';
        this.fields(start, end, (field, s, e) => {
          if (field === 2) tag = this.name(s, e);
        });
        if (tag === '') throw this.fail(at, 'VALUE_BAD_NAME', 'an enum value has no constructor');
        return { kind: 'enum', tag };
      }
    }
  }

  record(start: number, end: number, depth: number): LfValue {
    const fields: LfValue[] = [];
    this.fields(start, end, (field, s, e) => {
      if (field !== 2) return;
      let value: LfValue | undefined;
      this.fields(s, e, (inner, valueStart, valueEnd) => {
        if (inner === 2) value = this.value(valueStart, valueEnd, depth + 1);
      });
      if (value === undefined) throw this.fail(s, 'VALUE_NOT_SET', 'a record field has no value', 'a value');
      fields.push(value);
    });
    return { kind: 'record', fields };
  }

  /** Calls `use` for every length-delimited field; others are skipped. */
  private fields(start: number, end: number, use: (field: number, start: number, end: number) => void): void {
    const r = new WireReader(this.buf, start, end);
    while (r.pos < end) {
      const tag = r.tag();
      if ((tag & 7) !== 2) {
        r.skip(tag & 7);
        continue;
      }
      const n = r.length();
      const s = r.pos;
      r.pos += n;
      use(tag >>> 3, s, s + n);
    }
  }

  private mapEntry(start: number, end: number, depth: number): [LfValue, LfValue] {
    let key: LfValue | undefined;
    let value: LfValue | undefined;
    this.fields(start, end, (field, s, e) => {
      if (field === 1) key = this.value(s, e, depth + 1);
      else if (field === 2) value = this.value(s, e, depth + 1);
    });
    if (key === undefined || value === undefined)
      throw this.fail(start, 'VALUE_NOT_SET', 'a map entry lacks its key or its value', 'both');
    return [key, value];
  }

  private textEntry(start: number, end: number, depth: number): [string, LfValue] {
    let key = '';
    let value: LfValue | undefined;
    this.fields(start, end, (field, s, e) => {
      if (field === 1) key = decodeUtf8(this.buf, s, e);
      else if (field === 2) value = this.value(s, e, depth + 1);
    });
    if (value === undefined)
      throw this.fail(start, 'VALUE_NOT_SET', 'a text map entry has no value', 'a value');
    if (key.includes('\0'))
      throw this.fail(start, 'VALUE_NUL_IN_TEXT', 'a text contains the character U+0000');
    return [key, value];
  }

  private text(r: WireReader): string {
    const at = r.pos;
    const text = r.string();
    if (text.includes('\0')) throw this.fail(at, 'VALUE_NUL_IN_TEXT', 'a text contains the character U+0000');
    return text;
  }

  private name(start: number, end: number): string {
    const problem = nameProblem(this.buf, start, end);
    if (problem !== undefined) throw this.fail(start, 'VALUE_BAD_NAME', problem);
    return this.buf.toString('latin1', start, end);
  }

  private contractId(r: WireReader): string {
    if (this.table !== LF1_VALUE) return r.string();
    const n = r.length();
    const start = r.pos;
    r.pos += n;
    let id = '';
    this.fields(start, start + n, (field, s, e) => {
      if (field === 1) id = decodeUtf8(this.buf, s, e);
    });
    return id;
  }
}

/** A numeric as the blob writes it: with a point. */
export function numericText(text: string, at = 0): string {
  const bare = text.startsWith('+') ? text.slice(1) : text;
  const withPoint = bare.includes('.') ? bare : `${bare}.`;
  checkNumeric(withPoint, at);
  return withPoint;
}
