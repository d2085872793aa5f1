/** Record times of a synchronizer and the offsets that belong to them. A base does not say when it was taken. */
import { AcsError } from '../io/error.js';
import type { Db } from './open.js';
import type { ReadySource } from './source.js';

/** What a source knows of a synchronizer: updates, and times told by checkpoints or kept of what was pruned. */
const SEEN = `(SELECT t.off, t.record_time FROM update_tx t JOIN synchronizer y USING(sync_pk)
    WHERE t.source_pk = :source AND y.sync_id = :synchronizer AND t.record_time IS NOT NULL
  UNION ALL SELECT t.off, t.record_time FROM sync_time t JOIN synchronizer y USING(sync_pk)
    WHERE t.source_pk = :source AND y.sync_id = :synchronizer)`;

/**
 * The offset at which a source stands at a record time (microseconds) of a synchronizer: the last one before the next
 * update there, or the head. Updates of other synchronizers in between count, they change nothing on this one. A time
 * before everything that is known behind a base is `OFFSET_BEFORE_BASE`; `named` is how the user names the base instead.
 */
export function offsetAtTime(
  db: Db,
  source: ReadySource,
  synchronizer: string,
  time: bigint,
  named: string,
): bigint {
  const one = (sql: string, values: object = {}): bigint | null =>
    (db
      .prepare(sql)
      .pluck()
      .safeIntegers()
      .get({ source: source.pk, synchronizer, ...values }) as bigint | null | undefined) ?? null;
  const last = one(`SELECT max(off) FROM ${SEEN} WHERE record_time <= :time`, { time });
  // Only a time that was seen behind the base, or one before everything, is known to fit.
  if (last === null && source.base > 0n && one(`SELECT 1 FROM ${SEEN} LIMIT 1`) !== null) {
    throw new AcsError(
      'OFFSET_BEFORE_BASE',
      'the record time lies before what the store knows of this source',
      {
        expected: `that of an update behind offset ${source.base}, where the history begins`,
        found: `${time} microseconds`,
        hint: `if the history begins at that time, name the offset: ${named}`,
        exitCode: 2,
      },
    );
  }
  const next = one(
    `SELECT t.off FROM update_tx t JOIN synchronizer y USING(sync_pk)
     WHERE t.source_pk = :source AND y.sync_id = :synchronizer AND t.off > :last ORDER BY t.off LIMIT 1`,
    { last: last ?? source.base },
  );
  return next === null ? source.head : next - 1n;
}

/** The last record time (microseconds) that a source has seen of a synchronizer; undefined when it has seen none. */
export function lastSeenTime(db: Db, source: ReadySource, synchronizer: string): bigint | undefined {
  return (
    (db
      .prepare(`SELECT max(record_time) FROM ${SEEN}`)
      .pluck()
      .safeIntegers()
      .get({ source: source.pk, synchronizer }) as bigint | null) ?? undefined
  );
}

/**
 * Keeps, as of `offset`, the last record time of every synchronizer up to there, whatever is forgotten of the updates on
 * either side of it. Inside a transaction.
 */
export function keepTimes(db: Db, source: number, offset: bigint): void {
  db.prepare(
    `INSERT INTO sync_time(source_pk, sync_pk, off, record_time)
       SELECT :source, sync_pk, :offset, max(record_time) FROM (
         SELECT sync_pk, record_time FROM update_tx WHERE source_pk = :source AND off <= :offset
         UNION ALL SELECT sync_pk, record_time FROM sync_time WHERE source_pk = :source AND off <= :offset)
       WHERE record_time IS NOT NULL GROUP BY sync_pk
     ON CONFLICT DO UPDATE SET record_time = excluded.record_time`,
  ).run({ source, offset });
}
