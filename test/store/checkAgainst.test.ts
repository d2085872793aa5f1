/** `acs store check --against`: what a store and a second snapshot of its source may disagree about. */
import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { appendUpdates } from '../../src/store/append.js';
import { checkStore } from '../../src/store/check.js';
import { exportSnapshot } from '../../src/store/exportSnapshot.js';
import { loadBase } from '../../src/store/load.js';
import { contract, createdEvent, on, oneByOne, S1, S2, type Step, streamOf } from './streams.js';
import { storePath } from './temporaryStore.js';

const ALICE = 'alice::1220aa';
const CAROL = 'carol::1220cc';
const stays = contract(1);
const leaves = contract(2);
const carols = contract(3, { signatories: [CAROL], observers: [] });
const move: Step = { kind: 'unassign', contract: leaves, from: S1, to: S2, counter: 1n };
const create = (c: typeof stays): Step => on(S1, { kind: 'create', contract: c });
const steps = [create(stays), create(leaves), create(carols), move];
const updates = oneByOne(steps);
const { unassigned } = (updates[3] as { reassignment: { events: { unassigned: object }[] } }).reassignment
  .events[0];

const active = (c: typeof stays, offset: bigint) => ({
  activeContract: { createdEvent: createdEvent(c, offset), synchronizerId: S1, reassignmentCounter: '0' },
});
const inFlight = {
  incompleteUnassigned: { createdEvent: createdEvent(leaves, 20n), unassignedEvent: unassigned },
};

let db: string;
beforeAll(async () => {
  db = storePath();
  await appendUpdates(db, [streamOf(updates)], { source: 'p', begin: 0n });
});

async function against(store: string, entries: readonly object[]): Promise<string[]> {
  const file = `${storePath()}.jsonl`;
  writeFileSync(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  return found(store, file);
}

async function found(store: string, file: string): Promise<string[]> {
  const { problems } = await checkStore(store, { against: file, offset: 40n });
  return problems.filter((p) => p.code === 'BASE_DISAGREES').map((p) => p.detail);
}

describe('a second snapshot', () => {
  it('agrees, names what is in flight on one side only, and another contract under an id', async () => {
    const all = [active(stays, 10n), active(carols, 30n)];
    expect(await against(db, [...all, inFlight])).toEqual([]);
    expect(await against(db, all)).toEqual(['in flight (unassigned) only in the store']);
    const other = contract(1, { text: 'another text' });
    expect(await against(db, [active(other, 10n), all[1], inFlight])).toEqual([
      'another contract in the snapshot',
    ]);
    const gone = storePath();
    await appendUpdates(
      gone,
      [streamOf(oneByOne([...steps.slice(0, 3), { ...move, exclusivity: null } as Step]))],
      {
        source: 'p',
        begin: 0n,
      },
    );
    expect(await against(gone, [...all, inFlight])).toEqual(['in flight (unassigned) only in the snapshot']);
  });

  it('that is a file has the same number in flight', async () => {
    const [kept, left] = ['kept', 'left'].map((name) => `${db}.${name}.acs.gz`);
    await exportSnapshot(db, kept, { inFlight: 'keep' });
    await exportSnapshot(db, left, { inFlight: 'list' });
    expect(await found(db, kept)).toEqual([]);
    expect(await found(db, left)).toEqual(['0 contracts in flight in the snapshot, 1 in the store']);
  });

  it('of every party agrees with a source of some', async () => {
    const some = storePath();
    const base = `${some}.jsonl`;
    writeFileSync(base, `${JSON.stringify(active(stays, 10n))}\n`);
    await loadBase(some, base, { source: 'p', offset: 40n, parties: [ALICE] });
    expect(await against(some, [active(stays, 10n), active(carols, 30n)])).toEqual([]);
  });
});
