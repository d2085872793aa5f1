import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostingMapOf, parseHostingMap, participantUid } from '../../src/commitment/hostingMap.js';
import { loadDars } from '../../src/dar/catalog.js';
import { type DiffSource, snapshotSource } from '../../src/diff/diffSource.js';
import { openDiffSource } from '../../src/diff/openSource.js';
import { makePlan, type PlanOptions } from '../../src/repair/plan.js';
import { readPlan } from '../../src/repair/planJson.js';
import { parsePolicy } from '../../src/repair/policy.js';
import { consoleScript } from '../../src/repair/repairScripts.js';
import { simulatePlan } from '../../src/repair/simulate.js';
import { runCommand } from '../cli/runCommand.js';
import {
  authentic,
  hostingJson,
  instance,
  OTHER_SYNC,
  participant,
  SYNC,
  temporaryFolder,
  writeSnapshot,
} from '../diff/contracts.js';
import { storeView, type ViewRow } from './views.js';

const MULTI = 'fixtures/snapshots/multi';
const corpusHosting = parseHostingMap(readFileSync(join(MULTI, 'hosting.json'), 'utf8'));
const corpusFiles = [1, 2, 3].map((n) => join(MULTI, `participant${n}.acs.gz`));
const folder = temporaryFolder();
let made = 0;
const fresh = (): string => join(folder, `plan-${made++}`);

const ALICE = 'alice::1220aa';
const BOB = 'bob::1220bb';
const hosting = hostingMapOf(hostingJson({ a: [ALICE], b: [BOB], c: [BOB, 'carol::1220cc'] }));
const two = hostingMapOf(hostingJson({ a: [ALICE], b: [BOB] }));
const iou = authentic(1, [ALICE], [BOB]);
const id = iou.contractId;

async function decisionOf(
  views: Record<string, { rows: ViewRow[]; inactive?: Record<string, 'archived' | 'purged'> }>,
  policy: string,
  options: Partial<PlanOptions> = {},
) {
  const map = options.hosting ?? (Object.keys(views).length === 2 ? two : hosting);
  const sources = Object.entries(views).map(([name, view]) => storeView(name, view.rows, view.inactive));
  const target = fresh();
  await makePlan(sources, target, { hosting: map, policy: parsePolicy(policy, participant), ...options });
  const simulation = await simulatePlan(target, sources);
  const plan = await readPlan(target);
  const decision = plan.decisions[0];
  const actions = Object.fromEntries(
    Object.entries(decision?.actions ?? {}).map(([name, list]) => [
      name,
      list.map((a) => `${a.do} ${a.targetSynchronizerId ?? a.synchronizerId} ${a.reassignmentCounter}`),
    ]),
  );
  return { decision, actions, plan, simulation, codes: plan.warnings.map((w) => w.code) };
}

const active: ViewRow = { instance: iou };
const row = (counter: bigint, more: Partial<ViewRow> = {}): ViewRow => ({
  instance: iou,
  reassignmentCounter: counter,
  ...more,
});

