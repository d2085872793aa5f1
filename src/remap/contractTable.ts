/**
 * What a remap remembers of every contract between its passes: old id, new id, digest of its content, state. About 200
 * bytes per contract. Ids are raw bytes; numbers are given in the order of first sight.
 */
import { type ContractIdInfo, classifyContractId } from '../contract/contractId.js';
import { fingerprint, shortFingerprint } from '../contract/idTable.js';
import { writeHex } from '../wire/hexDigits.js';
import { newWords, sameWords, wordsOf } from '../wire/sameBytes.js';

/** Not yet known, unchanged, changed. */
export const ID_PENDING = 0;
export const ID_KEPT = 1;
export const ID_NEW = 2;

export class ContractTable {
  private slots = new Int32Array(4096).fill(-1);
  private hashes = new Uint32Array(2048);
  private state = new Uint8Array(2048);
  private known = new Uint8Array(2048);
  private digests = new Uint32Array(4096);
  /** Old id: start, end; new id: start, end. */
  private borders = new Float64Array(4 * 2048);
  private arena: Buffer = Buffer.allocUnsafe(1 << 18);
  private arenaWords = newWords(this.arena);
  private arenaBytes = 0;
  private count = 0;

  /** Number of ids known, those that were only referred to included. */
  get size(): number {
    return this.count;
  }

