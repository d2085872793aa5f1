/**
 * The contracts of all inputs, joined by contract id: a hash table over rows kept in blocks of typed arrays. What several
 * inputs show alike is stored once, with the set of inputs that show it.
 */
import { randomBytes } from 'node:crypto';
import { AcsError } from '../io/error.js';
import { HAS_CONTENT, ID_WORDS, IN_FLIGHT, idOf, ROW, rowWords } from './row.js';

const BLOCK_ROWS = 1 << 9;
const BLOCK_SHIFT = 9;
const SEED = randomBytes(4).readInt32LE(0) | 1;

export class RowTable {
  /** Words of a row, without the link to the next one. */
  readonly rowWords: number;
  private readonly stride: number;
  private blocks: Int32Array[] = [];
  private slots = new Int32Array(1 << 12).fill(-1);
  /** Per slot the hash of its contract id: rows are looked at where it agrees only, and not at all to make more slots. */
  private hashes = new Int32Array(1 << 12);
  private rows = 0;
  private contracts = 0;
  /** Whether the row found last is the only one of its contract. */
  private foundAlone = false;
  private readonly inputNames: readonly string[];

  constructor(inputNames: readonly string[]) {
    this.inputNames = inputNames;
    this.rowWords = rowWords(inputNames.length);
    this.stride = this.rowWords + 1;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.blocks.length * BLOCK_ROWS * this.stride * 4 + this.slots.length * 8;
  }

  /** Different rows: contracts, and what is shown in more than one way once more for each. */
  get size(): number {
    return this.rows;
  }

  clear(): void {
    this.blocks = [];
    this.slots = new Int32Array(1 << 12).fill(-1);
    this.hashes = new Int32Array(1 << 12);
    this.rows = 0;
    this.contracts = 0;
  }

  /** The block of a row; {@link offsetOf} is the row's place in it. */
  blockOf(row: number): Int32Array {
    return this.blocks[row >>> BLOCK_SHIFT]!;
  }

  offsetOf(row: number): number {
    return (row & (BLOCK_ROWS - 1)) * this.stride;
  }

  /** The next row of the same contract, or -1. */
  nextOf(row: number): number {
    return this.blockOf(row)[this.offsetOf(row) + this.rowWords]!;
  }

