/** The walk-through of a lost synchronizer (legacy-import-and-recovery spec, sections 2.5 and 5.8), and its page. */
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { hostingMapOf } from '../../src/commitment/hostingMap.js';
import { loadDars } from '../../src/dar/catalog.js';
import { diffInputs } from '../../src/diff/diff.js';
import { makePlan } from '../../src/repair/plan.js';
import { readPlan } from '../../src/repair/planJson.js';
import { simulatePlan } from '../../src/repair/simulate.js';
import { runCommand } from '../cli/runCommand.js';
import { frame, temporaryFolder } from '../diff/contracts.js';
import { HOSTING, ious, LOST, NEW } from './lostSynchronizer.js';
import { rowsOf, storeView, type ViewRow } from './views.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const fixtures = join(root, 'fixtures/lost-synchronizer');
const hosting = hostingMapOf(HOSTING);
const packages = await loadDars([join(root, 'fixtures/dars')], { cacheDir: false });
const all = ious(packages);
const folder = temporaryFolder();
let made = 0;

function views(rows: readonly (readonly ViewRow[])[], archived: Record<string, 'archived'> = {}) {
  return rows.map((list, i) => ({
    ...storeView(`participant${i + 1}`, list, i === 1 ? archived : {}),
    participant: hosting.participants[i]!.uid,
  }));
}

const rows: ViewRow[] = all.map((instance) => ({ instance, synchronizerId: LOST }));

async function recover(sources: ReturnType<typeof views>, policy: 'union' | 'intersection') {
  const target = join(folder, `recovery-${made++}`);
  await makePlan(sources, target, { hosting, policy: { kind: policy }, targetSynchronizer: NEW, packages });
  const plan = await readPlan(target);
  const simulation = await simulatePlan(target, sources, { inverse: true });
  const operations = Object.fromEntries(
    plan.participants.map(({ name, operations: list }) => [name, list.map((o) => `${o.op} ${o.contracts}`)]),
  );
  return { plan, simulation, operations };
}

describe('six IOUs on a lost synchronizer', () => {
  it('are the same on both sides', async () => {
    const summary = await diffInputs(views([rows, rows]), { hosting });
    expect(summary).toMatchObject({ compared: 6, same: 6, different: 0 });
  });

  it('move as they are, each counter one higher', async () => {
    const sources = views([rows, rows]);
    const { simulation, operations } = await recover(sources, 'intersection');
    expect(operations).toEqual({ participant1: ['assign 6'], participant2: ['assign 6'] });
    expect(simulation).toMatchObject({
      different: 0,
      commitmentsEqual: true,
      leftBehind: {},
      inverseDiffers: 0,
    });
    for (const view of simulation.views) {
      const after = await rowsOf(view);
      expect([...after.keys()].sort()).toEqual(all.map((c) => c.contractId));
      for (const [text] of after.values()) expect(text).toMatch(new RegExp(`^${NEW} 1 active`));
    }
    const onNew = simulation.commitments.find((pair) => pair.synchronizerId === NEW)!;
    expect(onNew.after[0]).toMatch(/^1220[0-9a-f]{64}$/);
    expect(onNew.after[0]).toBe(onNew.after[1]);
  });

  it('one missing on participant2: union adds it there, intersection purges it on participant1', async () => {
    const sources = views([rows, rows.slice(1)]);
    const union = await recover(sources, 'union');
    expect(union.operations).toEqual({ participant1: ['assign 6'], participant2: ['import 1', 'assign 6'] });
    const intersection = await recover(sources, 'intersection');
    expect(intersection.operations).toEqual({
      participant1: ['purge 1', 'assign 5'],
      participant2: ['assign 5'],
    });
    for (const { simulation } of [union, intersection]) {
      expect(simulation).toMatchObject({
        different: 0,
        commitmentsEqual: true,
        leftBehind: {},
        inverseDiffers: 0,
      });
    }
  });

  it('one archived on participant2: both policies purge it on participant1', async () => {
    const archived = { [all[0]!.contractId]: 'archived' as const };
    const sources = views([rows, rows.slice(1)], archived);
    for (const policy of ['union', 'intersection'] as const) {
      const { operations, plan, simulation } = await recover(sources, policy);
      expect(operations).toEqual({ participant1: ['purge 1', 'assign 5'], participant2: ['assign 5'] });
      expect(plan.warnings.some((w) => w.code === 'D5')).toBe(policy === 'union');
      expect(simulation).toMatchObject({ different: 0, commitmentsEqual: true, leftBehind: {} });
    }
  });

  it('counters that differ land on one value', async () => {
    const three = rows.map((row, i) => (i === 2 ? { ...row, reassignmentCounter: 3n } : row));
    const four = rows.map((row, i) => (i === 2 ? { ...row, reassignmentCounter: 4n } : row));
    const { simulation } = await recover(views([three, four]), 'union');
    expect(simulation).toMatchObject({ different: 0, commitmentsEqual: true, inverseDiffers: 0 });
    for (const view of simulation.views) {
      expect((await rowsOf(view)).get(all[2]!.contractId)![0]).toMatch(new RegExp(`^${NEW} 5 active`));
    }
  });
});

