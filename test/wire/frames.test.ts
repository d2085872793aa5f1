import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameSplitter } from '../../src/wire/frames.js';

function frame(body: Uint8Array): Buffer {
  const prefix: number[] = [];
  let n = body.length;
  while (n >= 0x80) {
    prefix.push((n & 0x7f) | 0x80);
    n >>>= 7;
  }
  prefix.push(n);
  return Buffer.concat([Buffer.from(prefix), body]);
}

function split(stream: Buffer, cuts: number[], max?: number): { bodies: string[]; offsets: number[] } {
  const splitter = frameSplitter(max);
  const bodies: string[] = [];
  const offsets: number[] = [];
  const borders = [
    0,
    ...[...new Set(cuts.filter((c) => c > 0 && c < stream.length))].sort((a, b) => a - b),
    stream.length,
  ];
  for (let i = 1; i < borders.length; i++) {
    // A copy that is overwritten afterwards: frames must not point into chunks that are gone.
    const chunk = Buffer.from(stream.subarray(borders[i - 1], borders[i]));
    splitter.push(chunk, (buf, start, bodyStart, end, offset) => {
      expect(bodyStart).toBeGreaterThan(start);
      bodies.push(buf.toString('hex', bodyStart, end));
      offsets.push(offset);
    });
    chunk.fill(0xee);
  }
  splitter.finish();
  expect(splitter.count).toBe(bodies.length);
  expect(splitter.offset).toBe(stream.length);
  return { bodies, offsets };
}

describe('the frame splitter', () => {
  it('gives the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { maxLength: 20 }),
        fc.array(fc.nat({ max: 8000 }), { maxLength: 60 }),
        (bodies, cuts) => {
          const frames = bodies.map(frame);
          const { bodies: found, offsets } = split(Buffer.concat(frames), cuts);
          expect(found).toEqual(bodies.map((b) => Buffer.from(b).toString('hex')));
          let at = 0;
          for (const [i, f] of frames.entries()) {
            expect(offsets[i]).toBe(at);
            at += f.length;
          }
        },
      ),
    );
  });

  it('takes single bytes and frames larger than a chunk', () => {
    const body = Buffer.alloc(200_000, 7);
    const stream = Buffer.concat([frame(body), frame(Buffer.from('ab'))]);
    const everyByte = Array.from({ length: stream.length }, (_, i) => i);
    expect(split(stream, everyByte).bodies).toEqual([body.toString('hex'), '6162']);
    expect(split(stream, [65_536, 131_072]).bodies).toHaveLength(2);
  });

  it.each([
    ['00', 'FRAME_EMPTY'],
    ['ffffffff07', 'FRAME_TOO_LONG'],
    ['8080808004', 'FRAME_TOO_LONG'],
    ['808080808001', 'FRAME_PREFIX_TOO_LONG'],
    ['05616263', 'FRAME_TRUNCATED'],
    ['80', 'FRAME_TRUNCATED'],
  ])('refuses %s as %s at its place', (hex, code) => {
    const good = frame(Buffer.from('good'));
    const stream = Buffer.concat([good, Buffer.from(hex, 'hex')]);
    for (const cuts of [[], Array.from({ length: stream.length }, (_, i) => i)]) {
      expect(() => split(stream, cuts)).toThrowError(
        expect.objectContaining({ code, place: { stream: 'inflated', byteOffset: good.length, record: 1 } }),
      );
    }
  });

  it('does not reserve what a prefix merely claims', () => {
    const splitter = frameSplitter(2 ** 31);
    const before = process.memoryUsage().arrayBuffers;
    splitter.push(Buffer.from('ffffffff0700', 'hex'), () => undefined);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
    expect(() => splitter.finish()).toThrowError(expect.objectContaining({ code: 'FRAME_TRUNCATED' }));
  });
});
