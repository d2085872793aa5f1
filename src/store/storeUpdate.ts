/** Storing one update: its row, its events with all that follows from them, and what does not fit. */

import type { UpdateEvent } from '../ledger/updateEvents.js';
import type { LedgerUpdate } from '../ledger/updates.js';
import { RecordView } from '../snapshot/record.js';
import { absenceFilter } from './absenceFilter.js';
import type { ContractRow } from './contractRows.js';
import { DRAFT } from './draftEvents.js';
import type { BatchDrafts } from './draftQueue.js';
import { idHash } from './idHash.js';
import { requireUpdateIndices } from './idIndices.js';
import type { StoreInterner } from './intern.js';
import { KIND, type LedgerState, type NewEvent } from './ledgerState.js';
import { fill, newEvent, reportPayload } from './newEvent.js';
import type { Db } from './open.js';
import type { Payload, Payloads } from './payload.js';
import { type ReadySource, setFilter } from './source.js';
import type { StoreRows } from './storeRows.js';
import { factsOf, ORIGIN, reassignmentId, type UpdateFacts } from './updateContent.js';
import { MOST_WAITING, type WaitingArchive, type WaitingArchives } from './waitingArchives.js';

/** With facts when it was drafted; its events are then in the order of their nodes. */
export type StoredUpdate = LedgerUpdate & { facts?: UpdateFacts };

const UPDATE_KIND = { transaction: 1, reassignment: 2, topology: 3, checkpoint: 0 } as const;

export interface UpdateStorer {
  /** Inside a transaction. `drafts` are those that the events of the update name, if any. */
  store(buf: Buffer, update: StoredUpdate, drafts: BatchDrafts | undefined): void;
  /** Takes the archives that wait to their end: before a commit, and before anything is told. */
  settle(): void;
}

