/** Events read and drafted on another thread are stored as those taken here, and faults are told in their turn. */
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AcsError } from '../../src/io/error.js';
import { appendUpdates } from '../../src/store/append.js';
import { loadBase } from '../../src/store/load.js';
import { withStore } from '../../src/store/open.js';
import { contract, S1, streamOf, updateJson } from './streams.js';
import { fixture, storePath } from './temporaryStore.js';

/** Small enough for many batches, most of which go to the thread. */
const SMALL = 4096;
/** Updates are read by the thread from the first byte on. */
const APART = { threadFrom: 0, draftBatchBytes: SMALL };

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
function updates(count: number, text = 0): object[] {
  const made: ReturnType<typeof contract>[] = [];
  const messages = [];
  for (let i = 1; i <= count; i++) {
    const c = contract(i, {
      signatories: [`issuer-${i % 7}::1220aa`],
      observers: i % 5 === 0 ? [] : [`owner-${i % 11}::1220bb`],
      entity: `Thing${i % 3}`,
      ...(text === 0 ? {} : { text: String(i % 10).repeat(text) }),
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
  return messages;
}

const stream = (count: number, text = 0): Buffer => streamOf(updates(count, text));

describe('drafts of another thread', () => {
  it.each([
    ['made updates', undefined],
    ['recorded updates', 'live2/stream/p1.updates.acs-delta.bin.gz'],
    ['recorded ledger effects', 'live2/stream/p1.updates.ledger-effects.bin.gz'],
  ])('%s: the same rows', async (_, name) => {
    const input = name === undefined ? stream(400) : fixture(name);
    const [here, there] = [storePath(), storePath()];
    await appendUpdates(here, [input], { source: 'p', begin: 0n });
    await appendUpdates(there, [input], { source: 'p', begin: 0n, ...APART, batch: 50 });
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

  it.each([
    [
      'JSON lines',
      () =>
        Buffer.from(
          updates(300)
            .map((u) => JSON.stringify(u))
            .join('\n'),
        ),
    ],
    ['a gzip file', () => gzipSync(stream(300))],
    ['messages longer than a batch', () => stream(40, 3 * SMALL)],
  ])('%s from a file, in memory and in pieces: the same rows', async (_, make) => {
    const bytes = make();
    const file = `${storePath()}.in`;
    writeFileSync(file, bytes);
    const here = storePath();
    await appendUpdates(here, [bytes], { source: 'p', begin: 0n });
    const expected = await everything(here);
    async function* pieces() {
      for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
    }
    for (const input of [file, bytes, pieces()]) {
      const there = storePath();
      await appendUpdates(there, [input], { source: 'p', begin: 0n, ...APART });
      expect(await everything(there)).toEqual(expected);
    }
  });

  it('several inputs, short and long', async () => {
    const [first, all] = [stream(100), stream(300)];
    const inputs = [first, all, first];
    const [here, there] = [storePath(), storePath()];
    const expected = await appendUpdates(here, inputs, { source: 'p', begin: 0n });
    expect(expected.replayed).toBe(200);
    const options = { ...APART, threadFrom: first.length + 1 };
    expect(await appendUpdates(there, inputs, { source: 'p', begin: 0n, ...options })).toEqual(expected);
    expect(await everything(there)).toEqual(await everything(here));
  });

  it.each([
    [
      'a file that ends early',
      async function* (bytes: Buffer) {
        yield bytes.subarray(0, bytes.length - 5);
      },
    ],
    [
      'an input that cannot be read on',
      async function* (bytes: Buffer) {
        yield bytes.subarray(0, bytes.length - 5);
        throw new AcsError('FILE_UNREADABLE', 'the disk is gone');
      },
    ],
  ])('%s: what was read is stored, then the same error', async (_, input) => {
    const bytes = stream(200);
    const outcome = async (options: object) => {
      const path = storePath();
      const error = await appendUpdates(path, [input(bytes)], {
        source: 'p',
        begin: 0n,
        batch: 50,
        ...options,
      }).catch((e) => e);
      expect(error).toBeInstanceOf(AcsError);
      return { json: error.toJSON(), stored: await everything(path) };
    };
    const there = await outcome(APART);
    expect(there.stored.rows.find(([table]) => table === 'event')?.[1].length).toBeGreaterThan(150);
    expect(there).toEqual(await outcome({}));
  });

  it('a damaged message is told after those before it are stored, with its place', async () => {
    const bytes = stream(400);
    // A message that claims to be a transaction but is none.
    const file = `${storePath()}.bin`;
    writeFileSync(file, Buffer.concat([bytes, Buffer.from('020aff', 'hex'), bytes]));
    const outcome = async (threadFrom: number) => {
      const path = storePath();
      const error = await appendUpdates(path, [file], {
        source: 'p',
        begin: 0n,
        batch: 50,
        draftBatchBytes: SMALL,
        threadFrom,
      }).catch((e) => e);
      expect(error).toBeInstanceOf(AcsError);
      return { place: error.place, code: error.code, stored: await everything(path) };
    };
    const there = await outcome(0);
    expect(there.place.record).toBe(400);
    expect(there.place.byteOffset).toBe(bytes.length);
    expect(there.stored.rows.find(([table]) => table === 'event')?.[1].length).toBeGreaterThan(300);
    expect(there).toEqual(await outcome(1 << 30));
  });
});
