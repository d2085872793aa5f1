/**
 * Where to copy bytes into memory that threads share. V8 copies shared memory word by word when both places lie alike
 * between two multiples of eight, else byte by byte, which takes several times as long.
 */

/** Further room that a copy may need. */
export const WORD = 8;

/** The first place from `at` on of a buffer at the begin of its memory that lies as `from[start]` does. */
export function alignedPlace(at: number, from: Uint8Array, start: number): number {
  return at + ((from.byteOffset + start - at) & (WORD - 1));
}
