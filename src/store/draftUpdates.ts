/**
 * Drafting updates: for each a head and the drafts of its events. What an update says in text and the store keeps in bytes
 * (ids) is put behind it in its batch.
 */

import { AcsError } from '../io/error.js';
import type { UpdateEvent } from '../ledger/updateEvents.js';
import { type LedgerUpdate, parseUpdate } from '../ledger/updates.js';
import { RecordView } from '../snapshot/record.js';
import { Interner, wholeHash } from '../wire/interner.js';
import { DRAFT, DRAFT_WIDTH, eventDrafter } from './draftEvents.js';
import { idHash } from './idHash.js';
import { contentOf, originOf } from './updateContent.js';

/** Places of the numbers in the head of an update. Positions are into the batch. */
export const HEAD = {
  /** 0: the update has to be parsed; the drafts of its created events follow. 1: drafts of all its events follow. */
  drafted: 0,
  offset: 1,
  idStart: 2,
  idEnd: 3,
  hash: 4,
  /** A number of the drafter. */
  synchronizer: 5,
  /** Microseconds; NaN: none. */
  recordTime: 6,
  effectiveAt: 7,
  workflowStart: 8,
  workflowEnd: 9,
  origin: 10,
  content: 11,
  events: 12,
} as const;

export const HEAD_WIDTH = 13;

/** Of one batch after the other. */
export interface UpdateDrafter {
  /** Drafts the update `batch[start, end)`, behind which there is room; returns where what it put there ends. */
  add(batch: Buffer, start: number, end: number): number;
  /** The drafts since the last call, valid until the next update. */
  take(): Float64Array;
}

export function updateDrafter(): UpdateDrafter {
  const record = new RecordView();
  const draftEvent = eventDrafter(false);
  const archivedTemplates = new Interner(1 << 17, wholeHash);
  const synchronizers = new Map<string, number>();
  let out = new Float64Array(1024 * DRAFT_WIDTH);
  let size = 0;
  /** Where the next bytes go behind the update. */
  let tail = 0;

  function reserve(numbers: number): void {
    if (size + numbers <= out.length) return;
    const grown = new Float64Array(Math.max(out.length * 2, size + numbers));
    grown.set(out);
    out = grown;
  }

  /** False: there is no draft. An error is told when it is the event's turn. */
  function drafts(batch: Buffer, start: number, end: number): boolean {
    try {
      return draftEvent(record.parseEvent(batch, start, end), out, size);
    } catch (error) {
      if (error instanceof AcsError) return false;
      throw error;
    }
  }

  function created(batch: Buffer, { createdStart, createdEnd }: UpdateEvent): void {
    reserve(DRAFT_WIDTH);
    if (!drafts(batch, createdStart, createdEnd)) out[size + DRAFT.blobStart] = -1;
    out[size + DRAFT.start] = createdStart;
    out[size + DRAFT.end] = createdEnd;
    size += DRAFT_WIDTH;
  }

  function update(batch: Buffer, start: number, end: number): void {
    let parsed: LedgerUpdate;
    reserve(HEAD_WIDTH);
    const head = size;
    size += HEAD_WIDTH;
    out[head + HEAD.drafted] = 0;
    try {
      parsed = parseUpdate(batch, start, end);
    } catch (error) {
      if (error instanceof AcsError) return;
      throw error;
    }
    if (isPlain(parsed) && wholeUpdate(batch, parsed, head)) return;
    size = head + HEAD_WIDTH;
    tail = end;
    for (const event of parsed.events) if (event.createdStart >= 0) created(batch, event);
  }

  function wholeUpdate(batch: Buffer, parsed: LedgerUpdate, head: number): boolean {
    const { events, updateId, workflowId } = parsed;
    // An id takes half of its text; a workflow id at most three bytes per character.
    let room = updateId.length + 3 * workflowId.length;
    for (const event of events) room += event.idEnd - event.idStart;
    if (tail + room > batch.length) return false;
    const idStart = tail;
    tail += batch.write(updateId, tail, 'hex');
    if (tail - idStart !== updateId.length / 2) return false;
    let number = synchronizers.get(parsed.synchronizerId);
    if (number === undefined) {
      number = synchronizers.size;
      synchronizers.set(parsed.synchronizerId, number);
    }
    out[head + HEAD.offset] = Number(parsed.offset);
    out[head + HEAD.idStart] = idStart;
    out[head + HEAD.idEnd] = tail;
    out[head + HEAD.hash] = idHash(batch, idStart, tail);
    out[head + HEAD.synchronizer] = number;
    out[head + HEAD.recordTime] = Number(parsed.recordTime ?? Number.NaN);
    out[head + HEAD.effectiveAt] = Number(parsed.effectiveAt ?? Number.NaN);
    out[head + HEAD.workflowStart] = tail;
    tail += batch.write(workflowId, tail, 'utf8');
    out[head + HEAD.workflowEnd] = tail;
    out[head + HEAD.origin] = originOf(parsed);
    out[head + HEAD.content] = contentOf(batch, parsed);
    out[head + HEAD.events] = events.length;
    for (const event of events) {
      if (event.createdStart >= 0) created(batch, event);
      else if (!archived(batch, event)) return false;
      out[size - DRAFT_WIDTH + DRAFT.nodeId] = event.nodeId;
    }
    out[head + HEAD.drafted] = 1;
    return true;
  }

  function archived(batch: Buffer, event: UpdateEvent): boolean {
    const { idStart, idEnd, templateStart, templateEnd } = event;
    reserve(DRAFT_WIDTH);
    const from = tail;
    tail += batch.write(batch.toString('latin1', idStart, idEnd), tail, 'hex');
    const template = templateStart < 0 ? -1 : archivedTemplates.id(batch, templateStart, templateEnd);
    if (tail - from !== (idEnd - idStart) / 2 || (template < 0 && templateStart >= 0)) return false;
    out[size + DRAFT.blobStart] = -2;
    out[size + DRAFT.idStart] = from;
    out[size + DRAFT.idEnd] = tail;
    out[size + DRAFT.hash] = idHash(batch, from, tail);
    out[size + DRAFT.template] = template;
    out[size + DRAFT.start] = templateStart;
    out[size + DRAFT.end] = templateEnd;
    size += DRAFT_WIDTH;
    return true;
  }

  return {
    add(batch, start, end) {
      tail = end;
      update(batch, start, end);
      return tail;
    },
    take() {
      const drafts = out.subarray(0, size);
      size = 0;
      return drafts;
    },
  };
}

/** Creations and archives in the order of their nodes, and numbers that doubles hold. */
function isPlain(update: LedgerUpdate): boolean {
  const { events, recordTime, effectiveAt } = update;
  if (update.kind !== 'transaction' || !LOWER_HEX.test(update.updateId)) return false;
  if (!exact(update.offset) || !exact(recordTime ?? 0n) || !exact(effectiveAt ?? 0n)) return false;
  for (let i = 0; i < events.length; i++) {
    if (events[i].reassignment !== undefined || (events[i].packageName !== '' && events[i].createdStart < 0))
      return false;
    if (i > 0 && events[i].nodeId <= events[i - 1].nodeId) return false;
  }
  return true;
}

const exact = (n: bigint): boolean => n >= -MOST && n <= MOST;
const LOWER_HEX = /^(?:[0-9a-f]{2})+$/;
const MOST = BigInt(Number.MAX_SAFE_INTEGER);
