/**
 * `acs store append`: recorded updates on top of a source's base. Updates up to the head are recognised and skipped;
 * every batch is one durable transaction that also moves the head, so appending the same files again is always safe.
 */

import { AcsError } from '../io/error.js';
import { type ByteInput, inputName } from '../io/input.js';
import { locateMessage } from '../ledger/ledgerStream.js';
import { type LedgerUpdate, parseUpdate } from '../ledger/updates.js';
import { beginSource } from './beginSource.js';
import { type Checkpointer, checkpointer } from './checkpointer.js';
import { DRAFT_WIDTH } from './draftEvents.js';
import { draftedUpdates } from './draftedUpdate.js';
import type { BatchDrafts } from './draftQueue.js';
import { HEAD } from './draftUpdates.js';
import type { Strictness } from './findings.js';
import { idBytes } from './idBytes.js';
import { deferIndices, requireIndices, restoreIndices } from './idIndices.js';
import { storeInterner } from './intern.js';
import { ledgerState } from './ledgerState.js';
import { type Db, withStore } from './open.js';
import { payloads } from './payload.js';
import { dropEmptySource, findSource, type ReadySource, readySource, setFilter } from './source.js';
import { ROWS_PER_STATEMENT, storeRows } from './storeRows.js';
import { type StoredUpdate, updateStorer } from './storeUpdate.js';
import { nowMicros, recordRefusal } from './transaction.js';
import { contentOf } from './updateContent.js';
import { updateReader } from './updateReader.js';
import type { ReadMessage } from './updateThread.js';
import { waitingArchives } from './waitingArchives.js';

/** Updates and events per transaction. */
export const APPEND_BATCH = 100_000;

export interface AppendOptions extends Strictness {
  source: string;
  /** For a source without a base: its history begins here with nothing active (0 is the ledger's beginning). */
  begin?: bigint | undefined;
  /** The stream was complete up to this offset, even if its last update is earlier. */
  until?: bigint | undefined;
  batch?: number;
  maxMessageBytes?: number;
  /** See {@link updateReader}. */
  threadFrom?: number;
  draftBatchBytes?: number;
  /** Called after every durable batch. */
  onCommit?: (progress: { head: bigint; updates: number; events: number }) => void;
}

export interface AppendResult {
  source: string;
  head: bigint;
  updates: number;
  events: number;
  checkpoints: number;
  /** Offsets known already, unchanged. */
  replayed: number;
  /** Offsets at or before the base. */
  beforeBase: number;
  /** Events outside the party filter of the base. */
  outsideFilter: number;
  findings: Record<string, number>;
  /** Findings above the level of a notice. */
  warnings: number;
}

export async function appendUpdates(
  path: string,
  inputs: readonly ByteInput[],
  options: AppendOptions,
): Promise<AppendResult> {
  return withStore(path, { write: true, create: options.begin !== undefined }, async ({ db }) => {
    const known = findSource(db, options.source);
    if (known?.base === undefined) {
      if (options.begin === undefined) {
        if (known !== undefined) readySource(db, options.source);
        throw new AcsError('SOURCE_NO_BASE', 'the source has no base to append to', {
          found: options.source,
          hint: 'load a snapshot first, or pass --begin 0 when the updates start at the beginning of the ledger',
        });
      }
      beginSource(db, options.source, options.begin);
    } else if (options.begin !== undefined && options.begin > known.base) {
      throw new AcsError('SOURCE_HAS_BASE', 'the history of the source begins earlier already', {
        expected: `--begin at most ${known.base}, or none`,
        found: `${options.begin}`,
        hint: 'updates are added behind the head by themselves; what lies in between must not be left out',
        exitCode: 2,
      });
    }
    deferIndices(db);
    const source = readySource(db, options.source);
    const checkpoints = checkpointer(path, db);
    const session = appendSession(db, checkpoints, source, options);
    try {
      for (const input of inputs) await session.read(input);
      return await session.finish();
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      const refusal = recordRefusal(db, path, source.pk, error);
      try {
        restoreIndices(db);
        if (known === undefined) dropEmptySource(db, source.pk);
      } catch {
        // The disk may be full: the next append builds them. What has to be told is the first error.
      }
      throw refusal;
    } finally {
      await session.close();
      await checkpoints.stop();
    }
  });
}

