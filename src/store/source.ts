/** One participant in a store: its base, its head, and the party filter its data was cut by. */
import { AcsError } from '../io/error.js';
import { blobNumberSql } from './contractNumber.js';
import type { Db } from './open.js';
import { inTransaction } from './transaction.js';

export interface Source {
  pk: number;
  name: string;
  /** Offset of the base; undefined while there is none. */
  base: bigint | undefined;
  /** Parties the base was filtered by; undefined: no filter. */
  filter: string[] | undefined;
  /** In-flight contracts the base counted without naming them. */
  baseInFlight: number;
  /** Everything up to here is known. */
  head: bigint | undefined;
  generation: number;
}

type Row = [bigint, string, bigint | null, string | null, bigint, bigint | null, bigint];

const COLUMNS = 'source_pk, name, base_offset, base_filter, base_in_flight, head_offset, generation';

function sourceOf(row: Row): Source {
  return {
    pk: Number(row[0]),
    name: row[1],
    base: row[2] ?? undefined,
    filter: row[3] === null ? undefined : (JSON.parse(row[3]) as string[]),
    baseInFlight: Number(row[4]),
    head: row[5] ?? undefined,
    generation: Number(row[6]),
  };
}

export function listSources(db: Db): Source[] {
  const rows = db.prepare(`SELECT ${COLUMNS} FROM source ORDER BY name`).raw().safeIntegers().all() as Row[];
  return rows.map(sourceOf);
}

export function findSource(db: Db, name: string): Source | undefined {
  const row = db.prepare(`SELECT ${COLUMNS} FROM source WHERE name = ?`).raw().safeIntegers().get(name) as
    | Row
    | undefined;
  return row === undefined ? undefined : sourceOf(row);
}

/** The source, or a `SOURCE_*` error that names those there are. Without a name the only one is taken. */
export function sourceNamed(db: Db, name: string | undefined): Source {
  const all = listSources(db);
  const found =
    name === undefined ? (all.length === 1 ? all[0] : undefined) : all.find((s) => s.name === name);
  if (found !== undefined) return found;
  throw new AcsError(
    'SOURCE_UNKNOWN',
    all.length === 0
      ? 'the store holds no source yet'
      : name === undefined
        ? 'the store holds several sources; name one'
        : 'the store holds no such source',
    {
      expected: all.map((s) => s.name).join(', ') || 'a source; load a snapshot first',
      ...(name === undefined ? {} : { found: name }),
      hint:
        all.length === 0
          ? 'load a snapshot: acs store load'
          : 'name it with --source, or as STORE#SOURCE where inputs are compared',
      exitCode: 2,
    },
  );
}

/** A source that can answer questions. */
export interface ReadySource extends Source {
  base: bigint;
  head: bigint;
}

export function readySource(db: Db, name: string | undefined): ReadySource {
  const source = sourceNamed(db, name);
  if (source.base === undefined || source.head === undefined) {
    throw new AcsError('SOURCE_NO_BASE', 'the source has no complete base yet', {
      found: source.name,
      hint: 'an interrupted load goes on when it is run again with the same file',
    });
  }
  return source as ReadySource;
}

/** The offset asked for (default: the head), checked against what the source covers. */
export function offsetWithin(source: ReadySource, offset: bigint | undefined): bigint {
  if (offset === undefined) return source.head;
  if (offset < source.base) {
    throw new AcsError('OFFSET_BEFORE_BASE', 'the offset lies before what the store knows of this source', {
      expected: `${source.base} to ${source.head}`,
      found: `${offset}`,
      exitCode: 2,
    });
  }
  if (offset > source.head) {
    throw new AcsError('OFFSET_AFTER_HEAD', 'the offset lies beyond what the store knows of this source', {
      expected: `${source.base} to ${source.head}`,
      found: `${offset}`,
      hint: 'append the updates up to there; acs store append --until N says that a stream was complete to N',
      exitCode: 2,
    });
  }
  return offset;
}

