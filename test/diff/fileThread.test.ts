/** Files read on threads of their own give what files read one after the other give. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { parseHostingMap } from '../../src/commitment/hostingMap.js';
import { type DiffOptions, diffInputs } from '../../src/diff/diff.js';
import { differenceJson } from '../../src/diff/differenceJson.js';
import { type DiffSource, snapshotSource } from '../../src/diff/diffSource.js';
import { openDiffSource } from '../../src/diff/openSource.js';
import { planThreads } from '../../src/diff/readInputs.js';
import { onReadOf } from '../../src/io/readMeter.js';
import {
  instance,
  OTHER_SYNC,
  SYNC,
  type TestContract,
  temporaryFolder,
  writeSnapshot,
} from './contracts.js';

const MULTI = 'fixtures/snapshots/multi';
const hosting = parseHostingMap(readFileSync(join(MULTI, 'hosting.json'), 'utf8'));
const folder = temporaryFolder();

/** Everything a comparison tells, or the error it ends with. */
async function outcome(sources: () => Promise<DiffSource[]>, options: DiffOptions): Promise<unknown> {
  const found: unknown[] = [];
  const opened = await sources();
  const names = opened.map((source) => source.name);
  try {
    const summary = await diffInputs(opened, {
      ...options,
      onDifference: (difference) => void found.push(differenceJson(difference, names)),
    });
    return { summary, found };
  } catch (error) {
    return { error: JSON.parse(JSON.stringify(error)) };
  }
}

async function sameWithThreads(
  sources: () => Promise<DiffSource[]>,
  options: DiffOptions = {},
): Promise<unknown> {
  const here = await outcome(sources, { ...options, threads: 0 });
  for (const threads of [1, 2, 3]) expect(await outcome(sources, { ...options, threads })).toEqual(here);
  return here;
}

const files =
  (...paths: string[]) =>
  () =>
    Promise.all(paths.map((path) => snapshotSource(path)));

