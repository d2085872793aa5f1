/**
 * A compact memory of contract ids: 64-bit fingerprints in open addressing, about 11 to 18 bytes per contract
 * (4 million contracts: 64 MiB). A hit means "seen, or a collision of fingerprints" (chance about n²/2^65: 3 in a
 * million at 10 million contracts); callers that must be exact confirm hits in a second pass.
 */

import { wordsOf } from '../wire/sameBytes.js';

const PARTS = 256;
const MAX_LOAD = 0.72;

export class ContractIdTable {
  private readonly high: (Uint32Array | undefined)[] = new Array(PARTS);
  private readonly low: (Uint32Array | undefined)[] = new Array(PARTS);
  private readonly counts = new Uint32Array(PARTS);
  size = 0;

  /** Remembers the raw contract id `buf[start, end)`; true when its fingerprint was there already. */
  add(buf: Buffer, start: number, end: number): boolean {
    mixId(buf, start, end);
    const part = mixedHigh >>> 24;
    let highs = this.high[part];
    let lows = this.low[part];
    if (highs === undefined || lows === undefined) {
      highs = this.high[part] = new Uint32Array(16);
      lows = this.low[part] = new Uint32Array(16);
    }
    const found = insert(highs, lows, mixedHigh, mixedLow);
    if (found) return true;
    this.size++;
    if (++this.counts[part] > highs.length * MAX_LOAD) this.grow(part);
    return false;
  }

  private grow(part: number): void {
    const highs = this.high[part] as Uint32Array;
    const lows = this.low[part] as Uint32Array;
    const size = nextSize(highs.length);
    const newHighs = new Uint32Array(size);
    const newLows = new Uint32Array(size);
    for (let i = 0; i < highs.length; i++) {
      if (highs[i] !== 0 || lows[i] !== 0) insert(newHighs, newLows, highs[i], lows[i]);
    }
    this.high[part] = newHighs;
    this.low[part] = newLows;
  }
}

/** Growing by half keeps the tables full; the size stays odd so that the modulus mixes. */
function nextSize(size: number): number {
  return Math.floor(size * 1.5) | 1;
}

function insert(highs: Uint32Array, lows: Uint32Array, high: number, low: number): boolean {
  const size = highs.length;
  let slot = low % size;
  for (;;) {
    const h = highs[slot];
    const l = lows[slot];
    if (h === high && l === low) return true;
    if (h === 0 && l === 0) {
      highs[slot] = high;
      lows[slot] = low;
      return false;
    }
    if (++slot === size) slot = 0;
  }
}

/** The two halves of the last fingerprint; kept here so that none is made into an object. */
let mixedHigh = 0;
let mixedLow = 0;

/**
 * 64 bits of a raw contract id. The bytes of genuine ids are hashes already; all of them are mixed in, so that ids that
 * differ in one part only (a tampered suffix, a kept discriminator) differ here too. Never (0, 0).
 */
function mixId(buf: Buffer, start: number, end: number): void {
  let a = 0x9e3779b9 ^ (end - start);
  let b = 0x85ebca6b;
  let i = start;
  const words = wordsOf(buf);
  for (; i + 4 <= end; i += 4) {
    const word = words.getInt32(i, true);
    a = Math.imul(a ^ word, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b + word, 0xcc9e2d51);
    b = (b << 13) | (b >>> 19);
  }
  for (; i < end; i++) {
    a = Math.imul(a ^ buf[i], 0x01000193);
    b = Math.imul(b + buf[i], 0x1b873593);
  }
  a = mix(a ^ (b >>> 7));
  b = mix(b ^ a);
  mixedHigh = a === 0 && b === 0 ? 1 : a >>> 0;
  mixedLow = a === 0 && b === 0 ? 1 : b >>> 0;
}

/** The lower half of the fingerprint of a raw contract id. */
export function shortFingerprint(buf: Buffer, start: number, end: number): number {
  mixId(buf, start, end);
  return mixedLow;
}

/** Writes the fingerprint of the raw contract id `buf[start, end)` to `ids[at]` (lower half) and `ids[at + 1]`. */
export function fingerprintInto(buf: Buffer, start: number, end: number, ids: Uint32Array, at: number): void {
  mixId(buf, start, end);
  ids[at] = mixedLow;
  ids[at + 1] = mixedHigh;
}

/** The two halves of the fingerprint of a raw contract id. */
export function fingerprint(buf: Buffer, start: number, end: number): [high: number, low: number] {
  mixId(buf, start, end);
  return [mixedHigh, mixedLow];
}

function mix(h: number): number {
  let x = h ^ (h >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return x ^ (x >>> 16);
}