describe('decisions, row by row (commitments spec, section 5.6)', () => {
  it('unknown there', async () => {
    const views = { a: { rows: [active] }, b: { rows: [] } };
    expect((await decisionOf(views, 'union')).actions).toEqual({ b: [`import ${SYNC} 0`] });
    expect((await decisionOf(views, 'intersection')).actions).toEqual({ a: [`purge ${SYNC} 0`] });
    expect((await decisionOf(views, 'prefer:a')).actions).toEqual({ b: [`import ${SYNC} 0`] });
    expect((await decisionOf(views, 'prefer:b')).actions).toEqual({ a: [`purge ${SYNC} 0`] });
  });

  it('archived there: never active again, whatever the policy', async () => {
    const views = { a: { rows: [active] }, b: { rows: [], inactive: { [id]: 'archived' as const } } };
    for (const policy of ['union', 'prefer:a']) {
      const { actions, codes } = await decisionOf(views, policy);
      expect(actions).toEqual({ a: [`purge ${SYNC} 0`] });
      expect(codes).toContain('D5');
    }
    const { actions, codes } = await decisionOf(views, 'intersection');
    expect(actions).toEqual({ a: [`purge ${SYNC} 0`] });
    expect(codes).not.toContain('D5');
  });

  it('purged there: may be added again', async () => {
    const views = { a: { rows: [active] }, b: { rows: [], inactive: { [id]: 'purged' as const } } };
    expect((await decisionOf(views, 'union')).actions).toEqual({ b: [`import ${SYNC} 0`] });
    expect((await decisionOf(views, 'intersection')).actions).toEqual({ a: [`purge ${SYNC} 0`] });
  });

  it('counter differs: the higher one, or that of the preferred participant, by purge and import', async () => {
    const views = { a: { rows: [row(3n)] }, b: { rows: [row(4n)] } };
    for (const policy of ['union', 'intersection', 'majority', 'prefer:b']) {
      const { actions, codes } = await decisionOf(views, policy);
      expect(actions).toEqual({ a: [`purge ${SYNC} 3`, `import ${SYNC} 4`] });
      expect(codes).toContain('D4');
    }
    expect((await decisionOf(views, 'prefer:a')).actions).toEqual({
      b: [`purge ${SYNC} 4`, `import ${SYNC} 3`],
    });
  });

  it('counter differs on a lost synchronizer: one counter for both after the move', async () => {
    const views = { a: { rows: [row(3n)] }, b: { rows: [row(4n)] } };
    const { actions } = await decisionOf(views, 'union', { targetSynchronizer: OTHER_SYNC });
    expect(actions).toEqual({ a: [`assign ${OTHER_SYNC} 5`], b: [`assign ${OTHER_SYNC} 5`] });
  });

  it('on another synchronizer: the later assignation, with its counter', async () => {
    const views = { a: { rows: [active] }, b: { rows: [row(1n, { synchronizerId: OTHER_SYNC })] } };
    for (const policy of ['union', 'intersection', 'prefer:b']) {
      expect((await decisionOf(views, policy)).actions).toEqual({ a: [`assign ${OTHER_SYNC} 1`] });
    }
    expect((await decisionOf(views, 'prefer:a')).actions).toEqual({ b: [`assign ${SYNC} 0`] });
  });

  it('in flight: completed with a counter above that of the unassignment', async () => {
    const views = { a: { rows: [active] }, b: { rows: [row(1n, { inFlight: true })] } };
    const { actions, codes, simulation } = await decisionOf(views, 'union');
    expect(actions).toEqual({ a: [`purge ${SYNC} 0`, `import ${SYNC} 2`], b: [`import ${SYNC} 2`] });
    expect(codes).toContain('D2');
    expect(simulation.different).toBe(0);
  });

  it('three participants: a majority decides, all hosts follow', async () => {
    const views = { a: { rows: [active] }, b: { rows: [active] }, c: { rows: [] } };
    expect((await decisionOf(views, 'majority')).actions).toEqual({ c: [`import ${SYNC} 0`] });
    const one = { a: { rows: [active] }, b: { rows: [] }, c: { rows: [] } };
    expect((await decisionOf(one, 'majority')).actions).toEqual({ a: [`purge ${SYNC} 0`] });
    expect((await decisionOf(one, 'union')).actions).toEqual({
      b: [`import ${SYNC} 0`],
      c: [`import ${SYNC} 0`],
    });
  });

  it('takes the payload from a participant that has to show the contract', async () => {
    const forged = { ...iou, createArgument: authentic(9, [ALICE], [BOB]).createArgument };
    const map = hostingMapOf(hostingJson({ a: ['dora::1220dd'], b: [ALICE], c: [BOB] }));
    const { actions, decision } = await decisionOf(
      { a: { rows: [{ instance: forged }] }, b: { rows: [active] }, c: { rows: [] } },
      'union',
      { hosting: map },
    );
    expect(actions).toEqual({ c: [`import ${SYNC} 0`] });
    expect(decision!.actions.c![0]!.payloadFrom).toBe('b');
  });

  it('prefer leaves alone what the preferred participant does not host', async () => {
    const carol = authentic(2, [BOB], ['carol::1220cc']);
    const views = {
      a: { rows: [] },
      b: { rows: [{ instance: carol }] },
      c: { rows: [] },
    };
    const { decision, codes, simulation } = await decisionOf(views, 'prefer:a');
    expect(decision!.agreed).toBeNull();
    expect(codes).toContain('D6');
    expect(simulation.different).toBe(1);
    expect((await decisionOf(views, 'prefer:a,b')).actions).toEqual({ c: [`import ${SYNC} 0`] });
  });
});