interface AppendSession {
  read(input: ByteInput): Promise<void>;
  finish(): Promise<AppendResult>;
  close(): Promise<void>;
}

function appendSession(
  db: Db,
  checkpoints: Checkpointer,
  source: ReadySource,
  options: AppendOptions,
): AppendSession {
  const batch = options.batch ?? APPEND_BATCH;
  const intern = storeInterner(db);
  const inside = setFilter(db, source.filter);
  const rows = storeRows(db, ROWS_PER_STATEMENT);
  const store = payloads(db, rows, intern, inside);
  const waiting = waitingArchives(db, rows, source.pk, intern);
  const state = ledgerState(db, rows, source.pk, options, () => storer.settle());
  const sameUpdate = db
    .prepare('SELECT update_id, content_hash FROM update_tx WHERE source_pk = ? AND off = ?')
    .raw();
  const setHead = db.prepare('UPDATE source SET head_offset = ? WHERE source_pk = ?');
  const insertTime = db.prepare(
    'INSERT INTO sync_time(source_pk, sync_pk, off, record_time) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const recordTimes = new Map<number, bigint>();
  for (const [sync, time] of db
    .prepare('SELECT sync_pk, max(record_time) FROM sync_time WHERE source_pk = ? GROUP BY sync_pk')
    .raw()
    .safeIntegers()
    .iterate(source.pk) as IterableIterator<[bigint, bigint]>)
    recordTimes.set(Number(sync), time);
  const result: AppendResult = {
    source: source.name,
    head: source.head,
    updates: 0,
    events: 0,
    checkpoints: 0,
    replayed: 0,
    beforeBase: 0,
    outsideFilter: 0,
    findings: {},
    warnings: 0,
  };
  const storer = updateStorer(db, rows, intern, store, state, source, waiting, result);
  let head = source.head;
  /** Synchronizers whose record time moved in this batch. */
  const moved = new Set<number>();
  let inBatch = 0;
  let lastOfFile = 0n;

  function begin(): void {
    if (!db.inTransaction) db.exec('BEGIN IMMEDIATE');
  }

  function commit(): void {
    if (!db.inTransaction) return;
    storer.settle();
    rows.flush();
    for (const sync of moved) insertTime.run(source.pk, sync, head, recordTimes.get(sync) as bigint);
    moved.clear();
    setHead.run(head, source.pk);
    db.exec('COMMIT');
    if (inBatch >= batch) checkpoints.committed();
    inBatch = 0;
    result.head = head;
    options.onCommit?.({ head, updates: result.updates, events: result.events });
  }

  const drafted = draftedUpdates();
  const reader = updateReader(
    {
      message(buf, start, end) {
        take(buf, parseUpdate(buf, start, end));
      },
      batch(buf, messages, drafts) {
        rows.borrow(buf);
        for (const message of messages) {
          try {
            waiting.readAt(message.index, message.place);
            takeMessage(message, buf, drafts);
          } catch (error) {
            throw earliest(locateMessage(error, message.index, message.place));
          }
        }
        rows.giveBack();
      },
      waiting() {
        if (!db.inTransaction) return;
        commit();
        // Else what a slow input gives would stay in the log for days.
        checkpoints.committed();
      },
    },
    options,
  );

  /** What an archive that waits has to tell comes before `error`, which ends the batch. */
  function earliest(error: unknown): unknown {
    if (!(error instanceof AcsError) || !db.inTransaction) return error;
    try {
      storer.settle();
      return error;
    } catch (earlier) {
      return earlier;
    }
  }

  function takeMessage(message: ReadMessage, buf: Buffer, drafts: BatchDrafts): void {
    const at = drafts.next;
    const whole = drafted.next(buf, drafts);
    // What is known already, or out of order, is told by all its bytes.
    if (whole !== undefined && whole.offset > head) {
      take(buf, whole, drafts);
      return;
    }
    const update = parseUpdate(buf, message.start, message.end);
    drafted.learn(drafts, at, update);
    if (drafts.numbers[at + HEAD.drafted] === 0) {
      for (const one of update.events) {
        if (one.createdStart < 0) continue;
        one.draft = drafts.next;
        drafts.next += DRAFT_WIDTH;
      }
    }
    take(buf, update, drafts);
  }

  function take(buf: Buffer, update: StoredUpdate, drafts?: BatchDrafts): void {
    const { offset } = update;
    const goesBack = offset <= lastOfFile;
    if (!goesBack && update.kind !== 'checkpoint') lastOfFile = offset;
    if (offset <= source.base) {
      result.beforeBase++;
      return;
    }
    if (offset <= head) {
      if (update.kind !== 'checkpoint') replayed(buf, update, goesBack);
      return;
    }
    begin();
    if (update.kind === 'checkpoint') checkpoint(update);
    else {
      if (update.recordTime !== undefined)
        checkTime(intern.synchronizer(update.synchronizerId), update.recordTime, offset);
      storer.store(buf, update, drafts);
    }
    head = offset;
    inBatch += 1 + update.events.length;
    if (inBatch >= batch) commit();
  }

  function checkpoint(update: LedgerUpdate): void {
    result.checkpoints++;
    for (const { synchronizerId, recordTime } of update.times)
      checkTime(intern.synchronizer(synchronizerId), recordTime, update.offset);
  }

  function checkTime(sync: number, time: bigint, off: bigint): void {
    const last = recordTimes.get(sync);
    if (last !== undefined && time < last) {
      state.note('RECORD_TIME_DECREASES', off, null, null, `${time} µs after ${last} µs`);
      return;
    }
    recordTimes.set(sync, time);
    moved.add(sync);
  }

  /** `goesBack`: behind another of its file. A recording that was taken up again repeats some. */
  function replayed(buf: Buffer, update: LedgerUpdate, goesBack: boolean): void {
    rows.updates.flush();
    const row = sameUpdate.get(source.pk, update.offset) as [Buffer, number] | undefined;
    // An update without effect is not kept; another shape of the same stream shows it, or does not.
    if (row === undefined && update.events.length === 0) return;
    if (row?.[0].equals(idBytes(update.updateId)) && row[1] === contentOf(buf, update)) {
      result.replayed++;
      return;
    }
    state.note(
      goesBack ? 'OFFSET_NOT_INCREASING' : 'OFFSET_REPLAY_DIFFERS',
      update.offset,
      null,
      null,
      row === undefined
        ? `update ${update.updateId} at or below the head ${head} is unknown`
        : `update ${update.updateId} instead of ${row[0].toString('hex')}`,
    );
  }

  return {
    close: reader.close,
    async read(input) {
      lastOfFile = 0n;
      const before = result.events;
      try {
        await reader.read(input);
        storer.settle();
      } catch (error) {
        const thrown = earliest(error);
        throw thrown instanceof AcsError ? thrown.locate({ file: inputName(input) }) : thrown;
      }
      begin();
      db.prepare(
        "INSERT INTO import(source_pk, kind, file, at_offset, status, contracts, started_at, finished_at) VALUES (?, 'updates', ?, ?, 'complete', ?, ?, ?)",
      ).run(source.pk, inputName(input), head, result.events - before, nowMicros(), nowMicros());
      commit();
    },
    async finish() {
      if (options.until !== undefined && options.until > head) {
        begin();
        head = options.until;
        commit();
      }
      requireIndices(db);
      await checkpoints.stop();
      db.pragma('wal_checkpoint(TRUNCATE)');
      result.findings = Object.fromEntries(state.findings);
      result.warnings = state.warnings;
      return result;
    },
  };
}
