import fc from 'fast-check';
import protobuf from 'protobufjs/minimal.js';
import { describe, expect, it } from 'vitest';
import { Interner } from '../../src/wire/interner.js';
import { WireReader } from '../../src/wire/reader.js';
import { WireWriter } from '../../src/wire/writer.js';

describe('wire primitives against protobufjs', () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

  it('write what protobufjs writes, and read it back', () => {
    fc.assert(
      fc.property(
        int64,
        fc.nat({ max: 0xffffffff }),
        fc.string({ unit: 'grapheme' }),
        fc.uint8Array(),
        (big, small, text, bytes) => {
          const ours = new WireWriter(1)
            .varint(small)
            .varint64(big)
            .sint64(big)
            .sfixed64(big)
            .stringField(5, text)
            .bytesField(6, bytes)
            .finish();
          const long = big.toString();
          const theirs = protobuf.Writer.create()
            .uint32(small)
            .int64(long)
            .sint64(long)
            .sfixed64(long)
            .uint32((5 << 3) | 2)
            .string(text)
            .uint32((6 << 3) | 2)
            .bytes(bytes)
            .finish();
          expect(ours.equals(theirs)).toBe(true);
          const r = new WireReader(ours);
          expect(r.uint32()).toBe(small);
          expect(r.int64()).toBe(big);
          expect(r.sint64()).toBe(big);
          expect(r.sfixed64()).toBe(big);
          expect(r.tag()).toBe(42);
          expect(r.string()).toBe(text);
          expect(r.tag()).toBe(50);
          expect(r.bytes().equals(bytes)).toBe(true);
          expect(r.pos).toBe(ours.length);
        },
      ),
    );
  });

  it('nest messages of any length', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20_000 }), { minLength: 1, maxLength: 6 }), (sizes) => {
        const build = (w: WireWriter, level: number): void => {
          w.raw(Buffer.alloc(sizes[level], 1));
          if (level + 1 < sizes.length) w.messageField(3, (inner) => build(inner, level + 1));
        };
        const w = new WireWriter(4);
        build(w, 0);
        const r = new WireReader(w.finish());
        for (const [level, size] of sizes.entries()) {
          r.pos += size;
          if (level + 1 === sizes.length) break;
          expect(r.tag()).toBe(26);
          expect(r.length()).toBe(r.end - r.pos);
        }
        expect(r.pos).toBe(r.end);
      }),
    );
  });

  it('refuse what is cut or malformed, with the place', () => {
    const cases: [string, (r: WireReader) => unknown, string][] = [
      ['80', (r) => r.uint32(), 'WIRE_TRUNCATED'],
      ['ffffffffffffffffffff01', (r) => r.uint64(), 'WIRE_VARINT_TOO_LONG'],
      ['ffffffffffffffffffff01', (r) => r.skip(0), 'WIRE_VARINT_TOO_LONG'],
      ['0102', (r) => r.sfixed64(), 'WIRE_TRUNCATED'],
      ['0561', (r) => r.bytes(), 'WIRE_TRUNCATED'],
      ['ffffffff0f', (r) => r.length(), 'WIRE_TRUNCATED'],
      ['02c328', (r) => r.string(), 'WIRE_BAD_UTF8'],
      ['00', (r) => r.tag(), 'WIRE_BAD_TAG'],
      ['0b', (r) => r.tag(), 'WIRE_BAD_TAG'],
      ['0f', (r) => r.tag(), 'WIRE_BAD_TAG'],
    ];
    for (const [hex, read, code] of cases) {
      expect(() => read(new WireReader(Buffer.from(hex, 'hex'))), hex).toThrowError(
        expect.objectContaining({ code }),
      );
    }
  });
});

describe('the interner', () => {
  it('numbers strings densely and stably, also those that collide', () => {
    const interner = new Interner();
    const texts = Array.from({ length: 5000 }, (_, i) => {
      // Long strings that are equal wherever the hash samples them.
      const text = Buffer.alloc(400, 0x61);
      text.writeUInt32BE(i, 31);
      return text;
    });
    const ids = texts.map((t) => interner.id(t, 0, t.length));
    expect(new Set(ids).size).toBe(5000);
    expect(texts.map((t) => interner.id(t, 0, t.length))).toEqual(ids);
    expect(interner.size).toBe(5000);
    expect(Buffer.from(interner.text(ids[4999]), 'latin1').length).toBeGreaterThan(0);
  });

  it('says when it is full, and still knows the old ones', () => {
    const interner = new Interner(2);
    const at = (text: string): number => interner.id(Buffer.from(text), 0, text.length);
    expect([at('a'), at('b'), at('c'), at('a')]).toEqual([0, 1, -1, 0]);
    expect(interner.text(1)).toBe('b');
  });
});
