/** Records packed for another thread, and the drafts that come back: see {@link RecordDrafter}. */
import { fingerprint } from '../contract/idTable.js';
import type { RecordView } from '../snapshot/record.js';
import type { RecordDrafter } from './recordDrafter.js';

/** Offset (8), index, contract number, length of the frame's own prefix, length of the frame. */
const HEAD_BYTES = 8 + 4 + 4 + 4 + 4;

/** Bytes that a record takes in a batch. */
export function packedBytes(record: RecordView): number {
  return HEAD_BYTES + record.end - record.start;
}

/** Appends a record at `at`; there must be room. `ordinal` counts the contracts of the file. Returns the new end. */
export function packRecord(batch: Buffer, at: number, record: RecordView, ordinal: number): number {
  const { buf, start, bodyStart, end } = record;
  batch.writeDoubleLE(record.offset, at);
  batch.writeUInt32LE(record.index, at + 8);
  batch.writeUInt32LE(ordinal, at + 12);
  batch.writeUInt32LE(bodyStart - start, at + 16);
  batch.writeUInt32LE(end - start, at + 20);
  buf.copy(batch, at + HEAD_BYTES, start, end);
  return at + HEAD_BYTES + end - start;
}

/** Points `view` at the record packed at `at`. */
export function unpackRecord(batch: Buffer, at: number, view: RecordView): RecordView {
  const start = at + HEAD_BYTES;
  return view.parse(
    batch,
    start,
    start + batch.readUInt32LE(at + 16),
    packedEnd(batch, at),
    batch.readDoubleLE(at),
    batch.readUInt32LE(at + 8),
  );
}

export function packedOrdinal(batch: Buffer, at: number): number {
  return batch.readUInt32LE(at + 12);
}

/** Where the record packed at `at` ends, and the next one begins. */
export function packedEnd(batch: Buffer, at: number): number {
  return at + HEAD_BYTES + batch.readUInt32LE(at + 20);
}

const DRAFTED = 1;
const CHANGED = 2;
const SIGNATORIES_CHANGED = 4;
const NEW_ID = 8;
const FAULT = 16;
const REFERENCES = 32;

/** The draft of one record, as it comes back. */
export interface PackedDraft {
  /** Where the contract id begins in the batch; it is one of version V1. */
  idStart: number;
  changed: boolean;
  signatoriesChanged: boolean;
  /** Fingerprint of the blob. */
  high: number;
  low: number;
  newId: Buffer | undefined;
  fault: string | undefined;
  /** With references: these, and what is needed to compute the id once they are known. */
  references: Buffer[];
  blob: Buffer | undefined;
  representativePackageId: string;
}

export class DraftWriter {
  private out = Buffer.allocUnsafe(1 << 16);
  private size = 0;

  clear(): void {
    this.size = 0;
  }

  /** A copy that can be handed to another thread: in `into` if it fits, else in memory of its own. */
  finish(into: Uint8Array): Uint8Array {
    const written = this.out.subarray(0, this.size);
    if (written.length > into.length) return new Uint8Array(written);
    into.set(written);
    return into.subarray(0, written.length);
  }

  private reserve(n: number): void {
    if (this.size + n <= this.out.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.size + n, this.out.length * 2));
    this.out.copy(grown, 0, 0, this.size);
    this.out = grown;
  }

  private u32(n: number): void {
    this.reserve(4);
    this.size = this.out.writeUInt32LE(n, this.size);
  }

  private bytes(bytes: Buffer): void {
    this.u32(bytes.length);
    this.reserve(bytes.length);
    bytes.copy(this.out, this.size);
    this.size += bytes.length;
  }

  /** For a record that is not ordinary, or that has an error to be told in its turn. */
  declined(): void {
    this.u32(0);
  }

  draft(drafter: RecordDrafter): void {
    const { changed, signatoriesChanged, newId, fault, references, blob, old } = drafter;
    this.u32(
      DRAFTED |
        (changed ? CHANGED : 0) |
        (signatoriesChanged ? SIGNATORIES_CHANGED : 0) |
        (newId === undefined ? 0 : NEW_ID) |
        (fault === undefined ? 0 : FAULT) |
        (references.length === 0 ? 0 : REFERENCES),
    );
    this.u32(old.contractIdStart);
    const [high, low] = fingerprint(blob, 0, blob.length);
    this.u32(high);
    this.u32(low);
    if (newId !== undefined) this.bytes(newId);
    if (fault !== undefined) this.bytes(Buffer.from(fault));
    if (references.length === 0) return;
    this.u32(references.length);
    for (const reference of references) this.bytes(reference);
    this.bytes(blob);
    this.bytes(Buffer.from(drafter.representativePackageId));
  }
}

/** Reads what a {@link DraftWriter} wrote, draft by draft. Byte fields are views. */
export class DraftReader {
  private readonly buf: Buffer;
  private at = 0;

  constructor(drafts: Uint8Array) {
    this.buf = Buffer.from(drafts.buffer, drafts.byteOffset, drafts.byteLength);
  }

  private u32(): number {
    const n = this.buf.readUInt32LE(this.at);
    this.at += 4;
    return n;
  }

  private bytes(): Buffer {
    const n = this.u32();
    this.at += n;
    return this.buf.subarray(this.at - n, this.at);
  }

  /** Undefined: this thread has to look at the record itself. */
  next(): PackedDraft | undefined {
    const flags = this.u32();
    if (flags === 0) return undefined;
    const draft: PackedDraft = {
      idStart: this.u32(),
      changed: (flags & CHANGED) !== 0,
      signatoriesChanged: (flags & SIGNATORIES_CHANGED) !== 0,
      high: this.u32(),
      low: this.u32(),
      newId: (flags & NEW_ID) === 0 ? undefined : this.bytes(),
      fault: (flags & FAULT) === 0 ? undefined : this.bytes().toString(),
      references: [],
      blob: undefined,
      representativePackageId: '',
    };
    if ((flags & REFERENCES) === 0) return draft;
    for (let n = this.u32(); n > 0; n--) draft.references.push(this.bytes());
    draft.blob = this.bytes();
    draft.representativePackageId = this.bytes().toString();
    return draft;
  }
}
