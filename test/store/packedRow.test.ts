import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { packed, unpack } from '../../src/store/packedRow.js';

it('gives back what a row holds', () => {
  const db = new Database(':memory:');
  const values = [0n, 1n, -1n, 999_999_999_999_999n, 10n ** 15n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 53n)];
  values.push(2n ** 63n - 1n, -(2n ** 63n));
  const columns = values.map((_, i) => `c${i}`);
  const row = columns.map((name) => `? AS ${name}`);
  const text = db
    .prepare(`SELECT ${packed([...columns, 'NULL'])} FROM (SELECT ${row.join(', ')})`)
    .pluck()
    .get(values) as string;
  const into: (number | bigint)[] = [];
  unpack(text, into);
  expect(into).toEqual([...values.map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : n)), 0]);
  db.close();
});
