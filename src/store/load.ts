/**
 * `acs store load`: a snapshot as the base of a source. Records are taken in batches; each batch is one durable
 * transaction together with the position reached, so that a load that was killed goes on where it stopped when it is
 * run again with the same file.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { readManifest } from '../contract/manifest.js';
import { AcsError, withHint } from '../io/error.js';
import { readChunks } from '../io/input.js';
import { readLedgerStream } from '../ledger/ledgerStream.js';
import { RecordView } from '../snapshot/record.js';
import { type ScanOptions, scanSnapshot } from '../snapshot/scan.js';
import { type Base, type BaseFormat, openBase } from './baseFormat.js';
import { type Checkpointer, checkpointer } from './checkpointer.js';
import { DRAFT, DRAFT_WIDTH } from './draftEvents.js';
import { type BatchDrafts, draftQueue, type QueuedFrame } from './draftQueue.js';
import type { Strictness } from './findings.js';
import { dropContractIndices, requireContractIndices } from './idIndices.js';
import {
  checkSameLoad,
  completedImport,
  completeImport,
  dropImport,
  importProgress,
  startImport,
  type UnfinishedImport,
  unfinishedImport,
} from './imports.js';
import { storeInterner } from './intern.js';
import { KIND, ledgerState, type NewEvent } from './ledgerState.js';
import { fill, newEvent, reportPayload } from './newEvent.js';
import { type Db, withStore } from './open.js';
import { type Payload, payloads } from './payload.js';
import { pendingReassignments } from './pendingReassignments.js';
import {
  createSource,
  deleteSourceData,
  dropEmptySource,
  findSource,
  type Source,
  setFilter,
} from './source.js';
import { ROWS_PER_STATEMENT, storeRows } from './storeRows.js';
import { inTransaction, recordRefusal } from './transaction.js';

/** Records per transaction. */
export const LOAD_BATCH = 65_536;

export interface LoadOptions extends Strictness {
  source: string;
  /** Ledger offset at which the snapshot was taken. */
  offset: bigint;
  /** Take only contracts with one of these stakeholders, and remember it. */
  parties?: readonly string[] | undefined;
  /** Throw away what an interrupted load left behind and begin anew. */
  restart?: boolean;
  scan?: ScanOptions;
  batch?: number;
  /** See {@link draftQueue}. */
  draftBatchBytes?: number;
  /** Called after every durable batch: records of the file dealt with so far. */
  onCommit?: (records: number) => void;
}

export interface LoadResult {
  source: string;
  offset: bigint;
  /** `already-loaded`: this file was the base before; nothing was done. */
  status: 'loaded' | 'already-loaded';
  format: BaseFormat;
  records: number;
  contracts: number;
  /** Outside the party filter. */
  skipped: number;
  /** In-flight contracts: named in full (GetActiveContracts), or only counted (snapshot files). */
  inFlight: { named: number; unnamed: number };
  /** Records that were stored by an earlier, interrupted run. */
  resumedAt: number;
  filter: string[] | undefined;
  findings: Record<string, number>;
}

/** Loads `file` into the store at `path`, which is created when missing. */
export async function loadBase(path: string, file: string, options: LoadOptions): Promise<LoadResult> {
  if (options.offset < 0n) {
    throw new AcsError('OFFSET_NEGATIVE', 'an offset cannot be negative', { exitCode: 2 });
  }
  const base = await openBase(file);
  try {
    return await loadOpened(path, file, base, options);
  } finally {
    await base.close();
  }
}

async function loadOpened(path: string, file: string, base: Base, options: LoadOptions): Promise<LoadResult> {
  const filter = await recordedFilter(file, options.parties);
  return withStore(path, { create: true }, async ({ db }) => {
    const source =
      findSource(db, options.source) ?? inTransaction(db, () => createSource(db, options.source));
    if (source.base !== undefined) return alreadyLoaded(db, source, file, base, filter, options);
    let unfinished = unfinishedImport(db, source);
    if (unfinished !== undefined && options.restart === true) {
      inTransaction(db, () => deleteSourceData(db, source.pk));
      unfinished = undefined;
    } else if (unfinished?.nextRecord === 0) {
      // Nothing of that file is in the store: any other may take its place.
      dropImport(db, unfinished.pk);
      unfinished = undefined;
    }
    if (unfinished !== undefined) checkSameLoad(unfinished, options.offset, filter);
    const checkpoints = checkpointer(path, db);
    try {
      return await load(db, checkpoints, source, file, base, filter, unfinished, options);
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      const refusal = recordRefusal(db, path, source.pk, error);
      try {
        dropEmptySource(db, source.pk);
      } catch {
        // The disk may be full: what has to be told is the first error.
      }
      throw refusal;
    } finally {
      await checkpoints.stop();
    }
  });
}

