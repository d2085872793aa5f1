/** `acs store reset-to`: a source back at an earlier offset, as after its participant was restored from a backup. */
import { AcsError } from '../io/error.js';
import { firstEventAfter } from './changes.js';
import { keepTimes } from './knownTime.js';
import { withStore } from './open.js';
import { dropUnusedContracts, readySource } from './source.js';
import { inTransaction } from './transaction.js';

export interface ResetResult {
  source: string;
  from: bigint;
  to: bigint;
  /** False for a dry run: nothing was changed. */
  done: boolean;
  updates: number;
  events: number;
  reopened: number;
  contracts: number;
}

/** Forgets every update behind `offset` in one transaction. */
export async function resetTo(
  path: string,
  options: { source?: string | undefined; offset: bigint; apply?: boolean },
): Promise<ResetResult> {
  return withStore(path, { write: true }, ({ db }) => {
    const source = readySource(db, options.source);
    const { offset } = options;
    if (offset < source.base || offset > source.head) {
      throw new AcsError('OFFSET_OUTSIDE', 'the offset is not between base and head of the source', {
        expected: `${source.base} to ${source.head}`,
        found: `${offset}`,
        exitCode: 2,
      });
    }
    const first = firstEventAfter(db, source.pk, offset);
    const one = (sql: string, ...values: unknown[]): number =>
      db
        .prepare(sql)
        .pluck()
        .get(...values) as number;
    const result: ResetResult = {
      source: source.name,
      from: source.head,
      to: offset,
      done: options.apply === true,
      updates: one('SELECT count(*) FROM update_tx WHERE source_pk = ? AND off > ?', source.pk, offset),
      events: one('SELECT count(*) FROM event WHERE source_pk = ? AND event_pk >= ?', source.pk, first),
      reopened: one(
        'SELECT count(*) FROM activation WHERE source_pk = ? AND act_off <= ? AND deact_off > ?',
        source.pk,
        offset,
        offset,
      ),
      contracts: 0,
    };
    if (options.apply !== true) return result;
    inTransaction(db, () => {
      const events = 'SELECT event_pk FROM event WHERE source_pk = ? AND event_pk >= ?';
      for (const table of ['event_raw', 'event_reassignment', 'orphan'])
        db.prepare(`DELETE FROM ${table} WHERE event_pk IN (${events})`).run(source.pk, first);
      db.prepare('DELETE FROM activation WHERE source_pk = ? AND act_off > ?').run(source.pk, offset);
      db.prepare(
        'UPDATE activation SET deact_off = NULL, deact_event = NULL, deact_kind = NULL WHERE source_pk = ? AND deact_off > ?',
      ).run(source.pk, offset);
      db.prepare(
        'UPDATE reassignment SET u_off = NULL, u_event = NULL, exclusivity = NULL WHERE source_pk = ? AND u_off > ?',
      ).run(source.pk, offset);
      db.prepare(
        'UPDATE reassignment SET a_off = NULL, a_event = NULL WHERE source_pk = ? AND a_off > ?',
      ).run(source.pk, offset);
      db.prepare('DELETE FROM reassignment WHERE source_pk = ? AND u_off IS NULL AND a_off IS NULL').run(
        source.pk,
      );
      db.prepare('DELETE FROM event WHERE source_pk = ? AND event_pk >= ?').run(source.pk, first);
      keepTimes(db, source.pk, offset);
      for (const table of ['update_tx', 'finding', 'sync_time', 'hosting'])
        db.prepare(`DELETE FROM ${table} WHERE source_pk = ? AND off > ?`).run(source.pk, offset);
      result.contracts = dropUnusedContracts(db);
      db.prepare('UPDATE source SET head_offset = ?, generation = generation + 1 WHERE source_pk = ?').run(
        offset,
        source.pk,
      );
    });
    return result;
  });
}
