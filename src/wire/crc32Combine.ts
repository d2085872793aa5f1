/**
 * The CRC-32 of two runs of bytes joined, from theirs: each byte is then summed up once, however it is cut. Polynomials
 * over GF(2) modulo the CRC's own, in reflected bit order: bit 31 is x^0.
 */

const POLYNOMIAL = 0xedb88320;
const ONE = 0x80000000;

/** x^(2^n), n from 0 to 31; from there on the powers repeat. */
const POWERS: number[] = [0x40000000];
while (POWERS.length < 32) POWERS.push(multiply(POWERS[POWERS.length - 1], POWERS[POWERS.length - 1]));

function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let rest = a; rest !== 0; rest <<= 1) {
    if (rest < 0 || rest >= ONE) product ^= factor;
    factor = (factor >>> 1) ^ (factor & 1 ? POLYNOMIAL : 0);
  }
  return product >>> 0;
}

/** The checksum of `first` followed by `second`, which is `secondBytes` long. */
export function crc32Combine(first: number, second: number, secondBytes: number): number {
  let shift = ONE;
  // x^(8 · bytes): the bits of the length count from 2^3.
  for (let rest = secondBytes, n = 3; rest > 0; rest = Math.floor(rest / 2), n++) {
    if (rest % 2 === 1) shift = multiply(POWERS[n % 32], shift);
  }
  return (multiply(shift, first) ^ second) >>> 0;
}
