/**
 * The commitments that running participants exchanged, recomputed from their update streams through the store: at every
 * tick, incrementally and anew, forwards and backwards in time.
 */
import { describe, expect, it } from 'vitest';
import { SCHEMES } from '../../src/commitment/schemes.js';
import { appendUpdates } from '../../src/store/append.js';
import { commitmentsOfStore, type StoreStates, storeStates } from '../../src/store/commitments.js';
import { loadBase } from '../../src/store/load.js';
import { openStore } from '../../src/store/open.js';
import { resetTo } from '../../src/store/rewind.js';
import { runCommand } from '../cli/runCommand.js';
import {
  exchangedBy,
  FIRST_HOSTING,
  first,
  hostingOf,
  type Scenario,
  scenario,
} from '../commitment/exchanged.js';
import { fixture } from '../fixtures.js';
import { storePath } from './temporaryStore.js';

const scheme = SCHEMES['blake2xb-groups'];

async function streamStore(folder: string, n: number): Promise<string> {
  const path = storePath();
  await appendUpdates(path, [fixture(`${folder}/p${n}.updates.acs-delta.bin.gz`)], {
    source: `p${n}`,
    begin: 0n,
  });
  return path;
}

function hex(states: StoreStates, run: Scenario, n: number): Record<string, string> {
  return Object.fromEntries(
    commitmentsOfStore(states, scheme, hostingOf(run), `participant${n}`).map((c) => [
      c.counterParticipant,
      c.commitment.toString('hex'),
    ]),
  );
}

const RUNS: [string, number, Scenario][] = [
  ...[1, 2, 3].map((n): [string, number, Scenario] => ['live', n, { ...first, hosting: FIRST_HOSTING }]),
  ...[1, 2].map((n): [string, number, Scenario] => ['live2/stream', n, scenario]),
];

describe('commitments through the store', () => {
  it.each(RUNS)('%s participant%i: what was exchanged, at every tick', async (folder, n, run) => {
    const store = openStore(await streamStore(folder, n), { write: true });
    try {
      let checked = 0;
      let incremental = 0;
      const exchanged = exchangedBy(folder, n).sort((a, b) => Number(a.tick - b.tick));
      for (const synchronizer of Object.values(run.synchronizers)) {
        for (const c of exchanged.filter((x) => x.synchronizer === synchronizer)) {
          const states = storeStates(store.db, { synchronizer, at: c.tick, scheme, keep: true });
          if (states.incremental) incremental++;
          const found = hex(states, run, n);
          for (const commitment of c.commitments) {
            expect(found[c.counterParticipant]).toBe(commitment);
            checked++;
          }
        }
      }
      expect(checked).toBeGreaterThan(30);
      expect(incremental).toBe(exchanged.length - Object.values(run.synchronizers).length);
    } finally {
      store.close();
    }
  });

  it('kept states carried forwards and backwards equal those computed anew', async () => {
    const store = openStore(await streamStore('live2/stream', 1), { write: true });
    try {
      const [synchronizer] = Object.values(scenario.synchronizers) as [string];
      const head = storeStates(store.db, { synchronizer, scheme }).offset;
      for (const percent of [50n, 10n, 90n, 0n, 100n, 37n]) {
        const offset = (head * percent) / 100n;
        const anew = hex(
          storeStates(store.db, { synchronizer, offset, scheme: SCHEMES['blake2xb-groups'] }),
          scenario,
          1,
        );
        const kept = storeStates(store.db, { synchronizer, offset, scheme, keep: true });
        expect(hex(kept, scenario, 1)).toEqual(anew);
        // A reader that keeps nothing starts from the kept states all the same.
        const other = storeStates(store.db, { synchronizer, offset: head / 3n, scheme });
        expect(other.incremental).toBe(true);
        store.db.exec('DELETE FROM commitment_head');
        expect(hex(storeStates(store.db, { synchronizer, offset: head / 3n, scheme }), scenario, 1)).toEqual(
          hex(other, scenario, 1),
        );
      }
    } finally {
      store.close();
    }
  });

  it('states of a history that was reset are not used', async () => {
    const path = await streamStore('live2/stream', 2);
    const [synchronizer] = Object.values(scenario.synchronizers) as [string];
    const half = await (async () => {
      const store = openStore(path, { write: true });
      try {
        const { offset } = storeStates(store.db, { synchronizer, scheme, keep: true });
        return offset / 2n;
      } finally {
        store.close();
      }
    })();
    await resetTo(path, { source: 'p2', offset: half, apply: true });
    const store = openStore(path);
    try {
      expect(storeStates(store.db, { synchronizer, scheme }).incremental).toBe(false);
    } finally {
      store.close();
    }
  });

  it('of a loaded snapshot are those of the snapshot', async () => {
    const path = storePath();
    const file = fixture('snapshots/multi/participant1.acs.gz');
    await loadBase(path, file, { source: 'p1', offset: 7n });
    const hosting = fixture('snapshots/multi/hosting.json');
    const fromFile = await runCommand(
      'commitment',
      file,
      '--participant',
      'participant1',
      '--hosting',
      hosting,
      '--json',
    );
    const fromStore = await runCommand(
      'commitment',
      path,
      '--participant',
      'participant1',
      '--hosting',
      hosting,
      '--json',
    );
    expect(fromStore.stderr).toBe('');
    const a = JSON.parse(fromFile.stdout) as { commitments: unknown[]; contracts: number };
    const b = JSON.parse(fromStore.stdout) as { commitments: unknown[]; contracts: number; offset: string };
    expect(b.commitments).toEqual(a.commitments);
    expect(b.contracts).toBe(a.contracts);
    expect(b.offset).toBe('7');
  });

  it('at a time that lies before the base are not known', async () => {
    const path = storePath();
    const offset = BigInt(
      (scenario as unknown as { acs_offsets: Record<string, number[]> }).acs_offsets['1']![0]!,
    );
    await loadBase(path, fixture('live2/stream/p1.acs-1.bin.gz'), { source: 'p1', offset });
    await appendUpdates(path, [fixture('live2/stream/p1.updates.acs-delta.bin.gz')], { source: 'p1' });
    const store = openStore(path);
    try {
      const [synchronizer] = Object.values(scenario.synchronizers) as [string];
      const at = (time: bigint) => storeStates(store.db, { synchronizer, at: time, scheme });
      expect(() => at(1n)).toThrowError(expect.objectContaining({ code: 'OFFSET_BEFORE_BASE' }));
      expect(at(2n ** 62n).offset).toBeGreaterThan(offset);
    } finally {
      store.close();
    }
  });

  it('refuses a source filtered by party, an unknown synchronizer and a file option that is not for files', async () => {
    const path = storePath();
    const file = fixture('snapshots/tiny.acs.gz');
    const { stdout } = await runCommand('cat', file, '--limit', '1', '--fields', 'signatories');
    const [party] = (JSON.parse(stdout) as { signatories: string[] }).signatories as [string];
    await loadBase(path, file, { source: 'p1', offset: 7n, parties: [party] });
    const hosting = fixture('snapshots/multi/hosting.json');
    const common = ['--participant', 'participant1', '--hosting', hosting];
    const partial = await runCommand('commitment', path, ...common);
    expect(partial.status).toBe(4);
    expect(partial.stderr).toContain('STORE_COMMITMENT_PARTIAL');
    const unknown = await runCommand('commitment', path, ...common, '--synchronizer', 'other::1220');
    expect(unknown.status).toBe(2);
    const misplaced = await runCommand('commitment', file, ...common, '--offset', '7');
    expect(misplaced.status).toBe(2);
    expect(misplaced.stderr).toContain('--offset');
  });
});
