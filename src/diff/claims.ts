/**
 * What the threads of one comparison have seen so far, in memory they share: a hash table in which the first one to meet
 * a row claims it, and every further input that shows the very same row only sets its bit. So a row that several inputs
 * show alike is decoded and sent once; one that ALL inputs show alike and that is the only one of its contract may be
 * dropped: it is counted and never leaves its thread.
 *
 * An entry is found by the hash of the contract id and compared by that and three further words (see keyedHash.ts). It
 * stays where it is once it is there, so its slot stands for the row. Threads agree over one word per entry, its state,
 * which changes atomically; the hashes are written once, before the state says so.
 *
 * Two different rows of one contract have the same id hash, so whoever brings the second one passes the first one on its
 * way and marks both; marked rows are not dropped. When the first one has been dropped already, or when an input shows
 * the same row twice, the claims are `ambiguous`: the inputs have to be compared without them. Two ids with the same hash
 * are taken for one contract, which costs time and changes nothing.
 *
 * Names and parties of dropped rows need no room in the vocabulary of the comparison.
 */

/** Up to so many inputs can share claims: each has a bit of the state. */
export const MAX_CLAIMING_INPUTS = 24;
const READY = 1 << 24;
/** Another row has the same id hash. */
const NOT_ALONE = 1 << 25;
const DROPPED = 1 << 26;
/** Stands for a row that has no hash: equal to nothing. */
const OPAQUE = 1 << 27;
/** Given out, not yet filled. */
const CLAIMED = 1 << 28;

/** Words in front of the entries. */
const CLOSED = 0;
const AMBIGUOUS = 1;
const COUNT = 2;
/** Per input how far it is read. */
const PROGRESS = 8;
const HEAD_WORDS = PROGRESS + MAX_CLAIMING_INPUTS;
const AT_END = 0x7fffffff;
/** State, first word of the id's hash, three words of the row's hash; the second word of the id's hash says where. */
const ENTRY_WORDS = 5;
/** Two of the id, three of the row. */
export const HASH_WORDS = 5;
const MAX_LOAD = 0.7;

/** How long another thread may take to fill an entry before this one gives up its processor. */
const SPINS = 200;
const WAIT_MS = 1;

/** What {@link Claims.show} gives instead of a slot. */
export const SHOWN = -1;
/** No claim is possible any more: the row has to be sent without. */
export const UNCLAIMED = -2;

export interface Claims {
  /**
   * Says that an input shows a row. Gives its slot when the row is new and now this thread's to tell, {@link SHOWN} when
   * another has it, {@link UNCLAIMED} when there are no claims. `hashes[at …]`: two words of the id, three of the row; `opaque`: the row has no hash.
   */
  show(hashes: Int32Array, at: number, input: number, opaque: boolean): number;
  /** Says that a row is sent without a claim although there are or were claims; of `hashes` only those of the id count. */
  passBy(hashes: Int32Array, at: number): void;
  /** Fetches what {@link show} will look at for so many rows, whose hashes follow one another. */
  approach(hashes: Int32Array, rows: number): void;
  /** The same for {@link drop}. */
  approachSlots(slots: Int32Array, from: number, to: number): void;
  /** Drops a row when every input of `all` shows it and it is the only one of its contract. False when it may not be. */
  drop(slot: number, all: number): boolean;
  /** The inputs that show a row, one bit each. */
  inputsOf(slot: number): number;
  /** Says how far an input is read, in a measure that is the same for all of them; infinity: to the end. */
  advance(input: number, progress: number): void;
  /** True when one of the first so many inputs is not yet read as far as `progress`. */
  behind(progress: number, inputs: number): boolean;
  /** From now on nothing is claimed and nothing is shown. Every thread notices at its next record. */
  close(): void;
  readonly closed: boolean;
  /** True when a contract with a dropped row has further rows, or when an input has shown a row twice. */
  readonly ambiguous: boolean;
}

/** Memory for at least `rows` rows, up to `maxBytes`. */
export function newClaimsMemory(rows: number, maxBytes: number): SharedArrayBuffer {
  let slots = 1 << 10;
  const bytes = (n: number): number => 4 * (HEAD_WORDS + n * ENTRY_WORDS);
  while (slots * MAX_LOAD < rows && bytes(2 * slots) <= maxBytes) slots *= 2;
  return new SharedArrayBuffer(bytes(slots));
}

