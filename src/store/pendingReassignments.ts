/** The in-flight entries of a recorded `GetActiveContracts` answer. */

import { AcsError } from '../io/error.js';
import { parseAssigned, parseUnassigned, type ReassignmentPart } from '../ledger/updateEvents.js';
import { RecordView } from '../snapshot/record.js';
import { WireReader } from '../wire/reader.js';

/** One in-flight entry, paired. */
export interface Pending {
  created: Buffer;
  part: ReassignmentPart;
  offset: bigint;
  assigned: boolean;
}

interface Created {
  bytes: Buffer;
  offset: bigint;
}

interface Unassigned {
  part: ReassignmentPart;
  offset: bigint;
}

function put<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function inOrder<T extends { offset: bigint }>(list: readonly T[] = []): T[] {
  return [...list].sort((a, b) => (a.offset < b.offset ? -1 : 1));
}

/**
 * Collects the in-flight entries of one `GetActiveContracts` answer. With two or more in flight a participant may put
 * the created event of one contract beside the unassigned event of another (running-nodes spec): both are kept apart and
 * paired by contract id when all have been read.
 */
export function pendingReassignments(): {
  /** Borders of the ActiveContract in a response, or undefined when it holds another entry (which is then kept). */
  take(buf: Buffer, start: number, end: number): { start: number; end: number } | undefined;
  finish(): Pending[];
} {
  // By contract id. One contract may be in flight twice: where one synchronizer lags behind, it left another and came back
  // to it before its first arrival is seen.
  const created = new Map<string, Created[]>();
  const unassigned = new Map<string, Unassigned[]>();
  const assigned: Pending[] = [];
  const view = new RecordView();

  function incompleteUnassigned(buf: Buffer, start: number, end: number): void {
    const r = new WireReader(buf, start, end);
    while (r.pos < r.end) {
      const tag = r.tag();
      if (tag !== 0x0a && tag !== 0x12) {
        r.skip(tag & 7);
        continue;
      }
      const n = r.length();
      const [from, to] = [r.pos, r.pos + n];
      if (tag === 0x0a) {
        view.parseEvent(buf, from, to);
        const bytes = Buffer.from(buf.subarray(from, to));
        put(created, view.contractId, { bytes, offset: view.ledgerOffset });
      } else {
        const { reassignment: part, offset, idStart, idEnd } = parseUnassigned(new WireReader(buf, from, to));
        if (part !== undefined) put(unassigned, buf.toString('latin1', idStart, idEnd), { part, offset });
      }
      r.pos = to;
    }
  }

  return {
    take(buf, start, end) {
      const r = new WireReader(buf, start, end);
      let active: { start: number; end: number } | undefined;
      while (r.pos < r.end) {
        const tag = r.tag();
        if (tag !== 0x12 && tag !== 0x1a && tag !== 0x22) {
          r.skip(tag & 7);
          continue;
        }
        const n = r.length();
        const [from, to] = [r.pos, r.pos + n];
        r.pos = to;
        if (tag === 0x12) active = { start: from, end: to };
        else if (tag === 0x1a) incompleteUnassigned(buf, from, to);
        else {
          const inner = new WireReader(buf, from, to);
          while (inner.pos < inner.end) {
            const innerTag = inner.tag();
            if (innerTag !== 0x0a) {
              inner.skip(innerTag & 7);
              continue;
            }
            const size = inner.length();
            const event = parseAssigned(new WireReader(buf, inner.pos, inner.pos + size));
            inner.pos += size;
            view.parseEvent(buf, event.createdStart, event.createdEnd);
            if (event.reassignment !== undefined)
              assigned.push({
                created: Buffer.from(buf.subarray(event.createdStart, event.createdEnd)),
                part: event.reassignment,
                offset: view.ledgerOffset,
                assigned: true,
              });
          }
        }
      }
      return active;
    },
    finish() {
      const found: Pending[] = [];
      for (const id of new Set([...created.keys(), ...unassigned.keys()])) {
        const events = inOrder(created.get(id));
        const halves = inOrder(unassigned.get(id));
        if (events.length !== halves.length) {
          throw new AcsError('BASE_UNPAIRED', 'an in-flight entry lacks its contract or its unassignment', {
            contractId: id,
            found: `${events.length} created events and ${halves.length} unassignments`,
            hint: 'the file holds only a part of the answer; record GetActiveContracts again',
          });
        }
        halves.forEach(({ part, offset }, i) => {
          found.push({ created: events[i].bytes, part, offset, assigned: false });
        });
      }
      return [...found, ...assigned];
    },
  };
}
