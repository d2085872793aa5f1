/** Comparing short runs of bytes in words: a native call costs more than most of our strings, and so do single bytes. */

/** Runs longer than this are compared natively. */
const NATIVE_BYTES = 256;

/** Word views of the two buffers asked for last: neighbouring calls nearly always have the same ones. */
let lastBuffer: Uint8Array = new Uint8Array(0);
let lastWords = newWords(lastBuffer);
let otherBuffer = lastBuffer;
let otherWords = lastWords;

/** A word view to keep. */
export function newWords(buf: Uint8Array): DataView {
  return new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
}

/** A word view of a buffer; made once for calls in a row. */
export function wordsOf(buf: Uint8Array): DataView {
  if (buf === lastBuffer) return lastWords;
  const words = buf === otherBuffer ? otherWords : newWords(buf);
  otherBuffer = lastBuffer;
  otherWords = lastWords;
  lastBuffer = buf;
  lastWords = words;
  return words;
}

/** The word view of a buffer if there is one already. */
export function wordsAtHand(buf: Uint8Array): DataView | undefined {
  if (buf === lastBuffer) return lastWords;
  return buf === otherBuffer ? otherWords : undefined;
}

/** True when `a[start, end)` equals as many bytes of `b` from `from` on. Both ranges must lie inside their buffers. */
export function sameBytes(a: Buffer, start: number, end: number, b: Buffer, from: number): boolean {
  if (end - start > NATIVE_BYTES) return a.compare(b, from, from + end - start, start, end) === 0;
  const words = wordsOf(a);
  return sameWords(words, start, end, a === b ? words : wordsOf(b), from);
}

/** The same over word views. */
export function sameWords(a: DataView, start: number, end: number, b: DataView, from: number): boolean {
  const shift = from - start;
  let i = start;
  for (const last = end - 8; i <= last; i += 8) {
    const first = a.getInt32(i, true) ^ b.getInt32(i + shift, true);
    if ((first | (a.getInt32(i + 4, true) ^ b.getInt32(i + shift + 4, true))) !== 0) return false;
  }
  for (; i < end; i++) if (a.getInt8(i) !== b.getInt8(i + shift)) return false;
  return true;
}
