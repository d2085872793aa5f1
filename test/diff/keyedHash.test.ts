/** The hash by which threads find out that they have read the same, against its definition in big integers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_HASHED_BYTES, MESSAGE_START, newHashKey, openKeyedHash } from '../../src/diff/keyedHash.js';

const MASK = (1n << 64n) - 1n;
const BLOCK = 1024;

/** NH sums of every block, then multilinear over their halves; as the docstring of the module has it. */
function expected(key: Uint8Array, message: Uint8Array, id: Uint8Array): number[] {
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  const padded = new Uint8Array(Math.ceil(message.length / 32) * 32);
  padded.set(message);
  const words = new DataView(padded.buffer);
  const halves: bigint[] = [];
  for (let from = 0; from < padded.length; from += BLOCK) {
    for (let lane = 0; lane < 4; lane++) {
      let sum = 0n;
      for (let at = from; at < Math.min(padded.length, from + BLOCK); at += 32) {
        for (let i = 0; i < 4; i++) {
          const word = (offset: number): bigint =>
            BigInt(
              (words.getUint32(at + offset, true) +
                view.getUint32(lane * BLOCK + at - from + offset, true)) >>>
                0,
            );
          sum = (sum + word(4 * i) * word(16 + 4 * i)) & MASK;
        }
      }
      halves.push(sum & 0xffffffffn, sum >> 32n);
    }
  }
  const keysPerResult = 2 + 64 * 8;
  const linear = (keyAt: number, values: readonly bigint[]): number => {
    let sum = view.getBigUint64(keyAt, true);
    values.forEach((value, i) => {
      sum = (sum + view.getBigUint64(keyAt + 8 * (i + 1), true) * value) & MASK;
    });
    return Number(sum >> 32n) | 0;
  };
  const results = [0, 1, 2].map((r) =>
    linear(4 * BLOCK + 8 * r * keysPerResult, [BigInt(message.length), ...halves]),
  );
  const whole = id.length - (id.length % 4);
  const idWords = Array.from({ length: whole / 4 }, (_, i) =>
    BigInt(new DataView(id.buffer, id.byteOffset).getUint32(4 * i, true)),
  );
  const tail = [...id.subarray(whole)].map(BigInt);
  const ofId = [0, 1].map((i) =>
    linear(4 * BLOCK + 24 * keysPerResult + i * 26 * 8, [BigInt(id.length), ...idWords, ...tail]),
  );
  return [...ofId, ...results];
}

const key = newHashKey();
const keyed = openKeyedHash(key, MAX_HASHED_BYTES + 4096)!;

function hashed(message: Uint8Array, id: Uint8Array, at = MESSAGE_START): number[] {
  keyed.bytes.set(id, at);
  keyed.bytes.set(message, at + 100);
  keyed.bytes.fill(0xff, at + 100 + message.length, at + 100 + message.length + 32);
  keyed.hash(at + 100, message.length, at, id.length);
  return [...keyed.result];
}

describe('the keyed hash of a comparison', () => {
  it('is what its definition says', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 2100, size: 'max' }),
        fc.uint8Array({ minLength: 2, maxLength: 72 }),
        fc.integer({ min: 0, max: 63 }),
        (message, id, shift) => {
          expect(hashed(message, id, MESSAGE_START + shift)).toEqual(expected(key, message, id));
        },
      ),
      { numRuns: 60 },
    );
    for (const length of [0, 1, 31, 32, 33, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, MAX_HASHED_BYTES]) {
      const message = Uint8Array.from({ length }, (_, i) => i * 7);
      expect(hashed(message, new Uint8Array(33))).toEqual(expected(key, message, new Uint8Array(33)));
    }
  });

  it('tells apart what differs in one bit or in zeros at the end, and depends on the key', () => {
    const message = new Uint8Array(1500);
    const seen = new Set<string>();
    const id = new Uint8Array(33);
    const note = (m: Uint8Array): void => void seen.add(hashed(m, id).slice(2).join());
    for (let bit = 0; bit < 8 * message.length; bit += 5) {
      message[bit >> 3]! ^= 1 << (bit & 7);
      note(message);
      message[bit >> 3]! ^= 1 << (bit & 7);
    }
    for (let length = 0; length <= message.length; length++) note(message.subarray(0, length));
    expect(seen.size).toBe(2400 + 1501);
    const other = openKeyedHash(newHashKey(), 4096)!;
    other.bytes.fill(0, MESSAGE_START, MESSAGE_START + 4096);
    other.hash(MESSAGE_START + 100, 1500, MESSAGE_START, 33);
    expect([...other.result]).not.toEqual(hashed(message, id));
  });
});
