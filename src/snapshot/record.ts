/**
 * One record of a format-A snapshot, decoded lazily: a value nobody asks for is not decoded (snapshot-format spec,
 * section 3).
 */
import { decodeUtf8 } from '../wire/reader.js';
import { plainMicros, readIdentifier, readTimestampMicros, type TemplateId } from './eventValues.js';
import { EVENT, RecordBorders } from './recordBorders.js';

/** What a record says; see {@link RecordBorders} for where it says it and for how long a view is valid. */
export class RecordView extends RecordBorders {
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
    return (
      this.counterStart < 0 ||
      this.counterLow === 0 ||
      (this.counterLow === 0x80 && this.reassignmentCounter === 0n)
    );
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

  /** Calls `use` with the borders of every stakeholder in the event: signatories first, then observers. */
  eachStakeholder(use: (buf: Buffer, start: number, end: number, signatory: boolean) => void): void {
    const { buf, listElements: list, listLength: length } = this;
    let firstObserver = length;
    for (let i = 0; i < length; i += 3) {
      const field = list[i];
      if (field === EVENT.signatories) use(buf, list[i + 1], list[i + 2], true);
      else if (field === EVENT.observers && i < firstObserver) firstObserver = i;
    }
    for (let i = firstObserver; i < length; i += 3) {
      if (list[i] === EVENT.observers) use(buf, list[i + 1], list[i + 2], false);
    }
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

function pushString(buf: Buffer, start: number, end: number, list: string[]): void {
  list.push(decodeUtf8(buf, start, end));
}
