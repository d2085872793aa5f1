import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STRETCH_BYTES, type Stretch, stretchCollector } from '../../src/inspect/stretch.js';
import { frameSplitter } from '../../src/wire/frames.js';

/** A frame with a body of `length` bytes, all of them `fill`. */
function frame(length: number, fill: number): Buffer {
  const prefix: number[] = [];
  let rest = length;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) prefix.push((rest & 0x7f) | 0x80);
  prefix.push(rest);
  return Buffer.concat([Buffer.from(prefix), Buffer.alloc(length, fill)]);
}

/** Cuts the stream into chunks of the given sizes, over and over, and collects what is sent. */
function collect(stream: Buffer, sizes: readonly number[]): (Stretch & { content: Buffer })[] {
  const sent: (Stretch & { content: Buffer })[] = [];
  const used: ArrayBuffer[] = [];
  const collector = stretchCollector(
    (stretch) => {
      sent.push({ ...stretch, content: Buffer.from(new Uint8Array(stretch.bytes, 0, stretch.end)) });
      // What was sent belongs to somebody else.
      new Uint8Array(stretch.bytes).fill(0xee);
      if (stretch.bytes.byteLength === STRETCH_BYTES) used.push(stretch.bytes);
    },
    () => used.pop() ?? new ArrayBuffer(STRETCH_BYTES),
  );
  const splitter = frameSplitter();
  let index = 0;
  let at = 0;
  for (let i = 0; at < stream.length; i++) {
    const chunk = Buffer.from(stream.subarray(at, at + (sizes[i % sizes.length] as number)));
    at += chunk.length;
    splitter.push(chunk, (buf, start, bodyStart, end, offset) => {
      collector.take(buf, start, bodyStart, end, offset, index++);
    });
    collector.endChunk();
    chunk.fill(0xdd);
  }
  splitter.finish();
  collector.finish();
  return sent;
}

describe('stretches', () => {
  it('hold every byte of the stream once, in whole records, whatever the chunks', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.constantFrom(1, 127, 128, 100_000, 300_000)),
          {
            minLength: 1,
            maxLength: 40,
          },
        ),
        fc.array(fc.constantFrom(1, 7, 4096, 65_536, 262_144), { minLength: 1, maxLength: 4 }),
        (lengths, sizes) => {
          // Single bytes take too long for long streams.
          fc.pre(sizes.some((size) => size > 4096) || lengths.every((length) => length < 3000));
          const frames = lengths.map((length, i) => frame(length, i));
          const stream = Buffer.concat(frames);
          const sent = collect(stream, sizes);
          expect(Buffer.concat(sent.map((s) => s.content)).equals(stream)).toBe(true);
          let at = 0;
          let first = 0;
          for (const { content, offset, first: index, end } of sent) {
            expect({ offset, index }).toEqual({ offset: at, index: first });
            let within = 0;
            while (within < end) within += (frames[first++] as Buffer).length;
            expect(within).toBe(end);
            expect(end).toBe(content.length);
            at += end;
          }
          for (const { end, first: index } of sent)
            expect(end <= STRETCH_BYTES || end === frames[index]?.length).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are as long as they may be', () => {
    const stream = Buffer.concat(Array.from({ length: 1000 }, (_, i) => frame(1000, i & 0xff)));
    const ends = collect(stream, [65_536]).map((s) => s.end);
    const whole = Math.floor(STRETCH_BYTES / 1002) * 1002;
    expect(ends.slice(0, -1)).toEqual(ends.slice(0, -1).map(() => whole));
  });

  it('carry a record that was put together from two chunks, when another one is put together right behind it', () => {
    // The second chunk ends the first record and begins the next: both lie in the splitter's own buffer, one after another.
    const stream = Buffer.concat([frame(1000, 1), frame(1000, 2), frame(1000, 3)]);
    expect(Buffer.concat(collect(stream, [700]).map((s) => s.content)).equals(stream)).toBe(true);
  });

  it('there are none of an empty stream', () => {
    expect(collect(Buffer.alloc(0), [1])).toEqual([]);
  });
});
