/**
 * What a remap remembers of every contract between its passes: old id, new id, content digest, state. About 250 bytes
 * per contract, references aside.
 */
import { Interner } from '../wire/interner.js';

/** Not yet known, unchanged, changed. */
export const ID_PENDING = 0;
export const ID_KEPT = 1;
export const ID_NEW = 2;

const MAX_CONTRACTS = 2 ** 30;

export class ContractTable {
  private readonly ids = new Interner(MAX_CONTRACTS);
  private state = new Uint8Array(1024);
  /** 48 bits of the content's SHA-256; -1 for ids that were only referred to. */
  private readonly digests: number[] = [];
  /** New ids as raw bytes, end to end. */
  private arena: Buffer = Buffer.allocUnsafe(64 * 1024);
  private arenaBytes = 0;
  private readonly newStart: number[] = [];
  private readonly newEnd: number[] = [];

  /** Number of ids known, those that were only referred to included. */
  get size(): number {
    return this.digests.length;
  }

  /** The number of an id (as hex or as the source writes it). */
  number(id: string): number {
    const bytes = Buffer.from(id, 'latin1');
    const number = this.ids.id(bytes, 0, bytes.length);
    while (this.digests.length <= number) {
      this.digests.push(-1);
      this.newStart.push(-1);
      this.newEnd.push(-1);
      if (this.digests.length > this.state.length) {
        const grown = new Uint8Array(this.state.length * 2);
        grown.set(this.state);
        this.state = grown;
      }
    }
    return number;
  }

  oldId(number: number): string {
    return this.ids.text(number);
  }

  /** True when a contract with this id was read. */
  isContract(number: number): boolean {
    return this.digests[number] >= 0;
  }

  digest(number: number): number {
    return this.digests[number];
  }

  addContract(number: number, digest: number): void {
    this.digests[number] = digest;
  }

  stateOf(number: number): number {
    return this.state[number];
  }

  keepId(number: number): void {
    this.state[number] = ID_KEPT;
  }

  setNewId(number: number, id: Buffer): void {
    if (this.arenaBytes + id.length > this.arena.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.arena.length * 2, this.arenaBytes + id.length));
      this.arena.copy(grown, 0, 0, this.arenaBytes);
      this.arena = grown;
    }
    id.copy(this.arena, this.arenaBytes);
    this.newStart[number] = this.arenaBytes;
    this.arenaBytes += id.length;
    this.newEnd[number] = this.arenaBytes;
    this.state[number] = ID_NEW;
  }

  /** The id the contract has afterwards: hex. */
  newId(number: number): string {
    return this.state[number] === ID_NEW
      ? this.arena.toString('hex', this.newStart[number], this.newEnd[number])
      : this.oldId(number);
  }
}
