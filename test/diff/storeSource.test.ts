/** Stores of two participants that were recorded while they ran (fixtures/live2). */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { hostingMapOf } from '../../src/commitment/hostingMap.js';
import { loadDars } from '../../src/dar/catalog.js';
import { diffInputs } from '../../src/diff/diff.js';
import type { Difference } from '../../src/diff/difference.js';
import type { DiffSource } from '../../src/diff/diffSource.js';
import { openDiffSource } from '../../src/diff/openSource.js';
import { storeSource } from '../../src/diff/storeSource.js';
import { hostingJson } from '../../src/repair/hostingJson.js';
import { makePlan } from '../../src/repair/plan.js';
import { simulatePlan } from '../../src/repair/simulate.js';
import { appendUpdates } from '../../src/store/append.js';
import { withStore } from '../../src/store/open.js';
import { runCommand as acs } from '../cli/runCommand.js';
import { fixture, storePath } from '../store/temporaryStore.js';
import { temporaryFolder } from './contracts.js';

interface Scenario {
  synchronizers: Record<'acme' | 'other', string>;
  parties: Record<string, string>;
  participants: Record<string, string>;
  acs_offsets: Record<string, number[]>;
}

const scenario = JSON.parse(
  gunzipSync(readFileSync(fixture('live2/stream/scenario.json.gz'))).toString(),
) as Scenario;
const { synchronizers, parties, participants, acs_offsets: offsets } = scenario;
const uids = (...names: string[]) => names.map((name) => parties[name]!);
const hosting = hostingMapOf({
  participants: {
    p1: { participant_uid: participants[1], hosts: uids('alice', 'bank', 'broker', 'shared') },
    p2: { participant_uid: participants[2], hosts: uids('bob', 'registrar', 'joint', 'shared', 'latecomer') },
  },
});
const db = storePath();
const folder = temporaryFolder();

beforeAll(async () => {
  for (const p of [1, 2]) {
    await appendUpdates(db, [fixture(`live2/stream/p${p}.updates.acs-delta.bin.gz`)], {
      source: `p${p}`,
      begin: 0n,
      until: BigInt(offsets[p]![4]!),
    });
  }
});

const at = (p: number, k: number): Promise<DiffSource> =>
  storeSource(db, { source: `p${p}`, offset: BigInt(offsets[p]![k - 1]!), participant: participants[p] });

/** The earlier of the last record times that the participants had seen when they were exported. */
function commonTime(synchronizer: string, k: number): Promise<bigint> {
  return withStore(db, {}, ({ db: opened }) => {
    const times = [1, 2].map(
      (p) =>
        opened
          .prepare(
            `SELECT max(record_time) FROM update_tx JOIN source USING(source_pk) JOIN synchronizer USING(sync_pk)
             WHERE name = ? AND sync_id = ? AND off <= ?`,
          )
          .pluck()
          .safeIntegers()
          .get(`p${p}`, synchronizer, offsets[p]![k - 1]) as bigint,
    );
    return times[0]! < times[1]! ? times[0]! : times[1]!;
  });
}

async function run(sources: readonly DiffSource[], synchronizer: string) {
  const found: Difference[] = [];
  const summary = await diffInputs(sources, {
    hosting,
    synchronizer,
    onDifference: (difference) => void found.push(difference),
  });
  return { summary, found };
}

