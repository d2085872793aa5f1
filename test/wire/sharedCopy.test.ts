import { expect, it } from 'vitest';
import { alignedPlace, WORD } from '../../src/wire/sharedCopy.js';

it('is the next place that lies as the source does', () => {
  const memory = new ArrayBuffer(64);
  for (let offset = 0; offset < WORD; offset++) {
    const from = new Uint8Array(memory, offset);
    for (let start = 0; start < 20; start++) {
      for (let at = 0; at < 20; at++) {
        const place = alignedPlace(at, from, start);
        expect(place).toBeGreaterThanOrEqual(at);
        expect(place).toBeLessThan(at + WORD);
        expect(place % WORD).toBe((offset + start) % WORD);
      }
    }
  }
});