describe('fixtures/lost-synchronizer', () => {
  it('holds what is described here', () => {
    const bytes = (n: number) => gunzipSync(readFileSync(join(fixtures, `participant${n}.acs.gz`)));
    const frames = rows.map((row) => frame({ instance: row.instance, synchronizerId: LOST }));
    expect(bytes(1)).toEqual(Buffer.concat(frames));
    expect(bytes(2)).toEqual(Buffer.concat(frames.slice(1)));
    expect(JSON.parse(readFileSync(join(fixtures, 'hosting.json'), 'utf8'))).toEqual(HOSTING);
  });
});

const page = readFileSync(join(root, 'docs/recover-lost-synchronizer.md'), 'utf8');
const commands = [...page.matchAll(/^```sh( \d)?\n([\s\S]*?)^```$/gm)].flatMap(([, status, body]) =>
  body!
    .trim()
    .split('\n')
    .map((line) => ({ line, status: Number(status ?? 0) })),
);

describe('docs/recover-lost-synchronizer.md', () => {
  const work = temporaryFolder();
  cpSync(fixtures, join(work, 'fixtures/lost-synchronizer'), { recursive: true });
  cpSync(join(root, 'fixtures/dars'), join(work, 'fixtures/dars'), { recursive: true });

  it('has its commands', () => {
    expect(commands.length).toBeGreaterThanOrEqual(5);
    for (const { line } of commands) expect(line).toMatch(/^acs /);
  });

  it.each(commands.map((command) => [command.line.slice(0, 70), command] as const))(
    '%s',
    async (_name, command) => {
      const words = command.line
        .split(' ')
        .slice(1)
        .map((word) =>
          word.replace(
            /(^|=)(fixtures|recovery)(?=\/)/,
            (_all, before: string, top: string) => `${before}${work}/${top}`,
          ),
        );
      const { status, stdout, stderr } = await runCommand(...words);
      expect({ status, stderr: command.status === 4 ? '' : stderr }).toEqual({
        status: command.status,
        stderr: '',
      });
      // What the page says the command prints.
      const shown = page.slice(page.indexOf(command.line) + command.line.length);
      const block = /^\n```\n\n```text\n([\s\S]*?)^```$/m.exec(shown);
      if (block !== null && block.index === 0) {
        for (const line of block[1]!.trimEnd().split('\n')) {
          if (line.trim() !== '…') expect(stdout).toContain(line.trim());
        }
      }
    },
  );

  it('leaves the files it names', () => {
    for (const file of [
      'plan.json',
      'plan.sha256',
      'participant1/steps.md',
      'participant2/grpcurl.sh',
      'participant2/console.sc',
      'inverse/plan.json',
    ]) {
      expect(existsSync(join(work, 'recovery/plan', file)), file).toBe(true);
    }
  });
});
