import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HASH_PURPOSE, HashBuffer, SHA256_MULTIHASH_PREFIX } from '../../src/hash/hashBuffer.js';
import { fixture } from '../fixtures.js';

interface Vectors {
  hash_purposes: { id: number; description: string }[];
  hash_builder: { name: string; purpose: number; preimage: string; sha256: string; multihash: string }[];
  deterministic_encoding: { name: string; bytes: string }[];
  multihash_prefix_sha256: string;
}

const vectors = JSON.parse(readFileSync(fixture('hash/vectors.json'), 'utf8')) as Vectors;
const hex = (out: HashBuffer): string => out.view().toString('hex');
const alice = 'alice::1220ac2d0e6402287ca2a8322f63a87d78e95f15ec6505aaa1cc9871da143d9da5f6';
const bob = 'bob::1220d681987083ae3e868a8b75f3eda62d9d9d272f7bd1fb02e5b998fe8e22c2c5c1';

/** How each recorded pre-image was built, by its name. */
const BUILDERS: Record<string, (out: HashBuffer) => HashBuffer> = {
  nothing: (out) => out,
  'string abc': (out) => out.text('abc'),
  'string empty': (out) => out.text(''),
  'string unicode': (out) => out.text('Zürich 🎉'),
  'int 1': (out) => out.i32(1),
  'int -1': (out) => out.i32(-1),
  'long 1': (out) => out.i64(1n),
  'long min': (out) => out.i64(-(2n ** 63n)),
  'bytes with length': (out) => out.prefixed(Buffer.of(1, 2, 3)),
  'bytes without length': (out) => out.raw(Buffer.of(1, 2, 3)),
  'other purpose': (out) => out.raw(Buffer.of(1, 2, 3)),
  bool: (out) => out.bool(true).bool(false),
  mixed: (out) => out.i32(7).text('x').i64(9n).prefixed(Buffer.alloc(0)),
};

describe('hash builder', () => {
  it('builds every recorded pre-image and hash', () => {
    for (const { name, purpose, preimage, sha256, multihash } of vectors.hash_builder) {
      const out = BUILDERS[name](new HashBuffer(1).i32(purpose));
      expect(hex(out), name).toBe(preimage);
      expect(out.sha256().toString('hex'), name).toBe(sha256);
      expect(Buffer.concat([SHA256_MULTIHASH_PREFIX, out.sha256()]).toString('hex')).toBe(multihash);
    }
    expect(vectors.hash_builder.map((v) => v.name).sort()).toEqual(Object.keys(BUILDERS).sort());
  });

  it('uses the purposes of the real code', () => {
    const names = new Map(vectors.hash_purposes.map((p) => [p.id, p.description]));
    expect(names.get(HASH_PURPOSE.unicum)).toBe('Unicum');
    expect(names.get(HASH_PURPOSE.hashedAcsCommitment)).toBe('HashedAcsCommitment');
    expect(names.get(HASH_PURPOSE.contractIdAbsolutization)).toMatch(/Absolut/);
  });

  it('encodes an instant given as a number as one given exactly', () => {
    for (const micros of [0, 1, 999_999, 1_000_000, 1_700_000_000_123_456, 2 ** 32 * 1e6, 2 ** 53 - 1]) {
      expect(hex(new HashBuffer().plainInstant(micros)), `${micros}`).toBe(
        hex(new HashBuffer().instant(BigInt(micros))),
      );
    }
  });

  it('encodes integers, strings, instants, parties, lists, options and counters as recorded', () => {
    let checked = 0;
    for (const { name, bytes } of vectors.deterministic_encoding) {
      const [kind, ...rest] = name.split(' ');
      const what = rest.join(' ');
      const out = new HashBuffer();
      if (kind === 'int') out.i32(Number(what));
      else if (kind === 'long') out.i64(BigInt(what));
      else if (kind === 'string') out.text(what.slice(1, -1));
      else if (kind === 'instant') out.instant(microsOf(what));
      else if (name === 'party alice') out.text(alice);
      else if (name.startsWith('party list')) out.i32(2).text(alice).text(bob);
      else if (name === 'empty list') out.i32(0);
      else if (name === 'option none') out.u8(0);
      else if (name.startsWith('option some')) out.u8(1).text('a');
      else if (kind === 'reassignment') out.i64(BigInt(rest[1]));
      // Unsigned varints belong to multihash headers, which are constant here: 18 and 32.
      else if (kind === 'uvarint') continue;
      else throw new Error(`unknown case ${name}`);
      expect(hex(out), name).toBe(bytes);
      checked++;
    }
    expect(checked).toBe(31);
  });
});

function microsOf(text: string): bigint {
  const [, seconds, fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(text) as unknown as [
    string,
    string,
    string?,
  ];
  return BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'));
}
