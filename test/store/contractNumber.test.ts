/** Row numbers of contracts: made of arrival and stakeholder set, found again in ranges and by the index beside them. */
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendUpdates } from '../../src/store/append.js';
import { activeRows, countActive, resolveQuestion } from '../../src/store/ask.js';
import {
  blobNumber,
  blobNumberSql,
  contractNumber,
  FIRST_NUMBER,
  nextArrival,
  numberAt,
  setPlace,
  WINDOW,
} from '../../src/store/contractNumber.js';
import { keyOrder } from '../../src/store/keyOrder.js';
import { type Db, openStore, withStore } from '../../src/store/open.js';
import { sortedRowBuffer } from '../../src/store/rowBuffer.js';
import { contract, S1, type Step, streamOf, updateJson } from './streams.js';
import { storePath } from './temporaryStore.js';

const FIRST_ARRIVAL = blobNumber(FIRST_NUMBER);
const arrivals = fc.integer({ min: FIRST_ARRIVAL, max: 2 ** 35 });

describe('a contract number', () => {
  it('gives back what it was made of, in SQL too, and no two are the same', () => {
    const db = new Database(':memory:');
    const inSql = db.prepare(`SELECT ${blobNumberSql('n')} FROM (SELECT CAST(? AS INTEGER) AS n)`).pluck();
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 0, max: 2 ** 20 }), (arrival, set) => {
        const number = contractNumber(arrival, set);
        expect(Number.isSafeInteger(number)).toBe(true);
        expect(number).toBeGreaterThanOrEqual(FIRST_NUMBER);
        expect(blobNumber(number)).toBe(arrival);
        expect(inSql.get(number)).toBe(arrival);
        expect(numberAt(arrival, setPlace(number))).toBe(number);
      }),
    );
    for (const old of [1, 7, FIRST_NUMBER - 1]) {
      expect(blobNumber(old)).toBe(old);
      expect(inSql.get(old)).toBe(old);
      expect(numberAt(old, setPlace(old))).toBe(old);
    }
    db.close();
  });

  it('lies with those of its set in a window, and behind all of the window before', () => {
    const base = FIRST_ARRIVAL;
    const of = (arrival: number, set: number) => contractNumber(base + arrival, set);
    expect(of(WINDOW - 1, 5) - of(0, 5)).toBe(WINDOW - 1);
    expect(of(0, 6)).toBe(of(WINDOW - 1, 5) + 1);
    expect(of(WINDOW, 0)).toBe(of(WINDOW - 1, 16_383) + 1);
    expect(of(3, 16_384 + 5)).toBe(of(3, 5));
    expect(contractNumber(base, null)).toBe(of(0, 0));
  });

  it('goes on behind what the store has', () => {
    const db = new Database(':memory:');
    db.exec('CREATE TABLE contract(contract_pk INTEGER PRIMARY KEY)');
    const add = db.prepare('INSERT INTO contract VALUES (?)');
    expect(nextArrival(db)).toBe(FIRST_ARRIVAL);
    add.run(5_000_000);
    expect(nextArrival(db)).toBe(77 * WINDOW);
    add.run(contractNumber(100 * WINDOW + 9, 3));
    add.run(contractNumber(100 * WINDOW + 4, 900));
    expect(nextArrival(db)).toBe(100 * WINDOW + 10);
    add.run(contractNumber(100 * WINDOW + WINDOW - 1, 1));
    expect(nextArrival(db)).toBe(101 * WINDOW);
    db.close();
  });
});

it('keys are put in order, equal ones in theirs', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.maxSafeNat(), fc.nat(5), fc.nat(1 << 20)), { maxLength: 300 }),
      (list) => {
        const expected = [...list.keys()].sort((a, b) => list[a] - list[b] || a - b);
        expect([...keyOrder(Float64Array.from(list))]).toEqual(expected);
      },
    ),
  );
});

it('rows are written in the order of their numbers, with every value as it was given', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(1e6), { maxLength: 60 }),
      fc.array(
        fc.oneof(
          fc.constant(null),
          fc.maxSafeInteger(),
          fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        ),
      ),
      fc.integer({ min: 1, max: 9 }),
      (numbers, values, perStatement) => {
        const db = new Database(':memory:');
        db.exec('CREATE TABLE t(n INTEGER, id BLOB, v INTEGER)');
        const rows = sortedRowBuffer(db, 't(n, id, v)', perStatement, 25, 1);
        const value = (i: number) => values[i % values.length] ?? null;
        const id = (n: number) => Buffer.alloc(n % 90, n);
        numbers.forEach((n, i) => {
          rows.add(n, rows.keep(Buffer.concat([Buffer.from('xy'), id(n)]), 2, 2 + id(n).length), value(i));
          expect(rows.has(0, n)).toBe(rows.size > 0);
        });
        expect(rows.has(0, -1)).toBe(false);
        rows.flush();
        const found = db.prepare('SELECT n, id, v FROM t ORDER BY rowid').raw().safeIntegers().all();
        const expected = [];
        for (let at = 0; at < numbers.length; at += 25)
          expected.push(
            ...[...numbers.slice(at, at + 25).entries()]
              .sort(([, a], [, b]) => a - b)
              .map(([k, n]) => {
                const v = value(at + k);
                return [BigInt(n), id(n), v === null ? null : BigInt(v)];
              }),
          );
        expect(found).toEqual(expected);
        db.close();
      },
    ),
    { numRuns: 60 },
  );
});

