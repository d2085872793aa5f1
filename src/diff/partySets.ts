/**
 * Small numbers for the party sets of contracts: who signs, who observes. Two contracts with the same sets have the same
 * number, whatever the order in which their parties are written. Takes a few dozen bytes per distinct set.
 */
import type { BlobView } from '../contract/blob.js';
import { AcsError } from '../io/error.js';
import { Interner } from '../wire/interner.js';

export class PartySets {
  private readonly names: Interner;
  /** Per set: number of signatories, number of observers, then their party numbers, each part ascending. */
  private arena = new Int32Array(1 << 10);
  private used = 0;
  private starts: number[] = [];
  private hashes: number[] = [];
  private slots = new Int32Array(1024).fill(-1);
  /** The party numbers of the set at hand: signatories, then observers, each part ascending. */
  private scratch = new Int32Array(64);
  readonly capacity: number;

  /** `capacity`: how many different parties and how many different sets are accepted. */
  constructor(capacity = 1 << 21) {
    this.capacity = capacity;
    this.names = new Interner(capacity);
  }

  get size(): number {
    return this.starts.length;
  }

  get parties(): number {
    return this.names.size;
  }

  /** The bytes of a party id; valid until the next new party. */
  partyBytes(party: number): Buffer {
    return this.names.bytes(party);
  }

  /** The number of a party id. Throws `DIFF_TOO_MANY_PARTIES` beyond the capacity. */
  party(buf: Buffer, start: number, end: number): number {
    const id = this.names.id(buf, start, end);
    if (id < 0) throw this.full('parties');
    return id;
  }

  /** A set as numbers: how many signatories, how many observers, then their party numbers. Valid until the next new set. */
  wordsOf(set: number): Int32Array {
    const at = this.starts[set]!;
    return this.arena.subarray(at, at + 2 + this.arena[at]! + this.arena[at + 1]!);
  }

  /** The number of a set given as {@link wordsOf} gives it, from `at` on, in party numbers of this object. */
  ofWords(words: Int32Array, at: number): number {
    const signatories = words[at]!;
    const count = signatories + words[at + 1]!;
    this.reserve(count);
    for (let i = 0; i < count; i++) this.scratch[i] = words[at + 2 + i]!;
    const signed = sortDistinct(this.scratch, 0, signatories);
    return this.intern(signed, sortDistinct(this.scratch, signatories, count) - signatories);
  }

  /** The number of the contract's party sets. Throws `DIFF_TOO_MANY_PARTIES` beyond the capacity. */
  ofBlob(blob: BlobView): number {
    let end = this.collect(blob.buf, blob.signatoryBorders, 0);
    if (blob.maintainerBorders.length > 0) end = this.collect(blob.buf, blob.maintainerBorders, end);
    const signatories = sortDistinct(this.scratch, 0, end);
    end = this.collect(blob.buf, blob.observerBorders, signatories);
    return this.intern(signatories, sortDistinct(this.scratch, signatories, end) - signatories);
  }

  /** Appends party numbers to the scratch from `at` on; returns where they end. */
  private collect(buf: Buffer, borders: readonly number[], at: number): number {
    this.reserve(at + borders.length / 2);
    for (let i = 0; i < borders.length; i += 2)
      this.scratch[at++] = this.party(buf, borders[i]!, borders[i + 1]!);
    return at;
  }

  private reserve(need: number): void {
    if (need <= this.scratch.length) return;
    const grown = new Int32Array(need * 2);
    grown.set(this.scratch);
    this.scratch = grown;
  }

  private intern(signatories: number, observers: number): number {
    const { scratch } = this;
    const count = signatories + observers;
    let hash = Math.imul(signatories + 1, 0x9e3779b1) ^ observers;
    for (let i = 0; i < count; i++) hash = Math.imul(hash ^ scratch[i]!, 0x85ebca6b) ^ (hash >>> 13);
    hash |= 0;
    const mask = this.slots.length - 1;
    let slot = (hash ^ (hash >>> 16)) & mask;
    for (;;) {
      const set = this.slots[slot]!;
      if (set < 0) return this.add(hash, slot, signatories, observers);
      if (this.hashes[set] === hash && this.equals(set, signatories, observers)) return set;
      slot = (slot + 1) & mask;
    }
  }

  private equals(set: number, signatories: number, observers: number): boolean {
    const { arena, scratch } = this;
    let at = this.starts[set]!;
    if (arena[at++] !== signatories || arena[at++] !== observers) return false;
    for (let i = 0; i < signatories + observers; i++) if (arena[at++] !== scratch[i]) return false;
    return true;
  }

  private add(hash: number, slot: number, signatories: number, observers: number): number {
    const set = this.starts.length;
    if (set >= this.capacity) throw this.full('different sets of stakeholders');
    const count = signatories + observers;
    const need = this.used + 2 + count;
    if (need > this.arena.length) {
      const grown = new Int32Array(Math.max(need, this.arena.length * 2));
      grown.set(this.arena.subarray(0, this.used));
      this.arena = grown;
    }
    this.starts.push(this.used);
    this.hashes.push(hash);
    const { arena, scratch } = this;
    let at = this.used;
    arena[at++] = signatories;
    arena[at++] = observers;
    for (let i = 0; i < count; i++) arena[at++] = scratch[i]!;
    this.used = at;
    this.slots[slot] = set;
    if (this.starts.length * 2 > this.slots.length) this.grow();
    return set;
  }

  private grow(): void {
    const slots = new Int32Array(this.slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (let set = 0; set < this.starts.length; set++) {
      const hash = this.hashes[set]!;
      let slot = (hash ^ (hash >>> 16)) & mask;
      while (slots[slot]! >= 0) slot = (slot + 1) & mask;
      slots[slot] = set;
    }
    this.slots = slots;
  }

  private full(what: string): AcsError {
    return new AcsError('DIFF_TOO_MANY_PARTIES', `the inputs have too many ${what}`, {
      expected: `at most ${this.capacity}`,
      hint: 'give more memory with --memory, or compare one part of the parties at a time',
    });
  }

  /** Parties that sign, ascending. */
  signatoriesOf(set: number): string[] {
    const at = this.starts[set]!;
    return this.texts(at + 2, this.arena[at]!);
  }

  /** Signatories and observers, ascending, each once. */
  stakeholdersOf(set: number): string[] {
    const at = this.starts[set]!;
    return [...new Set(this.texts(at + 2, this.arena[at]! + this.arena[at + 1]!))];
  }

  private texts(from: number, count: number): string[] {
    const list: string[] = [];
    for (let i = from; i < from + count; i++) list.push(this.names.text(this.arena[i]!));
    return list.sort();
  }
}

/** Sorts `list[from, end)` and drops repetitions; returns the new end. */
function sortDistinct(list: Int32Array, from: number, end: number): number {
  // Sets are small; a long list, made so on purpose maybe, must not take quadratic time.
  if (end - from > 64) list.subarray(from, end).sort();
  else
    for (let i = from + 1; i < end; i++) {
      const x = list[i]!;
      let j = i - 1;
      while (j >= from && list[j]! > x) {
        list[j + 1] = list[j]!;
        j--;
      }
      list[j + 1] = x;
    }
  let n = from;
  for (let i = from; i < end; i++) if (i === from || list[i] !== list[i - 1]) list[n++] = list[i]!;
  return n;
}
