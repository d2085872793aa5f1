/**
 * Small numbers for the party sets of contracts: who signs, who observes. Two contracts with the same sets have the same
 * number, whatever the order in which their parties are written. Takes a few dozen bytes per distinct set.
 */
import type { BlobView } from '../contract/blob.js';
import { AcsError } from '../io/error.js';
import { Interner } from '../wire/interner.js';

export class PartySets {
  private readonly parties: Interner;
  /** Per set: number of signatories, number of observers, then their party numbers, each part ascending. */
  private arena = new Int32Array(1 << 10);
  private used = 0;
  private starts: number[] = [];
  private hashes: number[] = [];
  private slots = new Int32Array(1024).fill(-1);
  private readonly signatories: number[] = [];
  private readonly observers: number[] = [];
  readonly capacity: number;

  /** `capacity`: how many different parties and how many different sets are accepted. */
  constructor(capacity = 1 << 21) {
    this.capacity = capacity;
    this.parties = new Interner(capacity);
  }

  get size(): number {
    return this.starts.length;
  }

  /** The number of the contract's party sets. Throws `DIFF_TOO_MANY_PARTIES` beyond the capacity. */
  ofBlob(blob: BlobView): number {
    const signatories = this.signatories;
    const observers = this.observers;
    signatories.length = 0;
    observers.length = 0;
    this.collect(blob.buf, blob.signatoryBorders, signatories);
    if (blob.maintainerBorders.length > 0) this.collect(blob.buf, blob.maintainerBorders, signatories);
    this.collect(blob.buf, blob.observerBorders, observers);
    sortDistinct(signatories);
    sortDistinct(observers);
    return this.intern();
  }

  private collect(buf: Buffer, borders: readonly number[], into: number[]): void {
    for (let i = 0; i < borders.length; i += 2) {
      const id = this.parties.id(buf, borders[i]!, borders[i + 1]!);
      if (id < 0) throw this.full('parties');
      into.push(id);
    }
  }

  private intern(): number {
    const signatories = this.signatories;
    const observers = this.observers;
    let hash = Math.imul(signatories.length + 1, 0x9e3779b1) ^ observers.length;
    for (const id of signatories) hash = Math.imul(hash ^ id, 0x85ebca6b) ^ (hash >>> 13);
    for (const id of observers) hash = Math.imul(hash ^ id, 0xc2b2ae35) ^ (hash >>> 15);
    hash |= 0;
    const mask = this.slots.length - 1;
    let slot = (hash ^ (hash >>> 16)) & mask;
    for (;;) {
      const set = this.slots[slot]!;
      if (set < 0) return this.add(hash, slot);
      if (this.hashes[set] === hash && this.equals(set)) return set;
      slot = (slot + 1) & mask;
    }
  }

  private equals(set: number): boolean {
    const signatories = this.signatories;
    const observers = this.observers;
    const arena = this.arena;
    let at = this.starts[set]!;
    if (arena[at++] !== signatories.length || arena[at++] !== observers.length) return false;
    for (const id of signatories) if (arena[at++] !== id) return false;
    for (const id of observers) if (arena[at++] !== id) return false;
    return true;
  }

  private add(hash: number, slot: number): number {
    const set = this.starts.length;
    if (set >= this.capacity) throw this.full('different sets of stakeholders');
    const signatories = this.signatories;
    const observers = this.observers;
    const need = this.used + 2 + signatories.length + observers.length;
    if (need > this.arena.length) {
      const grown = new Int32Array(Math.max(need, this.arena.length * 2));
      grown.set(this.arena.subarray(0, this.used));
      this.arena = grown;
    }
    this.starts.push(this.used);
    this.hashes.push(hash);
    const { arena } = this;
    let at = this.used;
    arena[at++] = signatories.length;
    arena[at++] = observers.length;
    for (const id of signatories) arena[at++] = id;
    for (const id of observers) arena[at++] = id;
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
    for (let i = from; i < from + count; i++) list.push(this.parties.text(this.arena[i]!));
    return list.sort();
  }
}

function sortDistinct(list: number[]): void {
  for (let i = 1; i < list.length; i++) {
    const x = list[i]!;
    let j = i - 1;
    while (j >= 0 && list[j]! > x) {
      list[j + 1] = list[j]!;
      j--;
    }
    list[j + 1] = x;
  }
  let n = 0;
  for (let i = 0; i < list.length; i++) if (i === 0 || list[i] !== list[i - 1]) list[n++] = list[i]!;
  list.length = n;
}
