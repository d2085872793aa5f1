import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { contractMap } from '../../src/store/contractMap.js';
import { blobNumber, contractNumber, FIRST_NUMBER } from '../../src/store/contractNumber.js';

it('gives every contract whose hash may be the one asked for, whatever its number', () => {
  const first = blobNumber(FIRST_NUMBER);
  const number = fc.oneof(
    fc.integer({ min: 1, max: 100_000 }),
    fc
      .tuple(fc.integer({ min: first, max: first + 300_000 }), fc.nat(40_000))
      .map(([arrival, set]) => contractNumber(arrival, set)),
  );
  const rows = fc.uniqueArray(
    fc.record({ hash: fc.nat(200).map((n) => n * 2 ** 40 + (n % 7)), pk: number }),
    {
      selector: (row) => blobNumber(row.pk),
      maxLength: 400,
    },
  );
  fc.assert(
    fc.property(rows, (list) => {
      const db = new Database(':memory:');
      db.exec('CREATE TABLE contract(contract_pk INTEGER PRIMARY KEY, id_hash INTEGER)');
      const map = contractMap(db, () => {});
      for (const { hash, pk } of list) map.add(hash, pk);
      for (const hash of new Set([...list.map((row) => row.hash), 201 * 2 ** 40])) {
        const found: number[] = [];
        for (let pk = map.first(hash); pk !== 0; pk = map.next()) found.push(pk);
        expect(found).toEqual(list.filter((row) => row.hash === hash).map((row) => row.pk));
      }
      db.close();
    }),
    { numRuns: 60 },
  );
});

it('grows, and fills itself from a store that has contracts', () => {
  const db = new Database(':memory:');
  db.exec('CREATE TABLE contract(contract_pk INTEGER PRIMARY KEY, id_hash INTEGER)');
  const add = db.prepare('INSERT INTO contract VALUES (?, ?)');
  const of = (n: number) => ({
    hash: ((n * 2_654_435_761) % 2 ** 32) * 65_536 + n,
    pk: contractNumber(270_000 + n, n % 99),
  });
  for (let n = 0; n < 50_000; n++) add.run(of(n).pk, of(n).hash);
  const map = contractMap(db, () => {});
  expect(map.complete).toBe(false);
  for (let n = 0; n < 20_000; n++) map.missed();
  expect(map.complete).toBe(true);
  for (let n = 50_000; n < 120_000; n++) map.add(of(n).hash, of(n).pk);
  for (let n = 0; n < 120_000; n++) {
    if (map.first(of(n).hash) !== of(n).pk) throw new Error(`contract ${n} is not found`);
    if (map.next() !== 0) throw new Error(`another one as well as ${n}`);
  }
  expect(map.first(of(200_000).hash)).toBe(0);
  db.close();
});
