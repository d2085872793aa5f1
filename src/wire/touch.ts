/**
 * Bytes that another processor wrote lie in its cache. Reading them once in order lets the hardware fetch ahead; a parser
 * that jumps from field to field would wait for each of them.
 */

const CACHE_LINE = 64;

/** Fetches `bytes`, which should be few enough to stay near: at most 512 KiB. The number has no meaning. */
export function touch(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += CACHE_LINE) sum ^= bytes[i];
  return sum;
}