describe('two recorded participants', () => {
  it('agree at every common record time, on both synchronizers', async () => {
    let compared = 0;
    for (let k = 1; k <= 5; k++) {
      for (const synchronizer of Object.values(synchronizers)) {
        const recordTime = await commonTime(synchronizer, k);
        const sources = await Promise.all(
          [1, 2].map((p) =>
            storeSource(db, {
              source: `p${p}`,
              at: { synchronizer, recordTime },
              participant: participants[p],
            }),
          ),
        );
        const { summary, found } = await run(sources, synchronizer);
        expect(
          found.map((d) => [d.contractId, d.classes]),
          `export ${k}`,
        ).toEqual([]);
        compared += summary.compared;
      }
    }
    expect(compared).toBeGreaterThan(100);
  });

  it('are pointed out when they stand at different times and differ', async () => {
    const choice = ['--synchronizer', synchronizers.acme];
    const inputs = [`a=${db}#p1@${offsets[1]![1]}`, `b=${db}#p2@${offsets[2]![2]}`];
    const apart = await acs('diff', ...inputs, ...choice);
    expect(apart.status).toBe(1);
    expect(apart.stderr).toContain('DIFF_STORES_APART');
    // What the message says to do.
    const [, hint] = /compare both at one time: (.*)/.exec(apart.stderr)!;
    const words = hint!.split(/\s+/).slice(0, 6);
    expect(words.slice(0, 2)).toEqual(choice);
    const together = await acs('diff', `a=${db}#p1`, `b=${db}#p2`, ...words);
    expect(together.stderr).not.toContain('DIFF_STORES_APART');
    expect([0, 1]).toContain(together.status);
  });

  it('are pointed out when they have not seen the record time they are compared at', async () => {
    const words = (time: bigint) => [
      ...['diff', `a=${db}#p1`, `b=${db}#p2`, '--synchronizer', synchronizers.acme],
      ...['--record-time', `a=${time}`, '--record-time', `b=${time}`],
    ];
    const far = await acs(...words(2n ** 52n));
    expect(far.stderr.match(/DIFF_STORE_BEHIND/g)).toHaveLength(2);
    expect((await acs(...words(await commonTime(synchronizers.acme, 3)))).stderr).not.toContain('BEHIND');
  });

  it('differ by what happened between two exports: archived, moved, or not yet there', async () => {
    const { found } = await run([await at(1, 2), await at(2, 3)], synchronizers.acme);
    const classes = new Set(found.flatMap((d) => d.classes));
    expect(classes).toContain('archived-elsewhere');
    expect(classes).toContain('only-in');
    for (const difference of found) {
      if (difference.class !== 'archived-elsewhere') continue;
      const [left, right] = difference.states;
      expect([left!.state, right!.state]).toEqual(['active', 'archived']);
      expect(right!.at).toBeTypeOf('bigint');
    }
  });

  it('agree with their snapshot files', async () => {
    const file = await openDiffSource(`f=${fixture('live2/stream/p1.export-3.acs.gz')}`);
    const summary = await diffInputs([{ ...(await at(1, 3)), participant: undefined, name: 's' }, file]);
    // Contracts in flight are in the store only.
    expect(summary.byClass['in-flight'] ?? 0).toBe(summary.different);
    expect(summary.same).toBeGreaterThan(50);
  });

  it('can be planned for', async () => {
    const sources = [await at(1, 2), await at(2, 3)];
    const target = join(folder, 'plan');
    const { plan } = await makePlan(sources, target, {
      hosting,
      policy: { kind: 'union' },
      synchronizer: synchronizers.acme,
      waived: [],
      packages: await loadDars([fixture('dars')], { cacheDir: false }),
    });
    expect(plan.counts.touched).toBeGreaterThan(0);
    const simulation = await simulatePlan(target, sources);
    expect(simulation.different).toBe(0);
    expect(simulation.commitmentsEqual).toBe(true);
  });
});