async function load(
  db: Db,
  checkpoints: Checkpointer,
  source: Source,
  file: string,
  { format, input, readsTwice }: Base,
  filter: string[] | undefined,
  unfinished: UnfinishedImport | undefined,
  options: LoadOptions,
): Promise<LoadResult> {
  const batch = options.batch ?? LOAD_BATCH;
  const intern = storeInterner(db);
  const rows = storeRows(db, ROWS_PER_STATEMENT);
  const store = payloads(db, rows, intern, setFilter(db, filter));
  const state = ledgerState(db, rows, source.pk, options);
  const imported =
    unfinished ??
    inTransaction(db, () => {
      dropContractIndices(db);
      return startImport(db, source, { format, file, offset: options.offset, filter });
    });
  const progress = importProgress(db, imported.pk);
  const resumedAt = unfinished?.nextRecord ?? 0;
  let contracts = unfinished?.contracts ?? 0;
  let skipped = unfinished?.skipped ?? 0;
  /** Of the file: read, and stored. */
  let read = 0;
  let records = resumedAt;
  let unnamed = 0;
  let crc = 0;
  let inBatch = 0;
  const event = newEvent(options.offset);
  const view = new RecordView();

  /** Counts a record that was read and says whether it is still to be stored. */
  function isNew(buf: Buffer, start: number, end: number): boolean {
    read++;
    if (read > resumedAt) return true;
    crc = crc32(buf.subarray(start, end), crc);
    if (read === resumedAt && crc !== unfinished?.crc) {
      throw new AcsError('LOAD_PREFIX_CHANGED', 'the file is not the one whose load was interrupted', {
        hint: 'give the same file again, or begin anew with --restart',
      });
    }
    return false;
  }

  function begin(): void {
    if (inBatch++ === 0) db.exec('BEGIN IMMEDIATE');
  }

  /** `records` and `crc` are those of what has been stored. */
  function commit(): void {
    rows.flush();
    progress({ nextRecord: records, crc, contracts, skipped });
    db.exec('COMMIT');
    checkpoints.committed();
    inBatch = 0;
    options.onCommit?.(records);
  }

  function add(payload: Payload | undefined, sync: number, kind: NewEvent['kind'], counter: bigint): number {
    if (payload === undefined) {
      skipped++;
      return 0;
    }
    fill(event, payload, kind, sync, counter);
    event.ledgerOffset = payload.ledgerOffset === options.offset ? null : payload.ledgerOffset;
    const pk = state.append(event);
    reportPayload(state.note, payload, options.offset, pk);
    if (kind === KIND.baseActive) {
      state.activate(event, pk);
      contracts++;
    }
    return pk;
  }

  function addFrame(message: QueuedFrame, buf: Buffer, { numbers, names }: BatchDrafts, at: number): void {
    const drafted = numbers[at + DRAFT.blobStart] >= 0;
    const known = drafted ? names.synchronizers[numbers[at + DRAFT.synchronizer]] : undefined;
    if (known !== undefined) {
      const payload = store.takeDraft(buf, numbers, at, names);
      if (typeof payload !== 'string') {
        add(payload, known, KIND.baseActive, BigInt(numbers[at + DRAFT.counter]));
        return;
      }
    }
    if (parsed(message, buf).inFlight) return;
    const sync = intern.synchronizerAt(buf, view.synchronizerStart, view.synchronizerEnd);
    const payload = store.take(view, sync, true);
    store.learn(numbers, at, names, payload);
    if (drafted) names.synchronizers[numbers[at + DRAFT.synchronizer]] = sync;
    add(payload, sync, KIND.baseActive, view.reassignmentCounter);
  }

  function parsed({ start, bodyStart, end, place, index }: QueuedFrame, buf: Buffer): RecordView {
    return view.parse(buf, start, bodyStart, end, place, index);
  }

  /** Frames, inside their batch, that are not in `crc` yet: they lie side by side. */
  let uncounted = { start: 0, end: 0 };

  /** The next that are not counted begin at `next`. */
  function count(buf: Buffer, next: number): void {
    crc = crc32(buf.subarray(uncounted.start, uncounted.end), crc);
    uncounted = { start: next, end: next };
  }

  function takeFrame(message: QueuedFrame, buf: Buffer, drafts: BatchDrafts): void {
    const at = drafts.next;
    drafts.next += DRAFT_WIDTH;
    begin();
    rows.borrow(buf);
    try {
      addFrame(message, buf, drafts, at);
      if (message.end === drafts.end) rows.giveBack();
    } catch (error) {
      throw parsed(message, buf).locate(error);
    }
    const full = inBatch >= batch;
    const last = message.end === drafts.end;
    if (message.start !== uncounted.end) count(buf, message.start);
    uncounted.end = message.end;
    if (full || last) count(buf, last ? 0 : message.end);
    records = message.index + 1;
    if (full) commit();
  }

  if (format === 'snapshot') {
    const queue = draftQueue(takeFrame, options.draftBatchBytes);
    try {
      const facts = await scanSnapshot(
        input,
        ({ buf, start, bodyStart, end, index, offset }) => {
          if (isNew(buf, start, end)) queue.add(buf, start, bodyStart, end, index, offset);
        },
        {
          ...options.scan,
          name: file,
          async afterChunk() {
            await options.scan?.afterChunk?.();
            await queue.ready();
          },
        },
      ).finally(() => queue.drain());
      unnamed = facts.inFlight;
    } catch (error) {
      throw error instanceof AcsError ? error.locate({ file }) : error;
    } finally {
      await queue.close();
    }
  } else {
    const pending = pendingReassignments();
    await readLedgerStream(
      input,
      'GetActiveContractsResponse',
      (buf, start, end) => {
        const wanted = isNew(buf, start, end);
        const entry = pending.take(buf, start, end);
        if (!wanted) return;
        crc = crc32(buf.subarray(start, end), crc);
        records = read;
        begin();
        if (entry === undefined) return;
        view.parseActive(buf, entry.start, entry.end);
        const sync = intern.synchronizerAt(buf, view.synchronizerStart, view.synchronizerEnd);
        add(store.take(view, sync, false), sync, KIND.baseActive, view.reassignmentCounter);
        if (inBatch >= batch) commit();
      },
      { name: file },
    ).catch((error) => {
      if (!(error instanceof AcsError) || error.place.record !== 0 || !/^(WIRE|EVENT)_/.test(error.code))
        throw error;
      throw withHint(error, 'is this a file of active contracts? updates are appended: `acs store append`');
    });
    begin();
    for (const found of pending.finish()) {
      const { part } = found;
      const [from, to] = [intern.synchronizer(part.source), intern.synchronizer(part.target)];
      view.parseEvent(found.created, 0, found.created.length);
      const kind = found.assigned ? KIND.baseAssigned : KIND.baseUnassigned;
      const sync = found.assigned ? to : from;
      const pk = add(store.take(view, sync, false), sync, kind, part.counter);
      if (pk === 0) continue;
      state.appendReassignment(pk, part, from, to, found.offset);
      state.pair(event, pk, part, from, to, options.offset);
    }
  }
  if (read < resumedAt) {
    throw new AcsError('LOAD_PREFIX_CHANGED', 'the file is shorter than what was loaded from it before', {
      expected: `more than ${resumedAt} records`,
      found: `${read}`,
      hint: 'give the same file again, or begin anew with --restart',
    });
  }
  const sha = !readsTwice ? null : await fileSha256(file);
  if (inBatch === 0) db.exec('BEGIN IMMEDIATE');
  rows.flush();
  requireContractIndices(db);
  progress({ nextRecord: records, crc, contracts, skipped });
  completeImport(db, source, imported.pk, {
    file,
    sha256: sha,
    offset: options.offset,
    filter,
    inFlight: unnamed,
  });
  db.exec('COMMIT');
  options.onCommit?.(records);
  await checkpoints.stop();
  db.pragma('wal_checkpoint(TRUNCATE)');
  return {
    source: source.name,
    offset: options.offset,
    status: 'loaded',
    format,
    records,
    contracts,
    skipped,
    inFlight: { named: namedInFlight(db, source), unnamed },
    resumedAt,
    filter,
    findings: Object.fromEntries(state.findings),
  };
}

