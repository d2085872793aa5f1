/**
 * A participant in a store, at an offset or at a record time, as an input of a comparison. It knows more than a snapshot
 * file: which contracts are in flight, and what became of those that are not active.
 */
import { createHash } from 'node:crypto';
import { AcsError } from '../io/error.js';
import { RecordView } from '../snapshot/record.js';
import { frames } from '../store/activeFrames.js';
import { inFlightAt, type Question, resolveQuestion, unnamedInFlight } from '../store/ask.js';
import { blobNumber } from '../store/contractNumber.js';
import { idHash } from '../store/idHash.js';
import { lastSeenTime, offsetAtTime } from '../store/knownTime.js';
import { KIND } from '../store/ledgerState.js';
import { type Db, withStore } from '../store/open.js';
import type { DiffContract, DiffSource, InactiveStatus } from './diffSource.js';

export interface StoreSourceOptions {
  /** Name of the source in the store; the only one when left out. */
  source?: string | undefined;
  /** Ledger offset; default the head, or what `at` says. */
  offset?: bigint | undefined;
  /** The last offset whose record time on the synchronizer is not later than this (microseconds). */
  at?: { synchronizer: string; recordTime: bigint } | undefined;
  name?: string | undefined;
  participant?: string | undefined;
}

const CHUNK = 500;
/** `update_tx.origin` of what looks like a purge. */
const ORIGIN_PURGE = 2;

/** Opens nothing yet; every use opens the store for reading. Throws `STORE_*`, `SOURCE_*` and `OFFSET_*` errors. */
export async function storeSource(path: string, options: StoreSourceOptions = {}): Promise<DiffSource> {
  const start = await ask(path, options, (_db, q) => ({
    source: q.source.name,
    filter: q.source.filter,
    offset: q.offset,
  }));
  // From here on the offset stands fast, even while another process appends.
  const fixed: StoreSourceOptions = { ...options, source: start.source, offset: start.offset, at: undefined };
  const recordTimes = new Map(
    options.at === undefined ? [] : [[options.at.synchronizer, options.at.recordTime] as const],
  );
  return {
    name: options.name ?? start.source,
    kind: 'store',
    participant: options.participant,
    parties: start.filter,
    path: `${path}#${start.source}@${start.offset}`,

    read: (sink, afterChunk) =>
      ask(path, fixed, async (db, q) => {
        const view = new RecordView();
        let contracts = 0;
        for (const frame of frames(db, q)) {
          let bodyStart = 0;
          while (frame[bodyStart++]! >= 0x80);
          sink.record(view.parse(frame, 0, bodyStart, frame.length, 0, contracts));
          if (++contracts % CHUNK === 0) await afterChunk?.(contracts);
        }
        for (const contract of contractsInFlight(db, q)) sink.contract(contract);
        const facts = { contracts, inFlightUnknown: unnamedInFlight(db, q), recordTimes };
        if (options.at === undefined) return { ...facts, seenTimes: seenTimes(db, q) };
        const { synchronizer, recordTime } = options.at;
        const lastSeen = lastSeenTime(db, q.source, synchronizer);
        return lastSeen === undefined || lastSeen >= recordTime
          ? facts
          : { ...facts, behind: { synchronizer, lastSeen, recordTime } };
      }),

    inactive: (ids) => ask(path, fixed, (db, q) => inactiveIn(db, q, ids)),

    digest: () =>
      ask(path, fixed, (db, q) => {
        const digest = createHash('sha256');
        for (const frame of frames(db, q)) digest.update(frame);
        for (const c of contractsInFlight(db, q)) {
          digest.update(`${c.synchronizerId} ${c.reassignmentCounter}\n`).update(c.createdEventBlob);
        }
        return digest.digest('hex');
      }),
  };
}

function ask<T>(
  path: string,
  options: StoreSourceOptions,
  use: (db: Db, q: Question) => Promise<T> | T,
): Promise<T> {
  return withStore(path, {}, ({ db }) => {
    let q: Question;
    try {
      const offset = options.offset ?? (options.at === undefined ? undefined : offsetAt(db, options));
      q = resolveQuestion(db, options.source, { offset, allowPartial: true });
    } catch (error) {
      // There may be several stores.
      throw error instanceof AcsError ? error.locate({ file: path }) : error;
    }
    return use(db, q);
  });
}

