/** The order of keys, for rows that lie beside them. */

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

/** Places of the keys (integers of 53 bits at most, not negative) in ascending order; equal keys keep theirs. */
export function keyOrder(keys: Float64Array): Uint32Array {
  const count = keys.length;
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (let i = 0; i < count; i++) {
    if (keys[i] < low) low = keys[i];
    if (keys[i] > high) high = keys[i];
  }
  let order = new Uint32Array(count);
  let next = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  // A stable sort by one digit after the other, from the lowest.
  const ends = new Uint32Array(DIGITS);
  const digits = new Uint16Array(count);
  for (let weight = 1; weight <= high - low; weight *= DIGITS) {
    ends.fill(0);
    for (let i = 0; i < count; i++) {
      const rest = Math.floor((keys[i] - low) / weight);
      const digit = rest - Math.floor(rest / DIGITS) * DIGITS;
      digits[i] = digit;
      ends[digit]++;
    }
    for (let digit = 0, before = 0; digit < DIGITS; digit++) {
      const here = ends[digit];
      ends[digit] = before;
      before += here;
    }
    for (let i = 0; i < count; i++) next[ends[digits[order[i]]]++] = order[i];
    [order, next] = [next, order];
  }
  return order;
}