async function recordedFilter(
  file: string,
  parties: readonly string[] | undefined,
): Promise<string[] | undefined> {
  const manifest = await readManifest(file);
  const exported =
    manifest?.parties !== undefined && manifest.parties.length > 0 ? manifest.parties : undefined;
  if (parties === undefined || parties.length === 0) return exported;
  const missing = exported === undefined ? [] : parties.filter((party) => !exported.includes(party));
  if (missing.length > 0) {
    throw new AcsError('PARTY_OUTSIDE_FILTER', 'the file was exported without this party', {
      expected: exported?.join(', '),
      found: missing.join(', '),
      exitCode: 2,
    });
  }
  return [...new Set(parties)].sort();
}

async function alreadyLoaded(
  db: Db,
  source: Source,
  file: string,
  { format, readsTwice }: Base,
  filter: string[] | undefined,
  options: LoadOptions,
): Promise<LoadResult> {
  const done = completedImport(db, source, options.offset);
  const sameParties = filter?.join() === source.filter?.join();
  if (done?.sha256 && readsTwice && sameParties && done.sha256.equals(await fileSha256(file))) {
    return {
      source: source.name,
      offset: options.offset,
      status: 'already-loaded',
      format,
      records: done.nextRecord,
      contracts: done.contracts,
      skipped: done.skipped,
      inFlight: { named: namedInFlight(db, source), unnamed: source.baseInFlight },
      resumedAt: done.nextRecord,
      filter: source.filter,
      findings: {},
    };
  }
  throw new AcsError('SOURCE_HAS_BASE', 'the source has a base already', {
    found: `${source.name} at offset ${source.base}${sameParties ? '' : `, of ${source.filter?.join(', ') ?? 'every party'}`}`,
    hint: 'load it under another --source, or compare it: acs store check --source P --against FILE --offset N',
  });
}

function namedInFlight(db: Db, source: Source): number {
  return db
    .prepare('SELECT count(*) FROM event WHERE source_pk = ? AND kind IN (6, 7)')
    .pluck()
    .get(source.pk) as number;
}

async function fileSha256(file: string): Promise<Buffer> {
  const digest = createHash('sha256');
  for await (const chunk of readChunks(file)) digest.update(chunk);
  return digest.digest();
}
