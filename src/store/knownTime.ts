/** Which record times of a synchronizer a source knows of. A base does not say when it was taken. */
import { AcsError } from '../io/error.js';
import type { Db } from './open.js';
import type { ReadySource } from './source.js';

/** Whether the source has seen the synchronizer at a record time (microseconds) up to this. */
export function sawTime(db: Db, source: ReadySource, synchronizer: string, time: bigint): boolean {
  return (
    db
      .prepare(
        `SELECT EXISTS (
           SELECT 1 FROM update_tx t JOIN synchronizer y USING(sync_pk)
             WHERE t.source_pk = :source AND y.sync_id = :synchronizer AND t.record_time <= :time
           UNION ALL SELECT 1 FROM sync_time t JOIN synchronizer y USING(sync_pk)
             WHERE t.source_pk = :source AND y.sync_id = :synchronizer AND t.record_time <= :time)`,
      )
      .pluck()
      .get({ source: source.pk, synchronizer, time }) === 1
  );
}

/** The refusal of a time that nothing behind the base reaches back to; `named` is how the user names the base instead. */
export function timeBeforeBase({ base }: ReadySource, time: bigint, named: string): AcsError {
  return new AcsError(
    'OFFSET_BEFORE_BASE',
    'the record time lies before what the store knows of this source',
    {
      expected: `that of an update behind offset ${base}, where the history begins`,
      found: `${time} microseconds`,
      hint: `if the history begins at that time, name the offset: ${named}`,
      exitCode: 2,
    },
  );
}