/** Adds to `counts`. */
export function updateStorer(
  db: Db,
  rows: StoreRows,
  intern: StoreInterner,
  store: Payloads,
  state: LedgerState,
  source: ReadySource,
  waiting: WaitingArchives,
  counts: { updates: number; events: number; outsideFilter: number },
): UpdateStorer {
  const view = new RecordView();
  const event: NewEvent = newEvent(0n);
  /** Of an archive that has waited: something may be told of {@link event} meanwhile. */
  const late: NewEvent = newEvent(0n);
  const moveEvent = db.prepare('UPDATE event SET contract_pk = ? WHERE event_pk = ?');
  const sameId = db
    .prepare('SELECT off, update_id FROM update_tx WHERE id_hash = ? AND source_pk = ?')
    .raw()
    .safeIntegers();
  const insertHosting = db.prepare(
    'INSERT INTO hosting(source_pk, off, n, sync_pk, party_pk, participant, kind, permission) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const inside = setFilter(db, source.filter);
  const updateIds = absenceFilter(db, rows.updates.flush);
  /** Those of the update being stored. */
  let drafts: BatchDrafts | undefined;

  function apply(buf: Buffer, update: StoredUpdate, { id, hash, origin, content }: UpdateFacts): void {
    const { offset } = update;
    const sync = intern.synchronizer(update.synchronizerId);
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
    counts.updates++;
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
    counts.events++;
    return one.createdStart >= 0 ? activation(buf, update, one, sync) : deactivation(buf, update, one, sync);
  }

  function payloadOf(buf: Buffer, one: UpdateEvent, sync: number): Payload | undefined {
    const { draft } = one;
    if (draft >= 0 && drafts !== undefined) {
      const drafted = store.takeDraft(buf, drafts.numbers, draft, drafts.names);
      if (typeof drafted !== 'string') return drafted;
    }
    const payload = store.take(view.parseEvent(buf, one.createdStart, one.createdEnd), sync, false);
    if (draft >= 0 && drafts !== undefined) store.learn(drafts.numbers, draft, drafts.names, payload);
    return payload;
  }

  function activation(buf: Buffer, update: LedgerUpdate, one: UpdateEvent, sync: number): number | undefined {
    const { offset } = update;
    const part = one.reassignment;
    if (waiting.size > 0 && !isCertainlyNew(one)) settle();
    const payload = payloadOf(buf, one, sync);
    if (payload === undefined) {
      counts.outsideFilter++;
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

  /** No archive waits for its contract. */
  function isCertainlyNew({ draft }: UpdateEvent): boolean {
    if (draft < 0 || drafts === undefined || drafts.numbers[draft + DRAFT.blobStart] < 0) return false;
    return store.contracts.isAbsent(drafts.numbers[draft + DRAFT.hash]);
  }

  function settle(): void {
    waiting.settle(takeLate);
  }

  /** Its event was appended, with the only contract it could be one of. */
  function takeLate(archive: WaitingArchive): void {
    const { id, hash, template, eventPk, off } = archive;
    const { contracts } = store;
    const known = contracts.find(id, 0, id.length, hash);
    late.off = off;
    late.contract = known?.[0] ?? contracts.add(id, 0, id.length, template, null, null, hash);
    late.isNew = known === undefined;
    late.sync = archive.sync;
    late.kind = KIND.archive;
    late.template = template;
    if (late.contract !== archive.contract) {
      rows.events.flush();
      moveEvent.run(late.contract, eventPk);
    }
    endActivation(late, eventPk, known);
  }

  /** Whether the base was filtered, and not by a stakeholder of what is known of a contract. */
  function mayBeOutside(set: number | null): boolean {
    return inside !== undefined && (set === null || !inside(set));
  }

  /** What a deactivation ends, once its event was appended. */
  function endActivation(it: NewEvent, eventPk: number, known: ContractRow | undefined): void {
    const created = known?.[1] ?? null;
    if (created !== null && it.template !== null && created !== it.template)
      checkTemplate(created, it.template, it, eventPk);
    state.deactivate(it, eventPk, mayBeOutside(known?.[2] ?? null));
  }

  function deactivation(
    buf: Buffer,
    update: LedgerUpdate,
    one: UpdateEvent,
    sync: number,
  ): number | undefined {
    const part = one.reassignment;
    const drafted = one.draft >= 0 && drafts !== undefined;
    const template = drafted ? draftedTemplate(drafts as BatchDrafts, buf, one) : templateOf(buf, one);
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
    const { contracts } = store;
    let id = buf;
    let idStart = 0;
    let idEnd: number;
    let hash: number;
    if (drafted) {
      const { numbers } = drafts as BatchDrafts;
      idStart = numbers[one.draft + DRAFT.idStart];
      idEnd = numbers[one.draft + DRAFT.idEnd];
      hash = numbers[one.draft + DRAFT.hash];
      const only = contracts.only(hash);
      if (only !== 0) {
        if (waiting.size === MOST_WAITING) settle();
        event.contract = only;
        const pk = state.append(event);
        waiting.add(only, buf, idStart, idEnd, hash, template, sync, pk, update.offset);
        return undefined;
      }
    } else {
      id = Buffer.from(buf.toString('latin1', one.idStart, one.idEnd), 'hex');
      idEnd = id.length;
      hash = idHash(id);
    }
    settle();
    const known = contracts.find(id, idStart, idEnd, hash);
    event.contract = known?.[0] ?? contracts.add(id, idStart, idEnd, template, null, null, hash);
    event.isNew = known === undefined;
    const pk = state.append(event);
    if (part !== undefined) {
      if (part.source !== update.synchronizerId)
        state.note('SYNC_MISMATCH', update.offset, event.contract, pk, `unassigned from ${part.source}`);
      const [from, to] = [intern.synchronizer(part.source), intern.synchronizer(part.target)];
      state.appendReassignment(pk, part, from, to, null);
      if (event.kind === KIND.unassign) state.pair(event, pk, part, from, to, update.offset);
    }
    endActivation(event, pk, known);
    return known?.[2] ?? undefined;
  }

  function draftedTemplate({ numbers, names }: BatchDrafts, buf: Buffer, one: UpdateEvent): number | null {
    const number = numbers[one.draft + DRAFT.template];
    const template = names.archivedTemplates[number] ?? templateOf(buf, one);
    if (template !== null) names.archivedTemplates[number] = template;
    return template;
  }

  function templateOf(buf: Buffer, one: UpdateEvent): number | null {
    return one.templateStart < 0
      ? null
      : intern.templateAt(buf, one.templateStart, one.templateEnd, one.packageName);
  }

  function checkTemplate(created: number, named: number, { off, contract }: NewEvent, pk: number): void {
    const a = intern.templateRow(created);
    const b = intern.templateRow(named);
    if (a.moduleName !== b.moduleName || a.entityName !== b.entityName)
      state.note(
        'TEMPLATE_PACKAGE_DIFFERS',
        off,
        contract,
        pk,
        `${b.moduleName}:${b.entityName} instead of ${a.moduleName}:${a.entityName}`,
        'E',
      );
    else if (a.packageId !== b.packageId)
      state.note('TEMPLATE_PACKAGE_DIFFERS', off, contract, pk, `package ${b.packageId}`);
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

  return {
    store(buf, update, itsDrafts) {
      drafts = itsDrafts;
      apply(buf, update, update.facts ?? factsOf(buf, update));
    },
    settle,
  };
}
