/**
 * Copying short runs of bytes in words: a native call costs as much as 200 bytes copied this way, and makes an object;
 * byte by byte costs four times as much.
 */
import { wordsOf } from './sameBytes.js';

/** Longer runs are copied natively. */
const NATIVE_BYTES = 192;
/** For fewer bytes no word view is made. */
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
  let i = start;
  let j = at;
  if (n >= WORDS_FROM) {
    const source = wordsOf(from);
    for (const last = end - 4; i <= last; i += 4, j += 4) words.setInt32(j, source.getInt32(i, true), true);
  }
  for (; i < end; i++, j++) to[j] = from[i];
}
