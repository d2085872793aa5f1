/** The in-flight entries of a recorded `GetActiveContracts` answer. */
import { parseAssigned, parseUnassigned, type ReassignmentPart } from '../contract/updateEvents.js';
import { AcsError } from '../io/error.js';
import { RecordView } from '../snapshot/record.js';
import { WireReader } from '../wire/reader.js';

/** One in-flight entry, paired. */
export interface Pending {
  created: Buffer;
  part: ReassignmentPart;
  offset: bigint;
  assigned: boolean;
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
  const created = new Map<string, Buffer>();
  const unassigned = new Map<string, { part: ReassignmentPart; offset: bigint }>();
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
        created.set(view.contractId, Buffer.from(buf.subarray(from, to)));
      } else {
        const event = parseUnassigned(new WireReader(buf, from, to));
        if (event.reassignment !== undefined)
          unassigned.set(buf.toString('latin1', event.idStart, event.idEnd), {
            part: event.reassignment,
            offset: event.offset,
          });
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
      for (const [id, event] of created) {
        const half = unassigned.get(id);
        if (half === undefined) {
          throw new AcsError(
            'BASE_UNPAIRED',
            'an in-flight entry has a contract but no unassignment for it',
            {
              contractId: id,
              hint: 'the file holds only a part of the answer; record GetActiveContracts again',
            },
          );
        }
        found.push({ created: event, part: half.part, offset: half.offset, assigned: false });
      }
      return [...found, ...assigned];
    },
  };
}
