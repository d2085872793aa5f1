import { describe, expect, it } from 'vitest';
import { textParties } from '../../src/remap/textParties.js';

describe('parties in texts', () => {
  const full = `alice::1220${'ab'.repeat(32)}`;
  const texts = textParties(['Bob', 'Bob Smith', full]);

  it.each([
    ['Bob', 'Bob'],
    ['Bob Smith', 'Bob Smith'],
    ['paid to Bob, in full', 'Bob'],
    [`(${full})`, full],
    [`x${full}y`, full],
    [`::${full}`, full],
    [`${'much text before it '.repeat(1000)}Bob`, 'Bob'],
    ['Bobby pays', undefined],
    ['alice::1220ab', undefined],
    ['', undefined],
  ])('in %j', (text, found) => {
    expect(texts.find(text)).toBe(found);
    const bytes = Buffer.from(text);
    if (found !== undefined) expect(texts.looksInto(bytes, 0, bytes.length)).toBe(true);
  });
});
