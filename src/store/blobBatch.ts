/**
 * Blobs of many contracts with one statement: SQLite joins them into one value. A statement and a Buffer per contract
 * cost four times as much as reading the bytes.
 */
import type { Db } from './open.js';
import { rowsSql } from './rowsSql.js';

/** Blobs per statement. */
export const BLOBS_PER_BATCH = 64;
/** Longer blobs are read on their own, so that a batch holds 4 MiB at most. */
const LONG_BLOB = 64 * 1024;

/** Blobs of one batch, by their place in it; valid until the next batch is read. */
export interface BlobBatch {
  /** `numbers` of blobs has {@link BLOBS_PER_BATCH} places; null: none is wanted there. */
  read(numbers: readonly (number | null)[]): void;
  /** Points {@link buf}, {@link start} and {@link end} at a blob, in the order of the batch. False: the store has none. */
  next(): boolean;
  readonly buf: Buffer;
  readonly start: number;
  readonly end: number;
}

export function blobBatch(db: Db): BlobBatch {
  // Joined as text, which leaves the bytes as they are; VALUES is the outer loop, so they come in its order.
  const many = db
    .prepare(
      `SELECT CAST(group_concat(iif(length(b.blob) <= ${LONG_BLOB}, b.blob, NULL), '') AS BLOB), group_concat(coalesce(length(b.blob), -1), ' ')
       FROM (VALUES ${rowsSql(1, BLOBS_PER_BATCH)}) wanted LEFT JOIN contract_blob b ON b.rowid = wanted.column1`,
    )
    .raw();
  const one = db.prepare('SELECT blob FROM contract_blob WHERE rowid = ?').pluck();
  const none: Buffer = Buffer.alloc(0);
  let asked: readonly (number | null)[] = [];
  let bytes: Buffer = none;
  let lengths: string[] = [];
  let place = 0;
  let used = 0;
  const batch = {
    buf: none,
    start: 0,
    end: 0,
    read(numbers: readonly (number | null)[]): void {
      const [joined, itsLengths] = many.get(numbers) as [Buffer | null, string];
      asked = numbers;
      bytes = joined ?? none;
      lengths = itsLengths.split(' ');
      place = 0;
      used = 0;
    },
    next(): boolean {
      const length = Number(lengths[place]);
      const number = asked[place++];
      if (length < 0) return false;
      if (length > LONG_BLOB) {
        batch.buf = one.get(number) as Buffer;
        batch.start = 0;
        batch.end = length;
        return true;
      }
      batch.buf = bytes;
      batch.start = used;
      batch.end = used += length;
      return true;
    },
  };
  return batch;
}
