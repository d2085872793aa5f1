/**
 * BLAKE3 in extendable-output mode for inputs of one chunk (up to 1024 bytes), plain JavaScript. The alpha commitment
 * scheme hashes nothing longer: an element is at most 780 bytes (commitments spec, section 2.8).
 */
import { AcsError } from '../io/error.js';

const IV = Uint32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const ROUNDS = 7;
const CHUNK_START = 1;
const CHUNK_END = 2;
const ROOT = 8;
const CHUNK_BYTES = 1024;

/** Message word order of the seven rounds: the permutation applied again and again. */
const ORDER = new Uint8Array(16 * ROUNDS);
for (let i = 0; i < 16; i++) ORDER[i] = i;
for (let i = 16; i < ORDER.length; i++) ORDER[i] = ORDER[i - 16 - (i % 16) + PERMUTATION[i % 16]!]!;

const v = new Uint32Array(16);
const m = new Uint32Array(16);
const chain = new Uint32Array(8);

function mix(a: number, b: number, c: number, d: number, x: number, y: number): void {
  let va = (v[a]! + v[b]! + x) | 0;
  let vd = v[d]! ^ va;
  vd = (vd >>> 16) | (vd << 16);
  let vc = (v[c]! + vd) | 0;
  let vb = v[b]! ^ vc;
  vb = (vb >>> 12) | (vb << 20);
  va = (va + vb + y) | 0;
  vd ^= va;
  vd = (vd >>> 8) | (vd << 24);
  vc = (vc + vd) | 0;
  vb ^= vc;
  v[a] = va;
  v[b] = (vb >>> 7) | (vb << 25);
  v[c] = vc;
  v[d] = vd;
}

/** Runs the rounds on `chain` and `m`; the result is left in `v` before the final feed-forward. */
function rounds(counter: number, blockBytes: number, flags: number): void {
  v.set(chain);
  v.set(IV.subarray(0, 4), 8);
  v[12] = counter;
  v[13] = 0;
  v[14] = blockBytes;
  v[15] = flags;
  for (let o = 0; o < ORDER.length; o += 16) {
    mix(0, 4, 8, 12, m[ORDER[o]!]!, m[ORDER[o + 1]!]!);
    mix(1, 5, 9, 13, m[ORDER[o + 2]!]!, m[ORDER[o + 3]!]!);
    mix(2, 6, 10, 14, m[ORDER[o + 4]!]!, m[ORDER[o + 5]!]!);
    mix(3, 7, 11, 15, m[ORDER[o + 6]!]!, m[ORDER[o + 7]!]!);
    mix(0, 5, 10, 15, m[ORDER[o + 8]!]!, m[ORDER[o + 9]!]!);
    mix(1, 6, 11, 12, m[ORDER[o + 10]!]!, m[ORDER[o + 11]!]!);
    mix(2, 7, 8, 13, m[ORDER[o + 12]!]!, m[ORDER[o + 13]!]!);
    mix(3, 4, 9, 14, m[ORDER[o + 14]!]!, m[ORDER[o + 15]!]!);
  }
}

/**
 * The first `length` bytes of the BLAKE3 output of `input`, no key. With `into` the bytes are written there.
 * Throws `COMMITMENT_ELEMENT_TOO_LONG` when the input is longer than one chunk.
 */
export function blake3Xof(input: Uint8Array, length: number, into?: Uint8Array): Uint8Array {
  if (input.length > CHUNK_BYTES) {
    throw new AcsError(
      'COMMITMENT_ELEMENT_TOO_LONG',
      'a BLAKE3 commitment element is longer than one chunk',
      {
        expected: `at most ${CHUNK_BYTES} bytes`,
        found: `${input.length} bytes`,
      },
    );
  }
  const out = into ?? new Uint8Array(length);
  chain.set(IV);
  let at = 0;
  let flags = CHUNK_START;
  for (;;) {
    const size = Math.min(64, input.length - at);
    m.fill(0);
    for (let i = 0; i < size; i++) m[i >> 2]! |= input[at + i]! << (8 * (i & 3));
    if (at + size === input.length) {
      for (let block = 0; block * 64 < length; block++) {
        rounds(block, size, flags | CHUNK_END | ROOT);
        for (let i = 0; i < 8; i++) {
          v[i]! ^= v[i + 8]!;
          v[i + 8]! ^= chain[i]!;
        }
        const end = Math.min(64, length - 64 * block);
        for (let i = 0; i < end; i++) out[64 * block + i] = v[i >> 2]! >>> (8 * (i & 3));
      }
      return out;
    }
    rounds(0, 64, flags);
    for (let i = 0; i < 8; i++) chain[i] = v[i]! ^ v[i + 8]!;
    at += 64;
    flags = 0;
  }
}
