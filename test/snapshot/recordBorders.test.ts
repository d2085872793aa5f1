import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AcsError } from '../../src/io/error.js';
import { RecordView } from '../../src/snapshot/record.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { WireReader } from '../../src/wire/reader.js';
import { fixture } from '../fixtures.js';

type Parts = Record<string, unknown> | string;

/** Calls `meet` with the tag of every field, then `take` with its number, its wire type and where its content lies. */
function eachField(
  buf: Buffer,
  from: number,
  to: number,
  take: (field: number, type: number, start: number, end: number) => void,
  meet?: (tag: number) => void,
): void {
  const r = new WireReader(buf, from, to);
  while (r.pos < r.end) {
    const tag = r.tag();
    const type = tag & 7;
    meet?.(tag);
    const length = type === 2 ? r.length() : 0;
    const start = r.pos;
    if (type === 2) r.pos += length;
    else r.skip(type);
    take(tag >>> 3, type, start, r.pos);
  }
}

/** The parts of a record as its schema has them, read field by field; of an error the code. */
function readParts(frame: Buffer): Parts {
  try {
    let [data, dataEnd, version, unknown] = [-1, -1, 0, 0];
    eachField(frame, 0, frame.length, (field, type, start, end) => {
      if (field === 1 && type === 2) [data, dataEnd] = [start, end];
      else if (field === 2 && type === 0) version = new WireReader(frame, start, end).int32();
      else unknown++;
    });
    if (data < 0) return 'ENVELOPE_NO_DATA';
    if (data === dataEnd) return { inFlight: true, version, unknown };
    let [lapi, lapiEnd] = [-1, -1];
    eachField(
      frame,
      data,
      dataEnd,
      (field, type, start, end) => {
        if (field === 1 && type === 2) [lapi, lapiEnd] = [start, end];
        else unknown++;
      },
      (tag) => {
        if (tag === 0x0a && lapi >= 0) throw new AcsError('CONTRACT_TWICE', '');
        if (tag === 0x12 && lapi >= 0) throw new AcsError('FORMAT_MIXED', '');
      },
    );
    if (lapi < 0) return 'RECORD_NO_CONTRACT';
    let [event, eventEnd, synchronizer, synchronizerEnd, counter] = [-1, -1, 0, 0, 0n];
    eachField(
      frame,
      lapi,
      lapiEnd,
      (field, type, start, end) => {
        if (field === 1 && type === 2) [event, eventEnd] = [start, end];
        else if (field === 2 && type === 2) [synchronizer, synchronizerEnd] = [start, end];
        else if (field === 3 && type === 0) counter = new WireReader(frame, start, end).uint64();
        else unknown++;
      },
      (tag) => {
        if (tag === 0x0a && event >= 0) throw new AcsError('EVENT_TWICE', '');
      },
    );
    if (event < 0) return 'EVENT_MISSING';
    const inner = new RecordView().parseEvent(frame, event, eventEnd);
    return {
      version,
      unknown: unknown + inner.unknownFields,
      lapi: [lapi, lapiEnd],
      event: [event, eventEnd],
      synchronizer: [synchronizer, synchronizerEnd],
      counter,
      isZero: counter === 0n,
      fields: [...inner.eventFields],
    };
  } catch (error) {
    if (error instanceof AcsError) return error.code;
    throw error;
  }
}

const view = new RecordView();

/** The same through the view. */
function viewParts(frame: Buffer): Parts {
  try {
    view.parse(frame, 0, 0, frame.length, 0, 0);
  } catch (error) {
    if (error instanceof AcsError) return error.code;
    throw error;
  }
  const { version, unknownFields: unknown } = view;
  if (view.inFlight) return { inFlight: true, version, unknown };
  return {
    version,
    unknown,
    lapi: [view.lapiStart, view.lapiEnd],
    event: [view.eventStart, view.eventEnd],
    synchronizer: [view.synchronizerStart, view.synchronizerEnd],
    counter: view.reassignmentCounter,
    isZero: view.counterIsZero,
    fields: [...view.eventFields],
  };
}

const frames: Buffer[] = [];
for (const file of ['snapshots/tiny.acs.gz', 'snapshots/two-synchronizers.acs.gz'])
  await scanSnapshot(fixture(file), (record) => {
    frames.push(Buffer.from(record.buf.subarray(record.bodyStart, record.end)));
  });