function offsetAt(db: Db, { source, at }: StoreSourceOptions): bigint {
  const q = resolveQuestion(db, source, { allowPartial: true });
  const { synchronizer, recordTime } = at!;
  return offsetAtTime(db, q.source, synchronizer, recordTime, `${q.source.name}@${q.source.base}`);
}

/** Per synchronizer the last record time up to the offset. */
function seenTimes(db: Db, q: Question): Map<string, bigint> {
  const rows = db
    .prepare(
      `SELECT y.sync_id, max(seen.record_time) FROM (
         SELECT sync_pk, record_time FROM update_tx WHERE source_pk = :source AND off <= :offset
         UNION ALL SELECT sync_pk, record_time FROM sync_time WHERE source_pk = :source AND off <= :offset) seen
       JOIN synchronizer y USING(sync_pk) WHERE seen.record_time IS NOT NULL GROUP BY 1`,
    )
    .raw()
    .safeIntegers()
    .all({ source: q.source.pk, offset: q.offset }) as [string, bigint][];
  return new Map(rows);
}

/** Unassigned, not yet assigned, and active nowhere; those whose content the store has. */
function contractsInFlight(db: Db, q: Question): DiffContract[] {
  const contracts: DiffContract[] = [];
  for (const entry of inFlightAt(db, q)) {
    if (entry.kind !== 'unassigned') continue;
    const pk = contractPk(db, entry.contractId);
    if (pk === undefined || isActive(db, q, pk)) continue;
    const blob = db
      .prepare('SELECT blob FROM contract_blob WHERE rowid = ?')
      .pluck()
      .get(blobNumber(Number(pk))) as Buffer | undefined;
    if (blob === undefined) continue;
    contracts.push({
      createdEventBlob: blob,
      synchronizerId: entry.source,
      reassignmentCounter: entry.counter,
      representativePackageId: '',
      inFlight: true,
    });
  }
  return contracts;
}

function contractPk(db: Db, contractId: string): bigint | undefined {
  const id = Buffer.from(contractId, 'hex');
  return db
    .prepare('SELECT contract_pk FROM contract WHERE id_hash = ? AND contract_id = ?')
    .pluck()
    .safeIntegers()
    .get(idHash(id), id) as bigint | undefined;
}

function isActive(db: Db, q: Question, contract: bigint): boolean {
  const found = db
    .prepare(
      `SELECT 1 FROM activation WHERE contract_pk = ? AND source_pk = ? AND act_off <= ?
       AND (deact_off IS NULL OR deact_off > ?) LIMIT 1`,
    )
    .get(contract, q.source.pk, q.offset, q.offset);
  return found !== undefined;
}

/**
 * The last archival or purge of each contract. A purge in the participant's default mode looks like an archival; the
 * store tells them apart by the update it came with.
 */
function inactiveIn(db: Db, q: Question, ids: readonly string[]): Map<string, InactiveStatus> {
  const closed = db
    .prepare(
      `SELECT e.kind, u.origin, u.record_time FROM (
         SELECT deact_event AS event_pk FROM activation
           WHERE contract_pk = :c AND source_pk = :s AND deact_off <= :o AND deact_kind IN (${KIND.archive}, ${KIND.repairPurge})
         UNION ALL SELECT event_pk FROM orphan WHERE contract_pk = :c) x
       JOIN event e ON e.event_pk = x.event_pk AND e.source_pk = :s AND e.off <= :o
         AND e.kind IN (${KIND.archive}, ${KIND.repairPurge})
       LEFT JOIN update_tx u ON u.source_pk = e.source_pk AND u.off = e.off
       ORDER BY e.off DESC LIMIT 1`,
    )
    .raw()
    .safeIntegers();
  const known = new Map<string, InactiveStatus>();
  for (const id of ids) {
    const contract = contractPk(db, id);
    if (contract === undefined) continue;
    const row = closed.get({ c: contract, s: q.source.pk, o: q.offset }) as
      | [bigint, bigint | null, bigint | null]
      | undefined;
    if (row === undefined) continue;
    const [kind, origin, time] = row;
    const purged = Number(kind) === KIND.repairPurge || Number(origin) === ORIGIN_PURGE;
    const status: InactiveStatus = { state: purged ? 'purged' : 'archived' };
    if (time !== null) status.at = time;
    known.set(id, status);
  }
  return known;
}
