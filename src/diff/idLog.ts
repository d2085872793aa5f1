/**
 * The contracts of all rows that the threads of a comparison have sent or dropped, by a hash of their ids: a row may be
 * dropped only when it is the only one of its contract, and that is known in the end only.
 */

/** A page of the log: two words per row, the lowest bit of the second says that the row was dropped. */
export type IdPage = Int32Array<ArrayBuffer>;

const PAGE_WORDS = 1 << 14;
/** Rows are looked through in so many parts, by the upper bits of their hashes. */
const PART_BITS = 6;
const PARTS = 1 << PART_BITS;
const DROPPED = 1;

export interface IdLog {
  /** Two words of hash; 63 bits of them count. */
  note(first: number, second: number, dropped: boolean): void;
  /** All that was noted. The log is empty then. */
  take(): IdPage[];
}

export function openIdLog(): IdLog {
  let pages: IdPage[] = [];
  let page = new Int32Array(PAGE_WORDS);
  let used = 0;
  return {
    note(first, second, dropped) {
      if (used === PAGE_WORDS) {
        pages.push(page);
        page = new Int32Array(PAGE_WORDS);
        used = 0;
      }
      page[used++] = first;
      page[used++] = dropped ? second | DROPPED : second & ~DROPPED;
    },
    take() {
      const all = [...pages, page.slice(0, used)];
      pages = [];
      page = new Int32Array(PAGE_WORDS);
      used = 0;
      return all;
    },
  };
}

/** Bytes a row takes in the log, and while the log is looked through. */
export const ID_LOG_BYTES = 16;

/**
 * True when a contract with a dropped row has a further row. Ids with the same hash are taken for one, so that it may be
 * true for no reason, though that hardly ever happens.
 */
export function hasDroppedTwice(pages: readonly IdPage[]): boolean {
  // Rows are sorted into parts, for a table of the rows of one part stays near.
  const starts = new Int32Array(PARTS + 1);
  for (const page of pages) {
    for (let i = 0; i < page.length; i += 2) starts[(page[i]! >>> (32 - PART_BITS)) + 1]!++;
  }
  let largest = 0;
  for (let part = 0; part < PARTS; part++) {
    largest = Math.max(largest, starts[part + 1]!);
    starts[part + 1]! += starts[part]!;
  }
  const rows = new Int32Array(2 * starts[PARTS]!);
  const next = starts.slice();
  for (const page of pages) {
    for (let i = 0; i < page.length; i += 2) {
      const at = 2 * next[page[i]! >>> (32 - PART_BITS)]!++;
      rows[at] = page[i]!;
      rows[at + 1] = page[i + 1]!;
    }
  }
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * largest + 2)));
  for (let part = 0; part < PARTS; part++) {
    slots.fill(-1);
    for (let row = starts[part]!; row < starts[part + 1]!; row++) {
      if (meetsDropped(rows, 2 * row, slots)) return true;
    }
  }
  return false;
}

/** Puts the row at `at` into the table; true when a row of the same contract is there and one of the two was dropped. */
function meetsDropped(rows: Int32Array, at: number, slots: Int32Array): boolean {
  const first = rows[at]!;
  const second = rows[at + 1]!;
  const mask = slots.length - 1;
  for (let slot = first & mask; ; slot = (slot + 1) & mask) {
    const known = slots[slot]!;
    if (known < 0) {
      slots[slot] = at;
      return false;
    }
    if (rows[known] !== first || (rows[known + 1]! ^ second) >>> 1 !== 0) continue;
    if (((rows[known + 1]! | second) & DROPPED) !== 0) return true;
    return false;
  }
}
