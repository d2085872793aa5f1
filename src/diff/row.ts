/**
 * What a comparison remembers of one contract as one input shows it: a row of 32-bit words in a typed array, no objects.
 *
 * Whether two contents are equal is decided by the first 128 bits of SHA-256 over the whole blob: for contents that nobody
 * chose to collide the chance of a miss is 2^-128 per contract, and making two contents collide on purpose takes about
 * 2^64 hashes. (Threads that read inputs side by side find out by a keyed hash what they need not tell twice; see
 * keyedHash.ts.) WHICH field differs is told from exact numbers for names, parties and times, and from 64-bit (argument)
 * or 32-bit (authentication data, key) hashes under a key drawn at random for this run; a collision there can only make
 * the list of fields shorter, never hide that the contents differ.
 */

/** Longest contract id a 3.x participant has (V1 with its suffix). */
export const MAX_ID_BYTES = 69;

/** Words of a row: the id first (one length byte, then its bytes, zero-padded), then what is below. */
export const ID_WORDS = 18;
export const ROW = {
  /** Bit 0: in flight. Bit 1: the content is known. */
  flags: 18,
  /** Number of the synchronizer id; -1 when the input does not say. */
  synchronizer: 19,
  counterLow: 20,
  counterHigh: 21,
  digest: 22,
  parties: 26,
  template: 27,
  /** Serialization version and package name. */
  header: 28,
  representative: 29,
  createdLow: 30,
  createdHigh: 31,
  argument: 32,
  authentication: 34,
  key: 35,
  /** First of the words that say which inputs have this row. */
  inputs: 36,
} as const;

export const IN_FLIGHT = 1;
export const HAS_CONTENT = 2;

/** Words of a row when `inputs` inputs are compared. */
export function rowWords(inputs: number): number {
  return ROW.inputs + ((inputs + 31) >>> 5);
}

/** Signed, as Canton reads the unsigned field. */
export function counterOf(words: Int32Array, at: number): bigint {
  return (BigInt(words[at + ROW.counterHigh]!) << 32n) | BigInt(words[at + ROW.counterLow]! >>> 0);
}

export function createdAtOf(words: Int32Array, at: number): bigint {
  return (BigInt(words[at + ROW.createdHigh]!) << 32n) | BigInt(words[at + ROW.createdLow]! >>> 0);
}

/** Lower-case hex. */
export function idOf(words: Int32Array, at: number): string {
  const bytes = Buffer.from(words.buffer, words.byteOffset + 4 * at, 4 * ID_WORDS);
  return bytes.toString('hex', 1, 1 + bytes[0]!);
}

/** 32 hex digits: the first half of SHA-256 over the blob. */
export function contentDigestOf(words: Int32Array, at: number): string {
  return Buffer.from(words.buffer, words.byteOffset + 4 * (at + ROW.digest), 16).toString('hex');
}
