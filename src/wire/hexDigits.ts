/** Writing bytes as lower-case hex digits without a text in between. */

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
