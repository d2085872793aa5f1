/**
 * `acs store append`: recorded updates on top of a source's base. Updates up to the head are recognised and skipped;
 * every batch is one durable transaction that also moves the head, so appending the same files again is always safe.
 */
import { locateMessage, readLedgerStream } from '../contract/ledgerStream.js';
import { type LedgerUpdate, parseUpdate, type UpdateEvent } from '../contract/updates.js';
import { AcsError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import { inputName } from '../io/input.js';
import { RecordView } from '../snapshot/record.js';
import { absenceFilter } from './absenceFilter.js';
import { type Checkpointer, checkpointer } from './checkpointer.js';
import { DRAFT, DRAFT_WIDTH } from './draftEvents.js';
import { draftedUpdates } from './draftedUpdate.js';
import { HEAD } from './draftMessages.js';
import { type BatchDrafts, draftQueue, type QueuedMessage } from './draftQueue.js';
import type { Strictness } from './findings.js';
import { idBytes } from './idBytes.js';
import { idHash } from './idHash.js';
import { deferIndices, requireIndices, requireUpdateIndices, restoreIndices } from './idIndices.js';
import { storeInterner } from './intern.js';
import { KIND, ledgerState, type NewEvent } from './ledgerState.js';
import { beginSource } from './load.js';
import { fill, newEvent, reportPayload } from './newEvent.js';
import { type Db, withStore } from './open.js';
import { type ContractRow, type Payload, payloads } from './payload.js';
import { findSource, type ReadySource, readySource, setFilter } from './source.js';
import { ROWS_PER_STATEMENT, storeRows } from './storeRows.js';
import { nowMicros, recordRefusal } from './transaction.js';
import { contentOf, factsOf, ORIGIN, reassignmentId, type UpdateFacts } from './updateContent.js';

/** Events per transaction. */
export const APPEND_BATCH = 50_000;

export interface AppendOptions extends Strictness {
  source: string;
  /** For a source without a base: its history begins here with nothing active (0 is the ledger's beginning). */
  begin?: bigint | undefined;
  /** The stream was complete up to this offset, even if its last update is earlier. */
  until?: bigint | undefined;
  batch?: number;
  maxMessageBytes?: number;
  /** See {@link draftQueue}. */
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

/** With facts when it was drafted; its events are then in the order of their nodes. */
type StoredUpdate = LedgerUpdate & { facts?: UpdateFacts };

const UPDATE_KIND = { transaction: 1, reassignment: 2, topology: 3, checkpoint: 0 } as const;

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
  const state = ledgerState(db, rows, source.pk, options);
  const view = new RecordView();
  const event: NewEvent = newEvent(0n);
  const sameUpdate = db
    .prepare('SELECT update_id, content_hash FROM update_tx WHERE source_pk = ? AND off = ?')
    .raw();
  const sameId = db
    .prepare('SELECT off, update_id FROM update_tx WHERE id_hash = ? AND source_pk = ?')
    .raw()
    .safeIntegers();
  const setHead = db.prepare('UPDATE source SET head_offset = ? WHERE source_pk = ?');
  const insertTime = db.prepare(
    'INSERT INTO sync_time(source_pk, sync_pk, off, record_time) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const insertHosting = db.prepare(
    'INSERT INTO hosting(source_pk, off, n, sync_pk, party_pk, participant, kind, permission) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const updateIds = absenceFilter(db, rows.updates.flush);
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

  /** Drafts of the update being stored. */
  let drafts: BatchDrafts | undefined;
  const drafted = draftedUpdates();
  const queue = draftQueue(
    false,
    (message, buf, itsDrafts) => {
      drafts = itsDrafts;
      rows.borrow(buf);
      try {
        takeMessage(message, buf, itsDrafts);
        if (message.end === itsDrafts.end) rows.giveBack();
      } catch (error) {
        throw locateMessage(error, message.index, message.place);
      }
    },
    options.draftBatchBytes,
  );

  function takeMessage(message: QueuedMessage, buf: Buffer, itsDrafts: BatchDrafts): void {
    const at = itsDrafts.next;
    const whole = drafted.next(buf, itsDrafts);
    // What is known already, or out of order, is told by all its bytes.
    if (whole !== undefined && whole.offset > head && whole.offset > lastOfFile) {
      take(buf, whole);
      return;
    }
    const update = parseUpdate(buf, message.start, message.end);
    drafted.learn(itsDrafts, at, update);
    if (itsDrafts.numbers[at + HEAD.drafted] === 0) {
      for (const one of update.events) {
        if (one.createdStart < 0) continue;
        one.draft = itsDrafts.next;
        itsDrafts.next += DRAFT_WIDTH;
      }
    }
    take(buf, update);
  }

  function take(buf: Buffer, update: StoredUpdate): void {
    const { offset } = update;
    if (update.kind !== 'checkpoint') {
      if (offset <= lastOfFile)
        state.note('OFFSET_NOT_INCREASING', offset, null, null, `after offset ${lastOfFile}`);
      lastOfFile = offset;
    }
    if (offset <= source.base) {
      result.beforeBase++;
      return;
    }
    if (offset <= head) {
      if (update.kind !== 'checkpoint') replayed(buf, update);
      return;
    }
    begin();
    if (update.kind === 'checkpoint') checkpoint(update);
    else apply(buf, update, update.facts ?? factsOf(buf, update));
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

  function replayed(buf: Buffer, update: LedgerUpdate): void {
    rows.updates.flush();
    const row = sameUpdate.get(source.pk, update.offset) as [Buffer, number] | undefined;
    // An update without effect is not kept; another shape of the same stream shows it, or does not.
    if (row === undefined && update.events.length === 0) return;
    if (row?.[0].equals(idBytes(update.updateId)) && row[1] === contentOf(buf, update)) {
      result.replayed++;
      return;
    }
    state.note(
      'OFFSET_REPLAY_DIFFERS',
      update.offset,
      null,
      null,
      row === undefined
        ? `update ${update.updateId} at or below the head ${head} is unknown`
        : `update ${update.updateId} instead of ${row[0].toString('hex')}`,
    );
  }

  function apply(buf: Buffer, update: StoredUpdate, { id, hash, origin, content }: UpdateFacts): void {
    const { offset } = update;
    const sync = intern.synchronizer(update.synchronizerId);
    if (update.recordTime !== undefined) checkTime(sync, update.recordTime, offset);
    if (!updateIds.isAbsent(hash)) checkUpdateId(id, hash, update);
    updateIds.add(hash);
    rows.updates.add(
      source.pk,
      offset,
      UPDATE_KIND[update.kind],
      id,
      hash,
      sync,
      update.recordTime ?? null,
      update.effectiveAt ?? null,
      update.workflowId === '' ? null : update.workflowId,
      origin,
      content,
      state.nextEvent,
    );
    result.updates++;
    const { events } = update;
    if (events.length > 1 && update.facts === undefined) orderEvents(events, offset);
    event.off = offset;
    event.byRepair = origin === ORIGIN.import || origin === ORIGIN.repair;
    let batchSet: number | undefined;
    for (const one of events) {
      const set = applyEvent(buf, update, one, sync);
      if (update.kind !== 'reassignment' || set === undefined) continue;
      if (batchSet !== undefined && set !== batchSet)
        state.note('BATCH_NOT_UNIFORM', offset, event.contract, null, `update ${update.updateId}`);
      batchSet = set;
    }
    if (update.kind === 'reassignment') checkReassignmentId(buf, update);
    update.authorizations.forEach((a, n) => {
      insertHosting.run(
        source.pk,
        offset,
        n,
        sync,
        intern.party(a.party),
        a.participant,
        a.kind,
        a.permission,
      );
    });
  }

  function checkUpdateId(id: Buffer, hash: number, update: LedgerUpdate): void {
    if (rows.updates.has(4, hash)) rows.updates.flush();
    requireUpdateIndices(db);
    const found = sameId.all(hash, source.pk) as [bigint, Buffer][];
    if (found.length === 0) updateIds.missed();
    for (const [off, other] of found) {
      if (id.length > 0 && other.equals(id))
        state.note(
          'DUPLICATE_UPDATE_ID',
          update.offset,
          null,
          null,
          `${update.updateId || id.toString('hex')}, also at offset ${off}`,
        );
    }
  }

  function orderEvents(events: UpdateEvent[], offset: bigint): void {
    events.sort((a, b) => a.nodeId - b.nodeId);
    for (let i = 1; i < events.length; i++) {
      if (events[i].nodeId === events[i - 1].nodeId)
        state.note('DUPLICATE_EVENT_ID', offset, null, null, `node ${events[i].nodeId} twice`);
    }
  }

  /** Returns the stakeholder set of an event with payload. */
  function applyEvent(buf: Buffer, update: LedgerUpdate, one: UpdateEvent, sync: number): number | undefined {
    result.events++;
    return one.createdStart >= 0 ? activation(buf, update, one, sync) : deactivation(buf, update, one, sync);
  }

  function payloadOf(buf: Buffer, one: UpdateEvent, sync: number): Payload | undefined {
    const { draft } = one;
    if (draft >= 0 && drafts !== undefined) {
      const drafted = store.takeDraft(buf, drafts.numbers, draft, drafts.names);
      if (drafted !== 'unknown') return drafted;
    }
    const payload = store.take(view.parseEvent(buf, one.createdStart, one.createdEnd), sync, false);
    if (draft >= 0 && drafts !== undefined) store.learn(drafts.numbers, draft, drafts.names, payload);
    return payload;
  }

  function activation(buf: Buffer, update: LedgerUpdate, one: UpdateEvent, sync: number): number | undefined {
    const { offset } = update;
    const part = one.reassignment;
    const payload = payloadOf(buf, one, sync);
    if (payload === undefined) {
      result.outsideFilter++;
      view.parseEvent(buf, one.createdStart, one.createdEnd);
      state.note('FILTER_ESCAPE', offset, null, null, `contract ${view.contractId}`);
      return undefined;
    }
    const kind =
      part === undefined ? KIND.create : part.source === part.target ? KIND.repairAdd : KIND.assign;
    fill(event, payload, kind, sync, part?.counter ?? 0n);
    event.nodeId = one.nodeId;
    event.ledgerOffset = payload.ledgerOffset === offset ? null : payload.ledgerOffset;
    const pk = state.append(event);
    reportPayload(state.note, payload, offset, pk);
    if (part !== undefined) {
      if (part.target !== update.synchronizerId)
        state.note('SYNC_MISMATCH', offset, event.contract, pk, `assigned to ${part.target}`);
      const [from, to] = [intern.synchronizer(part.source), intern.synchronizer(part.target)];
      state.appendReassignment(pk, part, from, to, null);
      if (kind === KIND.assign) state.pair(event, pk, part, from, to, offset);
    }
    state.activate(event, pk);
    return payload.set;
  }

  function deactivation(
    buf: Buffer,
    update: LedgerUpdate,
    one: UpdateEvent,
    sync: number,
  ): number | undefined {
    const { offset } = update;
    const part = one.reassignment;
    let template: number | null;
    let known: ContractRow | undefined;
    if (one.draft >= 0 && drafts !== undefined) {
      const { numbers, names } = drafts;
      const idStart = numbers[one.draft + DRAFT.idStart];
      const idEnd = numbers[one.draft + DRAFT.idEnd];
      const hash = numbers[one.draft + DRAFT.hash];
      const number = numbers[one.draft + DRAFT.template];
      known = store.find(buf, idStart, idEnd, hash);
      template = names.archivedTemplates[number] ?? templateOf(buf, one);
      if (template !== null) names.archivedTemplates[number] = template;
      event.contract = known?.pk ?? store.stub(buf, idStart, idEnd, hash, template);
    } else {
      const id = Buffer.from(buf.toString('latin1', one.idStart, one.idEnd), 'hex');
      const hash = idHash(id);
      known = store.find(id, 0, id.length, hash);
      template = templateOf(buf, one);
      event.contract = known?.pk ?? store.stub(id, 0, id.length, hash, template);
    }
    event.isNew = known === undefined;
    event.sync = sync;
    event.nodeId = one.nodeId;
    event.kind =
      part === undefined ? KIND.archive : part.source === part.target ? KIND.repairPurge : KIND.unassign;
    event.counter = part?.counter ?? 0n;
    event.ledgerOffset = null;
    event.layout = null;
    event.package = null;
    event.shape = 0;
    event.raw = undefined;
    event.template = template;
    const pk = state.append(event);
    if (part !== undefined) {
      if (part.source !== update.synchronizerId)
        state.note('SYNC_MISMATCH', offset, event.contract, pk, `unassigned from ${part.source}`);
      const [from, to] = [intern.synchronizer(part.source), intern.synchronizer(part.target)];
      state.appendReassignment(pk, part, from, to, null);
      if (event.kind === KIND.unassign) state.pair(event, pk, part, from, to, offset);
    }
    if (known !== undefined && known.template !== null && template !== null && known.template !== template)
      checkTemplate(known.template, template, offset, pk);
    state.deactivate(event, pk, known === undefined && source.filter !== undefined);
    return known?.set ?? undefined;
  }

  function templateOf(buf: Buffer, one: UpdateEvent): number | null {
    return one.templateStart < 0
      ? null
      : intern.templateAt(buf, one.templateStart, one.templateEnd, one.packageName);
  }

  function checkTemplate(created: number, named: number, offset: bigint, pk: number): void {
    const a = intern.templateRow(created);
    const b = intern.templateRow(named);
    if (a.moduleName !== b.moduleName || a.entityName !== b.entityName)
      state.note(
        'TEMPLATE_PACKAGE_DIFFERS',
        offset,
        event.contract,
        pk,
        `${b.moduleName}:${b.entityName} instead of ${a.moduleName}:${a.entityName}`,
        'E',
      );
    else if (a.packageId !== b.packageId)
      state.note('TEMPLATE_PACKAGE_DIFFERS', offset, event.contract, pk, `package ${b.packageId}`);
  }

  /** Unassignments only: the id is a hash over them all (ledger-semantics spec, section 2.4). */
  function checkReassignmentId(buf: Buffer, update: LedgerUpdate): void {
    const parts = update.events.filter((e) => e.kind === 'unassign' && e.reassignment !== undefined);
    const first = parts[0]?.reassignment;
    if (first === undefined || first.submitter === '' || update.recordTime === undefined) return;
    if (parts.some((e) => e.reassignment?.reassignmentId !== first.reassignmentId)) return;
    const contracts = parts.map((e) => ({
      id: buf.toString('latin1', e.idStart, e.idEnd),
      counter: e.reassignment?.counter ?? 0n,
    }));
    const expected = reassignmentId(first.source, first.target, update.recordTime, contracts);
    if (expected !== first.reassignmentId)
      state.note('REASSIGNMENT_ID_HASH', update.offset, null, null, `${first.reassignmentId}`);
  }

  async function drain(input: ByteInput): Promise<void> {
    try {
      await queue.drain();
    } catch (error) {
      throw error instanceof AcsError ? error.locate({ file: inputName(input) }) : error;
    }
  }

  return {
    close: queue.close,
    async read(input) {
      lastOfFile = 0n;
      const before = result.events;
      const options_ =
        options.maxMessageBytes === undefined ? {} : { maxMessageBytes: options.maxMessageBytes };
      try {
        await readLedgerStream(
          input,
          'GetUpdatesResponse',
          (buf, start, end, index, place) => queue.add(buf, start, start, end, index, place),
          { ...options_, afterChunk: queue.ready },
        );
      } catch (error) {
        // What was read before the fault is stored, or has an earlier fault to tell.
        await drain(input);
        throw error;
      }
      await drain(input);
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
