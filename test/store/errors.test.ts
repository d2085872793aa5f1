/** What a user can do to a store that goes wrong: every time a clear error, and the store as it was. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { appendUpdates } from '../../src/store/append.js';
import { inFlightAt, resolveQuestion } from '../../src/store/ask.js';
import { checkStore } from '../../src/store/check.js';
import { loadBase } from '../../src/store/load.js';
import { openStore, withStore } from '../../src/store/open.js';
import { querySql } from '../../src/store/readOnlySql.js';
import { findSource } from '../../src/store/source.js';
import { contract, oneByOne, S1, S2, streamOf, updateJson } from './streams.js';
import { fixture, storePath } from './temporaryStore.js';

const TINY = fixture('snapshots/tiny.acs.gz');
const STREAM = fixture('live2/stream/p1.updates.acs-delta.bin.gz');

async function loaded(): Promise<string> {
  const db = storePath();
  await loadBase(db, TINY, { source: 'p', offset: 5n });
  return db;
}

describe('opening', () => {
  it('a second writer is refused while one is at work; readers are not', async () => {
    const db = await loaded();
    const writer = openStore(db, { write: true });
    await expect(loadBase(db, TINY, { source: 'q', offset: 5n })).rejects.toMatchObject({
      code: 'STORE_BUSY',
    });
    const count = await withStore(db, {}, (s) => s.db.prepare('SELECT count(*) FROM contract').pluck().get());
    expect(count).toBe(12);
    writer.close();
    await loadBase(db, TINY, { source: 'q', offset: 5n });
  });

  it('another process at work is refused too, and its death frees the store', async () => {
    const db = await loaded();
    const script = `const D = require(${JSON.stringify(requirePath())}); const d = new D(${JSON.stringify(`${db}.writer`)}); d.exec('BEGIN EXCLUSIVE'); console.log('held'); setTimeout(() => {}, 60000)`;
    const child = spawn(process.execPath, ['-e', script]);
    await new Promise((ready) => child.stdout.once('data', ready));
    await expect(loadBase(db, TINY, { source: 'q', offset: 5n })).rejects.toMatchObject({
      code: 'STORE_BUSY',
    });
    const gone = new Promise((done) => child.once('close', done));
    child.kill('SIGKILL');
    await gone;
    await loadBase(db, TINY, { source: 'q', offset: 5n });
  });

  it('a newer schema, another application, no database, nothing', async () => {
    const newer = await loaded();
    const raw = new Database(newer);
    raw.pragma('user_version = 99');
    raw.close();
    const bytes = readFileSync(newer);
    for (const write of [false, true])
      expect(() => openStore(newer, { write })).toThrowError(
        expect.objectContaining({ code: 'STORE_NEWER' }),
      );
    expect(readFileSync(newer).equals(bytes)).toBe(true);

    const foreign = storePath();
    const other = new Database(foreign);
    other.exec('CREATE TABLE t(x)');
    other.close();
    expect(() => openStore(foreign, { create: true })).toThrowError(
      expect.objectContaining({ code: 'STORE_FOREIGN' }),
    );

    const text = storePath();
    writeFileSync(text, 'not a database, but long enough to be one of those files'.repeat(50));
    expect(() => openStore(text)).toThrowError(expect.objectContaining({ code: 'STORE_NOT_A_STORE' }));
    expect(() => openStore(`${text}.no`)).toThrowError(expect.objectContaining({ code: 'STORE_MISSING' }));
    expect(existsSync(`${text}.no`)).toBe(false);
  });

  it('a copy without its log', async () => {
    const db = storePath();
    const store = openStore(db, { create: true });
    const copy = `${db}.copy`;
    copyFileSync(db, copy);
    store.close();
    await expect(withStore(copy, {}, () => undefined)).rejects.toMatchObject({
      code: 'STORE_NOT_A_STORE',
      hint: expect.stringContaining('test.db.copy-wal'),
    });
  });

  it('a damaged file is found', async () => {
    const db = await loaded();
    const bytes = readFileSync(db);
    bytes.fill(0xff, 8192 * 3, 8192 * 3 + 4096);
    writeFileSync(db, bytes);
    const outcome = await checkStore(db, { full: true }).then(
      (r) => r.problems.map((p) => p.code),
      (error: { code: string }) => [error.code],
    );
    expect(outcome).toContain('STORE_CORRUPT');
  });

  it('a full disk stops the append with the store intact', async () => {
    const db = await loaded();
    const before = (await checkStore(db)).digests.p;
    const pages = await withStore(db, {}, (s) => s.db.pragma('page_count', { simple: true }) as number);
    // A file of bounded size stands for a full disk: SQLite reports both as SQLITE_FULL.
    const original = Database.prototype.pragma;
    Database.prototype.pragma = function pragma(
      this: Database.Database,
      ...args: Parameters<typeof original>
    ) {
      const result = original.apply(this, args);
      if (args[0] === 'synchronous = FULL') original.call(this, `max_page_count = ${pages + 2}`);
      return result;
    } as typeof original;
    try {
      await expect(appendUpdates(db, [STREAM], { source: 'p' })).rejects.toMatchObject({ code: 'DISK_FULL' });
    } finally {
      Database.prototype.pragma = original;
    }
    const after = await checkStore(db, { full: true });
    expect(after.problems).toEqual([]);
    expect(after.digests.p).toBe(before);
    await appendUpdates(db, [STREAM], { source: 'p' });
  });

  it.skipIf(process.getuid?.() === 0)('a file that may not be written', async () => {
    const db = await loaded();
    chmodSync(db, 0o444);
    await expect(loadBase(db, TINY, { source: 'q', offset: 5n })).rejects.toMatchObject({
      code: 'STORE_READ_ONLY',
    });
  });

  it('a folder in which readers cannot make the files they share', async () => {
    const db = await loaded();
    mkdirSync(`${db}-wal`);
    await expect(checkStore(db)).rejects.toMatchObject({
      code: 'STORE_UNREADABLE',
      message: 'the files that readers share cannot be made beside the store',
      hint: expect.stringContaining('copy the store'),
    });
    rmdirSync(`${db}-wal`);
    expect((await checkStore(db)).problems).toEqual([]);
  });

  it('a file of another kind', async () => {
    const db = await loaded();
    await expect(appendUpdates(db, [TINY], { source: 'p' })).rejects.toMatchObject({
      hint: expect.stringContaining('`acs store load`'),
    });
    await expect(loadBase(db, STREAM, { source: 'q', offset: 5n })).rejects.toMatchObject({
      hint: expect.stringContaining('`acs store append`'),
    });
  });

  it('a folder that is not there', async () => {
    const db = `${storePath()}.d/x/test.db`;
    await expect(loadBase(db, TINY, { source: 'p', offset: 5n })).rejects.toMatchObject({
      code: 'STORE_UNREADABLE',
    });
  });
});

describe('asking', () => {
  it('unknown sources, offsets outside, unfinished bases', async () => {
    const db = await loaded();
    await withStore(db, {}, ({ db: opened }) => {
      const code = (source: string | undefined, offset?: bigint): string => {
        try {
          resolveQuestion(opened, source, { offset });
          return 'ok';
        } catch (error) {
          return (error as { code: string }).code;
        }
      };
      expect(code(undefined)).toBe('ok');
      expect(code('q')).toBe('SOURCE_UNKNOWN');
      expect(code('p', 4n)).toBe('OFFSET_BEFORE_BASE');
      expect(code('p', 6n)).toBe('OFFSET_AFTER_HEAD');
    });
    await expect(appendUpdates(db, [STREAM], { source: 'q' })).rejects.toMatchObject({
      code: 'SOURCE_NO_BASE',
    });
    await expect(
      loadBase(db, fixture('snapshots/two-synchronizers.acs.gz'), { source: 'p', offset: 9n }),
    ).rejects.toMatchObject({ code: 'SOURCE_HAS_BASE' });
    expect((await loadBase(db, TINY, { source: 'p', offset: 5n })).status).toBe('already-loaded');
  });

  it('a filtered base answers for its parties only', async () => {
    const db = storePath();
    const alice = 'alice::1220aa';
    const others = { signatories: ['carol::1220cc'], observers: [] };
    const stream = streamOf(
      oneByOne([
        { kind: 'create', contract: contract(1) },
        { kind: 'create', contract: contract(2, others) },
      ]),
    );
    const whole = storePath();
    await appendUpdates(whole, [stream], { source: 'p', begin: 0n });
    const { exportSnapshot } = await import('../../src/store/exportSnapshot.js');
    await exportSnapshot(whole, `${whole}.acs.gz`);
    const base = await loadBase(db, `${whole}.acs.gz`, { source: 'p', offset: 20n, parties: [alice] });
    expect(base).toMatchObject({ contracts: 1, skipped: 1, filter: [alice] });
    await withStore(db, {}, ({ db: opened }) => {
      expect(resolveQuestion(opened, 'p', { parties: [alice] }).partial).toBeUndefined();
      expect(resolveQuestion(opened, 'p', {}).partial).toContain(alice);
      expect(() => resolveQuestion(opened, 'p', { parties: ['carol::1220cc'] })).toThrowError(
        expect.objectContaining({ code: 'PARTY_OUTSIDE_FILTER' }),
      );
      expect(
        resolveQuestion(opened, 'p', { parties: ['carol::1220cc'], allowPartial: true }).partial,
      ).toContain(alice);
    });
    const more = oneByOne([{ kind: 'create', contract: contract(3, others) }], 30n);
    const appended = await appendUpdates(db, [streamOf(more)], { source: 'p' });
    expect(appended).toMatchObject({ outsideFilter: 1, findings: { FILTER_ESCAPE: 1 } });
    // That another source knows a contract does not make it one of this source.
    await appendUpdates(db, [stream], { source: 'q', begin: 0n });
    const ended = oneByOne([{ kind: 'archive', contract: contract(2, others) }], 40n);
    expect((await appendUpdates(db, [streamOf(ended)], { source: 'p' })).warnings).toBe(0);
    // Nor is one in flight that the base left out.
    const flown = { kind: 'unassign', contract: contract(3, others), from: S1, to: S2, counter: 1n } as const;
    await appendUpdates(db, [streamOf(oneByOne([flown], 50n))], { source: 'p' });
    await withStore(db, {}, ({ db: opened }) =>
      expect(inFlightAt(opened, resolveQuestion(opened, 'p', {}))).toEqual([]),
    );
    expect((await checkStore(db)).problems).toEqual([]);
  });

  it('a question without end is ended by Ctrl-C', async () => {
    const db = await loaded();
    const endless = 'WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r';
    const main = fileURLToPath(new URL('../../dist/cli/acs.cjs', import.meta.url));
    const child = spawn(process.execPath, [main, 'store', 'sql', db, endless], { stdio: 'ignore' });
    const ended = new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal)));
    try {
      await new Promise((done) => setTimeout(done, 1000));
      expect(child.exitCode).toBeNull();
      child.kill('SIGINT');
      expect(await Promise.race([ended, new Promise((done) => setTimeout(done, 5000))])).toBe('SIGINT');
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('SQL that is not a question', async () => {
    const db = await loaded();
    const bytes = readFileSync(db);
    for (const sql of [
      'DELETE FROM event',
      'DROP TABLE event',
      'PRAGMA user_version = 7',
      'nonsense',
      "ATTACH 'x' AS y",
      'SELECT abs(-9223372036854775807 - 1)',
      "SELECT load_extension('x')",
      'SELECT ?',
      'SELECT :name',
    ])
      await expect(querySql(db, sql, () => undefined)).rejects.toMatchObject({ exitCode: 2 });
    expect(readFileSync(db).equals(bytes)).toBe(true);
    const seen: unknown[][] = [];
    await querySql(db, 'SELECT count(*), max(counter) FROM active', (row) => seen.push(row));
    expect(seen).toEqual([[12n, 2n]]);
  });

  it('columns of one name are told apart; more rows than asked for are noticed', async () => {
    const db = await loaded();
    const columns = async (sql: string) => (await querySql(db, sql, () => undefined)).columns;
    expect(await columns('SELECT 1 AS a, 2 AS a, 3 AS "a:1", 4 AS a, 5 AS b')).toEqual([
      'a',
      'a:2',
      'a:1',
      'a:3',
      'b',
    ]);
    const three = 'SELECT 1 UNION SELECT 2 UNION SELECT 3';
    const ask = async (maxRows: number) => querySql(db, three, () => undefined, { maxRows });
    expect(await ask(2)).toMatchObject({ rows: 2, more: true });
    expect(await ask(3)).toMatchObject({ rows: 3, more: false });
  });
});

describe('loading again', () => {
  it('the same file is recognised, unless other parties are asked for', async () => {
    const db = storePath();
    const file = fixture('live2/stream/p1.acs-5.bin.gz');
    const load = (...parties: string[]) => loadBase(db, file, { source: 'p', offset: 1551n, parties });
    const first = await load();
    expect(first.inFlight.named).toBe(1);
    expect(await load()).toMatchObject({ status: 'already-loaded', inFlight: first.inFlight });
    await expect(load('alice::1220aa')).rejects.toMatchObject({ code: 'SOURCE_HAS_BASE' });
  });

  it('a beginning behind the base would leave a gap', async () => {
    const db = await loaded();
    const updates = streamOf(oneByOne([{ kind: 'create', contract: contract(1) }], 40n));
    await expect(appendUpdates(db, [updates], { source: 'p', begin: 30n })).rejects.toMatchObject({
      code: 'SOURCE_HAS_BASE',
    });
    expect(await appendUpdates(db, [updates], { source: 'p', begin: 0n })).toMatchObject({ head: 40n });
  });

  it('of which nothing could be taken leaves no source behind', async () => {
    const db = await loaded();
    await expect(loadBase(db, STREAM, { source: 'q', offset: 7n })).rejects.toThrow();
    await expect(appendUpdates(db, [TINY], { source: 'q', begin: 0n })).rejects.toThrow();
    const sources = await withStore(db, {}, (s) => s.db.prepare('SELECT name FROM source').pluck().all());
    expect(sources).toEqual(['p']);
    // What is refused is recorded, and with it the source.
    const twice = updateJson([{ kind: 'create', contract: contract(1) }], { offset: 5n, synchronizer: S1 });
    const other = updateJson([{ kind: 'create', contract: contract(2) }], { offset: 5n, synchronizer: S1 });
    const refused = appendUpdates(db, [streamOf([twice, other])], { source: 'r', begin: 0n });
    await expect(refused).rejects.toMatchObject({ code: 'OFFSET_NOT_INCREASING' });
    await withStore(db, {}, (s) => expect(findSource(s.db, 'r')).toBeDefined());
  });

  it('after a load of which nothing was taken any other is a first one, under its own name', async () => {
    const db = storePath();
    const bad = `${db}.bad.acs.gz`;
    writeFileSync(bad, readFileSync(TINY).subarray(0, 3000));
    await expect(loadBase(db, bad, { source: 'p', offset: 7n })).rejects.toMatchObject({
      code: 'GZIP_TRUNCATED',
    });
    const loaded = await loadBase(db, TINY, { source: 'p', offset: 8n });
    expect(loaded).toMatchObject({ status: 'loaded', contracts: 12, resumedAt: 0 });
    const files = await withStore(db, {}, (s) =>
      s.db.prepare('SELECT file, at_offset FROM import').raw().all(),
    );
    expect(files).toEqual([[TINY, 8]]);
  });

  it('an interrupted load goes on; with another file it is refused; --restart begins anew', async () => {
    const db = storePath();
    const file = fixture('snapshots/multi/participant1.acs.gz');
    const stop = new Error('stop here');
    await expect(
      loadBase(db, file, {
        source: 'p',
        offset: 7n,
        batch: 100,
        onCommit: (n) => {
          if (n === 200) throw stop;
        },
      }),
    ).rejects.toBe(stop);
    await withStore(db, {}, ({ db: opened }) => {
      expect(() => resolveQuestion(opened, 'p', {})).toThrowError(
        expect.objectContaining({ code: 'SOURCE_NO_BASE' }),
      );
    });
    await expect(
      loadBase(db, fixture('snapshots/multi/participant2.acs.gz'), { source: 'p', offset: 7n }),
    ).rejects.toMatchObject({ code: 'LOAD_PREFIX_CHANGED' });
    await expect(loadBase(db, TINY, { source: 'p', offset: 7n })).rejects.toMatchObject({
      code: 'LOAD_PREFIX_CHANGED',
    });
    await expect(loadBase(db, file, { source: 'p', offset: 8n })).rejects.toMatchObject({
      code: 'LOAD_UNFINISHED',
    });
    const copy = `${db}.copy`;
    copyFileSync(db, copy);
    expect(await loadBase(db, file, { source: 'p', offset: 7n })).toMatchObject({
      resumedAt: 200,
      contracts: 416,
    });
    expect(await loadBase(copy, TINY, { source: 'p', offset: 8n, restart: true })).toMatchObject({
      contracts: 12,
    });
    const whole = storePath();
    await loadBase(whole, file, { source: 'p', offset: 7n });
    expect((await checkStore(db)).digests).toEqual((await checkStore(whole)).digests);
    expect((await checkStore(copy, { full: true })).problems).toEqual([]);
  });
});

function requirePath(): string {
  return execFileSync(process.execPath, ['-e', "console.log(require.resolve('better-sqlite3'))"], {
    cwd: new URL('../..', import.meta.url).pathname,
  })
    .toString()
    .trim();
}
