import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LfValue } from '../../src/contract/value.js';
import { checkValue } from '../../src/contract/valueCheck.js';
import { decodeValue } from '../../src/contract/valueDecoder.js';
import { compareCodePoints, encodeValue } from '../../src/contract/valueEncoder.js';
import { AcsError } from '../../src/io/error.js';
import { anyLfValue } from './arbitraryLfValue.js';

function outcome(read: () => unknown): string {
  try {
    read();
    return 'accepted';
  } catch (error) {
    if (error instanceof AcsError) return error.code;
    throw error;
  }
}

describe('LF values', () => {
  it('survive bytes and back, whatever they hold', () => {
    fc.assert(
      fc.property(anyLfValue, (value) => {
        const bytes = encodeValue(value);
        expect(decodeValue(bytes)).toEqual(value);
        expect(encodeValue(decodeValue(bytes)).equals(bytes)).toBe(true);
        checkValue(bytes, 0, bytes.length);
      }),
      { numRuns: 300 },
    );
  });

  it('cut or changed anywhere: the quick check says what the decoder says', () => {
    fc.assert(
      fc.property(anyLfValue, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flip) => {
        const bytes = encodeValue(value);
        for (let cut = 0; cut < Math.min(bytes.length, 120); cut++) {
          expect(outcome(() => checkValue(bytes, 0, cut))).toBe(outcome(() => decodeValue(bytes, 0, cut)));
        }
        bytes[at % bytes.length] ^= flip;
        expect(outcome(() => checkValue(bytes, 0, bytes.length))).toBe(outcome(() => decodeValue(bytes)));
      }),
      { numRuns: 300 },
    );
  });

  it('nest 100 levels, not 101', () => {
    const nested = (levels: number): LfValue => {
      let value: LfValue = { kind: 'unit' };
      for (let i = 0; i < levels; i++) value = { kind: 'list', items: [value] };
      return value;
    };
    expect(decodeValue(encodeValue(nested(100)))).toEqual(nested(100));
    expect(() => encodeValue(nested(101))).toThrowError(expect.objectContaining({ code: 'VALUE_TOO_DEEP' }));
    const inner = encodeValue(nested(100));
    const prefix: number[] = [0x0a];
    for (let n = inner.length; ; n >>>= 7) {
      prefix.push(n < 0x80 ? n : (n & 0x7f) | 0x80);
      if (n < 0x80) break;
    }
    const element = Buffer.concat([Buffer.from(prefix), inner]);
    const deep = Buffer.concat([
      Buffer.from([0x5a, (element.length & 0x7f) | 0x80, element.length >> 7]),
      element,
    ]);
    expect(outcome(() => decodeValue(deep))).toBe('VALUE_TOO_DEEP');
    expect(outcome(() => checkValue(deep, 0, deep.length))).toBe('VALUE_TOO_DEEP');
  });

  it('orders text by code points, not by UTF-16 units', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compareCodePoints(a, b))).toBe(bytes);
      }),
    );
    expect(compareCodePoints('\u{e000}', '\u{10000}')).toBeLessThan(0);
  });

  it.each([
    ['', 'VALUE_NOT_SET'],
    ['10001000', 'VALUE_AMBIGUOUS'],
    ['3a00', 'VALUE_BAD_PARTY'],
    ['320137', 'VALUE_BAD_NUMERIC'],
    ['3203372e30', 'accepted'],
    ['32022b37', 'VALUE_BAD_NUMERIC'],
    ['420100', 'VALUE_NUL_IN_TEXT'],
    ['4202c328', 'WIRE_BAD_UTF8'],
    ['4a0100', 'VALUE_BAD_CONTRACT_ID'],
    ['4a00', 'VALUE_BAD_CONTRACT_ID'],
    ['7a0410011a00', 'BLOB_UNKNOWN_FIELD'],
    ['7a030a0139', 'VALUE_BAD_NAME'],
    ['72030a0161', 'VALUE_NOT_SET'],
    ['8a0100', 'BLOB_UNKNOWN_FIELD'],
    ['52020a00', 'accepted'],
    ['6a020a00', 'VALUE_NOT_SET'],
    ['82010c0a041202100012040a001200', 'BLOB_UNKNOWN_FIELD'],
    ['20ffffffffffffffffff01', 'accepted'],
    ['208080808008', 'VALUE_OUT_OF_RANGE'],
  ])('the bytes %s: %s', (hex, expected) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(outcome(() => decodeValue(bytes))).toBe(expected);
    expect(outcome(() => checkValue(bytes, 0, bytes.length))).toBe(expected);
  });
});
