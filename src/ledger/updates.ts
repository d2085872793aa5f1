/**
 * `GetUpdatesResponse` of the Ledger API v2 as one event model: whatever the transaction shape, an update is a list of
 * events that change what is active (ledger-semantics spec, section 2.1).
 */
import { AcsError } from '../io/error.js';
import { WIRE_BYTES, WireReader } from '../wire/reader.js';
import {
  archivedEvent,
  createdEvent,
  inside,
  parseAssigned,
  parseUnassigned,
  timestamp,
  type UpdateEvent,
} from './updateEvents.js';

export type UpdateKind = 'transaction' | 'reassignment' | 'checkpoint' | 'topology';

/** Times are microseconds since the epoch. Positions in events are into the buffer given to {@link parseUpdate}. */
export interface LedgerUpdate {
  kind: UpdateKind;
  offset: bigint;
  updateId: string;
  commandId: string;
  workflowId: string;
  /** Logical id; of the source for unassignments, of the target for assignments; empty for a checkpoint. */
  synchronizerId: string;
  recordTime: bigint | undefined;
  /** Ledger effective time; transactions only. */
  effectiveAt: bigint | undefined;
  /** In node-id order as sent; those that change nothing (`acs_delta` false, non-consuming) are left out. */
  events: UpdateEvent[];
  /** Events left out. */
  ignored: number;
  /** Checkpoints only. */
  times: { synchronizerId: string; recordTime: bigint }[];
  /** Topology transactions only. */
  authorizations: Authorization[];
}

export interface Authorization {
  kind: 'added' | 'changed' | 'revoked' | 'onboarding';
  party: string;
  /** Without the `PAR::` prefix, as sent. */
  participant: string;
  /** 1 submission, 2 confirmation, 3 observation; 0 when revoked. */
  permission: number;
}

/** An update of which nothing is known yet. */
export function emptyUpdate(kind: LedgerUpdate['kind']): LedgerUpdate {
  return {
    kind,
    offset: 0n,
    updateId: '',
    commandId: '',
    workflowId: '',
    synchronizerId: '',
    recordTime: undefined,
    effectiveAt: undefined,
    events: [],
    ignored: 0,
    times: [],
    authorizations: [],
  };
}

/** Parses `buf[start, end)`. Throws `UPDATE_*` and `WIRE_*` errors. */
export function parseUpdate(buf: Buffer, start: number, end: number): LedgerUpdate {
  const update = emptyUpdate('checkpoint');
  const r = new WireReader(buf, start, end);
  let seen = false;
  while (r.pos < r.end) {
    const tag = r.tag();
    if ((tag & 7) !== WIRE_BYTES || tag >>> 3 > 4) {
      r.skip(tag & 7);
      continue;
    }
    seen = true;
    const outerEnd = r.end;
    const n = r.length();
    r.end = r.pos + n;
    if (tag === 0x0a) transaction(r, update);
    else if (tag === 0x12) reassignment(r, update);
    else if (tag === 0x1a) checkpoint(r, update);
    else topology(r, update);
    r.pos = r.end;
    r.end = outerEnd;
  }
  if (!seen) {
    throw new AcsError('UPDATE_UNKNOWN', 'a message holds no update', {
      byteOffset: start,
      expected: 'a transaction, a reassignment, a checkpoint or a topology transaction',
      hint: 'is this a file of GetUpdates responses?',
    });
  }
  if (update.offset <= 0n) {
    throw new AcsError('UPDATE_NO_OFFSET', 'an update has no offset', {
      byteOffset: start,
      expected: 'an offset above 0',
      found: update.offset.toString(),
    });
  }
  if (update.kind !== 'checkpoint' && update.synchronizerId === '') {
    throw new AcsError('UPDATE_NO_SYNCHRONIZER', 'an update names no synchronizer', { byteOffset: start });
  }
  return update;
}

