/**
 * The table of imports: which files became the base of a source, and how far a load has come. A load that was killed goes
 * on where its row says.
 */
import { AcsError } from '../io/error.js';
import type { BaseFormat } from './baseFormat.js';
import type { Db } from './open.js';
import type { Source } from './source.js';
import { nowMicros } from './transaction.js';

/** How far a load has come. */
export interface ImportProgress {
  /** Records of the file that are dealt with. */
  nextRecord: number;
  /** CRC-32 of those, to know the file again. */
  crc: number;
  contracts: number;
  skipped: number;
}

export interface UnfinishedImport extends ImportProgress {
  pk: number;
  atOffset: bigint;
  /** JSON of the parties; null: all. */
  filter: string | null;
}

interface NewImport {
  format: BaseFormat;
  file: string;
  offset: bigint;
  filter: readonly string[] | undefined;
}

/** Adds the row of a load that begins. */
export function startImport(
  db: Db,
  source: Source,
  { format, file, offset, filter }: NewImport,
): { pk: number } {
  const { lastInsertRowid } = db
    .prepare(
      "INSERT INTO import(source_pk, kind, file, at_offset, filter, status, started_at) VALUES (?, ?, ?, ?, ?, 'loading', ?)",
    )
    .run(source.pk, format, file, offset, filterText(filter), nowMicros());
  return { pk: Number(lastInsertRowid) };
}

/** Notes how far the load has come; part of the transaction that stores the records. */
export function importProgress(db: Db, pk: number): (progress: ImportProgress) => void {
  const update = db.prepare(
    'UPDATE import SET next_record = ?, prefix_crc = ?, contracts = ?, skipped = ? WHERE import_pk = ?',
  );
  return ({ nextRecord, crc, contracts, skipped }) => {
    update.run(nextRecord, crc, contracts, skipped, pk);
  };
}

/** The load is done: from now on the source has a base. `sha256` is null for a file that cannot be read again. */
export function completeImport(
  db: Db,
  source: Source,
  pk: number,
  done: {
    file: string;
    sha256: Buffer | null;
    offset: bigint;
    filter: readonly string[] | undefined;
    inFlight: number;
  },
): void {
  db.prepare(
    "UPDATE import SET status = 'complete', file = ?, sha256 = ?, finished_at = ? WHERE import_pk = ?",
  ).run(done.file, done.sha256, nowMicros(), pk);
  db.prepare(
    'UPDATE source SET base_offset = ?, head_offset = ?, base_filter = ?, base_in_flight = ? WHERE source_pk = ?',
  ).run(done.offset, done.offset, filterText(done.filter), done.inFlight, source.pk);
}

export function dropImport(db: Db, pk: number): void {
  db.prepare('DELETE FROM import WHERE import_pk = ?').run(pk);
}

function filterText(filter: readonly string[] | undefined): string | null {
  return filter === undefined ? null : JSON.stringify(filter);
}

/** The load that made the base of a source at `offset`. */
export function completedImport(
  db: Db,
  source: Source,
  offset: bigint,
): (Pick<ImportProgress, 'nextRecord' | 'contracts' | 'skipped'> & { sha256: Buffer | null }) | undefined {
  const row = db
    .prepare(
      "SELECT sha256, next_record, contracts, skipped FROM import WHERE source_pk = ? AND at_offset = ? AND kind <> 'updates' AND status = 'complete'",
    )
    .raw()
    .get(source.pk, offset) as [Buffer | null, number, number, number] | undefined;
  if (row === undefined) return undefined;
  return { sha256: row[0], nextRecord: row[1], contracts: row[2], skipped: row[3] };
}

/** A load that was interrupted. */
export function unfinishedImport(db: Db, source: Source): UnfinishedImport | undefined {
  const row = db
    .prepare(
      "SELECT import_pk, at_offset, filter, next_record, prefix_crc, contracts, skipped FROM import WHERE source_pk = ? AND status = 'loading'",
    )
    .raw()
    .safeIntegers()
    .get(source.pk) as [bigint, bigint, string | null, bigint, bigint, bigint, bigint] | undefined;
  if (row === undefined) return undefined;
  return {
    pk: Number(row[0]),
    atOffset: row[1],
    filter: row[2],
    nextRecord: Number(row[3]),
    crc: Number(row[4]),
    contracts: Number(row[5]),
    skipped: Number(row[6]),
  };
}

/** Error `LOAD_UNFINISHED` unless a load with these options goes on with the interrupted one. */
export function checkSameLoad(
  unfinished: UnfinishedImport,
  offset: bigint,
  filter: readonly string[] | undefined,
): void {
  const wanted = filterText(filter);
  if (unfinished.atOffset === offset && unfinished.filter === wanted) return;
  throw new AcsError('LOAD_UNFINISHED', 'an interrupted load with other options is in the way', {
    expected: `offset ${unfinished.atOffset}, parties ${unfinished.filter ?? 'all'}`,
    found: `offset ${offset}, parties ${wanted ?? 'all'}`,
    hint: 'run that load again, or begin anew with --restart',
  });
}
