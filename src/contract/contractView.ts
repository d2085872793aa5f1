/**
 * One contract of a snapshot: the event around it and, decoded on demand, the blob inside. The blob is authoritative:
 * it is what an import uses. The event is a copy that a minimal record may lack (snapshot-format spec, 3.3 and 10.4).
 */
import { AcsError } from '../io/error.js';
import type { TemplateId } from '../snapshot/eventValues.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { BlobView } from './blob.js';

export class ContractView {
  record!: RecordView;
  private readonly blobView = new BlobView();
  private blobParsed = false;

  /** Points the view at a record; nothing is decoded yet. */
  of(record: RecordView): this {
    this.record = record;
    this.blobParsed = false;
    return this;
  }

  /** The blob, parsed once per record. Positions are into the record's own buffer. */
  get blob(): BlobView {
    if (!this.blobParsed) {
      const fields = this.record.eventFields;
      const start = fields[2 * EVENT.createdEventBlob];
      if (start < 0) {
        throw new AcsError('BLOB_MISSING', 'the created event has no created_event_blob', {
          byteOffset: this.record.eventStart,
          expected: 'field 7 (created_event_blob)',
          hint: 'an export made over the Ledger API without blobs looks like this; Canton cannot import it',
        });
      }
      this.blobView.parse(this.record.buf, start, fields[2 * EVENT.createdEventBlob + 1]);
      this.blobParsed = true;
    }
    return this.blobView;
  }

  get hasBlob(): boolean {
    return this.record.has(EVENT.createdEventBlob);
  }

  /** Lower-case hex: from the event, else from the blob. */
  get contractId(): string {
    return this.record.has(EVENT.contractId) ? this.record.contractId : this.blob.contractId;
  }

  /** The template of creation: from the event, else from the blob. */
  get templateId(): TemplateId {
    return this.record.templateId ?? this.blob.templateId;
  }

  get packageName(): string {
    return this.record.has(EVENT.packageName) ? this.record.packageName : this.blob.packageName;
  }

  /** Empty means the creation package. */
  get representativePackageId(): string {
    return this.record.representativePackageId;
  }

  /** Microseconds since the epoch. */
  get createdAt(): bigint {
    return this.record.createdAtMicros ?? this.blob.createdAt;
  }

  /** The same as a plain number, or NaN when a double cannot hold it: then ask {@link createdAt}. */
  get createdAtNumber(): number {
    return this.record.has(EVENT.createdAt) ? this.record.createdAtNumber : this.blob.createdAtNumber;
  }

  /** Ascending. Every contract has one, so an event without signatories is a minimal record. */
  get signatories(): string[] {
    return this.record.has(EVENT.signatories) ? this.record.signatories : this.blob.signatories;
  }

  /** Stakeholders that are not signatories, ascending. */
  get observers(): string[] {
    return this.record.has(EVENT.signatories) ? this.record.observers : this.blob.nonSignatoryStakeholders;
  }

  /** Calls `use` with every stakeholder: signatories first, then observers. */
  eachStakeholder(use: (buf: Buffer, start: number, end: number, signatory: boolean) => void): void {
    const record = this.record;
    if (record.has(EVENT.signatories)) {
      record.eachStakeholder(use);
      return;
    }
    const blob = this.blob;
    const { signatoryBorders, maintainerBorders, observerBorders } = blob;
    for (let i = 0; i < signatoryBorders.length; i += 2)
      use(blob.buf, signatoryBorders[i], signatoryBorders[i + 1], true);
    for (let i = 0; i < maintainerBorders.length; i += 2) {
      use(blob.buf, maintainerBorders[i], maintainerBorders[i + 1], true);
    }
    for (let i = 0; i < observerBorders.length; i += 2)
      use(blob.buf, observerBorders[i], observerBorders[i + 1], false);
  }
}
