/** Building format-A frames from parts (snapshot-format spec, section 3). Fields ascending, defaults omitted. */
import { WireWriter } from '../wire/writer.js';
import type { TemplateId } from './eventValues.js';

/** What a frame is built from. Only the blob and the synchronizer id are needed by an import. */
export interface RecordParts {
  synchronizerId: string;
  reassignmentCounter: bigint;
  createdEvent: CreatedEventParts;
}

export interface CreatedEventParts {
  offset?: bigint;
  nodeId?: number;
  contractId: string;
  templateId?: TemplateId;
  /** Serialized Ledger API `Value`. */
  contractKey?: Uint8Array;
  /** Serialized Ledger API `Record`. */
  createArguments?: Uint8Array;
  createdEventBlob: Uint8Array;
  witnessParties?: readonly string[];
  signatories?: readonly string[];
  observers?: readonly string[];
  /** Microseconds since the epoch. */
  createdAt?: bigint;
  packageName?: string;
  acsDelta?: boolean;
  representativePackageId?: string;
  contractKeyHash?: Uint8Array;
}

/** A complete frame, length prefix included. */
export function encodeRecord(parts: RecordParts): Buffer {
  return encodeFrame(encodeCreatedEvent(parts.createdEvent), parts.synchronizerId, parts.reassignmentCounter);
}

/** A frame around a serialized `CreatedEvent`, whose bytes are taken as they are. */
export function encodeFrame(
  createdEvent: Uint8Array,
  synchronizerId: string,
  reassignmentCounter: bigint,
): Buffer {
  const envelope = new WireWriter(createdEvent.length + synchronizerId.length + 64);
  envelope.messageField(1, () => {
    envelope.messageField(1, () => {
      envelope.bytesField(1, createdEvent);
      if (synchronizerId !== '') envelope.stringField(2, synchronizerId);
      if (reassignmentCounter !== 0n) envelope.tag(3, 0).varint64(reassignmentCounter);
    });
  });
  envelope.byte(0x10).byte(30);
  const body = envelope.view();
  return new WireWriter(body.length + 5).varint(body.length).raw(body).finish();
}

/** A serialized Ledger API `CreatedEvent`. */
export function encodeCreatedEvent(event: CreatedEventParts): Buffer {
  const w = new WireWriter(event.createdEventBlob.length * 3);
  if (event.offset !== undefined && event.offset !== 0n) w.tag(1, 0).varint64(event.offset);
  if (event.nodeId !== undefined && event.nodeId !== 0) w.tag(2, 0).varint64(BigInt(event.nodeId));
  w.stringField(3, event.contractId);
  const template = event.templateId;
  if (template !== undefined) {
    w.messageField(4, () => {
      if (template.packageId !== '') w.stringField(1, template.packageId);
      if (template.moduleName !== '') w.stringField(2, template.moduleName);
      if (template.entityName !== '') w.stringField(3, template.entityName);
    });
  }
  if (event.contractKey !== undefined) w.bytesField(5, event.contractKey);
  if (event.createArguments !== undefined) w.bytesField(6, event.createArguments);
  w.bytesField(7, event.createdEventBlob);
  for (const party of event.witnessParties ?? []) w.stringField(9, party);
  for (const party of event.signatories ?? []) w.stringField(10, party);
  for (const party of event.observers ?? []) w.stringField(11, party);
  const createdAt = event.createdAt;
  if (createdAt !== undefined) w.messageField(12, () => writeTimestamp(w, createdAt));
  if (event.packageName !== undefined && event.packageName !== '') w.stringField(13, event.packageName);
  if (event.acsDelta) w.tag(14, 0).varint(1);
  if (event.representativePackageId !== undefined && event.representativePackageId !== '') {
    w.stringField(15, event.representativePackageId);
  }
  if (event.contractKeyHash !== undefined && event.contractKeyHash.length > 0)
    w.bytesField(16, event.contractKeyHash);
  return w.finish();
}

/** `google.protobuf.Timestamp` of microseconds since the epoch; seconds are floored, nanos never negative. */
export function writeTimestamp(w: WireWriter, micros: bigint): void {
  let seconds = micros / 1_000_000n;
  let rest = micros % 1_000_000n;
  if (rest < 0n) {
    rest += 1_000_000n;
    seconds -= 1n;
  }
  if (seconds !== 0n) w.tag(1, 0).varint64(seconds);
  if (rest !== 0n) w.tag(2, 0).varint(Number(rest) * 1000);
}
