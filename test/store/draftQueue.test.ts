/** Events read and drafted on another thread are stored as those taken here, and faults are told in their turn. */
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AcsError } from '../../src/io/error.js';
import { appendUpdates } from '../../src/store/append.js';
import { idHash } from '../../src/store/idHash.js';
import { loadBase } from '../../src/store/load.js';
import { withStore } from '../../src/store/open.js';
import { contract, S1, S2, type Step, streamOf, type TestContract, updateJson } from './streams.js';
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

/** A generator of 31-bit numbers. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state >>> 8;
  };
}

/** Archives that meet all an archive can meet, between creations and reassignments of the same contracts. */
function archives(count: number, seed: number): object[] {
  const next = randomFrom(seed);
  const known = Array.from({ length: 60 }, (_, n) =>
    contract(n, { signatories: [`issuer-${n % 7}::1220aa`] }),
  );
  const messages: object[] = [];
  for (let i = 1; i <= count; i++) {
    const synchronizer = next() % 5 === 0 ? S2 : S1;
    const steps: Step[] = [];
    const move = next() % 12 === 0;
    for (let n = 1 + (next() % 3); n > 0; n--) {
      const c = next() % 4 === 0 ? contract(1000 + i * 10 + n) : known[next() % known.length];
      const moved = { contract: c, from: S1, to: S2, counter: BigInt(i * 10 + n) };
      if (move) steps.push({ kind: synchronizer === S1 ? 'unassign' : 'assign', ...moved });
      else steps.push({ kind: next() % 5 < 2 ? 'create' : 'archive', contract: c });
    }
    const message = JSON.stringify(updateJson(steps, { offset: BigInt(i * 2), synchronizer }));
    // Upgraded: archived under another package.
    messages.push(
      JSON.parse(
        next() % 6 === 0 ? message.replace(/(archived.*?)(ab){32}/, `$1${'cd'.repeat(32)}`) : message,
      ),
    );
  }
  return messages;
}

describe('archives that wait', () => {
  it.each([1, 2, 3, 4, 5, 6])('leave and tell the same as those that do not (%i)', async (seed) => {
    const bytes = streamOf(archives(600, seed));
    const [here, there] = [storePath(), storePath()];
    const batch = seed % 2 === 0 ? 97 : 50_000;
    const expected = await appendUpdates(here, [bytes], { source: 'p', begin: 0n, batch });
    expect(expected.findings).toMatchObject({
      DEACTIVATION_WITHOUT_ACTIVATION: expect.any(Number),
      DOUBLE_ARCHIVE: expect.any(Number),
      TEMPLATE_PACKAGE_DIFFERS: expect.any(Number),
    });
    expect(await appendUpdates(there, [bytes], { source: 'p', begin: 0n, batch, ...APART })).toEqual(
      expected,
    );
    expect(await everything(there)).toEqual(await everything(here));
  });

  it('of a contract that another one is taken for by its hash', async () => {
    // The same 32 bits of their hashes.
    const [a, b] = [contract(35826), contract(122388)];
    const top = (c: TestContract): number => Math.floor(idHash(Buffer.from(c.id, 'hex')) / 2 ** 16);
    expect(top(a)).toBe(top(b));
    const archive = (c: TestContract, offset: bigint) =>
      updateJson([{ kind: 'archive', contract: c }], { offset, synchronizer: S1 });
    const create = (c: TestContract, offset: bigint) =>
      updateJson([{ kind: 'create', contract: c }], { offset, synchronizer: S1 });
    const orders = [
      [create(a, 1n), archive(b, 2n), archive(b, 3n), create(b, 4n), archive(b, 5n), archive(a, 6n)],
      [create(a, 1n), archive(b, 2n), archive(a, 3n), archive(a, 4n), archive(b, 5n)],
    ];
    for (const messages of orders) {
      const bytes = streamOf(messages);
      const [here, there] = [storePath(), storePath()];
      const expected = await appendUpdates(here, [bytes], { source: 'p', begin: 0n });
      expect(await appendUpdates(there, [bytes], { source: 'p', begin: 0n, ...APART })).toEqual(expected);
      expect(await everything(there)).toEqual(await everything(here));
    }
  });

  it('are refused before what comes after them, at their place', async () => {
    const made = updates(40);
    const gone = contract(3, { entity: 'Thing0' });
    const twice = (offset: bigint) =>
      updateJson([{ kind: 'archive', contract: gone }], { offset, synchronizer: S1 });
    const bytes = streamOf([...made, twice(1001n), twice(1003n), ...updates(3)]);
    const damaged = Buffer.concat([bytes, Buffer.from('020aff', 'hex')]);
    const cut = bytes.subarray(0, bytes.length - 5);
    for (const input of [bytes, damaged, cut]) {
      const outcome = async (options: object) => {
        const path = storePath();
        const file = `${storePath()}.bin`;
        writeFileSync(file, input);
        const error = await appendUpdates(path, [file], {
          source: 'p',
          begin: 0n,
          strict: true,
          ...options,
        }).catch((e) => e);
        expect(error).toBeInstanceOf(AcsError);
        return {
          code: error.code,
          place: { ...error.place, file: error.place.file === file },
          stored: await everything(path),
        };
      };
      const there = await outcome(APART);
      expect(there.place.record).toBe(41);
      expect(there).toEqual(await outcome({}));
    }
  });
});
