/** Events drafted on another thread are stored as those drafted here, and faults are told in their turn. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AcsError } from '../../src/io/error.js';
import { appendUpdates } from '../../src/store/append.js';
import { loadBase } from '../../src/store/load.js';
import { withStore } from '../../src/store/open.js';
import { contract, S1, streamOf, updateJson } from './streams.js';
import { fixture, storePath } from './temporaryStore.js';

/** Small enough for many batches, most of which go to the thread. */
const SMALL = 4096;

/** Every row of a store, except when and from where it was filled. */
async function everything(path: string) {
  return withStore(path, {}, ({ db }) => {
    const tables = db
      .prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('import', 'sqlite_stat1', 'sqlite_stat4') ORDER BY 1",
      )
      .pluck()
      .all() as string[];
    const indices = db.prepare("SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY 1").all();
    return { indices, rows: tables.map((t) => [t, db.prepare(`SELECT * FROM ${t}`).raw().all()]) };
  });
}

/** Creations by changing parties, now and then with parties in another order, a repeated one, and archives. */
function stream(updates: number): Buffer {
  const made: ReturnType<typeof contract>[] = [];
  const messages = [];
  for (let i = 1; i <= updates; i++) {
    const c = contract(i, {
      signatories: [`issuer-${i % 7}::1220aa`],
      observers: i % 5 === 0 ? [] : [`owner-${i % 11}::1220bb`],
      entity: `Thing${i % 3}`,
    });
    made.push(c);
    const old = i % 4 === 0 ? made[i - 3] : undefined;
    messages.push(
      updateJson(
        [
          { kind: 'create', contract: c },
          ...(old === undefined ? [] : [{ kind: 'archive' as const, contract: old }]),
        ],
        { offset: BigInt(i * 2), synchronizer: S1 },
      ),
    );
  }
  return streamOf(messages);
}

describe('drafts of another thread', () => {
  it.each([
    ['made updates', undefined],
    ['recorded updates', 'live2/stream/p1.updates.acs-delta.bin.gz'],
    ['recorded ledger effects', 'live2/stream/p1.updates.ledger-effects.bin.gz'],
  ])('%s: the same rows', async (_, name) => {
    const input = name === undefined ? stream(400) : fixture(name);
    const [here, there] = [storePath(), storePath()];
    await appendUpdates(here, [input], { source: 'p', begin: 0n });
    await appendUpdates(there, [input], { source: 'p', begin: 0n, draftBatchBytes: SMALL, batch: 50 });
    const drafted = await everything(there);
    // More batches note the record time more often.
    const rows = (all: typeof drafted) => all.rows.filter(([table]) => table !== 'sync_time');
    expect(rows(drafted)).toEqual(rows(await everything(here)));
    expect(drafted.indices).toEqual((await everything(here)).indices);
  });

  it('a snapshot: the same rows, and the same place to go on from', async () => {
    const input = fixture('snapshots/multi/participant1.acs.gz');
    const [here, there] = [storePath(), storePath()];
    await loadBase(here, input, { source: 'p', offset: 5n });
    await loadBase(there, input, { source: 'p', offset: 5n, draftBatchBytes: SMALL, batch: 7 });
    expect(await everything(there)).toEqual(await everything(here));
    const position = async (path: string) =>
      withStore(path, {}, ({ db }) =>
        db.prepare('SELECT next_record, prefix_crc, contracts FROM import').get(),
      );
    expect(await position(there)).toEqual(await position(here));
  });

  it('a damaged message is told after those before it are stored, with its place', async () => {
    const bytes = stream(400);
    // A message that claims to be a transaction but is none.
    const file = `${storePath()}.bin`;
    writeFileSync(file, Buffer.concat([bytes, Buffer.from('020aff', 'hex'), bytes]));
    const outcome = async (draftBatchBytes: number) => {
      const path = storePath();
      const error = await appendUpdates(path, [file], {
        source: 'p',
        begin: 0n,
        batch: 50,
        draftBatchBytes,
      }).catch((e) => e);
      expect(error).toBeInstanceOf(AcsError);
      return { place: error.place, code: error.code, stored: await everything(path) };
    };
    const there = await outcome(SMALL);
    expect(there.place.record).toBe(400);
    expect(there.place.byteOffset).toBe(bytes.length);
    expect(there.stored.rows.find(([table]) => table === 'event')?.[1].length).toBeGreaterThan(300);
    expect(there).toEqual(await outcome(1 << 20));
  });
});