describe('stores as inputs', () => {
  it('are named by path, source and offset', async () => {
    const source = await openDiffSource(`${db}#p2@${offsets[2]![0]}`, { hosting });
    expect(source).toMatchObject({ kind: 'store', name: 'p2', participant: participants[2] });
    expect(source.path).toBe(`${db}#p2@${offsets[2]![0]}`);
    const own = storePath();
    await appendUpdates(own, [fixture('live2/stream/p1.updates.acs-delta.bin.gz')], {
      source: 'p1',
      begin: 0n,
    });
    expect(await openDiffSource(own, { hosting })).toMatchObject({
      name: 'p1',
      participant: participants[1],
    });
    await expect(openDiffSource(db, { hosting })).rejects.toMatchObject({ code: 'SOURCE_UNKNOWN' });
    await expect(openDiffSource(`${db}#p2@1000000`, { hosting })).rejects.toMatchObject({
      code: 'OFFSET_AFTER_HEAD',
      place: { file: db },
    });
    await expect(openDiffSource(`${db}.nothing`)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });

  it('are cut at a record time', async () => {
    const early = await openDiffSource(`p1=${db}#p1`, {
      hosting,
      recordTimes: new Map([['p1', new Map([[synchronizers.acme, 2n ** 62n]])]]),
    });
    expect(early.path).toBe(`${db}#p1@${offsets[1]![4]}`);
    await expect(
      openDiffSource(`p1=${db}#p1`, {
        hosting,
        recordTimes: new Map([['p1', new Map([[synchronizers.acme, 0n]])]]),
      }),
    ).resolves.toMatchObject({ path: expect.stringMatching(/#p1@\d+$/) });
  });

  it('are not cut at a time before a base that does not say when it was taken', async () => {
    const own = storePath();
    const base = offsets[1]![2]!;
    expect(
      (
        await acs(
          'store',
          'load',
          own,
          fixture('live2/stream/p1.export-3.acs.gz'),
          '--source',
          'p1',
          '--offset',
          `${base}`,
        )
      ).status,
    ).toBe(0);
    await appendUpdates(own, [fixture('live2/stream/p1.updates.acs-delta.bin.gz')], { source: 'p1' });
    const cut = (time: bigint) =>
      openDiffSource(`p1=${own}`, {
        hosting,
        recordTimes: new Map([['p1', new Map([[synchronizers.acme, time]])]]),
      });
    await expect(cut(0n)).rejects.toMatchObject({
      code: 'OFFSET_BEFORE_BASE',
      place: { file: own },
      hint: expect.stringContaining(`p1@${base}`),
    });
    expect((await cut(await commonTime(synchronizers.acme, 4))).path).toMatch(/#p1@\d+$/);
  });

  it('are pointed out when only one has a record time', async () => {
    const inputs = [`a=${db}#p1`, `b=${db}#p2`, '--synchronizer', synchronizers.acme];
    const early = await acs(
      'diff',
      ...inputs,
      '--record-time',
      `a=${await commonTime(synchronizers.acme, 2)}`,
    );
    expect(early.status).toBe(1);
    expect(early.stderr).toContain('DIFF_STORES_APART');
    expect(early.stderr).toContain('give b a --record-time too');
    const twice = await acs('diff', ...inputs, '--record-time', 'a=5', '--record-time', 'a=6');
    expect(twice.status).toBe(2);
    expect(twice.stderr).toContain('more than once');
  });

  it('of some parties are not missed what they leave out, planned from, or taken for all a participant sees', async () => {
    const map = join(folder, 'hosting.json');
    writeFileSync(
      map,
      JSON.stringify({
        synchronizer_id: synchronizers.acme,
        ...(hostingJson(hosting) as { participants: object }),
      }),
    );
    const part = join(folder, 'p1.alice.acs.gz');
    const exported = await acs(
      ...['store', 'export', db, '--source', 'p1', '--party', parties.alice!, '-o', part, '--manifest'],
    );
    expect(exported.status).toBe(0);
    const inputs = [`p1=${part}`, `p2=${db}#p2`, '--hosting', map];
    const compared = await acs('diff', ...inputs, '--json');
    expect(compared.stderr).toContain('DIFF_PARTIAL_INPUT');
    expect(compared.stderr).toContain(parties.bank);
    expect(JSON.parse(compared.stdout)).toMatchObject({ different: 0 });
    expect(JSON.parse(compared.stdout).compared).toBeGreaterThan(0);
    const planned = await acs('plan', ...inputs, '--policy', 'intersection', '-o', join(folder, 'partial'));
    expect(planned.status).toBe(4);
    expect(planned.stderr).toContain('PLAN_PARTIAL_INPUT');
    const hashed = await acs('commitment', part, '--participant', 'p1', '--hosting', map);
    expect(hashed.status).toBe(4);
    expect(hashed.stderr).toContain('COMMITMENT_PARTIAL');
  });

  it('have a digest of what they show', async () => {
    const digest = async (p: number, k: number) => (await at(p, k)).digest!();
    expect(await digest(1, 2)).toBe(await digest(1, 2));
    expect(await digest(1, 2)).not.toBe(await digest(1, 3));
  });
});
