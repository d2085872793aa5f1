/** Bytes as lower-case hex digits, written and compared without a text in between. */
import { wordsOf } from './sameBytes.js';

/** The two digits of a byte, as a little-endian number. */
const HEX_PAIR = Uint16Array.from({ length: 256 }, (_, i) =>
  Buffer.from(i.toString(16).padStart(2, '0')).readUInt16LE(0),
);

/** Writes the digits of `from[start, end)` at `at`; `words` is the word view of the target. Returns where they end. */
export function writeHex(from: Uint8Array, start: number, end: number, words: DataView, at: number): number {
  let to = at;
  for (let i = start; i < end; i++, to += 2) words.setUint16(to, HEX_PAIR[from[i]], true);
  return to;
}

/** True when `text[start, end)` is the lower-case hex of `raw[rawStart, rawEnd)`. */
export function sameHex(
  text: Buffer,
  start: number,
  end: number,
  raw: Buffer,
  rawStart: number,
  rawEnd: number,
): boolean {
  if (end - start !== 2 * (rawEnd - rawStart)) return false;
  const words = wordsOf(text);
  let i = rawStart;
  let j = start;
  for (const last = rawEnd - 2; i <= last; i += 2, j += 4)
    if (words.getInt32(j, true) !== (HEX_PAIR[raw[i]] | (HEX_PAIR[raw[i + 1]] << 16))) return false;
  return i === rawEnd || words.getUint16(j, true) === HEX_PAIR[raw[i]];
}
