/**
 * Where a contract is, by the hash of its id: so that a million new ones do not cost a million searches, and so that the
 * first updates of an empty store need no index while they are appended. Holds 32 bits of each hash and what its row
 * number is made of (about 15 bytes per contract), knows all contracts or none, and steps aside when there are too many.
 */
import { blobNumber, numberAt, setPlace, WINDOW } from './contractNumber.js';
import type { Db } from './open.js';

/** Beyond this many contracts the map gives up and every look-up goes to the index. */
const MAX_ROWS = 12_000_000;
/** In a store that has contracts, the map is filled only when this many look-ups found nothing. */
const WORTH_FILLING = 20_000;

export interface ContractMap {
  /** True when every contract of the store is in the map. */
  readonly complete: boolean;
  /** Row number of the first contract whose id may have this hash; 0: there is none. */
  first(hash: number): number;
  /** The next one after {@link first}, or 0. */
  next(): number;
  /** Remembers a contract that was stored. */
  add(hash: number, pk: number): void;
  /** Reports a look-up in the index that found nothing. */
  missed(): void;
}

/** `beforeFill` writes what is not in the table yet. */
export function contractMap(db: Db, beforeFill: () => void): ContractMap {
  /** Two numbers per slot: 32 bits of the hash, and the number of the blob (also of contracts without one; 0: free). */
  let slots = new Uint32Array(2 << 16);
  /** By window of arrival: where in it each contract lies. */
  const places: (Uint16Array | undefined)[] = [];
  let size = 0;
  let misses = 0;
  let complete = db.prepare('SELECT 1 FROM contract LIMIT 1').get() === undefined;
  let possible = true;
  let wanted = 0;
  let slot = 0;

  const tagOf = (hash: number): number => Math.floor(hash / 65536) >>> 0;

  function slotOf(tag: number): number {
    const mixed = Math.imul(tag ^ (tag >>> 15), 0x2c1b3c6d);
    return ((mixed ^ (mixed >>> 13)) << 1) & (slots.length - 1);
  }

  function put(tag: number, blob: number): void {
    const mask = slots.length - 1;
    let at = slotOf(tag);
    while (slots[at + 1] !== 0) at = (at + 2) & mask;
    slots[at] = tag;
    slots[at + 1] = blob;
  }

  function giveUp(): void {
    complete = false;
    possible = false;
    slots = new Uint32Array(2);
    places.length = 0;
  }

  function insert(hash: number, pk: number): void {
    const blob = blobNumber(pk);
    if (size >= MAX_ROWS || blob > 0xffffffff) {
      giveUp();
      return;
    }
    const window = Math.floor(blob / WINDOW);
    places[window] ??= new Uint16Array(WINDOW);
    places[window][blob % WINDOW] = setPlace(pk);
    put(tagOf(hash), blob);
    if (++size * 10 < slots.length * 3) return;
    const old = slots;
    slots = new Uint32Array(old.length * 2);
    for (let i = 0; i < old.length; i += 2) if (old[i + 1] !== 0) put(old[i], old[i + 1]);
  }

  function candidate(): number {
    const mask = slots.length - 1;
    for (; slots[slot + 1] !== 0; slot = (slot + 2) & mask) {
      if (slots[slot] !== wanted) continue;
      const blob = slots[slot + 1];
      return numberAt(blob, (places[Math.floor(blob / WINDOW)] as Uint16Array)[blob % WINDOW]);
    }
    return 0;
  }

  return {
    get complete() {
      return complete;
    },
    first(hash) {
      wanted = tagOf(hash);
      slot = slotOf(wanted);
      return candidate();
    },
    next() {
      slot = (slot + 2) & (slots.length - 1);
      return candidate();
    },
    add(hash, pk) {
      if (complete) insert(hash, pk);
    },
    missed() {
      if (complete || !possible || ++misses < WORTH_FILLING) return;
      beforeFill();
      if ((db.prepare('SELECT count(*) FROM contract').pluck().get() as number) > MAX_ROWS) {
        possible = false;
        return;
      }
      complete = true;
      const rows = db.prepare('SELECT id_hash, contract_pk FROM contract').raw().iterate();
      for (const [hash, pk] of rows as IterableIterator<[number, number]>) if (complete) insert(hash, pk);
    },
  };
}