describe('refusals', () => {
  const plan = (
    views: Record<string, ViewRow[]>,
    options: Partial<PlanOptions> & { policy?: never } = {},
    times: Record<string, bigint> = {},
  ) =>
    makePlan(
      Object.entries(views).map(([name, rows]) =>
        storeView(name, rows, {}, times[name] === undefined ? new Map() : new Map([[SYNC, times[name]]])),
      ),
      fresh(),
      { hosting: two, ...options, policy: { kind: 'union' } },
    );

  it('contents that conflict', async () => {
    const other = { ...iou, createdAt: 5n };
    await expect(plan({ a: [active], b: [{ instance: other }] })).rejects.toMatchObject({
      code: 'PLAN_CONTENT_CONFLICT',
    });
    const more = { ...iou, nonSignatoryStakeholders: [BOB, 'carol::1220cc'] };
    await expect(plan({ a: [active], b: [{ instance: more }] })).rejects.toMatchObject({
      code: 'PLAN_CONTENT_CONFLICT',
    });
  });

  it('payloads that are not authentic', async () => {
    const forged = { ...iou, createArgument: authentic(9, [ALICE], [BOB]).createArgument };
    await expect(plan({ a: [{ instance: forged }], b: [] })).rejects.toMatchObject({
      code: 'PLAN_PAYLOAD_UNAUTHENTIC',
    });
    await expect(plan({ a: [{ instance: instance(3) }], b: [] })).rejects.toMatchObject({
      code: 'PLAN_PAYLOAD_UNAUTHENTIC',
    });
  });

  it('a host that is missing, unless waived', async () => {
    const views = { a: [active], b: [] };
    await expect(plan(views, { hosting })).rejects.toMatchObject({ code: 'PLAN_HOST_MISSING' });
    const { plan: made } = await plan(views, { hosting, waived: [participant('c')] });
    expect(made.warnings.map((w) => w.code)).toContain('D6');
  });

  it('contracts from after the cut, and cuts that differ', async () => {
    await expect(plan({ a: [active], b: [] }, {}, { a: 5n, b: 5n })).rejects.toMatchObject({
      code: 'PLAN_FUTURE_CREATED',
    });
    await expect(plan({ a: [active], b: [] }, {}, { a: 5n, b: 6n })).rejects.toMatchObject({
      code: 'DIFF_TIME_SKEW',
    });
  });

  it('a contract that one participant has on two synchronizers', async () => {
    const both = [row(0n), row(1n, { synchronizerId: OTHER_SYNC })];
    for (const target of [undefined, OTHER_SYNC]) {
      const views = { a: both, b: target === undefined ? [row(2n)] : [row(0n)] };
      await expect(
        plan(views, target === undefined ? {} : { targetSynchronizer: target }),
      ).rejects.toMatchObject({
        code: 'PLAN_TWICE_ACTIVE',
        place: { contractId: id },
        found: `${SYNC}, ${OTHER_SYNC}`,
      });
    }
    // It has nothing to do there.
    const { plan: made } = await plan({ a: both, b: [] });
    expect(made.participants.map(({ operations }) => operations.map(({ op }) => op))).toEqual([
      [],
      ['import'],
    ]);
  });

  it('counters that no participant takes', async () => {
    const counter = (value: bigint): ViewRow[] => [row(value)];
    await expect(plan({ a: counter(-1n), b: [] })).rejects.toMatchObject({
      code: 'PLAN_BAD_COUNTER',
      found: '-1',
      place: { contractId: id },
    });
    await expect(
      plan({ a: counter((1n << 63n) - 1n), b: [active] }, { targetSynchronizer: OTHER_SYNC }),
    ).rejects.toMatchObject({ code: 'PLAN_BAD_COUNTER', found: String(1n << 63n) });
    // A damaged counter is below every other one and never wins by itself.
    const { folder: target } = await plan({ a: counter(-1n), b: counter(2n) });
    const { actions } = (await readPlan(target)).decisions[0]!;
    expect(actions.b).toBeUndefined();
    expect(actions.a!.map((action) => `${action.do} ${action.reassignmentCounter}`)).toEqual([
      'purge -1',
      'import 2',
    ]);
  });

  it('inputs that change while it is made', async () => {
    const paths = ['changing', 'staying'].map((name) => join(folder, `${name}.acs.gz`));
    for (const path of paths) writeSnapshot(path, [active]);
    const sources = await Promise.all(
      paths.map((path, i) => snapshotSource(path, { participant: participant('ab'[i]!) })),
    );
    const changing: DiffSource = Object.create(sources[0]!, {
      digest: {
        value: async () => {
          writeSnapshot(paths[0]!, []);
          return sources[0]!.digest!();
        },
      },
    });
    await expect(
      makePlan([changing, sources[1]!], fresh(), { hosting: two, policy: { kind: 'union' } }),
    ).rejects.toMatchObject({ code: 'INPUT_CHANGED', place: { file: paths[0] } });
  });

  it('a participant that is waived and planned for', async () => {
    await expect(plan({ a: [active], b: [] }, { waived: [participant('b')] })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('is waived'),
    });
  });

  it('a folder that another plan has filled meanwhile, which stays', async () => {
    const used = fresh();
    const late: DiffSource = Object.create(storeView('a', [active]), {
      digest: {
        value: async () => {
          mkdirSync(used);
          writeFileSync(join(used, 'plan.json'), 'of the other');
          return '00';
        },
      },
    });
    await expect(
      makePlan([late, storeView('b', [])], used, { hosting: two, policy: { kind: 'union' } }),
    ).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    expect(readFileSync(join(used, 'plan.json'), 'utf8')).toBe('of the other');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('a folder that is in use, and nothing is left behind by a refusal', async () => {
    const used = fresh();
    const sources = [storeView('a', [active]), storeView('b', [])];
    await makePlan(sources, used, { hosting: two, policy: { kind: 'union' } });
    await expect(makePlan(sources, used, { hosting: two, policy: { kind: 'union' } })).rejects.toMatchObject({
      code: 'FILE_EXISTS',
    });
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('synchronizers of the same alias, unknown participants and policies', async () => {
    await expect(plan({ a: [active], b: [] }, { targetSynchronizer: 'sync::1220cc' })).rejects.toMatchObject({
      code: 'USAGE',
    });
    const { plan: made } = await plan(
      { a: [active], b: [] },
      { targetSynchronizer: 'sync::1220cc', aliases: new Map([['sync::1220cc', 'fresh']]) },
    );
    expect(made.aliases).toEqual({ [SYNC]: 'sync', 'sync::1220cc': 'fresh' });
    await expect(
      plan(
        { a: [active], b: [] },
        {
          targetSynchronizer: 'sync::1220cc',
          aliases: new Map([
            ['sync::1220cc', 'our sync'],
            [SYNC, 'our_sync'],
          ]),
        },
      ),
    ).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('file name our_sync') });
    expect(() => parsePolicy('best', participant)).toThrow(/unknown policy/);
    expect(() => parsePolicy('prefer:nobody', (name) => participantUid(two, name))).toThrow();
  });
});

describe('warnings', () => {
  it('of an input without any contract, which may come of a failed export', async () => {
    const { plan } = await decisionOf({ a: { rows: [active] }, b: { rows: [] } }, 'intersection');
    expect(plan.warnings.find(({ code }) => code === 'D1')).toMatchObject({ count: 1, examples: ['b'] });
    const { codes } = await decisionOf({ a: { rows: [] }, b: { rows: [] } }, 'intersection');
    expect(codes).not.toContain('D1');
  });

  it('of parties hosted nowhere or still being onboarded, and of foreign contracts', async () => {
    const map = hostingMapOf({
      synchronizer_id: SYNC,
      participants: {
        a: { participant_uid: participant('a'), hosts: [ALICE] },
        b: { participant_uid: participant('b'), hosts: [{ party: BOB, onboarding: true }] },
      },
    });
    const lonely = authentic(4, [ALICE], [BOB, 'nobody::1220']);
    const { codes } = await decisionOf(
      {
        a: {
          rows: [
            { instance: lonely },
            { instance: authentic(5, [ALICE], [BOB]), synchronizerId: OTHER_SYNC },
          ],
        },
        b: { rows: [] },
      },
      'union',
      { hosting: map },
    );
    expect(codes).toEqual(['D1', 'D3', 'D7', 'D8', 'D9']);
  });
});

describe('the participants of the corpus', () => {
  const open = (files: readonly string[]) =>
    Promise.all(files.map((file) => openDiffSource(file, { hosting: corpusHosting })));

  for (const policy of ['union', 'intersection', 'majority', 'prefer:participant2,participant1']) {
    it(`agree by ${policy}, with and without a new synchronizer`, async () => {
      const packages = await loadDars(['fixtures/dars'], { cacheDir: false });
      for (const targetSynchronizer of [undefined, 'new::1220ff']) {
        const target = fresh();
        const { plan } = await makePlan(await open(corpusFiles), target, {
          hosting: corpusHosting,
          policy: parsePolicy(policy, (name) => participantUid(corpusHosting, name)),
          targetSynchronizer,
          packages,
        });
        expect(plan.diff!.different).toBe(6);
        const simulation = await simulatePlan(target, await open(corpusFiles), { inverse: true });
        expect(simulation.different).toBe(0);
        expect(simulation.commitmentsEqual).toBe(true);
        expect(simulation.inverseDiffers).toBe(0);
        expect(simulation.leftBehind).toEqual({});
        // What the nodes computed before (corpus, "as-snapshotted").
        const first = simulation.commitments[0]!;
        expect(first.before.map((text) => text!.slice(4, 16))).toEqual(['4a4b3acddf79', 'fd262c2fa63b']);
      }
    });
  }

  it('give the same plan in any order', async () => {
    const packages = await loadDars(['fixtures/dars'], { cacheDir: false });
    const [one, other] = [fresh(), fresh()];
    const options: PlanOptions = {
      hosting: corpusHosting,
      policy: { kind: 'union' },
      targetSynchronizer: 'new::1220ff',
      packages,
    };
    const a = await makePlan(await open(corpusFiles), one, options);
    const b = await makePlan(await open([...corpusFiles].reverse()), other, { ...options, memoryBytes: 1 });
    const files = (root: string) =>
      readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
        .sort();
    expect(files(other)).toEqual(files(one));
    expect(b.sha256).toBe(a.sha256);
    for (const file of files(one)) {
      expect(readFileSync(join(other, file), 'latin1'), file).toBe(readFileSync(join(one, file), 'latin1'));
    }
  });

  it('needs the packages to authenticate what it imports', async () => {
    await expect(
      makePlan(await open(corpusFiles), fresh(), { hosting: corpusHosting, policy: { kind: 'union' } }),
    ).rejects.toMatchObject({ code: 'PLAN_PAYLOAD_UNAUTHENTIC', hint: expect.stringContaining('--dar') });
  });
});

it('a name with a line break adds no line to the console script', () => {
  expect(consoleScript('a\nsys.exit()', []).split('\n')).toHaveLength(
    consoleScript('a', []).split('\n').length,
  );
});

describe('a plan and its inputs', () => {
  it('belong together', async () => {
    const files = ['a', 'b'].map((name) => join(folder, `${name}.acs.gz`));
    writeSnapshot(files[0]!, [{ instance: iou }]);
    writeSnapshot(files[1]!, []);
    const open = () =>
      Promise.all(
        files.map((file, i) => snapshotSource(file, { name: `i${i}`, participant: participant('ab'[i]!) })),
      );
    const target = fresh();
    await makePlan(await open(), target, { hosting: two, policy: { kind: 'union' } });
    expect((await simulatePlan(target, await open())).different).toBe(0);
    writeSnapshot(files[1]!, [{ instance: authentic(7, [BOB], [BOB]) }]);
    await expect(simulatePlan(target, await open())).rejects.toMatchObject({ code: 'PLAN_STALE' });
    writeSnapshot(files[1]!, []);
    appendFileSync(join(target, 'b', 'purge.sync.txt'), '');
    const plan = await readPlan(target);
    const operation = plan.participants[1]!.operations[0]!;
    const asPlanned = readFileSync(join(target, 'b', operation.file));
    writeFileSync(join(target, 'b', operation.file), readFileSync(files[1]!));
    await expect(simulatePlan(target, await open())).rejects.toMatchObject({ code: 'PLAN_CHANGED' });
    await expect(simulatePlan(join(target, 'inverse'), await open())).rejects.toMatchObject({
      code: 'PLAN_MALFORMED',
    });
    writeFileSync(join(target, 'b', operation.file), asPlanned);
    expect((await simulatePlan(target, await open(), { inverse: true })).inverseDiffers).toBe(0);
    const back = join(target, 'inverse');
    const inverse = readFileSync(join(back, 'plan.json'));
    writeFileSync(join(back, 'plan.json'), JSON.stringify({ ...(await readPlan(back)), policy: 'majority' }));
    await expect(readPlan(back)).rejects.toMatchObject({ code: 'PLAN_CHANGED' });
    writeFileSync(join(back, 'plan.json'), inverse);
    const other = fresh();
    await makePlan(await open(), other, { hosting: two, policy: { kind: 'intersection' } });
    rmSync(back, { recursive: true });
    renameSync(join(other, 'inverse'), back);
    await expect(simulatePlan(target, await open(), { inverse: true })).rejects.toMatchObject({
      code: 'PLAN_CHANGED',
      message: 'the way back is not that of this plan',
    });
    await expect(readPlan(folder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    writeFileSync(join(target, 'plan.json'), JSON.stringify({ ...plan, policy: 'majority' }));
    await expect(readPlan(target)).rejects.toMatchObject({ code: 'PLAN_CHANGED' });
    rmSync(join(target, 'plan.sha256'));
    for (const field of Object.keys(plan).filter((name) => !['format', 'hostingDigest'].includes(name))) {
      writeFileSync(join(target, 'plan.json'), JSON.stringify({ ...plan, [field]: [{ operations: 7 }] }));
      await expect(readPlan(target), field).rejects.toMatchObject({ code: 'PLAN_MALFORMED' });
    }
    const [one, another] = await open();
    await expect(simulatePlan(other, [one!, another!, one!])).rejects.toMatchObject({ code: 'USAGE' });
    writeFileSync(join(target, 'plan.json'), '{"format":"other"}');
    await expect(readPlan(target)).rejects.toMatchObject({ code: 'PLAN_MALFORMED' });
  });
});

describe('acs plan', () => {
  it('plans, shows and simulates', async () => {
    const target = fresh();
    const planned = await runCommand(
      ...['plan', ...corpusFiles, '--hosting', join(MULTI, 'hosting.json'), '--policy', 'union'],
      ...['-o', target, '--dar', 'fixtures/dars', '--no-cache'],
    );
    expect(planned.stderr).toBe('');
    expect(planned.status).toBe(0);
    expect(planned.stdout).toContain('touched         6');
    const shown = await runCommand('plan', 'show', target, '--top', '1');
    expect(shown.status).toBe(0);
    expect(shown.stdout).toContain('… and 5 more');
    expect(JSON.parse((await runCommand('plan', 'show', target, '--json')).stdout).decisions).toHaveLength(6);
    const simulated = await runCommand('plan', 'simulate', target, '--inverse');
    expect(simulated.stdout).toContain('the way back restores every input');
    expect(simulated.status).toBe(0);
    const request = JSON.parse(
      readFileSync(join(target, 'participant2', 'requests', '0001-purge.json'), 'utf8'),
    );
    expect(request).toMatchObject({ synchronizerAlias: 'acme-sync', ignoreAlreadyPurged: false });
    expect(readFileSync(join(target, 'participant2', 'grpcurl.sh'), 'utf8')).toContain('ImportAcs');
    const [first] = readFileSync(join(target, 'participant2', 'requests', '0002-import.json'), 'utf8').split(
      '\n',
    );
    const message = JSON.parse(first!);
    expect(message.contractImportMode).toBe('CONTRACT_IMPORT_MODE_VALIDATION');
    expect(Buffer.from(message.acsSnapshot, 'base64')).toEqual(
      readFileSync(join(target, 'participant2', 'import.acme-sync.acs.gz')),
    );
  });

  it('sends the requests as they were written, or nothing', async () => {
    const target = fresh();
    const words = ['plan', ...corpusFiles, '--hosting', join(MULTI, 'hosting.json'), '--policy', 'union'];
    const planned = await runCommand(
      ...[...words, '-o', target, '--dar', 'fixtures/dars', '--no-cache', '--alias', 'other::1220dd=other'],
    );
    expect(planned).toMatchObject({
      status: 0,
      stderr: 'warning: --alias: the plan does nothing on other::1220dd [UNUSED_ALIAS]\n',
    });
    const own = join(target, 'participant2');
    const listed = readFileSync(join(own, 'files.sha256'), 'utf8').matchAll(/^[0-9a-f]{64} {2}(.+)$/gm);
    const files = readdirSync(own, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
    const names = files.map((e) => relative(own, join(e.parentPath, e.name)));
    expect([...listed].map((match) => match[1])).toEqual(
      names.filter((name) => name !== 'files.sha256').sort(),
    );
    const tools = fresh();
    mkdirSync(tools);
    const sent = join(tools, 'sent');
    writeFileSync(join(tools, 'grpcurl'), `#!/bin/sh\ncat >> ${sent}\n`, { mode: 0o755 });
    const send = () =>
      spawnSync('sh', [join(own, 'grpcurl.sh')], {
        env: { ...process.env, PATH: `${tools}:${process.env.PATH}`, ADMIN_API: 'localhost:1' },
        encoding: 'utf8',
      });
    expect(send().status).toBe(0);
    const requests = names.filter((name) => name.startsWith('requests')).sort();
    expect(readFileSync(sent, 'utf8')).toBe(
      requests.map((name) => readFileSync(join(own, name), 'utf8')).join(''),
    );
    rmSync(sent);
    appendFileSync(join(own, requests[0]!), ' ');
    expect(send().status).not.toBe(0);
    expect(existsSync(sent)).toBe(false);
    const simulated = await runCommand('plan', 'simulate', target);
    expect(simulated.status).toBe(4);
    expect(simulated.stderr).toMatch(/requests.*PLAN_CHANGED|PLAN_CHANGED.*\n.*requests/s);
  });

  it('refuses with a reason', async () => {
    const base = ['plan', ...corpusFiles, '--hosting', join(MULTI, 'hosting.json'), '-o', fresh()];
    expect((await runCommand(...base, '--policy', 'best')).status).toBe(2);
    const skew = await runCommand(
      ...[...base, '--policy', 'union', '--record-time', 'participant1=2026-01-01T00:00:00Z'],
      ...['--record-time', 'participant2=2026-01-01T00:00:01Z'],
    );
    expect(skew.status).toBe(4);
    expect(skew.stderr).toContain('DIFF_TIME_SKEW');
    expect((await runCommand('plan', 'simulate', folder)).stderr).toContain('FILE_UNREADABLE');
  });
});
