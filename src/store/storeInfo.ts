/** `acs store info`: what a store holds. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { inFlightAt, resolveQuestion } from './ask.js';
import type { Db, Store } from './open.js';
import { listSources, type Source } from './source.js';

export interface SourceInfo {
  name: string;
  /** undefined: no complete base. */
  baseOffset: bigint | undefined;
  headOffset: bigint | undefined;
  filter: string[] | undefined;
  generation: number;
  activeContracts: number;
  events: number;
  updates: number;
  inFlight: number;
  findings: Record<string, number>;
  /** Last known record time per synchronizer, in µs. */
  recordTimes: Record<string, bigint>;
  imports: {
    kind: string;
    file: string | undefined;
    atOffset: bigint | undefined;
    status: string;
    contracts: number;
  }[];
}

export interface StoreInfo {
  path: string;
  bytes: number;
  /** Bytes of the write-ahead log that is not yet part of the file. */
  walBytes: number;
  schemaVersion: number;
  contracts: number;
  blobBytes: number | undefined;
  parties: number;
  stakeholderSets: number;
  templates: number;
  sources: SourceInfo[];
}

export function storeInfo(store: Store): StoreInfo {
  const { db, path } = store;
  const one = (sql: string, ...values: unknown[]): number =>
    (db
      .prepare(sql)
      .pluck()
      .get(...values) as number | null) ?? 0;
  return {
    path,
    bytes: statSync(path).size,
    walBytes: sizeOf(`${path}-wal`),
    schemaVersion: db.pragma('user_version', { simple: true }) as number,
    contracts: one('SELECT count(*) FROM contract'),
    blobBytes: undefined,
    parties: one('SELECT count(*) FROM party'),
    stakeholderSets: one('SELECT count(*) FROM party_set'),
    templates: one('SELECT count(*) FROM template'),
    sources: listSources(db).map((source) => ({
      name: source.name,
      baseOffset: source.base,
      headOffset: source.head,
      filter: source.filter,
      generation: source.generation,
      activeContracts: one(
        'SELECT count(*) FROM activation WHERE source_pk = ? AND deact_off IS NULL',
        source.pk,
      ),
      events: one('SELECT count(*) FROM event WHERE source_pk = ?', source.pk),
      updates: one('SELECT count(*) FROM update_tx WHERE source_pk = ?', source.pk),
      inFlight: leaving(db, source),
      findings: Object.fromEntries(
        db
          .prepare('SELECT code, count(*) FROM finding WHERE source_pk = ? GROUP BY code ORDER BY code')
          .raw()
          .all(source.pk) as [string, number][],
      ),
      recordTimes: Object.fromEntries(
        db
          .prepare(
            'SELECT y.sync_id, max(t.record_time) FROM sync_time t JOIN synchronizer y USING(sync_pk) WHERE t.source_pk = ? GROUP BY 1 ORDER BY 1',
          )
          .raw()
          .safeIntegers()
          .all(source.pk) as [string, bigint][],
      ),
      imports: (
        db
          .prepare(
            'SELECT kind, file, at_offset, status, contracts FROM import WHERE source_pk = ? ORDER BY import_pk',
          )
          .raw()
          .safeIntegers()
          .all(source.pk) as [string, string | null, bigint | null, string, bigint][]
      ).map(([kind, file, atOffset, status, contracts]) => ({
        kind,
        file: file ?? undefined,
        atOffset: atOffset ?? undefined,
        status,
        contracts: Number(contracts),
      })),
    })),
  };
}

/** Contracts in flight at the head, as `acs store inflight` names them. */
function leaving(db: Db, { name, base }: Source): number {
  if (base === undefined) return 0;
  return inFlightAt(db, resolveQuestion(db, name, {})).filter((r) => r.kind === 'unassigned').length;
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

/**
 * SHA-256 over the intervals of a source, one line `contract id|synchronizer|counter|from|to` each, sorted: the same
 * state gives the same digest, however it came about.
 */
export function intervalDigest(db: Db, source: number): string {
  const digest = createHash('sha256');
  const rows = db
    .prepare(
      `SELECT c.contract_id, y.sync_id, a.counter, a.act_off, a.deact_off
       FROM activation a JOIN contract c USING(contract_pk) JOIN synchronizer y USING(sync_pk)
       WHERE a.source_pk = ? ORDER BY 1, 2, 4, 3, 5`,
    )
    .raw()
    .safeIntegers()
    .iterate(source) as IterableIterator<[Buffer, string, bigint, bigint, bigint | null]>;
  for (const [id, sync, counter, from, to] of rows)
    digest.update(`${id.toString('hex')}|${sync}|${counter}|${from}|${to ?? ''}\n`);
  return digest.digest('hex');
}
