/** What is counted in WebAssembly is what is counted record by record; here both count the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type InfoTally, infoTally, type SnapshotCounts } from '../../src/inspect/infoTally.js';
import { AcsError } from '../../src/io/error.js';
import { RecordView } from '../../src/snapshot/record.js';
import { frameSplitter } from '../../src/wire/frames.js';
import { fixture } from '../fixtures.js';
import { anyParts, framed, framesOf, type Parts, record, usual } from './madeRecords.js';

/** Counts chunks of a stream; gives the counts, how many records passed, and the code of the fault that ended it. */
function counted(chunks: readonly Buffer[], passing: boolean, largest = 3) {
  const tally: InfoTally = infoTally(largest);
  const splitter = frameSplitter();
  const view = new RecordView();
  let index = 0;
  let passed = 0;
  let fault: string | undefined;
  const passer = {
    pass(chunk: Buffer, from: number, longest: number): number {
      const to = tally.pass(chunk, from, longest);
      passed += tally.passed;
      index += tally.passed;
      return to;
    },
    get passed() {
      return tally.passed;
    },
  };
  try {
    for (const chunk of chunks) {
      tally.hold(chunk);
      splitter.push(
        chunk,
        (buf, start, bodyStart, end, offset) => {
          view.parse(buf, start, bodyStart, end, offset, index++);
          if (!view.inFlight) tally.add(view);
        },
        passing ? passer : undefined,
      );
    }
    splitter.finish();
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
    fault = `${error.code} ${error.place.byteOffset} ${error.place.record}`;
  }
  let counts: SnapshotCounts | undefined;
  try {
    counts = tally.finish();
  } catch (error) {
    // A text that is no UTF-8.
    if (!(error instanceof AcsError)) throw error;
    fault ??= error.code;
  }
  return { passed, seen: { counts, fault, index, splitter: [splitter.count, splitter.offset] } };
}

/** Counts in both ways and wants the same; gives how many records passed. */
function both(chunks: readonly Buffer[], largest?: number): number {
  const fast = counted(chunks, true, largest);
  expect(fast.seen).toEqual(counted(chunks, false, largest).seen);
  return fast.passed;
}

/** The stream in pieces of these sizes, over and over. */
function cut(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < stream.length; i++) {
    const size = sizes[i % sizes.length] as number;
    chunks.push(Buffer.from(stream.subarray(at, at + size)));
    at += size;
  }
  return chunks;
}

const MULTI = 'snapshots/multi/participant1.acs.gz';

