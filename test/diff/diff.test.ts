import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostingMapOf, parseHostingMap } from '../../src/commitment/hostingMap.js';
import { openCommitmentLine, readOpenCommitment } from '../../src/commitment/openCommitment.js';
import { openMismatchFile } from '../../src/diff/cantonMismatch.js';
import { type DiffOptions, diffInputs } from '../../src/diff/diff.js';
import type { Difference } from '../../src/diff/difference.js';
import { differenceJson } from '../../src/diff/differenceJson.js';
import { type DiffSource, snapshotSource } from '../../src/diff/diffSource.js';
import { openHtmlReport } from '../../src/diff/htmlReport.js';
import { openDiffSource } from '../../src/diff/openSource.js';
import type { DiffSummary } from '../../src/diff/summary.js';
import {
  contractId,
  hostingJson,
  instance,
  OTHER_SYNC,
  participant,
  SYNC,
  type TestContract,
  temporaryFolder,
  writeSnapshot,
} from './contracts.js';

const MULTI = 'fixtures/snapshots/multi';
const hosting = parseHostingMap(readFileSync(join(MULTI, 'hosting.json'), 'utf8'));
const planted = JSON.parse(readFileSync(join(MULTI, 'hosting.json'), 'utf8'))
  .deliberate_differences as Record<string, string[]>;

async function run(
  sources: readonly DiffSource[],
  options: DiffOptions = {},
): Promise<{ summary: DiffSummary; found: Difference[] }> {
  const found: Difference[] = [];
  const summary = await diffInputs(sources, { ...options, onDifference: (d) => void found.push(d) });
  return { summary, found };
}

function multi(...names: string[]): Promise<DiffSource[]> {
  return Promise.all(names.map((name) => openDiffSource(join(MULTI, `${name}.acs.gz`), { hosting })));
}

describe('the participants of the corpus', () => {
  it('finds every planted difference, classified, and nothing else', async () => {
    const { found, summary } = await run(await multi('participant1', 'participant2', 'participant3'), {
      hosting,
    });
    const missing = planted.missing_on_participant2!;
    const raised = planted.counter_plus_one_on_participant3!;
    const extra = planted.extra_on_participant1!;
    expect(found.map((d) => d.contractId)).toEqual([...new Set([...missing, ...raised, ...extra])].sort());
    for (const difference of found) {
      const id = difference.contractId;
      const classes = [
        ...(raised.includes(id) ? ['counter-differs'] : []),
        ...(missing.includes(id) || extra.includes(id) ? ['only-in'] : []),
      ];
      expect(difference.classes).toEqual(classes);
      expect(difference.fields).toEqual([]);
      expect(difference.representativeDiffers).toBe(false);
      const shown = difference.states.filter((s) => s.state === 'active').map((s) => s.input);
      if (extra.includes(id)) expect(shown).toEqual([0]);
      if (missing.includes(id))
        expect(shown).toEqual([0, 2].filter((i) => difference.states.some((s) => s.input === i)));
    }
    expect(summary.different).toBe(6);
    expect(summary.shownWithoutHosting).toBe(0);
  });

  it('agrees with the recorded differences of every pair', async () => {
    const recorded = JSON.parse(readFileSync('fixtures/commitments/differences.json', 'utf8')) as Record<
      string,
      { shared_equal: number; [key: string]: unknown }
    >;
    for (const [pair, expected] of Object.entries(recorded)) {
      const [left, right] = pair.split('/') as [string, string];
      const { found, summary } = await run(await multi(left, right), { hosting });
      expect(summary.same).toBe(expected.shared_equal);
      const only = (input: number) =>
        found
          .filter(
            (d) => d.class === 'only-in' && d.states.some((s) => s.input === input && s.state === 'active'),
          )
          .map((d) => d.contractId);
      expect(only(0)).toEqual(expected[`only_${left}`]);
      expect(only(1)).toEqual(expected[`only_${right}`]);
      expect(
        found
          .filter((d) => d.class === 'counter-differs')
          .map((d) => ({
            contract_id: d.contractId,
            [left]: Number(d.states[0]!.reassignmentCounter),
            [right]: Number(d.states[1]!.reassignmentCounter),
          })),
      ).toEqual(expected.counter_differs);
    }
  });

  it('gives the same with hardly any memory', async () => {
    const names = ['participant1', 'participant2', 'participant3'];
    const plenty = await run(await multi(...names), { hosting });
    const little = await run(await multi(...names), { hosting, memoryBytes: 1 });
    expect(little.summary.spilledBytes).toBeGreaterThan(0);
    expect(little.found).toEqual(plenty.found);
    expect({ ...little.summary, spilledBytes: 0 }).toEqual(plenty.summary);
  });

  it('compares everything with everything without a hosting map', async () => {
    const { summary } = await run(
      await Promise.all(
        ['participant1', 'participant2'].map((n) => snapshotSource(join(MULTI, `${n}.acs.gz`))),
      ),
    );
    expect(summary.pairs[0]!.shared).toBe(summary.compared);
    expect(summary.compared).toBe(416 + 387 - summary.same - (summary.byClass['counter-differs'] ?? 0));
  });
});

