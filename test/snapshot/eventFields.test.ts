import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AcsError } from '../../src/io/error.js';
import { RecordView } from '../../src/snapshot/record.js';
import { EVENT } from '../../src/snapshot/recordBorders.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { WireReader } from '../../src/wire/reader.js';
import { fixture } from '../fixtures.js';

const TYPES = [-1, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2];
const ONCE: readonly number[] = [EVENT.templateId, EVENT.contractKey, EVENT.createArguments, EVENT.createdAt];
const PARTIES: readonly number[] = [EVENT.witnessParties, EVENT.signatories, EVENT.observers];

interface Found {
  fields: Record<number, [number, number]>;
  parties: Record<number, [number, number][]>;
  unknown: number;
}

/** The fields of an event read one by one, as the schema has them; the code of the error when there is one. */
function readFields(event: Buffer): Found | string {
  const found: Found = { fields: {}, parties: {}, unknown: 0 };
  const r = new WireReader(event);
  try {
    while (r.pos < r.end) {
      const tag = r.tag();
      const field = tag >>> 3;
      if (TYPES[field] !== (tag & 7)) {
        found.unknown++;
        r.skip(tag & 7);
        continue;
      }
      const length = TYPES[field] === 2 ? r.length() : 0;
      let start = r.pos;
      if (TYPES[field] === 2) r.pos += length;
      else r.skip(0);
      const before = found.fields[field];
      if (before !== undefined && ONCE.includes(field)) return 'EVENT_FIELD_TWICE';
      if (PARTIES.includes(field)) {
        const list = found.parties[field] ?? [];
        list.push([start, r.pos]);
        found.parties[field] = list;
      }
      if (before !== undefined && (PARTIES.includes(field) || field === EVENT.interfaceViews))
        start = before[0];
      found.fields[field] = [start, r.pos];
    }
    return found;
  } catch (error) {
    if (error instanceof AcsError) return error.code;
    throw error;
  }
}

const view = new RecordView();

/** The same through the view. */
function viewFields(event: Buffer): Found | string {
  try {
    view.parseEvent(event, 0, event.length);
  } catch (error) {
    if (error instanceof AcsError) return error.code;
    throw error;
  }
  const found: Found = { fields: {}, parties: {}, unknown: view.unknownFields };
  for (let field = 1; field < TYPES.length; field++) {
    const start = view.eventFields[2 * field] as number;
    if (start >= 0) found.fields[field] = [start, view.eventFields[2 * field + 1] as number];
    const list: [number, number][] = [];
    view.eachString(field, (_buf, from, to) => list.push([from, to]));
    if (list.length > 0) found.parties[field] = list;
  }
  return found;
}

const events: Buffer[] = [];
for (const file of ['snapshots/tiny.acs.gz', 'snapshots/two-synchronizers.acs.gz'])
  await scanSnapshot(fixture(file), (record) => {
    if (!record.inFlight) events.push(Buffer.from(record.buf.subarray(record.eventStart, record.eventEnd)));
  });

/** A varint with up to `extra` bytes more than it needs. */
function varint(value: number, extra: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  for (let i = 0; i < extra; i++) bytes.push(0x80);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) & 0x7f;
  return bytes;
}

const extra = fc.constantFrom(0, 0, 0, 0, 1, 2, 8, 10);
const anyField = fc
  .record({
    field: fc.integer({ min: 0, max: 20 }),
    type: fc.constantFrom(-1, -1, -1, -1, 0, 1, 2, 5, 3),
    tagExtra: extra,
    lengthExtra: extra,
    length: fc.constantFrom(0, 1, 5, 127, 128, 300, 16_383, 16_384),
    number: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(2 ** 31, 2 ** 52)),
  })
  .map(({ field, type, tagExtra, lengthExtra, length, number }) => {
    const wire = type < 0 ? Math.max(0, TYPES[field] ?? 0) : type;
    const tag = varint(field * 8 + wire, tagExtra);
    if (wire === 0) return Buffer.from([...tag, ...varint(number, lengthExtra)]);
    if (wire === 2)
      return Buffer.concat([
        Buffer.from([...tag, ...varint(length, lengthExtra)]),
        Buffer.alloc(length, 0x0a),
      ]);
    return Buffer.concat([Buffer.from(tag), Buffer.alloc(wire === 1 ? 8 : 4)]);
  });

describe('the fields of an event', () => {
  it('are those that a reader of single fields finds, in genuine events', () => {
    expect(events.length).toBeGreaterThan(20);
    for (const event of events) expect(viewFields(event)).toEqual(readFields(event));
  });

  it('wherever the event is cut', () => {
    const event = events[0] as Buffer;
    for (let end = 0; end < event.length; end++) {
      const cut = Buffer.from(event.subarray(0, end));
      expect(viewFields(cut)).toEqual(readFields(cut));
    }
  });

  it('whatever byte is changed', () => {
    fc.assert(
      fc.property(fc.nat(events.length - 1), fc.nat(), fc.nat(255), fc.nat(), (which, at, byte, second) => {
        const event = Buffer.from(events[which] as Buffer);
        event[at % event.length] = byte;
        if (second % 3 === 0) event[second % event.length] = byte;
        expect(viewFields(event)).toEqual(readFields(event));
      }),
      { numRuns: 3000 },
    );
  });

  it('however fields are written and ordered', () => {
    fc.assert(
      fc.property(fc.array(anyField, { maxLength: 12 }), fc.nat(12), (fields, cut) => {
        const event = Buffer.concat(fields);
        expect(viewFields(event)).toEqual(readFields(event));
        const short = Buffer.from(event.subarray(0, Math.max(0, event.length - cut)));
        expect(viewFields(short)).toEqual(readFields(short));
      }),
      { numRuns: 2000 },
    );
  });
});