describe('files read on threads of their own', () => {
  it('the participants of the corpus differ alike', async () => {
    const paths = ['participant1', 'participant2', 'participant3'].map((name) =>
      join(MULTI, `${name}.acs.gz`),
    );
    const open = () => Promise.all(paths.map((path) => openDiffSource(path, { hosting })));
    expect(await sameWithThreads(open, { hosting })).toMatchObject({ summary: { different: 6 } });
    await sameWithThreads(files(...paths));
    // The same through temporary files.
    await sameWithThreads(files(...paths), { memoryBytes: 1 });
  });

  it('whatever the contracts are', async () => {
    const party = fc.constantFrom('alice::1220aa', 'bob::1220bb', 'carol::1220cc', 'dora::1220dd');
    const contract = fc.record({
      n: fc.integer({ min: 0, max: 40 }),
      counter: fc.bigInt({ min: 0n, max: 3n }),
      other: fc.boolean(),
      argument: fc.constantFrom('a', 'b'),
      packageName: fc.constantFrom('iou', 'loan'),
      entityName: fc.constantFrom('Iou', 'Loan', 'Bond'),
      represented: fc.constantFrom('', 'cd'.repeat(32), 'ef'.repeat(32)),
      signatories: fc.uniqueArray(party, { minLength: 1, maxLength: 3 }),
      observers: fc.uniqueArray(party, { maxLength: 3 }),
    });
    const snapshot = fc.uniqueArray(contract, { maxLength: 30, selector: (c) => c.n });
    const written = (c: typeof contract extends fc.Arbitrary<infer T> ? T : never): TestContract => ({
      instance: instance(c.n, {
        createArgument: Buffer.from(c.argument),
        packageName: c.packageName,
        templateId: { packageId: 'ab'.repeat(32), moduleName: 'Iou', entityName: c.entityName },
        nonMaintainerSignatories: c.signatories,
        nonSignatoryStakeholders: c.observers.filter((p) => !c.signatories.includes(p)),
      }),
      synchronizerId: c.other ? OTHER_SYNC : SYNC,
      reassignmentCounter: c.counter,
      representativePackageId: c.represented,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(snapshot, { minLength: 2, maxLength: 4 }), async (snapshots) => {
        const paths = snapshots.map((contracts, i) =>
          writeSnapshot(join(folder, `random${i}.acs.gz`), contracts.map(written)),
        );
        await sameWithThreads(files(...paths));
      }),
      { numRuns: 15 },
    );
  });

  it('of several files that cannot be read the first one is told', async () => {
    const sound = join(MULTI, 'participant1.acs.gz');
    const bytes = gunzipSync(readFileSync(sound));
    const cut = join(folder, 'cut.acs.gz');
    writeFileSync(cut, gzipSync(bytes.subarray(0, bytes.length - 7)));
    const twice = join(folder, 'twice.acs.gz');
    writeFileSync(twice, gzipSync(Buffer.concat([bytes, bytes])));
    const gone = join(folder, 'gone.acs.gz');
    expect(await sameWithThreads(files(sound, cut, twice))).toMatchObject({
      error: { code: 'FRAME_TRUNCATED', place: { file: cut } },
    });
    expect(await sameWithThreads(files(sound, twice, cut))).toMatchObject({
      error: { code: 'DIFF_DUPLICATE_CONTRACT' },
    });
    expect(await sameWithThreads(files(gone, twice, cut))).toMatchObject({
      error: { code: 'FILE_UNREADABLE' },
    });
  });

  it('are left to end by themselves when another file cannot be read', async () => {
    // A thread that is ended from outside while it makes its inflater takes the process with it.
    const ended = vi.spyOn(Worker.prototype, 'terminate');
    const sound = join(MULTI, 'participant1.acs.gz');
    const empty = join(folder, 'empty.acs.gz');
    writeFileSync(empty, '');
    for (const paths of [
      [empty, sound, sound],
      [sound, sound, empty],
    ]) {
      const open = () => Promise.all(paths.map((path, i) => snapshotSource(path, { name: `i${i}` })));
      expect(await outcome(open, { threads: 3 })).toMatchObject({ error: { code: 'GZIP_EMPTY_FILE' } });
    }
    expect(ended).not.toHaveBeenCalled();
    ended.mockRestore();
  });

  it('do not read standard input, which only the first thread has', async () => {
    const plan = await planThreads(
      [await snapshotSource('-'), await snapshotSource(join(MULTI, 'participant1.acs.gz'))],
      1e9,
      2,
    );
    expect([...plan.aside]).toEqual([1]);
    expect(plan.threads).toBe(1);
  });

  it('contracts on two synchronizers, or twice, or different in one of many', async () => {
    const list = (change: (n: number) => TestContract[]): TestContract[] =>
      Array.from({ length: 60 }, (_, n) => n).flatMap(change);
    const one = (n: number): TestContract[] => [{ instance: instance(n) }];
    const moved = (n: number): TestContract => ({ instance: instance(n), synchronizerId: OTHER_SYNC });
    const changed = (n: number): TestContract => ({
      instance: instance(n, { createArgument: Buffer.from('other') }),
    });
    const common = writeSnapshot(join(folder, 'common.acs.gz'), list(one));
    const variants: Record<string, TestContract[]> = {
      moved: list((n) => (n === 20 ? [moved(n)] : one(n))),
      onBoth: list((n) => (n === 20 ? [...one(n), moved(n)] : one(n))),
      onBothLater: [...list(one), moved(5)],
      changed: list((n) => (n === 20 ? [changed(n)] : n === 40 ? [] : one(n))),
      counted: list((n) => (n === 20 ? [{ ...one(n)[0]!, reassignmentCounter: 1n << 40n }] : one(n))),
      twice: [...list(one), ...one(5)],
      twiceDifferent: [...list(one), changed(5)],
      backwards: list(one).reverse(),
    };
    const paths = Object.fromEntries(
      Object.entries(variants).map(([name, contracts]) => [
        name,
        writeSnapshot(join(folder, `${name}.acs.gz`), contracts),
      ]),
    );
    const different = async (...names: string[]): Promise<unknown> => {
      const result = await sameWithThreads(files(common, ...names.map((name) => paths[name]!)));
      const { summary, error } = result as { summary?: { different: number }; error?: { code: string } };
      return summary?.different ?? error?.code;
    };
    expect(await different('moved')).toBe(1);
    expect(await different('onBoth')).toBe(1);
    expect(await different('onBothLater')).toBe(1);
    expect(await different('changed')).toBe(2);
    expect(await different('counted')).toBe(1);
    expect(await different('twice')).toBe('DIFF_DUPLICATE_CONTRACT');
    expect(await different('twiceDifferent')).toBe('DIFF_DUPLICATE_CONTRACT');
    expect(await different('backwards')).toBe(0);
    expect(await different('changed', 'moved')).toBe(2);
    expect(await different('onBoth', 'counted')).toBe(1);
  });

  it('what all of them have and none should have is told of the first one', async () => {
    const contracts = Array.from({ length: 30 }, (_, n) => ({ instance: instance(n) }));
    const good = gunzipSync(readFileSync(writeSnapshot(join(folder, 'good.acs.gz'), contracts)));
    const bad = Buffer.from(good);
    // The 21st contract has a party with a character that no party has.
    let at = -1;
    for (let n = 0; n <= 20; n++) at = bad.indexOf('alice::1220aa', at + 1);
    bad[at] = 0x2f;
    const [first, second] = ['bad1', 'bad2'].map((name) => {
      const path = join(folder, `${name}.acs.gz`);
      writeFileSync(path, gzipSync(bad));
      return path;
    });
    expect(await sameWithThreads(files(first!, second!))).toMatchObject({
      error: { code: 'BLOB_BAD_PARTY', place: { file: first, record: 20 } },
    });
  });

  it('tells how many bytes of each file were read', async () => {
    const paths = ['participant1', 'participant2'].map((name) => join(MULTI, `${name}.acs.gz`));
    let bytes = 0;
    const stop = onReadOf(paths, (n) => {
      bytes += n;
    });
    await diffInputs(await files(...paths)(), { threads: 2 });
    stop();
    expect(bytes).toBe(paths.reduce((sum, path) => sum + readFileSync(path).length, 0));
  });
});
