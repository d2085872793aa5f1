/**
 * Copying short runs of bytes in words: a native call costs as much as 200 bytes copied this way, and makes an object;
 * byte by byte costs four times as much.
 */
import { wordsAtHand, wordsOf } from './sameBytes.js';

/** Longer runs are copied natively. */
export const NATIVE_BYTES = 192;
/** For fewer bytes no word view is made; one that is at hand is used. */
const VIEW_FROM = 48;
const WORDS_FROM = 16;

/** Copies `from[start, end)` to `to` at `at`, where there must be room; `words` is the word view of `to`. */
export function copyBytes(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  words: DataView,
  at: number,
): void {
  const n = end - start;
  if (n > NATIVE_BYTES) {
    to.set(new Uint8Array(from.buffer, from.byteOffset + start, n), at);
    return;
  }
  if (n >= WORDS_FROM) {
    const source = n >= VIEW_FROM ? wordsOf(from) : wordsAtHand(from);
    if (source !== undefined) {
      copyWords(source, start, end, words, at);
      return;
    }
  }
  for (let i = start, j = at; i < end; i++, j++) to[j] = from[i];
}

/** The same over word views, for runs that are known to be short. */
export function copyWords(from: DataView, start: number, end: number, to: DataView, at: number): void {
  let i = start;
  let j = at;
  for (const last = end - 8; i <= last; i += 8, j += 8) {
    to.setInt32(j, from.getInt32(i, true), true);
    to.setInt32(j + 4, from.getInt32(i + 4, true), true);
  }
  for (; i < end; i++, j++) to.setInt8(j, from.getInt8(i));
}
