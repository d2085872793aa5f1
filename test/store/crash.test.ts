/**
 * kill -9 in the middle of a load and of an append: what was acknowledged is there, nothing is there twice, and going on
 * ends in the same state. Six moments here; `STORE_KILLS=200` runs as many as it says.
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendUpdates } from '../../src/store/append.js';
import { checkStore } from '../../src/store/check.js';
import { loadBase } from '../../src/store/load.js';
import { withStore } from '../../src/store/open.js';
import { findSource } from '../../src/store/source.js';
import { fixture, storePath } from './temporaryStore.js';

const KILLS = Number(process.env.STORE_KILLS ?? 6);
const ROOT = new URL('../..', import.meta.url).pathname;
const WRITER = new URL('./killedWriter.mjs', import.meta.url).pathname;
const BATCH = 20;

let dist = '';

beforeAll(() => {
  // Inside the repository, so that the compiled code finds its packages and the schema files.
  dist = mkdtempSync(join(ROOT, '.crash-'));
  execFileSync(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', dist],
    {
      cwd: ROOT,
    },
  );
});

afterAll(() => rmSync(dist, { recursive: true, force: true }));

interface Killed {
  /** What the writer had acknowledged last; undefined: nothing. */
  acknowledged: string | undefined;
  finished: boolean;
  milliseconds: number;
}

/** Runs the writer and kills it after `delay` ms (never: undefined). */
function runWriter(what: 'load' | 'append', store: string, file: string, delay?: number): Promise<Killed> {
  return new Promise((done, failed) => {
    const started = Date.now();
    const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [
      WRITER,
      dist,
      what,
      store,
      file,
      String(BATCH),
    ]);
    let out = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    const timer = delay === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), delay);
    child.on('error', failed);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal === null && code !== 0) failed(new Error(errors));
      const lines = out.split('\n').slice(0, -1);
      const finished = lines[lines.length - 1] === 'done';
      const positions = lines.filter((line) => line !== 'done');
      done({
        acknowledged: positions[positions.length - 1],
        finished,
        milliseconds: Date.now() - started,
      });
    });
  });
}

async function whatIsThere(store: string) {
  return withStore(store, {}, ({ db }) => ({
    head: findSource(db, 'p')?.head,
    events: db.prepare('SELECT count(*) FROM event').pluck().get() as number,
    records: (db.prepare('SELECT max(next_record) FROM import').pluck().get() as number | null) ?? 0,
    doubled: db
      .prepare('SELECT count(*) FROM (SELECT contract_id FROM contract GROUP BY 1 HAVING count(*) > 1)')
      .pluck()
      .get() as number,
  })).catch((error: { code?: string }) => {
    // Killed before the store was made.
    if (error.code === 'STORE_MISSING' || error.code === 'STORE_NOT_A_STORE') return undefined;
    throw error;
  });
}

describe('kill -9', () => {
  it.each([
    ['load', 'snapshots/multi/participant1.acs.gz'],
    ['append', 'live2/stream/p1.updates.acs-delta.bin.gz'],
  ] as const)(
    '%s: nothing lost, nothing doubled, the same end',
    async (what, name) => {
      const file = fixture(name);
      const whole = storePath();
      if (what === 'load') await loadBase(whole, file, { source: 'p', offset: 5n });
      else await appendUpdates(whole, [file], { source: 'p', begin: 0n });
      const expected = (await checkStore(whole)).digests.p;

      let store = storePath();
      const first = await runWriter(what, storePath(), file);
      expect(first.finished).toBe(true);
      let kills = 0;
      let resumed = 0;
      let seed = 12345;
      while (kills < KILLS / 2) {
        seed = (seed * 1103515245 + 12345) % 2 ** 31;
        // Node itself takes a while to start; kill anywhere from there to the usual end.
        const delay = first.milliseconds * (0.25 + 0.8 * (seed / 2 ** 31));
        const run = await runWriter(what, store, file, delay);
        if (!run.finished) kills++;
        const there = await whatIsThere(store);
        if (run.acknowledged !== undefined) {
          if (what === 'load') expect(there?.records).toBeGreaterThanOrEqual(Number(run.acknowledged));
          else expect(there?.head).toBeGreaterThanOrEqual(BigInt(run.acknowledged));
        }
        if (there !== undefined) {
          expect(there.doubled).toBe(0);
          if (there.events > 0 && !run.finished) resumed++;
        }
        if (!run.finished && kills % 3 !== 0) continue;
        // Go on to the end: the state is that of an undisturbed run.
        const end = run.finished ? run : await runWriter(what, store, file);
        expect(end.finished).toBe(true);
        const check = await checkStore(store, { full: true });
        expect(check.problems).toEqual([]);
        expect(check.digests.p).toBe(expected);
        store = storePath();
      }
      // Unless the machine was far too slow, some of the kills hit a store with something in it.
      if (KILLS >= 100) expect(resumed).toBeGreaterThan(KILLS / 20);
    },
    3_600_000,
  );
});