export function openClaims(memory: SharedArrayBuffer): Claims {
  const words = new Int32Array(memory);
  const slots = (words.length - HEAD_WORDS) / ENTRY_WORDS;
  const mask = slots - 1;
  const limit = Math.floor(slots * MAX_LOAD);

  /** The state of an entry that is filled, or 0. */
  function settled(at: number): number {
    let state = Atomics.load(words, at);
    for (let spins = 0; state !== 0 && (state & READY) === 0; spins++) {
      if (spins > SPINS) Atomics.wait(words, at, state, WAIT_MS);
      state = Atomics.load(words, at);
    }
    return state;
  }

  function markNotAlone(at: number): void {
    if ((Atomics.or(words, at, NOT_ALONE) & DROPPED) !== 0) Atomics.store(words, AMBIGUOUS, 1);
  }

  return {
    show(hashes, at, input, opaque) {
      const bit = 1 << input;
      const id = hashes[at]!;
      let flags = READY | bit | (opaque ? OPAQUE : 0);
      for (let slot = hashes[at + 1]! & mask; ; slot = (slot + 1) & mask) {
        const entry = HEAD_WORDS + slot * ENTRY_WORDS;
        let state = settled(entry);
        if (state === 0) {
          if (Atomics.add(words, COUNT, 1) >= limit) {
            Atomics.store(words, CLOSED, 1);
            return UNCLAIMED;
          }
          if (Atomics.compareExchange(words, entry, 0, CLAIMED) === 0) {
            words[entry + 1] = id;
            words[entry + 2] = hashes[at + 2]!;
            words[entry + 3] = hashes[at + 3]!;
            words[entry + 4] = hashes[at + 4]!;
            Atomics.store(words, entry, flags);
            return slot;
          }
          Atomics.sub(words, COUNT, 1);
          state = settled(entry);
        }
        if (words[entry + 1] !== id) continue;
        if (
          words[entry + 2] === hashes[at + 2] &&
          words[entry + 3] === hashes[at + 3] &&
          words[entry + 4] === hashes[at + 4] &&
          !opaque &&
          (state & OPAQUE) === 0
        ) {
          const before = Atomics.or(words, entry, bit);
          if ((before & bit) !== 0) Atomics.store(words, AMBIGUOUS, 1);
          return SHOWN;
        }
        flags |= NOT_ALONE;
        markNotAlone(entry);
      }
    },

    passBy(hashes, at) {
      const id = hashes[at]!;
      for (let slot = hashes[at + 1]! & mask; ; slot = (slot + 1) & mask) {
        const entry = HEAD_WORDS + slot * ENTRY_WORDS;
        if (settled(entry) === 0) return;
        if (words[entry + 1] === id) markNotAlone(entry);
      }
    },

    // Loads that nobody waits for; atomic ones are made although nobody uses them.
    approach(hashes, rows) {
      for (let i = 0; i < rows; i++) {
        Atomics.load(words, HEAD_WORDS + (hashes[i * HASH_WORDS + 1]! & mask) * ENTRY_WORDS);
      }
    },

    approachSlots(slots, from, to) {
      for (let i = from; i < to; i++) Atomics.load(words, HEAD_WORDS + slots[i]! * ENTRY_WORDS);
    },

    drop(slot, all) {
      const at = HEAD_WORDS + slot * ENTRY_WORDS;
      const state = READY | all;
      return Atomics.compareExchange(words, at, state, state | DROPPED) === state;
    },

    inputsOf: (slot) => Atomics.load(words, HEAD_WORDS + slot * ENTRY_WORDS) & (READY - 1),

    advance(input, progress) {
      Atomics.store(words, PROGRESS + input, Math.min(progress, AT_END));
    },

    behind(progress, inputs) {
      for (let i = 0; i < inputs; i++) if (Atomics.load(words, PROGRESS + i) < progress) return true;
      return false;
    },

    close: () => void Atomics.store(words, CLOSED, 1),

    get closed() {
      return Atomics.load(words, CLOSED) !== 0;
    },

    get ambiguous() {
      return Atomics.load(words, AMBIGUOUS) !== 0;
    },
  };
}
