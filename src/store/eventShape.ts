/** How a created event is laid out compared with what its blob gives: see {@link SHAPE}. */
import type { BlobView } from '../contract/blob.js';
import { SHAPE } from '../contract/eventFromBlob.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';

/** What the event lacks, though the blob has it. */
export function shapeOf(record: RecordView, blob: BlobView): number {
  const f = record.eventFields;
  let shape = 0;
  if (f[2 * EVENT.templateId] < 0) shape |= SHAPE.noTemplate;
  if (f[2 * EVENT.createArguments] < 0) shape |= SHAPE.noArguments;
  if (f[2 * EVENT.signatories] < 0) shape |= SHAPE.noParties;
  if (f[2 * EVENT.createdAt] < 0) shape |= SHAPE.noCreatedAt;
  if (f[2 * EVENT.packageName] < 0) shape |= SHAPE.noPackageName;
  if (f[2 * EVENT.acsDelta] < 0) shape |= SHAPE.noAcsDelta;
  if (blob.hasKey) {
    if (f[2 * EVENT.contractKey] < 0) shape |= SHAPE.noKey;
    if (f[2 * EVENT.contractKeyHash] < 0) shape |= SHAPE.noKeyHash;
  }
  return shape;
}

/** Where the party lists (fields 9 to 11) begin, with their tag, when they stand together; else -1. */
export function partiesStart(record: RecordView): number {
  const f = record.eventFields;
  const first = f[2 * EVENT.witnessParties] >= 0 ? EVENT.witnessParties : EVENT.signatories;
  const valueStart = f[2 * first];
  if (valueStart < 0) return -1;
  const tag = (first << 3) | 2;
  for (let back = 2; back <= 3; back++) {
    if (record.buf[valueStart - back] !== tag) continue;
    if (back === 2 ? record.buf[valueStart - 1] < 0x80 : record.buf[valueStart - 2] >= 0x80)
      return valueStart - back;
  }
  return -1;
}

export function partiesEnd(record: RecordView): number {
  const f = record.eventFields;
  return Math.max(f[2 * EVENT.witnessParties + 1], f[2 * EVENT.signatories + 1], f[2 * EVENT.observers + 1]);
}
