/**
 * BLAKE2Xb, the extendable-output form of BLAKE2b, in plain JavaScript (commitments spec, section 1.2): no key, no salt,
 * no personalisation. 64-bit words are kept as two 32-bit halves.
 */

/** Initial values of BLAKE2b. */
export const BLAKE2B_IV: readonly bigint[] = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
];

/** Message word order per round; rounds 10 and 11 use rows 0 and 1. */
export const BLAKE2B_SIGMA: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

// Halves: index 2i is the low, 2i + 1 the high half of word i.
const IV = new Uint32Array(16);
for (let i = 0; i < 8; i++) {
  IV[2 * i] = Number(BLAKE2B_IV[i]! & 0xffffffffn);
  IV[2 * i + 1] = Number(BLAKE2B_IV[i]! >> 32n);
}
/** SIGMA for twelve rounds, as indices of low halves. */
const ORDER = Uint8Array.from(
  [...BLAKE2B_SIGMA, BLAKE2B_SIGMA[0]!, BLAKE2B_SIGMA[1]!].flat().map((word) => 2 * word),
);

const v = new Uint32Array(32);
const m = new Uint32Array(32);
const h = new Uint32Array(16);

/** The mixing function G; a, b, c, d and x, y are indices of low halves in `v` and `m`. */
function mix(a: number, b: number, c: number, d: number, x: number, y: number): void {
  let al = v[a]!;
  let ah = v[a + 1]!;
  let bl = v[b]!;
  let bh = v[b + 1]!;
  let cl = v[c]!;
  let ch = v[c + 1]!;
  let dl = v[d]!;
  let dh = v[d + 1]!;

  let low = al + bl + m[x]!;
  ah = (ah + bh + m[x + 1]! + Math.floor(low / 0x1_0000_0000)) | 0;
  al = low | 0;
  let tl = dl ^ al;
  let th = dh ^ ah;
  dl = th;
  dh = tl;
  low = (cl >>> 0) + (dl >>> 0);
  ch = (ch + dh + (low > 0xffff_ffff ? 1 : 0)) | 0;
  cl = low | 0;
  tl = bl ^ cl;
  th = bh ^ ch;
  bl = (tl >>> 24) | (th << 8);
  bh = (th >>> 24) | (tl << 8);

  low = (al >>> 0) + (bl >>> 0) + m[y]!;
  ah = (ah + bh + m[y + 1]! + Math.floor(low / 0x1_0000_0000)) | 0;
  al = low | 0;
  tl = dl ^ al;
  th = dh ^ ah;
  dl = (tl >>> 16) | (th << 16);
  dh = (th >>> 16) | (tl << 16);
  low = (cl >>> 0) + (dl >>> 0);
  ch = (ch + dh + (low > 0xffff_ffff ? 1 : 0)) | 0;
  cl = low | 0;
  tl = bl ^ cl;
  th = bh ^ ch;
  bl = (th >>> 31) | (tl << 1);
  bh = (tl >>> 31) | (th << 1);

  v[a] = al;
  v[a + 1] = ah;
  v[b] = bl;
  v[b + 1] = bh;
  v[c] = cl;
  v[c + 1] = ch;
  v[d] = dl;
  v[d + 1] = dh;
}

/** One compression of the message in `m` into `h`; `counter` = bytes absorbed so far, below 2^53. */
function compress(counter: number, last: boolean): void {
  v.set(h, 0);
  v.set(IV, 16);
  v[24]! ^= counter;
  v[25]! ^= Math.floor(counter / 0x1_0000_0000);
  if (last) {
    v[28] = ~v[28]!;
    v[29] = ~v[29]!;
  }
  for (let o = 0; o < 192; o += 16) {
    mix(0, 8, 16, 24, ORDER[o]!, ORDER[o + 1]!);
    mix(2, 10, 18, 26, ORDER[o + 2]!, ORDER[o + 3]!);
    mix(4, 12, 20, 28, ORDER[o + 4]!, ORDER[o + 5]!);
    mix(6, 14, 22, 30, ORDER[o + 6]!, ORDER[o + 7]!);
    mix(0, 10, 20, 30, ORDER[o + 8]!, ORDER[o + 9]!);
    mix(2, 12, 22, 24, ORDER[o + 10]!, ORDER[o + 11]!);
    mix(4, 14, 16, 26, ORDER[o + 12]!, ORDER[o + 13]!);
    mix(6, 8, 18, 28, ORDER[o + 14]!, ORDER[o + 15]!);
  }
  for (let i = 0; i < 16; i++) h[i]! ^= v[i]! ^ v[i + 16]!;
}

function loadMessage(bytes: Uint8Array, from: number, to: number): void {
  m.fill(0);
  for (let i = from; i < to; i++) m[(i - from) >> 2]! |= bytes[i]! << (8 * (i - from));
}

/**
 * Expands `input` to `length` bytes (1 … 2^32 - 2). With `into` the bytes are written there (it must be long enough)
 * instead of to a new array.
 */
export function blake2xb(input: Uint8Array, length: number, into?: Uint8Array): Uint8Array {
  const out = into ?? new Uint8Array(length);
  // Root hash: digest length 64, fanout 1, depth 1, XOF length.
  h.set(IV);
  h[0]! ^= 0x0101_0040;
  h[3]! ^= length;
  let at = 0;
  while (input.length - at > 128) {
    loadMessage(input, at, at + 128);
    at += 128;
    compress(at, false);
  }
  loadMessage(input, at, input.length);
  compress(input.length, true);
  const root = h.slice();

  // Output block i: fanout 0, depth 0, leaf length 64, node offset i, XOF length, inner length 64.
  m.fill(0);
  m.set(root);
  for (let i = 0; i * 64 < length; i++) {
    const size = Math.min(64, length - 64 * i);
    h.set(IV);
    h[0]! ^= size;
    h[1]! ^= 64;
    h[2]! ^= i;
    h[3]! ^= length;
    h[4]! ^= 0x4000;
    compress(64, true);
    for (let k = 0; k < size; k++) out[64 * i + k] = h[k >> 2]! >>> (8 * (k & 3));
  }
  return out;
}