describe('spilling', () => {
  const folder = temporaryFolder();

  it('is not seen in the result', async () => {
    const contract = (n: number, changes: Partial<TestContract> = {}): TestContract => ({
      instance: instance(n),
      ...changes,
    });
    const left = Array.from({ length: 3000 }, (_, n) => contract(n));
    const right = left
      .filter((_, n) => n % 50 !== 0)
      .map((c, n) => (n % 70 === 0 ? { ...c, reassignmentCounter: 3n } : c))
      .reverse();
    const files = [
      writeSnapshot(join(folder, 'l.acs.gz'), left),
      writeSnapshot(join(folder, 'r.acs.gz'), right),
    ];
    const open = () => Promise.all(files.map((file) => snapshotSource(file)));
    const plenty = await run(await open());
    expect(plenty.summary.spilledBytes).toBe(0);
    expect(plenty.summary.byClass).toEqual({ 'counter-differs': 42, 'only-in': 60 });
    const { RowTable } = await import('../../src/diff/rowTable.js');
    const { Spill } = await import('../../src/diff/rowSpill.js');
    const { idOf } = await import('../../src/diff/row.js');
    const { RowBuilder, newRowKey } = await import('../../src/diff/rowBuilder.js');
    const { openVocabulary } = await import('../../src/diff/vocabulary.js');
    // Ranges cut again and again: ids that agree in their first bytes.
    const builder = new RowBuilder(openVocabulary(), 2, newRowKey());
    const spill = new Spill(builder.words.length, folder);
    const ids = Array.from({ length: 200 }, (_, n) =>
      Buffer.from(contractId(7 + (n % 3)).slice(0, 134) + n.toString(16).padStart(4, '0'), 'hex'),
    );
    for (const id of ids) {
      builder.begin(0).id(id, 0, id.length);
      spill.add(builder.words, 0);
    }
    const table = new RowTable(['l', 'r']);
    const seen: string[] = [];
    let largest = 0;
    await spill.drain(
      (rows) => rows <= 5,
      (words, at) => table.add(words, at),
      async () => {
        const part: string[] = [];
        table.eachContract((row) => part.push(idOf(table.blockOf(row), table.offsetOf(row))));
        seen.push(...part.sort());
        largest = Math.max(largest, part.length);
        table.clear();
      },
    );
    expect(seen).toEqual(ids.map((id) => id.toString('hex')).sort());
    expect(largest).toBeLessThanOrEqual(5);
  });
});

