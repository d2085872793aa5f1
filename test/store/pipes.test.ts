/** Inputs that give their bytes once: their kind is told from the first ones, which must not be lost by that. */
import { execFileSync, spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { checkStore } from '../../src/store/check.js';
import { loadBase } from '../../src/store/load.js';
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