  /** Adds the row `words[at …]`. Throws `DIFF_DUPLICATE_CONTRACT` when one input shows a contract twice. */
  add(words: Int32Array, at: number): void {
    const hash = hashId(words, at);
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const head = this.slots[slot]!;
      if (head < 0) {
        this.slots[slot] = this.append(words, at);
        this.hashes[slot] = hash;
        this.contracts++;
        if (this.contracts * 2 > this.slots.length) this.grow();
        return;
      }
      if (
        this.hashes[slot] === hash &&
        sameWords(this.blockOf(head), this.offsetOf(head), words, at, ID_WORDS)
      ) {
        this.join(head, words, at);
        return;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** A row of the same id and content as `words[0 …]`, or -1. */
  findContent(words: Int32Array): number {
    const hash = hashId(words, 0);
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const head = this.slots[slot]!;
      if (head < 0) return -1;
      if (
        this.hashes[slot] === hash &&
        sameWords(this.blockOf(head), this.offsetOf(head), words, 0, ID_WORDS)
      ) {
        for (let row = head; row >= 0; row = this.nextOf(row)) {
          const block = this.blockOf(row);
          const offset = this.offsetOf(row);
          if (
            (block[offset + ROW.flags]! & HAS_CONTENT) !== 0 &&
            sameWords(block, offset + ROW.digest, words, ROW.digest, 4)
          ) {
            this.foundAlone = row === head && block[offset + this.rowWords] === -1;
            return row;
          }
        }
        return -1;
      }
      slot = (slot + 1) & mask;
    }
  }

  /**
   * Notes that an input shows the row that {@link findContent} found, when `words` says the same of it in every respect.
   * False when it does not, when the contract has other rows, or when the input has shown it before.
   */
  showAgain(row: number, words: Int32Array, input: number): boolean {
    const block = this.blockOf(row);
    const offset = this.offsetOf(row);
    const word = offset + ROW.inputs + (input >>> 5);
    const bit = 1 << (input & 31);
    if (
      !this.foundAlone ||
      (block[word]! & bit) !== 0 ||
      block[offset + ROW.flags] !== words[ROW.flags] ||
      block[offset + ROW.synchronizer] !== words[ROW.synchronizer] ||
      block[offset + ROW.counterLow] !== words[ROW.counterLow] ||
      block[offset + ROW.counterHigh] !== words[ROW.counterHigh] ||
      block[offset + ROW.representative] !== words[ROW.representative]
    )
      return false;
    block[word]! |= bit;
    return true;
  }

  private join(head: number, words: Int32Array, at: number): void {
    let row = head;
    let match = -1;
    for (;;) {
      const block = this.blockOf(row);
      const offset = this.offsetOf(row);
      if (
        block[offset + ROW.synchronizer] === words[at + ROW.synchronizer] ||
        block[offset + ROW.synchronizer] === -1 ||
        words[at + ROW.synchronizer] === -1
      ) {
        for (let w = ROW.inputs; w < this.rowWords; w++) {
          const twice = block[offset + w]! & words[at + w]!;
          if (twice !== 0) throw this.duplicate(words, at, w, twice);
        }
      }
      if (sameWords(block, offset + ID_WORDS, words, at + ID_WORDS, ROW.inputs - ID_WORDS)) match = row;
      const next = block[offset + this.rowWords]!;
      if (next < 0) break;
      row = next;
    }
    if (match >= 0) {
      const block = this.blockOf(match);
      const offset = this.offsetOf(match);
      for (let w = ROW.inputs; w < this.rowWords; w++) block[offset + w]! |= words[at + w]!;
      return;
    }
    const added = this.append(words, at);
    this.blockOf(row)[this.offsetOf(row) + this.rowWords] = added;
  }

  private duplicate(words: Int32Array, at: number, word: number, bits: number): AcsError {
    const input = (word - ROW.inputs) * 32 + (31 - Math.clz32(bits & -bits));
    return new AcsError('DIFF_DUPLICATE_CONTRACT', 'a contract occurs twice in one input', {
      file: this.inputNames[input],
      contractId: idOf(words, at),
      expected: 'every contract once per synchronizer',
      hint: 'Canton refuses such a file on import; `acs merge` removes duplicates',
    });
  }

  private append(words: Int32Array, at: number): number {
    const row = this.rows++;
    if (row >>> BLOCK_SHIFT === this.blocks.length) {
      this.blocks.push(new Int32Array(BLOCK_ROWS * this.stride));
    }
    const block = this.blockOf(row);
    const offset = this.offsetOf(row);
    for (let i = 0; i < this.rowWords; i++) block[offset + i] = words[at + i]!;
    block[offset + this.rowWords] = -1;
    return row;
  }

  private grow(): void {
    const slots = new Int32Array(this.slots.length * 2).fill(-1);
    const hashes = new Int32Array(slots.length);
    const mask = slots.length - 1;
    for (let i = 0; i < this.slots.length; i++) {
      const head = this.slots[i]!;
      if (head < 0) continue;
      const hash = this.hashes[i]!;
      let slot = hash & mask;
      while (slots[slot]! >= 0) slot = (slot + 1) & mask;
      slots[slot] = head;
      hashes[slot] = hash;
    }
    this.slots = slots;
    this.hashes = hashes;
  }

  /** Calls `use` with the first row of every contract, in no useful order. */
  eachContract(use: (row: number) => void): void {
    for (const head of this.slots) if (head >= 0) use(head);
  }

  /** Calls `use` with the block and the offset of every row. */
  eachRow(use: (block: Int32Array, offset: number) => void): void {
    for (let row = 0; row < this.rows; row++) use(this.blockOf(row), this.offsetOf(row));
  }

  /** Order of contract ids: that of their lower-case hex. */
  compareIds(a: number, b: number): number {
    return compareIds(this.blockOf(a), this.offsetOf(a), this.blockOf(b), this.offsetOf(b));
  }

  /** True when the contract has a single row, active, that exactly the inputs of `inputs` (and maybe others) show. */
  isUniform(row: number, inputs: Int32Array): boolean {
    const block = this.blockOf(row);
    const offset = this.offsetOf(row);
    if (block[offset + this.rowWords] !== -1 || (block[offset + ROW.flags]! & IN_FLIGHT) !== 0) return false;
    for (let w = 0; w < inputs.length; w++) {
      if ((block[offset + ROW.inputs + w]! & inputs[w]!) !== inputs[w]) return false;
    }
    return true;
  }

  /** True when an input outside of `inputs` shows the contract. */
  isBeyond(first: number, inputs: Int32Array): boolean {
    for (let row = first; row >= 0; row = this.nextOf(row)) {
      const block = this.blockOf(row);
      const offset = this.offsetOf(row);
      for (let w = 0; w < inputs.length; w++)
        if ((block[offset + ROW.inputs + w]! & ~inputs[w]!) !== 0) return true;
    }
    return false;
  }
}

function sameWords(a: Int32Array, at: number, b: Int32Array, bt: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (a[at + i] !== b[bt + i]) return false;
  return true;
}

/** Keyed by a number drawn at random per process, so that nobody can prepare ids that all fall into one place. */
function hashId(words: Int32Array, at: number): number {
  let h = SEED;
  for (let i = 0; i < ID_WORDS; i++) {
    h = Math.imul(h ^ words[at + i]!, 0x9e3779b1 ^ (SEED << 1));
    h ^= h >>> 15;
  }
  return h;
}

/** Order of ids by their bytes, a shorter one first when it is the beginning of the other. */
export function compareIds(a: Int32Array, at: number, b: Int32Array, bt: number): number {
  for (let i = 0; i < ID_WORDS; i++) {
    const left = a[at + i]!;
    const right = b[bt + i]!;
    // The first byte is the length, not a part of the id. Behind the end are zeros.
    const different = i === 0 ? (left ^ right) & ~0xff : left ^ right;
    if (different === 0) continue;
    const shift = 8 * ((31 - Math.clz32(different & -different)) >>> 3);
    return ((left >>> shift) & 0xff) - ((right >>> shift) & 0xff);
  }
  return (a[at]! & 0xff) - (b[bt]! & 0xff);
}
