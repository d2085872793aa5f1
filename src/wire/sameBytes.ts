/** Comparing short runs of bytes four at a time: a native call costs more than most of our strings, single bytes too. */

/** Runs longer than this are compared natively. */
const NATIVE_BYTES = 256;

let firstBuffer: Buffer | undefined;
let firstWords: DataView = new DataView(new ArrayBuffer(0));
let secondBuffer: Buffer | undefined;
let secondWords: DataView = firstWords;

/** A word view of a buffer. */
export function wordsOf(buf: Uint8Array): DataView {
  return new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
}

/** True when `a[start, end)` equals as many bytes of `b` from `from` on. Both ranges must lie inside their buffers. */
export function sameBytes(a: Buffer, start: number, end: number, b: Buffer, from: number): boolean {
  if (end - start > NATIVE_BYTES) return a.compare(b, from, from + end - start, start, end) === 0;
  // The buffers of neighbouring calls are nearly always the same two.
  if (a !== firstBuffer) {
    firstBuffer = a;
    firstWords = wordsOf(a);
  }
  if (b !== secondBuffer) {
    secondBuffer = b;
    secondWords = wordsOf(b);
  }
  return sameWords(firstWords, start, end, secondWords, from);
}

/** The same over word views. */
export function sameWords(a: DataView, start: number, end: number, b: DataView, from: number): boolean {
  const shift = from - start;
  let i = start;
  for (const last = end - 4; i <= last; i += 4)
    if (a.getInt32(i, true) !== b.getInt32(i + shift, true)) return false;
  for (; i < end; i++) if (a.getInt8(i) !== b.getInt8(i + shift)) return false;
  return true;
}
