import { describe, expect, it } from 'vitest';
import { copyBytes } from '../../src/wire/copyBytes.js';
import { writeHex } from '../../src/wire/hexDigits.js';
import { newWords, wordsOf } from '../../src/wire/sameBytes.js';
import { SpanList } from '../../src/wire/spanList.js';

const source = Buffer.from(Array.from({ length: 400 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));

describe('short runs of bytes', () => {
  it('are copied whatever their length and place, and nothing around them changes', () => {
    for (const known of [false, true]) {
      for (let n = 0; n <= 260; n++) {
        const from = Buffer.from(source);
        if (known) wordsOf(from);
        const to = Buffer.alloc(300, 0xee);
        copyBytes(from, n % 5, (n % 5) + n, to, newWords(to), 1 + (n % 3));
        const expected = Buffer.alloc(300, 0xee);
        from.copy(expected, 1 + (n % 3), n % 5, (n % 5) + n);
        expect(to.equals(expected), `${n}`).toBe(true);
      }
    }
  });

  it('are written as hex digits', () => {
    const to = Buffer.alloc(900, 0xee);
    expect(writeHex(source, 3, 303, newWords(to), 5)).toBe(605);
    expect(to.toString('latin1', 5, 605)).toBe(source.toString('hex', 3, 303));
    expect([to[4], to[605]]).toEqual([0xee, 0xee]);
  });
});

describe('lists of borders', () => {
  const listOf = (texts: readonly string[]): { buf: Buffer; list: SpanList } => {
    const buf = Buffer.from(texts.join(''), 'latin1');
    const list = new SpanList(8);
    let at = 0;
    for (const text of texts) {
      list.push(at, at + text.length);
      at += text.length;
    }
    return { buf, list };
  };

  it('are sorted by bytes, prefixes first', () => {
    const texts = ['bob::12', 'alice', 'bob', 'zoe', 'al', 'bob::1'];
    const { buf, list } = listOf(texts);
    expect(list.sortDistinct(buf)).toBe(true);
    const sorted = texts.map((_, i) => buf.toString('latin1', list.starts[i], list.ends[i]));
    expect(sorted).toEqual([...texts].sort());
  });

  it('tell when something stands twice, in one or in two of them', () => {
    const { buf, list } = listOf(['b', 'a', 'c', 'a']);
    expect(list.sortDistinct(buf)).toBe(false);
    const one = new SpanList(2);
    one.push(0, 1);
    const other = new SpanList(2);
    other.push(1, 2);
    expect(one.isDisjoint(buf, other)).toBe(true);
    other.push(0, 1);
    expect(one.isDisjoint(buf, other)).toBe(false);
    expect(other.push(2, 3)).toBe(false);
  });
});