const update = (offset: number, step: Step): object =>
  updateJson([step], { offset: BigInt(offset), synchronizer: S1 });

/** Parties of the contract `n`: many sets, some of them large. */
const parties = (n: number): { signatories: string[]; observers: string[] } => ({
  signatories: [`s${n % 7}::1220aa`],
  observers: n % 3 === 0 ? [] : [`o${n % 11}::1220bb`],
});

function ofParty(db: Db, party: string): string[] {
  const q = resolveQuestion(db, undefined, { parties: [party] });
  const ids = [...activeRows(db, q)].map((row) => row.contractId);
  expect(countActive(db, q)).toBe(ids.length);
  return ids;
}

describe('the contracts of a party', () => {
  const all = Array.from({ length: 120 }, (_, n) => contract(n, parties(n)));
  const messages = all.map((c, n) => update(n + 1, { kind: 'create', contract: c }));
  const expected = (party: string): string[] =>
    all.filter((c) => c.signatories.includes(party) || c.observers.includes(party)).map((c) => c.id);
  const names = [...new Set(all.flatMap((c) => [...c.signatories, ...c.observers]))];

  it('are the same, and have the same numbers, wherever a batch ends', async () => {
    const numbers = new Set<string>();
    for (const batch of [1, 7, 1000]) {
      const path = storePath();
      await appendUpdates(path, [streamOf(messages)], { source: 'p', begin: 0n, batch });
      await withStore(path, {}, ({ db }) => {
        for (const name of names) expect(ofParty(db, name)).toEqual(expected(name));
        numbers.add(JSON.stringify(db.prepare('SELECT contract_pk FROM contract ORDER BY 1').pluck().all()));
        expect(db.prepare('SELECT count(*) FROM contract_blob').pluck().get()).toBe(all.length);
      });
    }
    expect(numbers.size).toBe(1);
  });

  it('are found where their set became known after they were numbered, and where they were numbered by arrival alone', async () => {
    const path = storePath();
    // An archive first: only the ids of these are known, then they come.
    const early = all.slice(0, 40).map((c, n) => update(n + 1, { kind: 'archive', contract: c }));
    const late = all.map((c, n) => update(n + 100, { kind: 'create', contract: c }));
    await appendUpdates(path, [streamOf([...early, ...late])], { source: 'p', begin: 0n, lenient: true });
    await withStore(path, {}, ({ db }) => {
      for (const name of names) expect(ofParty(db, name)).toEqual(expected(name));
    });
    const store = openStore(path, { write: true });
    const { db } = store;
    const elsewhere = db.prepare('SELECT contract_pk FROM contract').pluck().all() as number[];
    expect(elsewhere.filter((pk) => setPlace(pk) === 0)).toHaveLength(40);
    // As a store of schema version 2 has them.
    db.exec(
      `CREATE TEMP TABLE number AS SELECT contract_pk AS new, row_number() OVER (ORDER BY contract_pk) AS old, ${blobNumberSql('contract_pk')} AS blob FROM contract`,
    );
    for (const table of ['contract', 'activation', 'event', 'orphan'])
      db.exec(`UPDATE ${table} SET contract_pk = -(SELECT old FROM number WHERE new = contract_pk)`);
    for (const table of ['contract', 'activation', 'event', 'orphan'])
      db.exec(`UPDATE ${table} SET contract_pk = -contract_pk`);
    db.exec(
      'UPDATE contract_blob SET blob_pk = -(SELECT old FROM number WHERE blob = blob_pk); UPDATE contract_blob SET blob_pk = -blob_pk',
    );
    for (const name of names) expect(ofParty(db, name)).toEqual(expected(name));
    store.close();
    const more = contract(500, parties(500));
    await appendUpdates(path, [streamOf([update(1000, { kind: 'create', contract: more })])], {
      source: 'p',
    });
    await withStore(path, {}, ({ db }) => {
      expect(ofParty(db, more.signatories[0])).toEqual([...expected(more.signatories[0]), more.id]);
    });
  });
});
