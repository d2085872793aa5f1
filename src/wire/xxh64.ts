/**
 * XXH64 with seed 0, as far as zstd needs it: the checksum of a frame is the lower half. Full stripes are taken in 32-bit
 * halves, since BigInt is slow; the end, once per frame, with BigInt.
 */

const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;
const P1_LOW = 0x85ebca87 | 0;
const P1_HIGH = 0x9e3779b1 | 0;
const P2_LOW = 0x27d4eb4f | 0;
const P2_HIGH = 0xc2b2ae3d | 0;
const STRIPE_BYTES = 32;

export interface Xxh64 {
  update(bytes: Uint8Array): void;
  /** The lower 32 bits of the hash of all that came. */
  low32(): number;
}

const wrap = (n: bigint): bigint => BigInt.asUintN(64, n);
const rotate = (n: bigint, by: bigint): bigint => wrap((n << by) | (n >> (64n - by)));
const round = (lane: bigint, input: bigint): bigint => wrap(rotate(wrap(lane + input * P2), 31n) * P1);

/** The upper 32 bits of the product of two unsigned 32-bit numbers. */
function upperProduct(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const p01 = a0 * b1;
  const p10 = a1 * b0;
  const middle = ((a0 * b0) >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
  return (a1 * b1 + (p01 >>> 16) + (p10 >>> 16) + (middle >>> 16)) | 0;
}

export function xxh64(): Xxh64 {
  /** Low and high half of each of the four lanes. */
  const lanes = new Int32Array(8);
  [P1 + P2, P2, 0n, -P1].forEach((lane, i) => {
    lanes[2 * i] = Number(BigInt.asIntN(32, lane));
    lanes[2 * i + 1] = Number(BigInt.asIntN(32, lane >> 32n));
  });
  const tail = new Uint8Array(STRIPE_BYTES);
  const tailView = new DataView(tail.buffer);
  let tailBytes = 0;
  let total = 0;

  function stripes(view: DataView, from: number, to: number): void {
    for (let at = from; at < to; at += STRIPE_BYTES) {
      for (let lane = 0; lane < 8; lane += 2) {
        const inLow = view.getInt32(at + 4 * lane, true);
        const inHigh = view.getInt32(at + 4 * lane + 4, true);
        // lane += input * P2
        const low = Math.imul(inLow, P2_LOW);
        const high =
          (upperProduct(inLow, P2_LOW) + Math.imul(inLow, P2_HIGH) + Math.imul(inHigh, P2_LOW)) | 0;
        const sumLow = (lanes[lane] + low) | 0;
        const carry = sumLow >>> 0 < low >>> 0 ? 1 : 0;
        const sumHigh = (lanes[lane + 1] + high + carry) | 0;
        // lane = rotate(lane, 31) * P1
        const rotatedLow = (sumLow << 31) | (sumHigh >>> 1);
        const rotatedHigh = (sumHigh << 31) | (sumLow >>> 1);
        lanes[lane] = Math.imul(rotatedLow, P1_LOW);
        lanes[lane + 1] =
          (upperProduct(rotatedLow, P1_LOW) +
            Math.imul(rotatedLow, P1_HIGH) +
            Math.imul(rotatedHigh, P1_LOW)) |
          0;
      }
    }
  }

  return {
    update(bytes) {
      total += bytes.length;
      let at = 0;
      if (tailBytes > 0) {
        at = Math.min(STRIPE_BYTES - tailBytes, bytes.length);
        tail.set(bytes.subarray(0, at), tailBytes);
        tailBytes += at;
        if (tailBytes < STRIPE_BYTES) return;
        stripes(tailView, 0, STRIPE_BYTES);
        tailBytes = 0;
      }
      const end = at + Math.floor((bytes.length - at) / STRIPE_BYTES) * STRIPE_BYTES;
      stripes(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at, end);
      tail.set(bytes.subarray(end));
      tailBytes = bytes.length - end;
    },
    low32() {
      let hash = P5;
      if (total >= STRIPE_BYTES) {
        const lane = (i: number): bigint =>
          BigInt.asUintN(32, BigInt(lanes[2 * i])) | (BigInt.asUintN(32, BigInt(lanes[2 * i + 1])) << 32n);
        const all = [lane(0), lane(1), lane(2), lane(3)];
        hash = wrap(rotate(all[0], 1n) + rotate(all[1], 7n) + rotate(all[2], 12n) + rotate(all[3], 18n));
        for (const each of all) hash = wrap((hash ^ round(0n, each)) * P1 + P4);
      }
      hash = wrap(hash + BigInt(total));
      let at = 0;
      for (; at + 8 <= tailBytes; at += 8)
        hash = wrap(rotate(hash ^ round(0n, tailView.getBigUint64(at, true)), 27n) * P1 + P4);
      for (; at + 4 <= tailBytes; at += 4)
        hash = wrap(rotate(hash ^ wrap(BigInt(tailView.getUint32(at, true)) * P1), 23n) * P2 + P3);
      for (; at < tailBytes; at++) hash = wrap(rotate(hash ^ wrap(BigInt(tail[at]) * P5), 11n) * P1);
      hash = wrap((hash ^ (hash >> 33n)) * P2);
      hash = wrap((hash ^ (hash >> 29n)) * P3);
      return Number(BigInt.asUintN(32, hash ^ (hash >> 32n)));
    },
  };
}
