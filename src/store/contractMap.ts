/**
 * Where a contract is, by the hash of its id: so that a million new ones do not cost a million searches, and so that the
 * first updates of an empty store need no index while they are appended. Holds 32 bits of each hash and what its row
 * number is made of (about 15 bytes per contract), knows all contracts or none, and steps aside when there are too many.
 */
import { blobNumber, numberAt, setPlace } from './contractNumber.js';
import type { Db } from './open.js';

/** Beyond this many contracts the map gives up and every look-up goes to the index. */
const MAX_ROWS = 12_000_000;
/** Beyond this one too: it has room for each number up to the largest. */
const MAX_NUMBER = 100_000_000;
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
  let tags = new Uint32Array(1 << 16);
  /** Numbers of blobs, also of contracts without one. 0 marks a free slot: they begin at 1. */
  let blobs = new Uint32Array(1 << 16);
  /** By number of the blob: where in its window the contract lies. */
  let places = new Uint16Array(1 << 19);
  let size = 0;
  let misses = 0;
  let complete = db.prepare('SELECT 1 FROM contract LIMIT 1').get() === undefined;
  let possible = true;
  let wanted = 0;
  let slot = 0;

  const tagOf = (hash: number): number => Math.floor(hash / 65536) >>> 0;

  function slotOf(tag: number): number {
    const mixed = Math.imul(tag ^ (tag >>> 15), 0x2c1b3c6d);
    return (mixed ^ (mixed >>> 13)) & (blobs.length - 1);
  }

  function put(tag: number, blob: number): void {
    const mask = blobs.length - 1;
    let at = slotOf(tag);
    while (blobs[at] !== 0) at = (at + 1) & mask;
    tags[at] = tag;
    blobs[at] = blob;
  }

  function giveUp(): void {
    complete = false;
    possible = false;
    tags = blobs = new Uint32Array(0);
    places = new Uint16Array(0);
  }

  function insert(hash: number, pk: number): void {
    const blob = blobNumber(pk);
    if (size >= MAX_ROWS || blob > MAX_NUMBER) {
      giveUp();
      return;
    }
    if (blob >= places.length) {
      const grown = new Uint16Array(Math.ceil(blob * 1.5));
      grown.set(places);
      places = grown;
    }
    places[blob] = setPlace(pk);
    put(tagOf(hash), blob);
    if (++size * 5 < blobs.length * 3) return;
    const [oldTags, oldPks] = [tags, blobs];
    tags = new Uint32Array(oldTags.length * 2);
    blobs = new Uint32Array(oldPks.length * 2);
    for (let i = 0; i < oldPks.length; i++) if (oldPks[i] !== 0) put(oldTags[i], oldPks[i]);
  }

  function candidate(): number {
    const mask = blobs.length - 1;
    for (; blobs[slot] !== 0; slot = (slot + 1) & mask)
      if (tags[slot] === wanted) return numberAt(blobs[slot], places[blobs[slot]]);
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
      slot = (slot + 1) & (blobs.length - 1);
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
