/**
 * Tells quickly that an update id is not in the store yet, so that a million new ones do not cost a million searches.
 * Holds their 48-bit hashes in memory (about 13 bytes each) and steps aside when there are too many.
 */
import type { Db } from './open.js';

/** Beyond this many rows the filter gives up and every look-up goes to the index. */
const MAX_ROWS = 12_000_000;
/** In a table that has rows, the filter is filled only when this many look-ups found nothing. */
const WORTH_FILLING = 20_000;

export interface AbsenceFilter {
  /** True when the hash is certainly not in the store. */
  isAbsent(hash: number): boolean;
  /** Remembers a hash that was stored. */
  add(hash: number): void;
  /** Reports a look-up that found nothing although the filter could not say so. */
  missed(): void;
}

/** `beforeFill` writes what is not in the table yet. */
export function absenceFilter(db: Db, beforeFill: () => void): AbsenceFilter {
  let slots = new Float64Array(1 << 16);
  let size = 0;
  let missed = 0;
  let usable = db.prepare('SELECT 1 FROM update_tx LIMIT 1').get() === undefined;
  let possible = true;

  function slotOf(hash: number): number {
    const mask = slots.length - 1;
    // The low 32 bits of the hash are well mixed.
    let slot = (hash % 4294967296) & mask;
    for (;;) {
      const found = slots[slot];
      // 0 marks a free slot: hashes are stored plus one.
      if (found === 0 || found === hash + 1) return slot;
      slot = (slot + 1) & mask;
    }
  }

  function insert(hash: number): void {
    const slot = slotOf(hash);
    if (slots[slot] !== 0) return;
    slots[slot] = hash + 1;
    if (++size * 5 < slots.length * 3) return;
    if (size > MAX_ROWS) {
      possible = false;
      usable = false;
      slots = new Float64Array(0);
      return;
    }
    const old = slots;
    slots = new Float64Array(old.length * 2);
    for (const entry of old) if (entry !== 0) slots[slotOf(entry - 1)] = entry;
  }

  return {
    isAbsent: (hash) => usable && slots[slotOf(hash)] === 0,
    add(hash) {
      if (usable) insert(hash);
    },
    missed() {
      if (usable || !possible || ++missed < WORTH_FILLING) return;
      beforeFill();
      const count = db.prepare('SELECT count(*) FROM update_tx').pluck().get() as number;
      if (count > MAX_ROWS) {
        possible = false;
        return;
      }
      usable = true;
      const hashes = db
        .prepare('SELECT id_hash FROM update_tx')
        .pluck()
        .iterate() as IterableIterator<number>;
      for (const hash of hashes) insert(hash);
    },
  };
}
