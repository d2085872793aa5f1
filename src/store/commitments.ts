/**
 * Commitments of a source at an offset or at a tick (commitments spec, section 2). The running states can be kept in the
 * store: the next question then adds and removes only what changed between the two offsets, in either direction.
 */

import type { CommitmentScheme, GroupRow } from '../commitment/commitmentScheme.js';
import { type CounterParticipantCommitment, commitmentsOfRows } from '../commitment/commitments.js';
import { GroupStates } from '../commitment/groups.js';
import type { HostingMap } from '../commitment/hostingMap.js';
import { AcsError } from '../io/error.js';
import { describer, questionSql, resolveQuestion } from './ask.js';
import { firstEventAfter } from './changes.js';
import { lastSeenTime, offsetAtTime } from './knownTime.js';
import type { Db } from './open.js';
import type { ReadySource } from './source.js';
import { inTransaction } from './transaction.js';

export interface StoreCommitmentsOptions {
  source?: string | undefined;
  /** Logical synchronizer id; default the only one the store knows. */
  synchronizer?: string | undefined;
  /** Ledger offset, inclusive; default the head. */
  offset?: bigint | undefined;
  /** Instead of an offset: a tick, in microseconds. All updates of the synchronizer up to this record time count. */
  at?: bigint | undefined;
  scheme: CommitmentScheme;
  /** Keep the states for the next question; the store must be open for writing. */
  keep?: boolean;
}

export interface StoreStates {
  source: string;
  synchronizer: string;
  offset: bigint;
  /** Record time of the last update of the synchronizer that the store has, µs; undefined when it has none. */
  lastRecordTime: bigint | undefined;
  /** The source has not seen the tick asked for: updates up to it may be missing. */
  behind: boolean;
  /** Contracts active on the synchronizer. */
  contracts: number;
  /** Activations and deactivations taken into account; all contracts when nothing was kept. */
  changes: number;
  /** True when kept states were the starting point. */
  incremental: boolean;
  /** The states in any order, each group once. */
  rows(): Iterable<GroupRow>;
}

/** Commitments that `participant` exchanges, from the states of {@link storeStates}. */
export function commitmentsOfStore(
  states: StoreStates,
  scheme: CommitmentScheme,
  hosting: HostingMap,
  participant: string,
): CounterParticipantCommitment[] {
  return commitmentsOfRows(scheme, states.rows(), hosting, participant);
}

/** The group states of a source on one synchronizer at an offset or tick. Throws `STORE_COMMITMENT_*`. */
export function storeStates(db: Db, options: StoreCommitmentsOptions): StoreStates {
  const sync = synchronizerOf(db, options.synchronizer);
  const base = resolveQuestion(db, options.source, {});
  const offset =
    options.at === undefined
      ? options.offset
      : offsetAtTime(db, base.source, sync.id, options.at, `--offset ${base.source.base}`);
  const q = resolveQuestion(db, base.source.name, { offset, synchronizers: [sync.id] });
  if (q.partial !== undefined) {
    throw new AcsError('STORE_COMMITMENT_PARTIAL', 'a commitment needs every contract the participant sees', {
      found: q.partial,
      hint: 'load the source without a party filter',
    });
  }
  const lastRecordTime = lastUpdate(db, q.source, sync.pk)?.recordTime;
  const kept = keptStates(db, q.source, sync.pk, options.scheme.name);
  const head = kept.head;
  const states =
    head === undefined
      ? new GroupStates({ scheme: options.scheme })
      : new GroupStates({ scheme: options.scheme, load: kept.load });
  const parties = describer(db);
  const stakeholders = (set: number | null): string[] => {
    const { signatories, observers } = parties.set(set);
    return [...signatories, ...observers];
  };
  let changes = 0;
  if (head === undefined) {
    const active = db
      .prepare(`SELECT c.contract_id, a.counter, c.set_pk ${questionSql(q, { contract: true })}`)
      .raw()
      .safeIntegers()
      .iterate({ o: q.offset }) as IterableIterator<[Buffer, bigint, bigint | null]>;
    for (const [id, counter, set] of active) {
      states.add(id.toString('hex'), counter, stakeholders(set === null ? null : Number(set)));
      changes++;
    }
  } else {
    for (const change of changesOf(db, q.source, sync.pk, head, q.offset)) {
      states.apply({ ...change, stakeholders: stakeholders(change.set) });
      changes++;
    }
  }
  if (options.keep === true) {
    inTransaction(db, () => kept.save(states, q.offset, head === undefined));
    states.markSaved();
  }
  const touched = new Map<string, GroupRow>();
  for (const row of states.changed()) touched.set(row.parties.join('\n'), ownRow(row));
  const rows =
    head === undefined && options.keep !== true ? () => states.rows() : () => kept.overlaid(touched);
  return {
    source: q.source.name,
    synchronizer: sync.id,
    offset: q.offset,
    lastRecordTime,
    behind: options.at !== undefined && (lastSeenTime(db, q.source, sync.id) ?? -1n) < options.at,
    contracts: db
      .prepare(`SELECT count(*) ${questionSql(q)}`)
      .pluck()
      .get({ o: q.offset }) as number,
    changes,
    incremental: head !== undefined,
    rows,
  };
}