describe('counting in WebAssembly', () => {
  it.each([MULTI, 'snapshots/two-synchronizers.acs.gz', 'live2/stream/p1.export-5.acs.gz'])(
    '%s, in chunks of any size: the same as record by record',
    async (name) => {
      const frames = await framesOf(fixture(name));
      const stream = Buffer.concat([...frames, ...frames]);
      expect(both([stream])).toBeGreaterThan(frames.length / 2);
      expect(both([stream], 0)).toBeGreaterThan(frames.length / 2);
      for (const sizes of [[5000], [1, 3000], [65_536, 100], [200_000]]) both(cut(stream, sizes));
    },
  );

  it('records with any byte changed', async () => {
    const frames = await framesOf(fixture(MULTI));
    const known = frames.slice(0, 120);
    const readable: Buffer[] = [];
    const unreadable: Buffer[] = [];
    const view = new RecordView();
    const probe = infoTally(1);
    for (const frame of [frames[7], frames[100]] as Buffer[]) {
      const bodyStart = frame.findIndex((b) => b < 0x80) + 1;
      for (let i = bodyStart; i < frame.length; i++) {
        const changed = Buffer.from(frame);
        (changed[i] as number) ^= i % 3 === 0 ? 0x80 : 1 << (i % 7);
        try {
          probe.add(view.parse(changed, 0, bodyStart, changed.length, 0, 0));
          readable.push(changed);
        } catch (error) {
          if (!(error instanceof AcsError)) throw error;
          unreadable.push(changed);
        }
      }
    }
    expect(readable.length).toBeGreaterThan(1000);
    expect(both([Buffer.concat([...known, ...readable])])).toBeGreaterThan(500);
    // The first that cannot be read ends the counting.
    for (const frame of unreadable.filter((_, i) => i % 5 === 0))
      both([Buffer.concat([...known, frame, ...known.slice(0, 3)])]);
  });

  it('records with odd parts', () => {
    const parts = fc.tuple(anyParts, fc.subarray(Object.keys(usual) as (keyof Parts)[], { minLength: 1 }));
    fc.assert(
      fc.property(fc.array(parts, { minLength: 1, maxLength: 60 }), (list) => {
        const frames = list.flatMap(([odd, which]) => {
          const made: Parts = { ...usual };
          for (const part of which) Object.assign(made, { [part]: odd[part] });
          const frame = record(made, Buffer.alloc(0));
          return [frame, record(usual), frame];
        });
        both([Buffer.concat(frames)]);
      }),
      { numRuns: 60 },
    );
  });

  it('times: seconds and nanoseconds of every length, absent or beyond what is exact', () => {
    const varint = (n: bigint): number[] => {
      const bytes: number[] = [];
      let rest = n;
      for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
      return [...bytes, Number(rest)];
    };
    const whole = record(usual);
    // Field 12, its length, then seconds and nanoseconds.
    const at = whole.indexOf(Buffer.from([0x62, 0x0b, 0x08]));
    expect(at).toBeGreaterThan(0);
    const length = 13;
    const seconds = [
      0n,
      1n,
      127n,
      2n ** 31n,
      9_007_199_253n,
      9_007_199_254n,
      9_007_199_255n,
      2n ** 48n,
      2n ** 63n,
    ];
    const nanos = [
      undefined,
      0n,
      999n,
      1000n,
      999_999_999n,
      1_000_000_000n,
      2n ** 31n - 1n,
      2n ** 31n,
      2n ** 50n,
    ];
    const alone = [127n, 9_007_199_253n, 9_007_199_254n, 2n ** 48n];
    const frames = [record(usual)];
    for (const s of [undefined, ...seconds]) {
      for (const n of nanos) {
        const time = [
          ...(s === undefined ? [] : [0x08, ...varint(s)]),
          ...(n === undefined ? [] : [0x10, ...varint(n)]),
        ];
        const bytes = replaced(whole, at, length, Buffer.from([0x62, time.length, ...time]));
        frames.push(bytes);
        if (s !== undefined && alone.includes(s)) both([Buffer.concat([record(usual), bytes])]);
      }
    }
    expect(both([Buffer.concat(frames)])).toBeGreaterThan(20);
  });

  it('more parties than can be known, each counted', () => {
    const frames: Buffer[] = [];
    for (let i = 0; i < 24_000; i++) {
      const observers = [0, 1, 2].map((k) => `party-${String(i * 3 + k).padStart(6, '0')}::1220`);
      frames.push(record({ ...usual, observers }, Buffer.alloc(0)));
    }
    const other = { ...usual, templateId: { ...usual.templateId, entityName: 'Other' } };
    frames.push(record(other), record(other));
    const passed = both(cut(Buffer.concat([...frames, ...frames]), [262_144]));
    expect(passed).toBeGreaterThan(20_000);
    expect(passed).toBeLessThan(21_000);
  }, 60_000);
});

/** A frame in whose event some bytes are replaced, every length around them made right. */
function replaced(frame: Buffer, at: number, length: number, by: Buffer): Buffer {
  const event = (buf: Buffer): [from: number, to: number][] => {
    // Envelope data, format A's contract, the active contract's event: each field 1 of the one before.
    const spans: [number, number][] = [];
    let pos = buf.findIndex((b) => b < 0x80) + 1;
    for (let level = 0; level < 3; level++) {
      let size = 0;
      let shift = 0;
      pos++;
      for (;;) {
        const b = buf[pos++] as number;
        size |= (b & 0x7f) << shift;
        shift += 7;
        if (b < 0x80) break;
      }
      spans.push([pos, pos + size]);
    }
    return spans;
  };
  const [data, contract, created] = event(frame) as [[number, number], [number, number], [number, number]];
  const around = (tag: number, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from([tag]), framed(content)]);
  const newEvent = Buffer.concat([
    frame.subarray(created[0], at),
    by,
    frame.subarray(at + length, created[1]),
  ]);
  const newContract = Buffer.concat([around(0x0a, newEvent), frame.subarray(created[1], contract[1])]);
  const newData = Buffer.concat([around(0x0a, newContract), frame.subarray(contract[1], data[1])]);
  return framed(Buffer.concat([around(0x0a, newData), frame.subarray(data[1])]));
}
