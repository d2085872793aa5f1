/** `acs store prune`: forgets the history before an offset, which becomes the new base. Nothing active is touched. */
import { AcsError } from '../io/error.js';
import { keepTimes } from './knownTime.js';
import { type Db, withStore } from './open.js';
import { dropUnusedContracts, readySource } from './source.js';
import { inTransaction } from './transaction.js';

export interface PruneResult {
  source: string;
  before: bigint;
  done: boolean;
  /** Closed intervals dropped. */
  intervals: number;
  events: number;
  updates: number;
  contracts: number;
}

/**
 * Drops the intervals of a source that were closed at or before `before`, their events and completed reassignments, and
 * raises the base to it. A dry run unless `apply`. The events that remain still rebuild the state.
 */
export async function pruneBefore(
  path: string,
  options: { source?: string | undefined; before: bigint; apply?: boolean; vacuum?: boolean },
): Promise<PruneResult> {
  return withStore(path, { write: true }, ({ db }) => {
    const source = readySource(db, options.source);
    const { before } = options;
    if (before < source.base || before > source.head) {
      throw new AcsError('OFFSET_OUTSIDE', 'the offset is not between base and head of the source', {
        expected: `${source.base} to ${source.head}`,
        found: `${before}`,
        exitCode: 2,
      });
    }
    const result: PruneResult = {
      source: source.name,
      before,
      done: options.apply === true,
      intervals: 0,
      events: 0,
      updates: 0,
      contracts: 0,
    };
    markDoomed(db, source.pk, before);
    const one = (sql: string, ...values: unknown[]): number =>
      db
        .prepare(sql)
        .pluck()
        .get(...values) as number;
    result.events = one('SELECT count(*) FROM temp.doomed');
    result.intervals = one(
      'SELECT count(*) FROM activation WHERE source_pk = ? AND deact_off <= ? AND act_event IN (SELECT event_pk FROM temp.doomed)',
      source.pk,
      before,
    );
    result.updates = one(
      'SELECT count(*) FROM update_tx WHERE source_pk = ? AND off <= ?',
      source.pk,
      before,
    );
    if (options.apply !== true) return result;
    inTransaction(db, () => {
      db.prepare(
        'DELETE FROM activation WHERE source_pk = ? AND deact_off <= ? AND act_event IN (SELECT event_pk FROM temp.doomed)',
      ).run(source.pk, before);
      // An assignment that stays lost its other half: from now on it is an activation like any other.
      for (const half of ['u_event', 'a_event'])
        db.prepare(
          `DELETE FROM event_reassignment WHERE event_pk IN (
             SELECT ${half} FROM reassignment WHERE source_pk = ? AND u_off <= ? AND a_off <= ?)`,
        ).run(source.pk, before, before);
      db.prepare('DELETE FROM reassignment WHERE source_pk = ? AND u_off <= ? AND a_off <= ?').run(
        source.pk,
        before,
        before,
      );
      for (const table of ['event_raw', 'event_reassignment', 'orphan', 'event'])
        db.prepare(`DELETE FROM ${table} WHERE event_pk IN (SELECT event_pk FROM temp.doomed)`).run();
      for (const table of ['finding', 'hosting'])
        db.prepare(`DELETE FROM ${table} WHERE source_pk = ? AND off <= ?`).run(source.pk, before);
      keepTimes(db, source.pk, before);
      db.prepare('DELETE FROM sync_time WHERE source_pk = ? AND off < ?').run(source.pk, before);
      db.prepare('DELETE FROM update_tx WHERE source_pk = ? AND off <= ?').run(source.pk, before);
      result.contracts = dropUnusedContracts(db);
      db.prepare('UPDATE source SET base_offset = ? WHERE source_pk = ?').run(before, source.pk);
    });
    db.exec('DROP TABLE temp.doomed; DROP TABLE temp.kept');
    if (options.vacuum === true) db.exec('VACUUM');
    return result;
  });
}

/** Fills `temp.doomed` with the events that nothing will need, leaving out what an open reassignment refers to. */
function markDoomed(db: Db, source: number, before: bigint): void {
  db.exec(
    'CREATE TEMP TABLE kept(event_pk INTEGER PRIMARY KEY); CREATE TEMP TABLE doomed(event_pk INTEGER PRIMARY KEY)',
  );
  const open =
    'FROM reassignment WHERE source_pk = :s AND (u_off IS NULL OR a_off IS NULL OR u_off > :o OR a_off > :o)';
  const fill = (sql: string): number => db.prepare(sql).run({ s: source, o: before }).changes;
  fill(`INSERT OR IGNORE INTO kept SELECT u_event ${open} AND u_event IS NOT NULL`);
  fill(`INSERT OR IGNORE INTO kept SELECT a_event ${open} AND a_event IS NOT NULL`);
  // An interval goes as a whole or not at all. What supersedes one that stays begins the next, which then stays too.
  const closed = 'FROM activation WHERE source_pk = :s AND deact_off <= :o';
  fill(
    `INSERT OR IGNORE INTO kept SELECT act_event ${closed} AND deact_kind <> 0 AND deact_event IN (SELECT event_pk FROM kept)`,
  );
  const ends = `INSERT OR IGNORE INTO kept SELECT deact_event ${closed} AND act_event IN (SELECT event_pk FROM kept)`;
  while (fill(ends) > 0);
  fill(
    `INSERT OR IGNORE INTO doomed SELECT act_event ${closed} AND act_event NOT IN (SELECT event_pk FROM kept)`,
  );
  fill(
    `INSERT OR IGNORE INTO doomed SELECT deact_event ${closed} AND deact_kind <> 0 AND deact_event NOT IN (SELECT event_pk FROM kept)`,
  );
  fill(
    `INSERT OR IGNORE INTO doomed SELECT o.event_pk FROM orphan o JOIN event e USING(event_pk)
     WHERE e.source_pk = :s AND e.off <= :o AND e.event_pk NOT IN (SELECT event_pk FROM kept)`,
  );
  fill(
    `INSERT OR IGNORE INTO doomed SELECT event_pk FROM event
     WHERE source_pk = :s AND off <= :o AND kind IN (6, 7) AND event_pk NOT IN (SELECT event_pk FROM kept)`,
  );
}