/** A row that stays valid: the engine gives every row in the same buffer. */
export function ownRow(row: GroupRow): GroupRow {
  return { ...row, state: Uint8Array.from(row.state) };
}

function synchronizerOf(db: Db, id: string | undefined): { pk: number; id: string } {
  const all = db.prepare('SELECT sync_pk AS pk, sync_id AS id FROM synchronizer ORDER BY sync_id').all() as {
    pk: number;
    id: string;
  }[];
  const found = id === undefined ? (all.length === 1 ? all[0] : undefined) : all.find((s) => s.id === id);
  if (found !== undefined) return found;
  throw new AcsError(
    'STORE_COMMITMENT_SYNCHRONIZER',
    id === undefined
      ? 'the store holds contracts of several synchronizers'
      : 'the store knows no such synchronizer',
    {
      expected: all.map((s) => s.id).join(', ') || 'a synchronizer with contracts',
      ...(id === undefined ? {} : { found: id }),
      hint: 'name it with --synchronizer',
      exitCode: 2,
    },
  );
}

/** Record times of one synchronizer grow with the offset, so the newest that fits is found from the end. */
function lastUpdate(
  db: Db,
  source: ReadySource,
  sync: number,
  until = 2n ** 63n - 1n,
): { offset: bigint; recordTime: bigint } | undefined {
  return db
    .prepare(
      `SELECT off AS offset, record_time AS recordTime FROM update_tx
       WHERE source_pk = ? AND sync_pk = ? AND record_time <= ? ORDER BY off DESC LIMIT 1`,
    )
    .safeIntegers()
    .get(source.pk, sync, until) as { offset: bigint; recordTime: bigint } | undefined;
}

interface ActiveChange {
  kind: 'activated' | 'deactivated';
  contractId: string;
  reassignmentCounter: bigint;
  set: number | null;
}

/** What has to be added and removed to come from the active contracts at one offset to those at another. */
function* changesOf(
  db: Db,
  source: ReadySource,
  sync: number,
  from: bigint,
  to: bigint,
): Generator<ActiveChange> {
  const [low, high] = from <= to ? [from, to] : [to, from];
  // Events of one source lie in the order of its offsets, so a range of offsets is a range of events.
  const contracts = db
    .prepare('SELECT DISTINCT contract_pk FROM event WHERE source_pk = ? AND event_pk >= ? AND event_pk < ?')
    .pluck()
    .all(source.pk, firstEventAfter(db, source.pk, low), firstEventAfter(db, source.pk, high)) as number[];
  const intervals = db
    .prepare(
      `SELECT a.counter, a.act_off, a.deact_off, c.set_pk, c.contract_id
       FROM activation a JOIN contract c USING(contract_pk)
       WHERE a.contract_pk = ? AND a.source_pk = ? AND a.sync_pk = ?`,
    )
    .raw()
    .safeIntegers();
  for (const contract of contracts) {
    const rows = intervals.all(contract, source.pk, sync) as [
      bigint,
      bigint,
      bigint | null,
      bigint | null,
      Buffer,
    ][];
    for (const [reassignmentCounter, act, deact, set, id] of rows) {
      const activeAt = (offset: bigint): boolean => act <= offset && (deact === null || deact > offset);
      const before = activeAt(from);
      if (before === activeAt(to)) continue;
      yield {
        kind: before ? 'deactivated' : 'activated',
        contractId: id.toString('hex'),
        reassignmentCounter,
        set: set === null ? null : Number(set),
      };
    }
  }
}