  /** The number of the raw id `buf[start, end)`. */
  number(buf: Buffer, start = 0, end = buf.length): number {
    const hash = shortFingerprint(buf, start, end);
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const number = this.slots[slot];
      if (number < 0) return this.add(buf, start, end, hash, slot);
      if (this.hashes[number] === hash && this.equals(number, buf, start, end)) return number;
      slot = (slot + 1) & mask;
    }
  }

  private equals(number: number, buf: Buffer, start: number, end: number): boolean {
    const at = this.borders[4 * number];
    if (this.borders[4 * number + 1] - at !== end - start) return false;
    return sameWords(wordsOf(buf), start, end, this.arenaWords, at);
  }

  private add(buf: Buffer, start: number, end: number, hash: number, slot: number): number {
    const number = this.count++;
    if (number >= this.hashes.length) this.grow();
    this.hashes[number] = hash;
    this.borders[4 * number] = this.store(buf, start, end);
    this.borders[4 * number + 1] = this.arenaBytes;
    this.slots[slot] = number;
    if (this.count * 2 > this.slots.length) this.rehash();
    return number;
  }

  private store(buf: Buffer, start: number, end: number): number {
    const at = this.arenaBytes;
    const need = at + end - start;
    if (need > this.arena.length) {
      const grown = Buffer.allocUnsafe(Math.max(need, Math.floor(this.arena.length * 1.5)));
      this.arena.copy(grown, 0, 0, at);
      this.arena = grown;
      this.arenaWords = newWords(grown);
    }
    buf.copy(this.arena, at, start, end);
    this.arenaBytes = need;
    return at;
  }

  private grow(): void {
    const capacity = this.hashes.length * 2;
    const copy = <T extends Uint32Array | Uint8Array | Float64Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.hashes = copy(this.hashes, new Uint32Array(capacity));
    this.state = copy(this.state, new Uint8Array(capacity));
    this.known = copy(this.known, new Uint8Array(capacity));
    this.digests = copy(this.digests, new Uint32Array(2 * capacity));
    this.borders = copy(this.borders, new Float64Array(4 * capacity));
  }

  private rehash(): void {
    const slots = new Int32Array(this.slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (let number = 0; number < this.count; number++) {
      let slot = this.hashes[number] & mask;
      while (slots[slot] >= 0) slot = (slot + 1) & mask;
      slots[slot] = number;
    }
    this.slots = slots;
  }

  /** Hex. */
  oldId(number: number): string {
    return this.arena.toString('hex', this.borders[4 * number], this.borders[4 * number + 1]);
  }

  /** Sorts numbers by the bytes of their old ids, which is the order of the hex digits. */
  sortByOldId(numbers: readonly number[]): Int32Array {
    const { arena, borders } = this;
    // Ids are hashes behind a version byte: two bytes of it leave a handful for each of the buckets.
    const bucketOf = (number: number): number => {
      const start = borders[4 * number];
      return borders[4 * number + 1] - start < 3 ? 0 : arena[start + 1] * 256 + arena[start + 2];
    };
    const compare = (a: number, b: number): number =>
      arena.compare(arena, borders[4 * b], borders[4 * b + 1], borders[4 * a], borders[4 * a + 1]);
    const [first] = numbers;
    const alike = numbers.every((number) => arena[borders[4 * number]] === arena[borders[4 * first]]);
    if (!alike) return Int32Array.from(numbers).sort(compare);
    const ends = new Int32Array(0x10000);
    for (const number of numbers) ends[bucketOf(number)]++;
    for (let i = 1; i < ends.length; i++) ends[i] += ends[i - 1];
    const sorted = new Int32Array(numbers.length);
    const next = Int32Array.from(ends);
    for (const number of numbers) sorted[--next[bucketOf(number)]] = number;
    for (let i = 0; i < ends.length; i++) {
      if (ends[i] - next[i] > 1) sorted.subarray(next[i], ends[i]).sort(compare);
    }
    return sorted;
  }

  /** Bytes of the old id. */
  oldLength(number: number): number {
    return this.borders[4 * number + 1] - this.borders[4 * number];
  }

  /** True when a contract with this id was read. */
  isContract(number: number): boolean {
    return this.known[number] === 1;
  }

  /** Remembers a contract and its content. False when it is known with another content. */
  addContract(number: number, content: Buffer): boolean {
    const [high, low] = fingerprint(content, 0, content.length);
    return this.addDigest(number, high, low);
  }

  /** The same for content of which the fingerprint is known. */
  addDigest(number: number, high: number, low: number): boolean {
    if (this.known[number] === 1)
      return this.digests[2 * number] === high && this.digests[2 * number + 1] === low;
    this.known[number] = 1;
    this.digests[2 * number] = high;
    this.digests[2 * number + 1] = low;
    return true;
  }

  stateOf(number: number): number {
    return this.state[number];
  }

  keepId(number: number): void {
    this.state[number] = ID_KEPT;
  }

  setNewId(number: number, id: Buffer): void {
    this.borders[4 * number + 2] = this.store(id, 0, id.length);
    this.borders[4 * number + 3] = this.arenaBytes;
    this.state[number] = ID_NEW;
  }

  /** The id the contract has afterwards: hex. */
  newId(number: number): string {
    return this.state[number] === ID_NEW
      ? this.arena.toString('hex', this.borders[4 * number + 2], this.borders[4 * number + 3])
      : this.oldId(number);
  }

  /** Writes `old,new` in hex and a line feed at `at`; `words` is the word view of the target. Returns the end. */
  writeIdLine(number: number, words: DataView, at: number): number {
    const { arena, borders } = this;
    const comma = writeHex(arena, borders[4 * number], borders[4 * number + 1], words, at);
    words.setUint8(comma, 0x2c);
    const end = writeHex(arena, borders[4 * number + 2], borders[4 * number + 3], words, comma + 1);
    words.setUint8(end, 0x0a);
    return end + 1;
  }

  /** What kind of id the contract has afterwards. */
  newIdKind(number: number): ContractIdInfo {
    const at = 4 * number + (this.state[number] === ID_NEW ? 2 : 0);
    return classifyContractId(this.arena, this.borders[at], this.borders[at + 1]);
  }

  /** Raw bytes of the new id, a view; only of contracts whose id changed. */
  newIdBytes(number: number): Buffer {
    return this.arena.subarray(this.borders[4 * number + 2], this.borders[4 * number + 3]);
  }
}