export function createSource(db: Db, name: string): Source {
  if (!/^[^\s/]{1,200}$/.test(name)) {
    throw new AcsError('SOURCE_NAME', 'not a usable name for a source', {
      expected: 'up to 200 characters without spaces and slashes',
      found: name,
      exitCode: 2,
    });
  }
  db.prepare('INSERT INTO source(name) VALUES (?)').run(name);
  return sourceNamed(db, name);
}

/**
 * Removes a source of which nothing is stored: neither an event nor a finding, and of no input a part. Without it a store
 * of one participant would hold two after a mistyped name or file.
 */
export function dropEmptySource(db: Db, source: number): void {
  const holds = db
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM event WHERE source_pk = :s) OR EXISTS (SELECT 1 FROM update_tx WHERE source_pk = :s)
         OR EXISTS (SELECT 1 FROM finding WHERE source_pk = :s)
         OR EXISTS (SELECT 1 FROM import WHERE source_pk = :s AND kind <> 'begin'
                    AND (status = 'complete' OR next_record > 0))`,
    )
    .pluck()
    .get({ s: source });
  if (holds !== 0) return;
  inTransaction(db, () => {
    for (const table of ['import', 'sync_time', 'source'])
      db.prepare(`DELETE FROM ${table} WHERE source_pk = ?`).run(source);
  });
}

/** Removes everything a source has; contracts other sources know stay. */
export function deleteSourceData(db: Db, source: number): void {
  db.prepare('DELETE FROM event_raw WHERE event_pk IN (SELECT event_pk FROM event WHERE source_pk = ?)').run(
    source,
  );
  db.prepare(
    'DELETE FROM event_reassignment WHERE event_pk IN (SELECT event_pk FROM event WHERE source_pk = ?)',
  ).run(source);
  db.prepare('DELETE FROM orphan WHERE event_pk IN (SELECT event_pk FROM event WHERE source_pk = ?)').run(
    source,
  );
  for (const table of [
    'event',
    'activation',
    'reassignment',
    'finding',
    'sync_time',
    'hosting',
    'update_tx',
    'import',
    'commitment_head',
    'commitment_group',
  ])
    db.prepare(`DELETE FROM ${table} WHERE source_pk = ?`).run(source);
  dropUnusedContracts(db);
  db.prepare(
    'UPDATE source SET base_offset = NULL, base_filter = NULL, base_in_flight = 0, head_offset = NULL WHERE source_pk = ?',
  ).run(source);
}

/** Contracts no event and no finding refers to any more: their numbers are given again. */
export function dropUnusedContracts(db: Db): number {
  db.exec(
    `CREATE TEMP TABLE IF NOT EXISTS used(contract_pk INTEGER PRIMARY KEY); DELETE FROM used;
     INSERT OR IGNORE INTO used SELECT contract_pk FROM event;
     INSERT OR IGNORE INTO used SELECT contract_pk FROM finding WHERE contract_pk IS NOT NULL`,
  );
  const { changes } = db
    .prepare('DELETE FROM contract WHERE contract_pk NOT IN (SELECT contract_pk FROM used)')
    .run();
  db.exec(
    `DELETE FROM contract_blob WHERE rowid NOT IN (SELECT ${blobNumberSql('contract_pk')} FROM used); DROP TABLE used`,
  );
  return changes;
}

/** Which stakeholder sets touch the filter; cached per set. */
export function setFilter(
  db: Db,
  parties: readonly string[] | undefined,
): ((set: number) => boolean) | undefined {
  if (parties === undefined) return undefined;
  const touching = db
    .prepare(
      'SELECT 1 FROM party_set_member m JOIN party p USING(party_pk) WHERE m.set_pk = ? AND p.party IN (SELECT value FROM json_each(?)) LIMIT 1',
    )
    .pluck();
  const json = JSON.stringify(parties);
  const known = new Map<number, boolean>();
  return (set) => {
    let inside = known.get(set);
    if (inside === undefined) {
      inside = touching.get(set, json) !== undefined;
      known.set(set, inside);
    }
    return inside;
  };
}
