/**
 * The events inside an update of the Ledger API v2: creations, archivals and the two halves of a reassignment, as far as
 * they change what is active (ledger-semantics spec, section 2.1).
 */
import { AcsError } from '../io/error.js';
import { readTimestampMicros } from '../snapshot/eventValues.js';
import type { WireReader } from '../wire/reader.js';

/** Positions are into the buffer given to `parseUpdate`. */
export interface UpdateEvent {
  kind: 'create' | 'archive' | 'assign' | 'unassign';
  nodeId: number;
  /** Lower-case hex text at `buf[idStart, idEnd)`. */
  idStart: number;
  idEnd: number;
  /** The bare `CreatedEvent` of a create or assign; -1 otherwise. */
  createdStart: number;
  createdEnd: number;
  /** The Ledger API `Identifier`; -1 when absent. */
  templateStart: number;
  templateEnd: number;
  packageName: string;
  /** Left to whoever drafts created events beforehand: where its draft is; -1: none. */
  draft: number;
  /** Assign and unassign only. */
  reassignment?: ReassignmentPart;
}

export interface ReassignmentPart {
  reassignmentId: string;
  source: string;
  target: string;
  submitter: string;
  counter: bigint;
  /** Set exactly when this participant will see the assignment too. */
  exclusivity: bigint | undefined;
}

/** An event of which nothing is known yet. */
export function emptyEvent(kind: UpdateEvent['kind']): UpdateEvent {
  return {
    kind,
    nodeId: 0,
    idStart: 0,
    idEnd: 0,
    createdStart: -1,
    createdEnd: -1,
    templateStart: -1,
    templateEnd: -1,
    packageName: '',
    draft: -1,
  };
}

/** Whether the event read last by {@link readCreated} is said to change what is active. */
let acsDelta = false;

/** A `CreatedEvent` at `[start, end)`. */
function readCreated(r: WireReader, start: number, end: number): UpdateEvent {
  const event = emptyEvent('create');
  event.createdStart = start;
  event.createdEnd = end;
  const outerEnd = r.end;
  acsDelta = false;
  r.pos = start;
  r.end = end;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x10) event.nodeId = r.int32();
    else if (tag === 0x1a) idSpan(r, event);
    else if (tag === 0x22) templateSpan(r, event);
    else if (tag === 0x6a) event.packageName = r.string();
    else if (tag === 0x70) acsDelta = r.bool();
    else r.skip(tag & 7);
  }
  r.end = outerEnd;
  if (event.idEnd === 0) throw noId(start);
  return event;
}

/** Undefined for an event that does not change what is active. */
export function createdEvent(r: WireReader, start: number, end: number): UpdateEvent | undefined {
  const event = readCreated(r, start, end);
  return acsDelta ? event : undefined;
}

/** An `ArchivedEvent`, or an `ExercisedEvent` that consumes (fields 1 to 4 agree). */
export function archivedEvent(r: WireReader, end: number, exercised: boolean): UpdateEvent | undefined {
  const event = emptyEvent('archive');
  const outerEnd = r.end;
  const start = r.pos;
  let consuming = !exercised;
  let delta = !exercised;
  r.end = end;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x10) event.nodeId = r.int32();
    else if (tag === 0x1a) idSpan(r, event);
    else if (tag === 0x22) templateSpan(r, event);
    else if (exercised && tag === 0x48) consuming = r.bool();
    else if (exercised && tag === 0x78) delta = r.bool();
    else r.skip(tag & 7);
  }
  r.end = outerEnd;
  if (event.idEnd === 0) throw noId(start);
  return consuming && delta ? event : undefined;
}

/** An `UnassignedEvent` at `[r.pos, r.end)`. */
export function parseUnassigned(r: WireReader): UpdateEvent & { offset: bigint } {
  const start = r.pos;
  const part = newPart();
  const event = { ...emptyEvent('unassign'), reassignment: part, offset: 0n };
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 0x0a:
        part.reassignmentId = r.string();
        break;
      case 0x12:
        idSpan(r, event);
        break;
      case 0x1a:
        templateSpan(r, event);
        break;
      case 0x22:
        part.source = r.string();
        break;
      case 0x2a:
        part.target = r.string();
        break;
      case 0x32:
        part.submitter = r.string();
        break;
      case 0x38:
        part.counter = r.int64();
        break;
      case 0x42:
        part.exclusivity = timestamp(r);
        break;
      case 0x52:
        event.packageName = r.string();
        break;
      case 0x58:
        event.offset = r.int64();
        break;
      case 0x60:
        event.nodeId = r.int32();
        break;
      default:
        r.skip(tag & 7);
    }
  }
  if (event.idEnd === 0) throw noId(start);
  checkPart(part, start);
  return event;
}

/** An `AssignedEvent` at `[r.pos, r.end)`. */
export function parseAssigned(r: WireReader): UpdateEvent {
  const start = r.pos;
  const part = newPart();
  let event: UpdateEvent | undefined;
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 0x0a:
        part.source = r.string();
        break;
      case 0x12:
        part.target = r.string();
        break;
      case 0x1a:
        part.reassignmentId = r.string();
        break;
      case 0x22:
        part.submitter = r.string();
        break;
      case 0x28:
        part.counter = r.int64();
        break;
      case 0x32: {
        const n = r.length();
        const end = r.pos + n;
        // An assignment activates whatever the flag of the event inside says.
        event = readCreated(r, r.pos, end);
        r.pos = end;
        break;
      }
      default:
        r.skip(tag & 7);
    }
  }
  if (event === undefined)
    throw new AcsError('UPDATE_NO_EVENT', 'an assignment has no created event', { byteOffset: start });
  event.kind = 'assign';
  event.reassignment = part;
  checkPart(part, start);
  return event;
}

function newPart(): ReassignmentPart {
  return {
    reassignmentId: '',
    source: '',
    target: '',
    submitter: '',
    counter: 0n,
    exclusivity: undefined,
  };
}

function checkPart(part: ReassignmentPart, byteOffset: number): void {
  if (part.reassignmentId !== '' && part.source !== '' && part.target !== '') return;
  throw new AcsError('UPDATE_BAD_REASSIGNMENT', 'a reassignment lacks its id, source or target', {
    byteOffset,
  });
}

function noId(byteOffset: number): AcsError {
  return new AcsError('UPDATE_NO_CONTRACT_ID', 'an event names no contract', { byteOffset });
}

function idSpan(r: WireReader, event: UpdateEvent): void {
  const n = r.length();
  event.idStart = r.pos;
  event.idEnd = r.pos += n;
}

function templateSpan(r: WireReader, event: UpdateEvent): void {
  const n = r.length();
  event.templateStart = r.pos;
  event.templateEnd = r.pos += n;
}

/** A `Timestamp` field, in microseconds since the epoch. */
export function timestamp(r: WireReader): bigint {
  let micros = 0n;
  inside(r, () => {
    micros = readTimestampMicros(r);
  });
  return micros;
}

/** Reads the message that follows within its own borders. */
export function inside(r: WireReader, body: () => void): void {
  const n = r.length();
  const outerEnd = r.end;
  r.end = r.pos + n;
  body();
  r.pos = r.end;
  r.end = outerEnd;
}
