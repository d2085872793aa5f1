/** Updates as their drafts give them: nothing is parsed again. */

import { emptyEvent, type UpdateEvent } from '../ledger/updateEvents.js';
import { emptyUpdate, type LedgerUpdate } from '../ledger/updates.js';
import { decodeUtf8 } from '../wire/reader.js';
import { DRAFT, DRAFT_WIDTH } from './draftEvents.js';
import type { BatchDrafts } from './draftQueue.js';
import { HEAD, HEAD_WIDTH } from './draftUpdates.js';
import type { UpdateFacts } from './updateContent.js';

export interface DraftedUpdate extends LedgerUpdate {
  facts: UpdateFacts;
}

export interface DraftedUpdates {
  /**
   * The next update of the batch, reused by the next call; its id lies in the batch. Without `updateId` and `commandId`, which `facts` stand for.
   * Undefined when it has to be parsed; then `drafts.next` is at the drafts of its created events, if there are any.
   */
  next(buf: Buffer, drafts: BatchDrafts): DraftedUpdate | undefined;
  /** Tells what the update that had to be parsed shows about the names in its draft, which is at `at`. */
  learn(drafts: BatchDrafts, at: number, update: LedgerUpdate): void;
}

export function draftedUpdates(): DraftedUpdates {
  const events: UpdateEvent[] = [];
  const facts: UpdateFacts = { id: Buffer.alloc(0), hash: 0, origin: 0, content: 0 };
  const update: DraftedUpdate = { ...emptyUpdate('transaction'), facts };

  return {
    next(buf, drafts) {
      const { numbers, names } = drafts;
      const at = drafts.next;
      drafts.next += HEAD_WIDTH;
      if (numbers[at + HEAD.drafted] === 0) return undefined;
      const count = numbers[at + HEAD.events];
      const synchronizer = names.synchronizerIds[numbers[at + HEAD.synchronizer]];
      if (synchronizer === undefined) {
        drafts.next += count * DRAFT_WIDTH;
        return undefined;
      }
      update.offset = BigInt(numbers[at + HEAD.offset]);
      update.synchronizerId = synchronizer;
      update.recordTime = time(numbers[at + HEAD.recordTime]);
      update.effectiveAt = time(numbers[at + HEAD.effectiveAt]);
      const workflow = numbers[at + HEAD.workflowStart];
      const workflowEnd = numbers[at + HEAD.workflowEnd];
      update.workflowId = workflow === workflowEnd ? '' : decodeUtf8(buf, workflow, workflowEnd);
      facts.id = buf.subarray(numbers[at + HEAD.idStart], numbers[at + HEAD.idEnd]);
      facts.hash = numbers[at + HEAD.hash];
      facts.origin = numbers[at + HEAD.origin];
      facts.content = numbers[at + HEAD.content];
      if (update.events.length !== count) update.events.length = count;
      for (let i = 0; i < count; i++) {
        events[i] ??= emptyEvent('create');
        update.events[i] = fill(events[i], numbers, drafts.next);
        drafts.next += DRAFT_WIDTH;
      }
      return update;
    },
    learn({ numbers, names }, at, parsed) {
      if (numbers[at + HEAD.drafted] === 1)
        names.synchronizerIds[numbers[at + HEAD.synchronizer]] = parsed.synchronizerId;
    },
  };
}

function time(micros: number): bigint | undefined {
  return Number.isNaN(micros) ? undefined : BigInt(micros);
}

function fill(event: UpdateEvent, numbers: Float64Array, at: number): UpdateEvent {
  const archived = numbers[at + DRAFT.blobStart] === -2;
  event.kind = archived ? 'archive' : 'create';
  event.nodeId = numbers[at + DRAFT.nodeId];
  event.draft = at;
  event.createdStart = archived ? -1 : numbers[at + DRAFT.start];
  event.createdEnd = archived ? -1 : numbers[at + DRAFT.end];
  event.templateStart = archived ? numbers[at + DRAFT.start] : -1;
  event.templateEnd = archived ? numbers[at + DRAFT.end] : -1;
  return event;
}
