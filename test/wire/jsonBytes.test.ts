import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonBytes } from '../../src/wire/jsonBytes.js';
import { sameBytes } from '../../src/wire/sameBytes.js';

/** The bytes somewhere inside a larger buffer, at an odd place. */
function inside(bytes: Buffer): { buf: Buffer; start: number; end: number } {
  const buf = Buffer.concat([Buffer.from('"x\\'), bytes, Buffer.from('"\\y')]);
  return { buf, start: 3, end: 3 + bytes.length };
}

describe('JsonBytes', () => {
  it('writes strings as JSON.stringify does, growing as needed', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.array(text), (texts) => {
        const out = new JsonBytes(8);
        for (const one of texts) {
          const { buf, start, end } = inside(Buffer.from(one, 'utf8'));
          out.string(buf, start, end);
        }
        // Lone surrogates become U+FFFD in UTF-8.
        const stored = (t: string): string => Buffer.from(t, 'utf8').toString('utf8');
        expect(out.textFrom(0)).toBe(texts.map((t) => JSON.stringify(stored(t))).join(''));
      }),
    );
  });

  it('tells every single byte that needs escaping', () => {
    for (let code = 0; code < 0x80; code++) {
      for (const text of [
        String.fromCharCode(code),
        `a${String.fromCharCode(code)}`,
        `${String.fromCharCode(code)}bc`,
      ]) {
        const out = new JsonBytes(4);
        out.string(Buffer.from(text), 0, text.length);
        expect(out.textFrom(0)).toBe(JSON.stringify(text));
      }
    }
  });

  it('refuses invalid UTF-8 and keeps what was written before', () => {
    const out = new JsonBytes(4);
    out.ascii('[1]');
    expect(() => out.string(Buffer.from([0x61, 0x62, 0xff]), 0, 3)).toThrow(
      expect.objectContaining({ code: 'WIRE_BAD_UTF8' }),
    );
    expect(out.take().toString()).toBe('[1]');
    expect(out.length).toBe(0);
  });

  it('writes hex', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const { buf, start, end } = inside(Buffer.from(bytes));
        const out = new JsonBytes(4);
        out.hex(buf, start, end);
        expect(out.take().toString()).toBe(`"${Buffer.from(bytes).toString('hex')}"`);
      }),
    );
  });
});

describe('sameBytes', () => {
  it('sees every changed byte, short runs and long ones, in one buffer or two', () => {
    for (const size of [0, 1, 3, 7, 8, 9, 15, 16, 17, 255, 256, 257, 400]) {
      const a = Buffer.from(Array.from({ length: size }, (_, i) => (i * 37) & 0xff));
      const both = Buffer.concat([Buffer.from('ab'), a, Buffer.from('c'), a]);
      expect(sameBytes(both, 2, 2 + size, both, 3 + size)).toBe(true);
      expect(sameBytes(a, 0, size, both, 2)).toBe(true);
      for (let i = 0; i < size; i++) {
        both[2 + i] ^= 0x80;
        expect(sameBytes(both, 2, 2 + size, both, 3 + size)).toBe(false);
        expect(sameBytes(a, 0, size, both, 2)).toBe(false);
        both[2 + i] ^= 0x80;
      }
    }
  });
});
