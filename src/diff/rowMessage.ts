/**
 * What makes the row of a record, as bytes in one piece: it is hashed to find out whether another thread has the row, and
 * the row is made of it later or never.
 *
 * Five 32-bit words: the lengths of blob, synchronizer id and representative package id, the halves of the counter; then
 * these three. Two messages are equal when their rows are.
 */
import type { BlobView } from '../contract/blob.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { copyWords } from '../wire/copyBytes.js';
import { wordsOf } from '../wire/sameBytes.js';
import { type RowBuilder, usualIdStart } from './rowBuilder.js';

const HEADER_BYTES = 20;

/** Bytes and words of the same memory. */
export interface MessageMemory {
  readonly bytes: Buffer;
  readonly words: DataView;
}

/** Where the blob of the message at `at` begins. */
export function messageBlob(at: number): number {
  return at + HEADER_BYTES;
}

/** Length of a record's message; the record has a blob. */
export function messageBytes(record: RecordView): number {
  const fields = record.eventFields;
  return (
    HEADER_BYTES +
    (fields[2 * EVENT.createdEventBlob + 1]! - fields[2 * EVENT.createdEventBlob]!) +
    (record.synchronizerEnd - record.synchronizerStart) +
    (fields[2 * EVENT.representativePackageId + 1]! - fields[2 * EVENT.representativePackageId]!)
  );
}

/**
 * Where the contract id of the record begins, counted from the beginning of its blob, when the blob is written as usual
 * and its first field of that kind is the id; else -1.
 */
export function usualId(record: RecordView): number {
  const start = record.eventFields[2 * EVENT.createdEventBlob]!;
  if (start < 0) return -1;
  const id = usualIdStart(record.buf, start, record.eventFields[2 * EVENT.createdEventBlob + 1]!);
  return id < 0 || record.buf[id]! > 1 ? -1 : id - start;
}

/** Writes the message of a record to `at`, where there must be room. */
export function writeMessage(record: RecordView, { bytes, words }: MessageMemory, at: number): void {
  const { buf, eventFields } = record;
  const start = eventFields[2 * EVENT.createdEventBlob]!;
  const end = eventFields[2 * EVENT.createdEventBlob + 1]!;
  const represented = eventFields[2 * EVENT.representativePackageId]!;
  const representedEnd = eventFields[2 * EVENT.representativePackageId + 1]!;
  const { synchronizerStart, synchronizerEnd } = record;
  words.setInt32(at, end - start, true);
  words.setInt32(at + 4, synchronizerEnd - synchronizerStart, true);
  words.setInt32(at + 8, representedEnd - represented, true);
  let low = 0;
  let high = 0;
  if (!record.counterIsZero) {
    low = Number(BigInt.asIntN(32, record.reassignmentCounter));
    high = Number(BigInt.asIntN(32, record.reassignmentCounter >> 32n));
  }
  words.setInt32(at + 12, low, true);
  words.setInt32(at + 16, high, true);
  let to = at + HEADER_BYTES;
  bytes.set(buf.subarray(start, end), to);
  to += end - start;
  const source = wordsOf(buf);
  copyWords(source, synchronizerStart, synchronizerEnd, words, to);
  to += synchronizerEnd - synchronizerStart;
  if (represented >= 0) copyWords(source, represented, representedEnd, words, to);
}

/** Points `blob` at the blob of the message at `at`. Throws as the record's own blob would. */
export function parseMessage(blob: BlobView, { bytes, words }: MessageMemory, at: number): BlobView {
  return blob.parse(bytes, messageBlob(at), messageBlob(at) + words.getInt32(at, true));
}

/** Makes the row of the message at `at`, to which `blob` points; `shownBy` are its inputs, one bit each. */
export function fillFromMessage(
  builder: RowBuilder,
  shownBy: number,
  blob: BlobView,
  { bytes, words }: MessageMemory,
  at: number,
): void {
  const start = messageBlob(at);
  const synchronizer = start + words.getInt32(at, true);
  const represented = synchronizer + words.getInt32(at + 4, true);
  builder.beginFor(shownBy).content(blob, start, synchronizer);
  builder.synchronizer(bytes, synchronizer, represented);
  builder.counterWords(words.getInt32(at + 12, true), words.getInt32(at + 16, true));
  builder.representative(bytes, represented, represented + words.getInt32(at + 8, true));
}
