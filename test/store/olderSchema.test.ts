/** A store of schema version 2, written by the program as it was then: read as it is, and taken further. */
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { SCHEMES } from '../../src/commitment/schemes.js';
import { appendUpdates } from '../../src/store/append.js';
import { activeRows, resolveQuestion } from '../../src/store/ask.js';
import { checkStore } from '../../src/store/check.js';
import { storeStates } from '../../src/store/commitments.js';
import { exportSnapshot } from '../../src/store/exportSnapshot.js';
import { contractHistory } from '../../src/store/history.js';
import { type Db, openStore, withStore } from '../../src/store/open.js';
import { fixture, inflated, storePath } from './temporaryStore.js';

const stream = (name: string): string => fixture(`live2/stream/${name}`);
const offsets = (
  JSON.parse(gunzipSync(readFileSync(stream('scenario.json.gz'))).toString()) as {
    acs_offsets: Record<string, number[]>;
  }
).acs_offsets[1].map(BigInt);

function older(): string {
  const path = storePath();
  writeFileSync(path, gunzipSync(readFileSync(fixture('store/schema-2.db.gz'))));
  return path;
}

const version = (db: Db): unknown => db.pragma('user_version', { simple: true });

async function exportsAre(path: string, ks: readonly number[]): Promise<void> {
  const out = `${path}.acs.gz`;
  for (const k of ks) {
    await exportSnapshot(path, out, { offset: offsets[k - 1], inFlight: 'keep' });
    expect(inflated(out).equals(inflated(stream(`p1.export-${k}.acs.gz`))), `export ${k}`).toBe(true);
  }
}

function byParty(db: Db, offset: bigint): Map<string, string[]> {
  const parties = db.prepare('SELECT party FROM party ORDER BY 1').pluck().all() as string[];
  return new Map(
    parties.map((party) => {
      const q = resolveQuestion(db, undefined, { offset, parties: [party] });
      return [
        party,
        [...activeRows(db, q)].map((row) => `${row.contractId} ${row.synchronizer} ${row.since}`),
      ];
    }),
  );
}

it('is read without being changed', async () => {
  const path = older();
  const before = readFileSync(path);
  await exportsAre(path, [1, 2, 3]);
  expect((await checkStore(path, { full: true })).problems).toEqual([]);
  await withStore(path, {}, ({ db }) => {
    expect(version(db)).toBe(2);
    const all = [...activeRows(db, resolveQuestion(db, undefined, {}))];
    expect([...byParty(db, offsets[2]).values()].flat().length).toBeGreaterThan(all.length);
    expect(contractHistory(db, all[0].contractId).events.length).toBeGreaterThan(0);
  });
  expect(readFileSync(path).equals(before)).toBe(true);
});

it('goes on where it stopped, and answers as one from the beginning', async () => {
  const path = older();
  const updates = stream('p1.updates.acs-delta.bin.gz');
  const { replayed, events } = await appendUpdates(path, [updates], { source: 'p1', until: offsets[4] });
  expect(replayed).toBeGreaterThan(200);
  expect(events).toBeGreaterThan(100);
  await exportsAre(path, [1, 2, 3, 4, 5]);
  const fresh = storePath();
  await appendUpdates(fresh, [updates], { source: 'p1', begin: 0n, until: offsets[4] });
  const [a, b] = [await checkStore(path, { full: true }), await checkStore(fresh, { full: true })];
  expect(a.problems).toEqual(b.problems);
  expect(a.digests).toEqual(b.digests);
  await withStore(path, {}, ({ db }) =>
    withStore(fresh, {}, ({ db: other }) => {
      expect(version(db)).toBe(3);
      for (const offset of [offsets[1], offsets[4]])
        expect(byParty(db, offset)).toEqual(byParty(other, offset));
    }),
  );
});

it('of schema version 1 has no place for kept commitments, and gives them', async () => {
  const path = older();
  const all = (db: Db) => {
    const synchronizer = db.prepare('SELECT sync_id FROM synchronizer ORDER BY 1').pluck().get() as string;
    const states = storeStates(db, { synchronizer, scheme: SCHEMES['blake2xb-groups'] });
    return Array.from(states.rows(), ({ parties, state }) => [parties, Buffer.from(state).toString('hex')]);
  };
  const expected = await withStore(path, {}, ({ db }) => all(db));
  const db = new Database(path);
  db.exec('DROP TABLE commitment_head; DROP TABLE commitment_group; PRAGMA user_version = 1');
  db.close();
  await withStore(path, {}, (store) => {
    expect(version(store.db)).toBe(1);
    expect(all(store.db)).toEqual(expected);
  });
  const migrated = openStore(path, { write: true });
  expect(version(migrated.db)).toBe(3);
  expect(all(migrated.db)).toEqual(expected);
  migrated.close();
});
