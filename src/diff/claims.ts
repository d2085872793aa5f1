/**
 * What the threads of one comparison are at, in memory they share: a hash table in which the first one to meet a row
 * claims it for a while, in which every other input that shows the very same row only sets its bit. Then the first one
 * takes the claim back and knows which inputs show the row: it is made and sent once for all of them, or, where ALL inputs
 * show it, only counted and dropped.
 *
 * The table is small, so that it stays near, and holds the rows of a moment: inputs that come in about the same order meet
 * in it. A row that others show too late, or for which there is no room, is sent by several threads and joined later on.
 *
 * Rows are compared by three words of hash; two more say where to look (see keyedHash.ts). Threads agree over one word per
 * entry, its state, which changes atomically and has a version that changes with every claim: who sets a bit can be sure
 * that the entry is still that of the row it has compared.
 */

/** Up to so many inputs can share claims: each has a bit of the state. */
export const MAX_CLAIMING_INPUTS = 16;
const INPUTS = (1 << MAX_CLAIMING_INPUTS) - 1;
const READY = 1 << 16;
/** Given out, not yet filled. */
const TAKEN = 1 << 17;
const VERSION = 1 << 18;
const VERSIONS = -VERSION;

/** Words in front of the entries. */
const TWICE = 0;
/** Per input how far it is read. */
const PROGRESS = 16;
const HEAD_WORDS = PROGRESS + MAX_CLAIMING_INPUTS;
const AT_END = 0x7fffffff;
/** State and hash; so that the entries of a bucket lie in one line of a cache. */
const ENTRY_WORDS = 4;
const BUCKET_ENTRIES = 4;
const BUCKETS = 1 << 15;
const BUCKET_WORDS = ENTRY_WORDS * BUCKET_ENTRIES;

/** Two of the id, three of the row. */
export const HASH_WORDS = 5;

/** How often is looked whether another thread has filled what it has taken; then it is taken for another row. */
const SPINS = 100;

/** What {@link Claims.show} gives instead of a slot. */
export const SHOWN = -1;
/** There is no claim on the row. */
export const UNCLAIMED = -2;

export interface Claims {
  /** Fetches what {@link show} will look at for so many rows, whose hashes follow one another. */
  approach(hashes: Int32Array, rows: number): void;
  /**
   * Says that an input shows a row. Gives {@link SHOWN} when another thread has it, the slot when the row is new and now
   * claimed, {@link UNCLAIMED} when there is no room or `claim` is false. `hashes[at …]`: two words of the id, three of
   * the row.
   */
  show(hashes: Int32Array, at: number, input: number, claim: boolean): number;
  /** Takes a claim back; gives the inputs that have shown its row, one bit each. */
  release(slot: number): number;
  /** Those that have shown it so far. */
  inputsOf(slot: number): number;
  /** Says how far an input is read, in a measure that is the same for all of them; infinity: to the end. */
  advance(input: number, progress: number): void;
  /** True when one of the first so many inputs is not yet read as far as `progress`. */
  behind(progress: number, inputs: number): boolean;
  /** True when an input has shown a claimed row twice. */
  readonly shownTwice: boolean;
}

export function newClaimsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * (HEAD_WORDS + BUCKETS * BUCKET_WORDS));
}

export function openClaims(memory: SharedArrayBuffer): Claims {
  const words = new Int32Array(memory);
  const fetched = new Int32Array(1);
  const bucketOf = (hash: number): number => HEAD_WORDS + (hash & (BUCKETS - 1)) * BUCKET_WORDS;

  function isOf(entry: number, hashes: Int32Array, at: number): boolean {
    return (
      words[entry + 1] === hashes[at + 2] &&
      words[entry + 2] === hashes[at + 3] &&
      words[entry + 3] === hashes[at + 4]
    );
  }

  /** Sets the bit of an input; false when the entry is not that of the row (any more). */
  function joins(entry: number, hashes: Int32Array, at: number, bit: number): boolean {
    for (let spins = 0; spins < SPINS; spins++) {
      const state = Atomics.load(words, entry);
      if ((state & TAKEN) !== 0) continue;
      if ((state & READY) === 0 || !isOf(entry, hashes, at)) return false;
      if (Atomics.compareExchange(words, entry, state, state | bit) !== state) continue;
      if ((state & bit) !== 0) Atomics.store(words, TWICE, 1);
      return true;
    }
    return false;
  }

  return {
    // Loads that nobody waits for.
    approach(hashes, rows) {
      let seen = 0;
      for (let at = 0; at < rows * HASH_WORDS; at += HASH_WORDS) seen ^= words[bucketOf(hashes[at]!)]!;
      fetched[0] = seen;
    },

    show(hashes, at, input, claim) {
      const bit = 1 << input;
      const bucket = bucketOf(hashes[at]!);
      const end = bucket + BUCKET_WORDS;
      // Looking costs less than asking. What is seen may be outdated: `joins` makes sure.
      for (let entry = bucket; entry < end; entry += ENTRY_WORDS)
        if (isOf(entry, hashes, at) && joins(entry, hashes, at, bit)) return SHOWN;
      if (!claim) return UNCLAIMED;
      for (let entry = bucket; entry < end; entry += ENTRY_WORDS) {
        const state = words[entry]!;
        if ((state & (READY | TAKEN)) !== 0) continue;
        if (Atomics.compareExchange(words, entry, state, state | TAKEN) !== state) {
          // Another thread was faster, maybe with the same row.
          if (joins(entry, hashes, at, bit)) return SHOWN;
          continue;
        }
        words[entry + 1] = hashes[at + 2]!;
        words[entry + 2] = hashes[at + 3]!;
        words[entry + 3] = hashes[at + 4]!;
        Atomics.store(words, entry, ((state & VERSIONS) + VERSION) | READY | bit);
        return entry;
      }
      return UNCLAIMED;
    },

    release(slot) {
      // Nobody else changes the version.
      const version = words[slot]! & VERSIONS;
      return Atomics.exchange(words, slot, version) & INPUTS;
    },

    inputsOf: (slot) => Atomics.load(words, slot) & INPUTS,

    advance(input, progress) {
      Atomics.store(words, PROGRESS + input, Math.min(progress, AT_END));
    },

    behind(progress, inputs) {
      for (let i = 0; i < inputs; i++) if (Atomics.load(words, PROGRESS + i) < progress) return true;
      return false;
    },

    get shownTwice() {
      return Atomics.load(words, TWICE) !== 0;
    },
  };
}