interface KeptStates {
  /** The offset the kept states hold for; undefined when there are none that can be used. */
  head: bigint | undefined;
  load(parties: readonly string[]): { contracts: number; state: Uint8Array } | undefined;
  save(states: GroupStates, offset: bigint, all: boolean): void;
  /** The kept rows, with changed ones in place of the old. */
  overlaid(changed: ReadonlyMap<string, GroupRow>): Iterable<GroupRow>;
}

/** Not a store of schema version 1, which can still be read: it has no tables for them. */
function keepsStates(db: Db): boolean {
  return (db.pragma('user_version', { simple: true }) as number) > 1;
}

function keptStates(db: Db, source: ReadySource, sync: number, scheme: string): KeptStates {
  const key = [source.pk, sync, scheme];
  const where = 'source_pk = ? AND sync_pk = ? AND scheme = ?';
  const found = !keepsStates(db)
    ? undefined
    : (db
        .prepare(`SELECT off, generation FROM commitment_head WHERE ${where}`)
        .raw()
        .safeIntegers()
        .get(...key) as [bigint, bigint] | undefined);
  // States of another history, or from before the horizon of a prune, cannot be carried on.
  const usable = found !== undefined && Number(found[1]) === source.generation && found[0] >= source.base;
  const one = !usable
    ? undefined
    : db.prepare(`SELECT contracts, state FROM commitment_group WHERE ${where} AND parties = ?`).raw();
  return {
    head: usable ? found[0] : undefined,
    load(parties) {
      const row = one?.get(...key, parties.join('\n')) as [number, Buffer] | undefined;
      return row === undefined ? undefined : { contracts: row[0], state: row[1] };
    },
    save(states, offset, all) {
      if (all) db.prepare(`DELETE FROM commitment_group WHERE ${where}`).run(...key);
      const remove = db.prepare(`DELETE FROM commitment_group WHERE ${where} AND parties = ?`);
      const put = db.prepare(
        `INSERT INTO commitment_group(source_pk, sync_pk, scheme, parties, contracts, state) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET contracts = excluded.contracts, state = excluded.state`,
      );
      for (const { parties, contracts, state } of states.changed()) {
        const name = parties.join('\n');
        if (contracts === 0) remove.run(...key, name);
        else put.run(...key, name, contracts, Buffer.from(state));
      }
      db.prepare(
        `INSERT INTO commitment_head(source_pk, sync_pk, scheme, off, generation) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET off = excluded.off, generation = excluded.generation`,
      ).run(...key, offset, source.generation);
    },
    *overlaid(changed) {
      const rows = db
        .prepare(`SELECT parties, contracts, state FROM commitment_group WHERE ${where} ORDER BY parties`)
        .raw()
        .iterate(...key) as IterableIterator<[string, number, Buffer]>;
      const seen = new Set<string>();
      for (const [name, contracts, state] of rows) {
        const now = changed.get(name);
        if (now !== undefined) seen.add(name);
        const row = now ?? { parties: name.split('\n'), contracts, state };
        if (row.contracts > 0) yield row;
      }
      for (const [name, row] of changed) if (!seen.has(name) && row.contracts > 0) yield row;
    },
  };
}
