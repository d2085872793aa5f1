/**
 * Inputs that give their bytes once, and when they like: their kind is told from the first ones, which must not be lost by
 * that, and what they have given does not wait for the rest.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { appendUpdates } from '../../src/store/append.js';
import { checkStore } from '../../src/store/check.js';
import { loadBase } from '../../src/store/load.js';
import { withStore } from '../../src/store/open.js';
import { findSource } from '../../src/store/source.js';
import { checkpointJson, contract, on, S1, streamOf, updateJson } from './streams.js';
import { fixture, storePath } from './temporaryStore.js';

const writers: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const writer of writers.splice(0)) writer.kill('SIGKILL');
});

/** A pipe with a name, into which a file is written. */
function pipeOf(db: string, file: string): string {
  const pipe = `${db}.pipe`;
  execFileSync('mkfifo', [pipe]);
  writers.push(spawn('sh', ['-c', 'cat "$0" > "$1"', file, pipe]));
  return pipe;
}

describe('updates that are still being written', () => {
  const update = (n: number) =>
    updateJson([on(S1, { kind: 'create', contract: contract(n) })], { offset: BigInt(n), synchronizer: S1 });

  it.each([
    ['by a thread from the beginning', { threadFrom: 0 }],
    ['by a thread when they make it wait', {}],
  ])('are stored, read %s', async (_, options) => {
    const db = storePath();
    const head = async () =>
      existsSync(db) ? withStore(db, {}, ({ db: opened }) => findSource(opened, 'p')?.head) : undefined;
    async function* input() {
      for (let n = 1; n < 4; n++) {
        const bytes = streamOf([update(n), checkpointJson(BigInt(n))]);
        const piece = bytes.length - 3;
        yield bytes.subarray(0, piece);
        while ((await head()) !== BigInt(n)) await new Promise((done) => setTimeout(done, 50));
        yield bytes.subarray(piece);
      }
    }
    await appendUpdates(db, [input()], { source: 'p', begin: 0n, ...options });
    expect(await head()).toBe(3n);
  });
});

describe('a base from a pipe', () => {
  it('a snapshot, as from a file', async () => {
    const file = fixture('snapshots/multi/participant1.acs.gz');
    const [db, other] = [storePath(), storePath()];
    const loaded = await loadBase(db, pipeOf(db, file), { source: 'p', offset: 7n });
    expect(loaded).toEqual(await loadBase(other, file, { source: 'p', offset: 7n }));
    expect((await checkStore(db)).digests).toEqual((await checkStore(other)).digests);
  });

  it('active contracts; compared with a snapshot from another one', async () => {
    const db = storePath();
    const loaded = await loadBase(db, pipeOf(db, fixture('live2/stream/p1.acs-5.bin.gz')), {
      source: 'p',
      offset: 1551n,
    });
    expect(loaded).toMatchObject({ format: 'active-contracts', contracts: 260, inFlight: { named: 1 } });
    const against = pipeOf(storePath(), fixture('live2/stream/p1.export-5.acs.gz'));
    expect((await checkStore(db, { against, offset: 1551n })).problems).toEqual([]);
  });
});
