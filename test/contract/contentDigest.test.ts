import { describe, expect, it } from 'vitest';
import { contentDigest } from '../../src/contract/contentDigest.js';
import { RecordView } from '../../src/snapshot/record.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { frameSplitter } from '../../src/wire/frames.js';
import { fixture } from '../fixtures.js';

const frames: Buffer[] = [];
await scanSnapshot(fixture('snapshots/two-synchronizers.acs.gz'), (record) => {
  if (!record.inFlight) frames.push(Buffer.from(record.buf.subarray(record.start, record.end)));
});

function oneByOne(records: readonly Buffer[]): string {
  const digest = contentDigest();
  const view = new RecordView();
  for (const bytes of records) {
    const bodyStart = bytes.findIndex((b) => b < 0x80) + 1;
    digest.add(view.parse(bytes, 0, bodyStart, bytes.length, 0, 0));
  }
  return digest.hex();
}

/** Chunks of one size, each held before the records that begin in it are added. */
function inChunks(bytes: Buffer, size: number): string {
  const digest = contentDigest();
  const view = new RecordView();
  const splitter = frameSplitter();
  // A buffer used again and again, as a reader may do.
  const buffer = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) {
    const length = bytes.copy(buffer, 0, at, at + size);
    const chunk = length === size ? buffer : buffer.subarray(0, length);
    digest.hold(chunk);
    splitter.push(chunk, (buf, start, bodyStart, end, offset) =>
      digest.add(view.parse(buf, start, bodyStart, end, offset, 0)),
    );
  }
  splitter.finish();
  return digest.hex();
}

describe('the content digest', () => {
  it('does not depend on how the file comes in pieces', () => {
    expect(frames.length).toBeGreaterThan(10);
    const whole = oneByOne(frames);
    const bytes = Buffer.concat(frames);
    for (const size of [1, 7, 100, 1000, 1543, 4096, 70_000, 1 << 20])
      expect(inChunks(bytes, size)).toBe(whole);
  });

  it('takes a record longer than its memory', () => {
    const frame = frames[0] as Buffer;
    const bodyStart = frame.findIndex((b) => b < 0x80) + 1;
    const view = new RecordView().parse(frame, 0, bodyStart, frame.length, 0, 0);
    // The same record far behind in a large buffer, and with a large run of witnesses before the synchronizer.
    const event = Buffer.concat([
      frame.subarray(view.eventStart, view.eventEnd),
      varintField(0x4a, Buffer.alloc(300_000, 0x61)),
    ]);
    const lapi = Buffer.concat([
      varintField(0x0a, event),
      varintField(0x12, frame.subarray(view.synchronizerStart, view.synchronizerEnd)),
      frame.subarray(view.synchronizerEnd, view.lapiEnd),
    ]);
    const long = Buffer.concat([varintField(0x0a, varintField(0x0a, lapi)), Buffer.from([0x10, 0x1e])]);
    const digest = contentDigest();
    digest.add(new RecordView().parse(long, 0, 0, long.length, 0, 0));
    expect(digest.hex()).toBe(oneByOne([frame]));
    expect(digest.count).toBe(1);
  });
});

function varintField(tag: number, content: Buffer): Buffer {
  const head = [tag];
  let rest = content.length;
  for (; rest >= 0x80; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  return Buffer.concat([Buffer.from(head), content]);
}
