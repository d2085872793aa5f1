import { fingerprint } from '../contract/idTable.js';

/** 48 bits of a hash over a raw contract id: the key of the index on contracts. */
export function idHash(id: Buffer, start = 0, end = id.length): number {
  const [high, low] = fingerprint(id, start, end);
  return high * 65536 + (low >>> 16);
}
