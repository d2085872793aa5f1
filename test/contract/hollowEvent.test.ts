/** What `isEvent` and `isFrame` say is what comparing the built bytes says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlobView } from '../../src/contract/blob.js';
import { eventBuilder } from '../../src/contract/eventFromBlob.js';
import { type EventPieces, templateField } from '../../src/contract/eventPieces.js';
import { lengthDelimited } from '../../src/wire/lengthDelimited.js';
import { contract, PACKAGE, S1 } from '../store/streams.js';

const builder = eventBuilder();
const sync = lengthDelimited(2, S1);
const template = templateField({ packageId: PACKAGE, moduleName: 'Test.Main', entityName: 'Thing' });

/** A contract with a text of some length, and what its event has beside it. */
const made = fc.record({
  text: fc.string({ maxLength: 400 }),
  observers: fc.integer({ min: 0, max: 3 }),
  offset: fc.integer({ min: 0, max: 2 ** 40 }),
  nodeId: fc.integer({ min: 0, max: 300 }),
  shape: fc.constantFrom(0, 1, 4, 8, 16, 64, 8 + 16),
  counter: fc.integer({ min: 0, max: 200 }),
  before: fc.integer({ min: 0, max: 20 }),
  framed: fc.boolean(),
});

describe('an event compared without its blob', () => {
  it('is the built one, and no other', () => {
    fc.assert(
      fc.property(made, fc.nat(), fc.integer({ min: 1, max: 255 }), (m, place, flip) => {
        const observers = Array.from({ length: m.observers }, (_, i) => `o${i}::1220aa`);
        const { blob: bytes } = contract(7, { observers, text: m.text });
        const pieces: EventPieces = {
          offset: m.offset,
          nodeId: m.nodeId,
          template,
          parties: lengthDelimited(9, 'a::1220aa'),
          representative: lengthDelimited(15, PACKAGE),
          shape: m.shape,
        };
        const build = (blob: BlobView, start: number, end: number): Buffer =>
          m.framed
            ? builder.frame(blob, start, end, pieces, sync, m.counter)
            : builder.event(blob, start, end, pieces);
        const built = Buffer.from(build(new BlobView().parse(bytes), 0, bytes.length));
        const buf = Buffer.concat([Buffer.alloc(m.before, 1), built, Buffer.alloc(9, 2)]);
        const from = m.before;
        const blobStart = buf.indexOf(bytes);
        const blobEnd = blobStart + bytes.length;
        const is = (a: number, b: number): boolean => {
          const blob = new BlobView().parse(buf, blobStart, blobEnd);
          return m.framed
            ? builder.isFrame(blob, blobStart, blobEnd, pieces, sync, m.counter, a, b)
            : builder.isEvent(blob, blobStart, blobEnd, pieces, a, b);
        };
        const to = from + built.length;
        expect(is(from, to)).toBe(true);
        expect(is(from, to + 1)).toBe(false);
        expect(is(from + 1, to)).toBe(false);
        expect(is(from + 1, to + 1)).toBe(false);
        let at = from + (place % built.length);
        if (at >= blobStart && at < blobEnd) at = place % 2 === 0 ? blobStart - 1 : to - 1;
        buf[at] ^= flip;
        expect(is(from, to)).toBe(false);
        // The builder still gives whole events.
        const whole = build(new BlobView().parse(bytes), 0, bytes.length);
        expect(whole.equals(built)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a kept blob', () => {
  it('is seen as a parsed one, without its parties', () => {
    const kept = new BlobView();
    fc.assert(
      fc.property(made, (m) => {
        const observers = Array.from({ length: m.observers }, (_, i) => `o${i}::1220aa`);
        const { blob: bytes } = contract(7, { observers, text: m.text });
        const {
          r: _a,
          signatoryBorders,
          observerBorders,
          ...parsed
        } = { ...new BlobView().parse(bytes) } as never as Record<string, unknown>;
        const {
          r: _b,
          signatoryBorders: none,
          observerBorders: nobody,
          ...found
        } = { ...kept.parseKept(bytes) } as never as Record<string, unknown>;
        expect(found).toEqual(parsed);
        expect([none, nobody]).toEqual([[], []]);
        expect((signatoryBorders as number[]).length + (observerBorders as number[]).length).toBe(
          2 + 2 * m.observers,
        );
      }),
    );
  });
});