/** `varint(length) content` under a tag, the length written with so many bytes more than it needs. */
function field(tag: number, content: Buffer, extra = 0): Buffer {
  const head = [tag];
  let rest = content.length;
  for (; rest >= 0x80; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(extra > 0 ? rest | 0x80 : rest);
  for (let i = 1; i <= extra; i++) head.push(i < extra ? 0x80 : 0);
  return Buffer.concat([Buffer.from(head), content]);
}

describe('the parts of a record', () => {
  it('are those that a reader of single fields finds, in genuine records', () => {
    expect(frames.length).toBeGreaterThan(20);
    for (const frame of frames) expect(viewParts(frame)).toEqual(readParts(frame));
  });

  it('wherever the record is cut', () => {
    const frame = frames[0] as Buffer;
    for (let end = 1; end < frame.length; end++) {
      const cut = Buffer.from(frame.subarray(0, end));
      expect(viewParts(cut)).toEqual(readParts(cut));
    }
  });

  it('whatever bytes of its frame are changed', () => {
    // Lengths and tags of the envelope stand within the first bytes, the synchronizer and the counter behind the event.
    fc.assert(
      fc.property(
        fc.nat(frames.length - 1),
        fc.array(
          fc.tuple(
            fc.oneof(fc.nat(14), fc.constantFrom(-1, -2, -3, -4, -5), fc.nat()),
            fc.oneof(fc.nat(255), fc.constantFrom(0x0a, 0x10, 0x12, 0x18, 0x7f, 0x80)),
          ),
          { minLength: 1, maxLength: 3 },
        ),
        (which, changes) => {
          const frame = Buffer.from(frames[which] as Buffer);
          for (const [at, byte] of changes) frame[(at + frame.length) % frame.length] = byte;
          expect(viewParts(frame)).toEqual(readParts(frame));
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('however they are put together', () => {
    const part = fc.constantFrom('event', 'synchronizer', 'counter', 'unknown', 'large counter', 'long zero');
    const extra = fc.constantFrom(0, 0, 0, 1, 2, 3);
    const layout = fc.record({
      which: fc.nat(frames.length - 1),
      parts: fc.array(fc.tuple(part, extra), { maxLength: 5 }),
      order: fc.shuffledSubarray(['data', 'version', 'unknown', 'data again'], { minLength: 1 }),
      extra,
      outer: fc.constantFrom('', 'unknown', 'twice'),
      filling: fc.constantFrom(0, 0, 0, 20_000, 2_200_000),
    });
    fc.assert(
      fc.property(layout, ({ which, parts, order, extra: outerExtra, outer, filling }) => {
        const frame = frames[which] as Buffer;
        view.parse(frame, 0, 0, frame.length, 0, 0);
        if (view.inFlight) return;
        const bytes: Record<string, (extra: number) => Buffer> = {
          event: (n) =>
            field(
              0x0a,
              // Witnesses may stand anywhere and as often as one likes.
              Buffer.concat([
                frame.subarray(view.eventStart, view.eventEnd),
                filling > 0 ? field(0x4a, Buffer.alloc(filling, 0x61)) : Buffer.alloc(0),
              ]),
              n,
            ),
          synchronizer: (n) => field(0x12, frame.subarray(view.synchronizerStart, view.synchronizerEnd), n),
          counter: () => Buffer.from([0x18, 0x05]),
          'long zero': () => Buffer.from([0x18, 0x80, 0x80, 0x00]),
          'large counter': () => Buffer.from([0x18, 0x85, 0x01]),
          unknown: () => Buffer.from([0x2a, 0x01, 0x00]),
        };
        const lapi = Buffer.concat(parts.map(([name, n]) => bytes[name]!(n)));
        const inner = field(0x0a, lapi, outerExtra);
        const data = Buffer.concat(
          outer === '' ? [inner] : [inner, outer === 'twice' ? inner : Buffer.from([0x50, 0x01])],
        );
        const envelope: Record<string, Buffer> = {
          data: field(0x0a, data, outerExtra),
          'data again': field(0x0a, data),
          version: Buffer.from([0x10, 0x1e]),
          unknown: Buffer.from([0x22, 0x00]),
        };
        const made = Buffer.concat(order.map((name) => envelope[name]!));
        expect(viewParts(made)).toEqual(readParts(made));
      }),
      { numRuns: 1000 },
    );
  });

  it('are not looked for behind the end of the record', () => {
    const frame = frames[0] as Buffer;
    const two = Buffer.concat([frame, frame]);
    for (let end = 1; end < frame.length; end++) {
      let found: unknown = 'parsed';
      try {
        view.parse(two, 0, 0, end, 0, 0);
      } catch (error) {
        found = (error as AcsError).code;
      }
      const cut = readParts(Buffer.from(frame.subarray(0, end)));
      expect(found).toBe(typeof cut === 'string' ? cut : 'parsed');
    }
  });
});