describe('contract ids', () => {
  it('are in the order of their bytes', async () => {
    const { compareIds } = await import('../../src/diff/rowTable.js');
    const { RowBuilder, newRowKey } = await import('../../src/diff/rowBuilder.js');
    const { openVocabulary } = await import('../../src/diff/vocabulary.js');
    const builder = new RowBuilder(openVocabulary(), 2, newRowKey());
    const rowOf = (id: Uint8Array): Int32Array =>
      builder
        .begin(0)
        .id(Buffer.from([0, ...id]), 0, id.length + 1)
        .words.slice();
    // Few different bytes, so that many begin alike or differ in zeros at the end.
    const id = fc
      .array(fc.constantFrom(0, 0, 0, 1, 0x7f, 0x80, 0xff), { minLength: 1, maxLength: 68 })
      .map((bytes) => Uint8Array.from(bytes));
    const cut = fc.tuple(id, fc.nat(68)).map(([bytes, n]) => [bytes, bytes.slice(0, 1 + n)] as const);
    fc.assert(
      fc.property(fc.oneof(fc.tuple(id, id), cut), ([a, b]) => {
        for (const [left, right] of [[a, b] as const, [b, a] as const]) {
          const order = Math.sign(compareIds(rowOf(left), 0, rowOf(right), 0));
          expect(order).toBe(Math.sign(Buffer.compare(left, right)));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('inputs', () => {
  const folder = temporaryFolder();
  const one: TestContract = { instance: instance(1) };

  it('refuses a contract that occurs twice in one input', async () => {
    const twice = await snapshotSource(writeSnapshot(join(folder, 'twice.acs.gz'), [one, one]));
    const once = await snapshotSource(writeSnapshot(join(folder, 'once.acs.gz'), [one]));
    await expect(run([once, twice])).rejects.toMatchObject({
      code: 'DIFF_DUPLICATE_CONTRACT',
      place: { file: twice.name, contractId: contractId(1) },
    });
  });

  it('takes a contract once per synchronizer', async () => {
    const both = await snapshotSource(
      writeSnapshot(join(folder, 'both.acs.gz'), [
        one,
        { ...one, synchronizerId: OTHER_SYNC, reassignmentCounter: 1n },
      ]),
    );
    const first = await snapshotSource(writeSnapshot(join(folder, 'first.acs.gz'), [one]));
    expect((await run([both, first], { synchronizer: SYNC })).found).toEqual([]);
    expect((await run([first, both], { synchronizer: OTHER_SYNC })).found[0]!.class).toBe(
      'other-synchronizer',
    );
  });

  it('finds what differs on one of two synchronizers when none is asked for', async () => {
    const moved = { ...one, synchronizerId: OTHER_SYNC, reassignmentCounter: 1n };
    const source = (name: string, contracts: TestContract[]) =>
      snapshotSource(writeSnapshot(join(folder, `${name}.acs.gz`), contracts));
    const both = await source('on-both', [one, moved]);
    const again = await source('on-both-again', [moved, one]);
    const later = await source('later', [{ ...one, reassignmentCounter: 7n }, moved]);
    const other = await source('on-other', [moved]);
    const changed = { ...one, instance: instance(1, { createArgument: Buffer.from('another') }) };
    const conflict = await source('conflict', [changed, moved]);
    const classes = async (...sources: DiffSource[]) => (await run(sources)).found.map((d) => d.class);
    expect(await classes(both, again)).toEqual([]);
    expect(await classes(both, other)).toEqual(['other-synchronizer']);
    expect(await classes(other, both)).toEqual(['other-synchronizer']);
    expect(await classes(both, later)).toEqual(['counter-differs']);
    expect(await classes(both, conflict)).toEqual(['content-differs']);
    expect(await classes(both, again, other)).toEqual(['other-synchronizer']);
    const packages = await source('represented', [one, { ...moved, representativePackageId: 'cd' }]);
    expect((await run([both, packages])).summary).toMatchObject({ same: 1, representativeDiffers: 1 });
    const two = await source('represented-and-later', [
      { ...one, reassignmentCounter: 7n },
      { ...moved, representativePackageId: 'cd' },
    ]);
    expect(await classes(both, two)).toEqual(['counter-differs']);
  });

  it('reads a counter as the signed number it is', async () => {
    const source = (name: string, counter: bigint) =>
      snapshotSource(
        writeSnapshot(join(folder, `${name}.acs.gz`), [{ ...one, reassignmentCounter: counter }]),
        { name },
      );
    const { found } = await run([
      await source('minus', (1n << 64n) - 1n),
      await source('most', (1n << 63n) - 1n),
      await source('odd', (1n << 53n) + 1n),
    ]);
    expect(found[0]!.states.map((state) => state.reassignmentCounter)).toEqual([
      -1n,
      (1n << 63n) - 1n,
      (1n << 53n) + 1n,
    ]);
  });

  it('does not take the place in an input for that of a temporary file', async () => {
    const many = Array.from({ length: 400 }, (_, n) => ({ instance: instance(n) }));
    const sources = await Promise.all(
      ['many', 'many-too'].map((name) =>
        snapshotSource(writeSnapshot(join(folder, `${name}.acs.gz`), many), { name }),
      ),
    );
    const temporaryFolder = join(folder, 'gone');
    for (const threads of [0, 1, 2]) {
      const failed = diffInputs(sources, { memoryBytes: 1, temporaryFolder, threads });
      await expect(failed).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
      expect(await failed.catch((error) => error.place)).toEqual({ file: temporaryFolder });
    }
  });

  it('shows an input whatever it is called', async () => {
    const path = writeSnapshot(join(folder, 'named.acs.gz'), [one]);
    const empty = writeSnapshot(join(folder, 'named-too.acs.gz'), []);
    const names = ['__proto__', 'constructor'];
    const { found } = await run([
      await snapshotSource(path, { name: names[0]! }),
      await snapshotSource(empty, { name: names[1]! }),
    ]);
    expect(Object.keys(differenceJson(found[0]!, names).inputs)).toEqual(names);
  });

  it('refuses inputs cut at different record times unless told otherwise', async () => {
    const path = writeSnapshot(join(folder, 'a.acs.gz'), [one]);
    const at = (name: string, time: bigint) =>
      snapshotSource(path, { name, recordTimes: new Map([[SYNC, time]]) });
    await expect(run([await at('x', 5n), await at('y', 6n)])).rejects.toMatchObject({
      code: 'DIFF_TIME_SKEW',
    });
    expect((await run([await at('x', 5n), await at('y', 6n)], { allowSkew: true })).summary.same).toBe(1);
    expect((await run([await at('x', 5n), await at('y', 5n)])).summary.same).toBe(1);
  });

  it('refuses inputs it cannot tell apart', async () => {
    const path = writeSnapshot(join(folder, 'b.acs.gz'), [one]);
    const source = await snapshotSource(path);
    await expect(run([source])).rejects.toMatchObject({ code: 'USAGE' });
    await expect(run([source, source])).rejects.toMatchObject({ code: 'USAGE' });
    const uid = participant('p');
    await expect(
      run([
        await snapshotSource(path, { name: 'x', participant: uid }),
        await snapshotSource(path, { name: 'y', participant: uid }),
      ]),
    ).rejects.toMatchObject({ code: 'USAGE' });
    const map = hostingMapOf(hostingJson({ p: ['alice::1220aa'] }));
    await expect(
      run([source, await snapshotSource(path, { name: 'y' })], { hosting: map }),
    ).rejects.toMatchObject({
      code: 'USAGE',
    });
    await expect(
      run([source, await snapshotSource(path, { name: 'y' })], { shared: true }),
    ).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  it('compares an opened commitment with a snapshot', async () => {
    const file = 'fixtures/commitments/open-commitment.bin';
    const opened = await openDiffSource(file);
    expect(opened.kind).toBe('opened-commitment');
    const lines: string[] = [];
    for await (const batch of readOpenCommitment(file)) lines.push(...batch.map(openCommitmentLine));
    const written = join(folder, 'console.jsonl');
    writeFileSync(written, lines.join('\n'));
    const text = await openDiffSource(written);
    expect(text.kind).toBe('opened-commitment');
    const both = await run([opened, text]);
    expect(both.summary.different).toBe(0);
    expect(both.summary.same).toBe(25);
    const { found } = await run([await snapshotSource(join(MULTI, 'participant1.acs.gz')), opened]);
    expect(new Set(found.map((d) => d.class))).toEqual(new Set(['only-in']));
  });

  it('takes an opened commitment for one of the synchronizer compared, and of two participants', async () => {
    const lines = join(folder, 'opened.jsonl');
    writeFileSync(lines, openCommitmentLine({ contractId: contractId(1), reassignmentCounter: 1n }));
    const moved = { instance: instance(1), synchronizerId: OTHER_SYNC, reassignmentCounter: 1n };
    const path = writeSnapshot(join(folder, 'moved.acs.gz'), [moved]);
    const sources = [await openDiffSource(lines), await snapshotSource(path)];
    expect((await run(sources, { synchronizer: SYNC })).found.map((d) => d.class)).toEqual([
      'other-synchronizer',
    ]);
    expect((await run(sources, { synchronizer: OTHER_SYNC })).found).toEqual([]);
    const both = writeSnapshot(join(folder, 'moved-and-not.acs.gz'), [
      { instance: instance(1), synchronizerId: OTHER_SYNC },
      { instance: instance(1), reassignmentCounter: 1n },
    ]);
    expect((await run([sources[0]!, await snapshotSource(both)])).found).toEqual([]);
    await expect(run([...sources, await snapshotSource(path, { name: 'third' })])).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('two participants share'),
    });
    writeFileSync(lines, '{"cid":"ab","reassignmentCounter":"0"}');
    await expect(run(sources)).rejects.toMatchObject({
      code: 'DIFF_BAD_CONTRACT_ID',
      place: { file: lines, contractId: 'ab' },
    });
  });
});

describe('outputs', () => {
  it('writes the mismatch file of the console', async () => {
    const { found } = await run(await multi('participant2', 'participant3'), { hosting });
    const file = openMismatchFile(hosting.synchronizerId);
    for (const difference of found) file.add(difference);
    const text = Buffer.concat([...file.read()]).toString();
    file.close();
    expect(text.startsWith('{\n  "cidsOnlyLocal": [],\n  "cidsOnlyRemote": [\n    "001d1f3b')).toBe(true);
    expect(JSON.parse(text)).toEqual({
      cidsOnlyLocal: [],
      cidsOnlyRemote: planted.missing_on_participant2!.slice().sort(),
      differentReassignmentCounters: [planted.counter_plus_one_on_participant3![1]],
    });
  });

  it('keeps texts of the inputs out of the markup of the report', async () => {
    const names = ['</script><script>alert(1)</script>', 'b<img>'];
    const { found, summary } = await run(await multi('participant1', 'participant2'), { hosting });
    const report = openHtmlReport(names);
    for (const difference of found) report.add(difference);
    const html = report.render(summary, names.join(' '));
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html).not.toContain('<img>');
    const json = /<script type="application\/json" id="data">(.*)<\/script>/.exec(html)![1]!;
    expect(JSON.parse(json).rows).toHaveLength(found.length);
    expect(html).not.toMatch(/https?:\/\//);
  });

  it('does not put every party into the report', async () => {
    const { summary } = await run(await multi('participant1', 'participant2'), { hosting });
    const byParty = Array.from({ length: 3000 }, (_, n) => ({ party: `party${n}::1220aa`, different: 1 }));
    const html = openHtmlReport(['a', 'b']).render({ ...summary, byParty }, 'a b');
    const json = /<script type="application\/json" id="data">(.*)<\/script>/.exec(html)![1]!;
    expect(JSON.parse(json)).toMatchObject({ parties: 3000, summary: { byParty: byParty.slice(0, 20) } });
  });

  it('gives 64-bit integers as strings', async () => {
    const { found } = await run(await multi('participant1', 'participant3'), { hosting });
    const json = differenceJson(found[0]!, ['x', 'y']);
    expect(json.inputs.y!.reassignmentCounter).toBe('1');
    expect(() => JSON.stringify(found.map((d) => differenceJson(d, ['x', 'y'])))).not.toThrow();
  });
});

describe('any two sets of contracts', () => {
  const folder = temporaryFolder();

  it('are told apart exactly as by a plain comparison', async () => {
    const contract = fc.record({ n: fc.nat(30), counter: fc.nat(2), change: fc.nat(2) });
    const views = fc.uniqueArray(contract, { selector: (c) => c.n, maxLength: 20 });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(views, { minLength: 2, maxLength: 4 }), async (inputs) => {
        round++;
        const sources = await Promise.all(
          inputs.map((list, i) =>
            snapshotSource(
              writeSnapshot(
                join(folder, `${round}-${i}.acs.gz`),
                list.map(({ n, counter, change }) => ({
                  instance: instance(
                    n,
                    change === 0 ? {} : { createArgument: Buffer.from(`changed ${change}`) },
                  ),
                  reassignmentCounter: BigInt(counter),
                })),
              ),
            ),
          ),
        );
        const { found, summary } = await run(sources);
        const expected = new Map<string, string[]>();
        for (let n = 0; n <= 30; n++) {
          const shown = inputs.map((list) => list.find((c) => c.n === n));
          const present = shown.filter((c) => c !== undefined);
          if (present.length === 0) continue;
          const classes: string[] = [];
          if (new Set(present.map((c) => c.change)).size > 1) classes.push('content-differs');
          if (new Set(present.map((c) => c.counter)).size > 1) classes.push('counter-differs');
          if (present.length < inputs.length) classes.push('only-in');
          if (classes.length > 0) expected.set(contractId(n), classes);
        }
        expect(new Map(found.map((d) => [d.contractId, [...d.classes]]))).toEqual(
          new Map([...expected].sort()),
        );
        expect(found.map((d) => d.contractId)).toEqual([...expected.keys()].sort());
        expect(summary.same + summary.different).toBe(
          new Set(inputs.flatMap((list) => list.map((c) => c.n))).size,
        );
      }),
      { numRuns: 60 },
    );
  });
});