function transaction(r: WireReader, update: LedgerUpdate): void {
  update.kind = 'transaction';
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 0x0a:
        update.updateId = r.string();
        break;
      case 0x12:
        update.commandId = r.string();
        break;
      case 0x1a:
        update.workflowId = r.string();
        break;
      case 0x22:
        update.effectiveAt = timestamp(r);
        break;
      case 0x2a:
        inside(r, () => eventOf(r, update));
        break;
      case 0x30:
        update.offset = r.int64();
        break;
      case 0x3a:
        update.synchronizerId = r.string();
        break;
      case 0x4a:
        update.recordTime = timestamp(r);
        break;
      default:
        r.skip(tag & 7);
    }
  }
}

function reassignment(r: WireReader, update: LedgerUpdate): void {
  update.kind = 'reassignment';
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 0x0a:
        update.updateId = r.string();
        break;
      case 0x12:
        update.commandId = r.string();
        break;
      case 0x1a:
        update.workflowId = r.string();
        break;
      case 0x20:
        update.offset = r.int64();
        break;
      case 0x2a:
        inside(r, () => reassignmentEventOf(r, update));
        break;
      case 0x3a:
        update.recordTime = timestamp(r);
        break;
      case 0x42:
        update.synchronizerId = r.string();
        break;
      default:
        r.skip(tag & 7);
    }
  }
}

function checkpoint(r: WireReader, update: LedgerUpdate): void {
  update.kind = 'checkpoint';
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x08) update.offset = r.int64();
    else if (tag === 0x12) {
      inside(r, () => {
        let synchronizerId = '';
        let recordTime: bigint | undefined;
        while (r.pos < r.end) {
          const inner = r.tag();
          if (inner === 0x0a) synchronizerId = r.string();
          else if (inner === 0x12) recordTime = timestamp(r);
          else r.skip(inner & 7);
        }
        if (synchronizerId !== '' && recordTime !== undefined)
          update.times.push({ synchronizerId, recordTime });
      });
    } else r.skip(tag & 7);
  }
}

const AUTHORIZATION_KINDS = ['changed', 'revoked', 'added', 'onboarding'] as const;

function topology(r: WireReader, update: LedgerUpdate): void {
  update.kind = 'topology';
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) update.updateId = r.string();
    else if (tag === 0x10) update.offset = r.int64();
    else if (tag === 0x1a) update.synchronizerId = r.string();
    else if (tag === 0x22) update.recordTime = timestamp(r);
    else if (tag === 0x2a) {
      inside(r, () => {
        while (r.pos < r.end) {
          const inner = r.tag();
          const kind = AUTHORIZATION_KINDS[(inner >>> 3) - 1];
          if (kind === undefined || (inner & 7) !== WIRE_BYTES) r.skip(inner & 7);
          else inside(r, () => update.authorizations.push(authorization(r, kind)));
        }
      });
    } else r.skip(tag & 7);
  }
}

function authorization(r: WireReader, kind: Authorization['kind']): Authorization {
  const found: Authorization = { kind, party: '', participant: '', permission: 0 };
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) found.party = r.string();
    else if (tag === 0x12) found.participant = r.string();
    else if (tag === 0x18) found.permission = r.int32();
    else r.skip(tag & 7);
  }
  return found;
}

function eventOf(r: WireReader, update: LedgerUpdate): void {
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a || tag === 0x12 || tag === 0x1a) {
      const n = r.length();
      const end = r.pos + n;
      const event = tag === 0x0a ? createdEvent(r, r.pos, end) : archivedEvent(r, end, tag === 0x1a);
      if (event === undefined) update.ignored++;
      else update.events.push(event);
      r.pos = end;
    } else r.skip(tag & 7);
  }
}

function reassignmentEventOf(r: WireReader, update: LedgerUpdate): void {
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) inside(r, () => update.events.push(parseUnassigned(r)));
    else if (tag === 0x12) inside(r, () => update.events.push(parseAssigned(r)));
    else r.skip(tag & 7);
  }
}
