/**
 * Small numbers for byte strings that come again and again (party ids, template ids): no garbage per look-up.
 * Bounded: once `capacity` different strings are known, further new ones get -1 and the caller says what it lost.
 */
import { newWords, sameWords, wordsOf } from './sameBytes.js';

const MAX_PROBES = 32;

export class Interner {
  private slots = new Int32Array(1024).fill(-1);
  private hashes: number[] = [];
  private starts: number[] = [0];
  private arena: Buffer = Buffer.allocUnsafe(64 * 1024);
  private arenaWords = newWords(this.arena);
  private texts: (string | undefined)[] = [];
  /** Strings whose place in the table is too crowded (hash collisions made on purpose). */
  private readonly crowded = new Map<string, number>();
  readonly capacity: number;
  private readonly hash: typeof sampledHash;

  /** `hash`: {@link wholeHash} for long strings that differ in a few bytes anywhere. */
  constructor(capacity = 1 << 20, hash = sampledHash) {
    this.capacity = capacity;
    this.hash = hash;
  }

  get size(): number {
    return this.texts.length;
  }

  /**
   * The number of the string `buf[start, end)`; the same bytes always give the same number. `guess` is the number
   * expected, e.g. that of the record before: a right guess saves the look-up.
   */
  id(buf: Buffer, start: number, end: number, guess = -1): number {
    if (guess >= 0 && this.equals(guess, buf, start, end)) return guess;
    const hash = this.hash(buf, start, end);
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const id = this.slots[slot];
      if (id < 0) return this.add(buf, start, end, hash, slot);
      if (this.hashes[id] === hash && this.equals(id, buf, start, end)) return id;
      slot = (slot + 1) & mask;
    }
    const text = buf.toString('latin1', start, end);
    const known = this.crowded.get(text);
    if (known !== undefined) return known;
    const id = this.add(buf, start, end, hash, -1);
    if (id >= 0) this.crowded.set(text, id);
    return id;
  }

  /** The string behind a number (UTF-8; invalid bytes become U+FFFD, strict readers check before). */
  text(id: number): string {
    let text = this.texts[id];
    if (text === undefined) {
      text = this.arena.toString('utf8', this.starts[id], this.starts[id + 1]);
      this.texts[id] = text;
    }
    return text;
  }

  /** The bytes behind a number; valid until the next new string. */
  bytes(id: number): Buffer {
    return this.arena.subarray(this.starts[id], this.starts[id + 1]);
  }

  /** Where the bytes of all strings are; another buffer after a new string. */
  get store(): Buffer {
    return this.arena;
  }

  /** The word view of {@link store}. */
  get words(): DataView {
    return this.arenaWords;
  }

  /** Where those behind a number begin in {@link store}. */
  start(id: number): number {
    return this.starts[id];
  }

  end(id: number): number {
    return this.starts[id + 1];
  }

  private equals(id: number, buf: Buffer, start: number, end: number): boolean {
    const at = this.starts[id];
    if (this.starts[id + 1] - at !== end - start) return false;
    return sameWords(wordsOf(buf), start, end, this.arenaWords, at);
  }

  private add(buf: Buffer, start: number, end: number, hash: number, slot: number): number {
    const id = this.texts.length;
    if (id >= this.capacity) return -1;
    const at = this.starts[id];
    const need = at + end - start;
    if (need > this.arena.length) {
      const grown = Buffer.allocUnsafe(Math.max(need, this.arena.length * 2));
      this.arena.copy(grown, 0, 0, at);
      this.arena = grown;
      this.arenaWords = newWords(grown);
    }
    buf.copy(this.arena, at, start, end);
    this.texts.push(undefined);
    this.hashes.push(hash);
    this.starts.push(need);
    if (slot >= 0) this.slots[slot] = id;
    if (this.texts.length * 2 > this.slots.length) this.grow();
    return id;
  }

  private grow(): void {
    const slots = new Int32Array(this.slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (const id of this.slots) {
      if (id < 0) continue;
      let slot = this.hashes[id] & mask;
      let probe = 0;
      while (slots[slot] >= 0 && probe++ < MAX_PROBES) slot = (slot + 1) & mask;
      if (slots[slot] < 0) slots[slot] = id;
      else this.crowded.set(this.arena.toString('latin1', this.starts[id], this.starts[id + 1]), id);
    }
    this.slots = slots;
  }
}

/**
 * Short strings are hashed whole, longer ones by a sample: ids of one namespace differ at their front, template ids at
 * their end. Strings made to collide end in {@link Interner}'s crowded map, so the worst case stays linear.
 */
function sampledHash(buf: Buffer, start: number, end: number): number {
  const n = end - start;
  const words = wordsOf(buf);
  // Two sums, so that one word need not wait for the one before it.
  let hash = 0x811c9dc5 ^ n;
  let other = 0x9747b28c;
  let i = start;
  if (n > 48) {
    hash = mixed(hash, words.getInt32(i, true));
    other = mixed(other, words.getInt32(i + 4, true));
    hash = mixed(hash, words.getInt32(i + 8, true));
    other = mixed(other, words.getInt32(i + 12, true));
    const step = (n - 32) >> 3;
    for (i += 16; i + step < end - 16; i += 2 * step) {
      hash = mixed(hash, buf[i]);
      other = mixed(other, buf[i + step]);
    }
    if (i < end - 16) hash = mixed(hash, buf[i]);
    i = end - 16;
  }
  for (const last = end - 8; i <= last; i += 8) {
    hash = mixed(hash, words.getInt32(i, true));
    other = mixed(other, words.getInt32(i + 4, true));
  }
  for (; i < end; i++) hash = mixed(hash, buf[i]);
  return mixed(hash, other);
}

function mixed(hash: number, word: number): number {
  const h = Math.imul(hash ^ word, 0x01000193);
  return h ^ (h >>> 15);
}

/** Every byte counts. */
export function wholeHash(buf: Buffer, start: number, end: number): number {
  const words = wordsOf(buf);
  let hash = 0x811c9dc5 ^ (end - start);
  let i = start;
  for (; i + 4 <= end; i += 4) {
    hash = Math.imul(hash ^ words.getInt32(i, true), 0x01000193);
    hash ^= hash >>> 15;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ buf[i], 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) | 0;
}
