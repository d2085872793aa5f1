import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ContractView } from '../../src/contract/contractView.js';
import { readManifest } from '../../src/contract/manifest.js';
import { snapshotInfo } from '../../src/inspect/info.js';
import { encodeLedgerJson } from '../../src/ledger/ledgerApiJson.js';
import { mergeSnapshots } from '../../src/reshape/merge.js';
import { splitSnapshot } from '../../src/reshape/split.js';
import { encodeFrame } from '../../src/snapshot/encodeRecord.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture } from '../fixtures.js';

const TWO = fixture('snapshots/two-synchronizers.acs.gz');
const TINY = fixture('snapshots/tiny.acs.gz');
const LIVE = fixture('live/p1.export-acs.no-party-filter.acs.gz');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'acs-split-'));
});
afterAll(() => rm(folder, { recursive: true }));

let runs = 0;
const fresh = (): string => join(folder, `run-${runs++}`);

interface Row {
  id: string;
  synchronizer: string;
  template: string;
  stakeholders: string[];
  frame: Buffer;
}

async function rows(input: string | Uint8Array): Promise<Row[]> {
  const list: Row[] = [];
  const view = new ContractView();
  await scanSnapshot(
    input,
    (record) => {
      if (record.inFlight) return;
      const c = view.of(record);
      const t = c.templateId;
      list.push({
        id: c.contractId,
        synchronizer: record.synchronizerId,
        template: `${t.packageId}:${t.moduleName}:${t.entityName}`,
        stakeholders: [...c.signatories, ...c.observers],
        frame: Buffer.from(record.buf.subarray(record.start, record.end)),
      });
    },
    { members: 'all' },
  );
  return list;
}

const frames = (list: readonly Row[]): string[] => list.map((row) => row.frame.toString('hex'));
const gz = (list: readonly Row[]): Buffer => gzipSync(Buffer.concat(list.map((row) => row.frame)));

/** The record on another synchronizer or with another counter. */
async function moved(
  input: string,
  index: number,
  synchronizer: string | undefined,
  counter: bigint,
): Promise<Buffer> {
  let frame: Buffer | undefined;
  await scanSnapshot(input, (record) => {
    if (record.index !== index) return;
    const event = record.buf.subarray(record.eventStart, record.eventEnd);
    frame = encodeFrame(event, synchronizer ?? record.synchronizerId, counter);
  });
  return frame as Buffer;
}

describe('split', () => {
  const keyed = {
    synchronizer: (row: Row) => [row.synchronizer],
    template: (row: Row) => [row.template],
    party: (row: Row) => row.stakeholders,
  } as const;

  it.each(['synchronizer', 'template', 'party'] as const)(
    'by %s: each part is the filtered input',
    async (by) => {
      const out = fresh();
      const result = await splitSnapshot(TWO, out, { by });
      const all = await rows(TWO);
      const wanted = new Set(all.flatMap(keyed[by]));
      expect(new Set(result.parts.map((part) => part.key))).toEqual(wanted);
      expect((await readdir(out)).sort()).toEqual(result.parts.map((part) => basename(part.file)));
      for (const part of result.parts) {
        const own = await rows(part.file);
        expect(frames(own)).toEqual(frames(all.filter((row) => keyed[by](row).includes(part.key))));
        expect(part.contracts).toBe(own.length);
        const info = await snapshotInfo(part.file);
        expect(info.gzip.members).toHaveLength(1);
        expect(info.gzip).toMatchObject({
          compressedBytes: part.compressedBytes,
          inflatedBytes: part.inflatedBytes,
        });
      }
      const again = fresh();
      const second = await splitSnapshot(TWO, again, { by });
      for (const [i, part] of second.parts.entries()) {
        expect(basename(part.file)).toBe(basename(result.parts[i].file));
        expect(await readFile(part.file)).toEqual(await readFile(result.parts[i].file));
      }
    },
  );

  it('by count and by bytes: the parts one after another are the input', async () => {
    const all = await rows(TWO);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('count', 'bytes'), fc.integer({ min: 1, max: 70 }), async (by, n) => {
        const out = fresh();
        const size = by === 'count' ? n : n * 1000;
        const result = await splitSnapshot(TWO, out, { by, size }, { prefix: 'x' });
        const parts = await Promise.all(result.parts.map((part) => rows(part.file)));
        expect(frames(parts.flat())).toEqual(frames(all));
        expect(basename(result.parts[0].file)).toBe('x.00001.acs.gz');
        for (const [i, part] of result.parts.entries()) {
          if (by === 'count') expect(part.contracts).toBeLessThanOrEqual(size);
          else expect(part.contracts === 1 || part.inflatedBytes <= size).toBe(true);
          if (by === 'count' && i + 1 < result.parts.length) expect(part.contracts).toBe(size);
        }
        await rm(out, { recursive: true });
      }),
      { numRuns: 25 },
    );
  });

  it('writes fitting manifests', async () => {
    const out = fresh();
    const { parts } = await splitSnapshot(LIVE, out, { by: 'synchronizer' }, { write: { manifest: true } });
    expect(parts).toHaveLength(2);
    for (const part of parts) {
      expect((await readManifest(part.file))?.contracts).toBe(part.contracts);
      expect((await snapshotInfo(part.file)).manifest).toBe('used');
    }
  });

  it('leaves in-flight records out and says so', async () => {
    const { status, stdout, stderr } = await runCommand(
      'split',
      LIVE,
      '--by',
      'count',
      '--size',
      '5',
      '-d',
      fresh(),
      '--json',
    );
    expect(status).toBe(0);
    expect(stderr).toContain('IN_FLIGHT_DROPPED');
    expect(JSON.parse(stdout)).toMatchObject({ contracts: 18, inFlight: 1 });
    expect(JSON.parse(stdout).parts).toHaveLength(4);
  });

  it('leaves nothing behind when the input is damaged or there are too many parts', async () => {
    const out = fresh();
    const bytes = await readFile(TWO);
    await expect(splitSnapshot(bytes.subarray(0, 15_000), out, { by: 'party' })).rejects.toMatchObject({
      code: 'GZIP_TRUNCATED',
    });
    await expect(splitSnapshot(TWO, out, { by: 'party' }, { maxParts: 3 })).rejects.toMatchObject({
      code: 'SPLIT_TOO_MANY_PARTS',
      exitCode: 2,
    });
    expect(await readdir(out).catch(() => [])).toEqual([]);
  });

  it('says when parts of an earlier split lie among its own', async () => {
    const out = fresh();
    const split = (size: string) => runCommand('split', TWO, '--by', 'count', '--size', size, '-d', out);
    expect((await split('10')).stderr).toBe('');
    const { status, stderr } = await split('20');
    expect(status).toBe(0);
    expect(stderr).toContain('holds 3 files named like parts that are not of this split');
    expect((await split('0.01k')).stderr).toBe('');
  });

  it.each([
    ['--by', 'count'],
    ['--by', 'bytes', '--size', '0'],
    ['--by', 'party', '--size', '7'],
    ['--by', 'colour'],
  ])('refuses %s %s %s %s', async (...words) => {
    const { status } = await runCommand('split', TWO, '-d', fresh(), ...words.filter(Boolean));
    expect(status).toBe(2);
  });
});

it.each([
  ['half a contract per part', ['--size', '1.5']],
  ['a prefix that is a path', ['--size', '5', '--prefix', '../evil']],
  ['an empty prefix', ['--size', '5', '--prefix', '']],
])('%s is a mistake', async (_, words) => {
  const parts = fresh();
  const { status } = await runCommand('split', TINY, '--by', 'count', '-d', parts, ...words);
  expect(status).toBe(2);
  await expect(readdir(parts)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('of parts that may not be replaced all appear or none', async () => {
  const parts = fresh();
  const whole = await splitSnapshot(TINY, parts, { by: 'count', size: 5 }, { write: { manifest: true } });
  for (const gone of [1, 2]) {
    await rm(whole.parts[gone - 1].file);
    await rm(`${whole.parts[gone - 1].file}.manifest.json`, { force: true });
    const left = (await readdir(parts)).sort();
    await expect(
      splitSnapshot(TINY, parts, { by: 'count', size: 5 }, { write: { manifest: true, overwrite: false } }),
    ).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    expect((await readdir(parts)).sort()).toEqual(left);
  }
  // A manifest alone is in the way too.
  await rm(whole.parts[2].file);
  const left = (await readdir(parts)).sort();
  expect(left).toEqual([`${basename(whole.parts[2].file)}.manifest.json`]);
  await expect(
    splitSnapshot(TINY, parts, { by: 'count', size: 5 }, { write: { manifest: true, overwrite: false } }),
  ).rejects.toMatchObject({ code: 'FILE_EXISTS' });
  expect((await readdir(parts)).sort()).toEqual(left);
});

describe('merge', () => {
  it('puts a split file together again, whatever the overlap', async () => {
    const all = await rows(TWO);
    const out = join(folder, 'merged.acs.gz');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 60, maxLength: 60 }),
        async (masks) => {
          const inputs = [1, 2, 4].map((bit) => gz(all.filter((_, i) => (masks[i] & bit) !== 0)));
          const result = await mergeSnapshots(inputs, out);
          const merged = await rows(out);
          expect(frames(merged).sort()).toEqual(frames(all).sort());
          const copies = masks.reduce(
            (sum, mask) => sum + (mask & 1) + ((mask >> 1) & 1) + ((mask >> 2) & 1),
            0,
          );
          expect(result).toMatchObject({ contracts: 60, duplicates: copies - 60 });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('undoes a split by party', async () => {
    const out = fresh();
    const { parts } = await splitSnapshot(TWO, out, { by: 'party' });
    const merged = join(out, 'all.acs.gz');
    await mergeSnapshots(
      parts.map((part) => part.file),
      merged,
    );
    expect((await snapshotInfo(merged)).contentDigest).toBe((await snapshotInfo(TWO)).contentDigest);
  });

  it('takes exports of several participants for what they are: the same contracts seen twice', async () => {
    const inputs = [
      LIVE,
      ...['alice', 'acme', 'older-offset'].map((n) => fixture(`live/p1.export-acs.${n}.acs.gz`)),
    ];
    const ids = new Set((await Promise.all(inputs.slice(0, 3).map(rows))).flat().map((row) => row.id));
    const out = join(folder, 'live.acs.gz');
    const result = await mergeSnapshots(inputs.slice(0, 3), out);
    expect(result.contracts).toBe(ids.size);
    expect(result.inFlight).toBeGreaterThan(0);
    expect((await snapshotInfo(out)).inFlight).toBe(0);
    expect(result.duplicates).toBe(result.inputs[1].contracts + result.inputs[2].contracts);
  });

  it('joins the members of one file', async () => {
    const all = await rows(TWO);
    const out = join(folder, 'members.acs.gz');
    const result = await mergeSnapshots([Buffer.concat([gz(all.slice(0, 20)), gz(all.slice(20))])], out);
    expect(result.inputs[0].gzipMembers).toBe(2);
    expect(gunzipSync(await readFile(out))).toEqual(gunzipSync(await readFile(TWO)));
    expect((await snapshotInfo(out)).gzip.members).toHaveLength(1);
  });

  it('knows a contract without its blob for the same', async () => {
    const bare = join(folder, 'bare.acs.gz');
    const frames: Buffer[] = [];
    await scanSnapshot(TINY, (record) => {
      if (record.index > 0) return;
      const event = encodeLedgerJson('CreatedEvent', { contractId: record.contractId });
      frames.push(encodeFrame(event, record.synchronizerId, record.reassignmentCounter));
    });
    await writeFile(bare, gzipSync(Buffer.concat(frames)));
    for (const inputs of [
      [TINY, bare],
      [bare, TINY],
    ]) {
      await expect(mergeSnapshots(inputs, join(folder, 'bare-and-whole.acs.gz'))).rejects.toMatchObject({
        code: 'MERGE_CONFLICT',
        place: { file: inputs[1], record: 0 },
      });
    }
    expect((await mergeSnapshots([bare, bare], join(folder, 'bare-twice.acs.gz'))).duplicates).toBe(1);
  });

  it('refuses different contents of one contract, naming both records', async () => {
    const other = join(folder, 'other.acs.gz');
    await writeFile(
      other,
      gzipSync(Buffer.concat([(await rows(TINY))[0].frame, await moved(TWO, 7, undefined, 99n)])),
    );
    const out = join(folder, 'conflict.acs.gz');
    await expect(mergeSnapshots([TWO, other], out)).rejects.toMatchObject({
      code: 'MERGE_CONFLICT',
      expected: expect.stringContaining(`${TWO}: record 7`),
      found: expect.stringContaining(`${other}: record 1`),
      place: { contractId: (await rows(TWO))[7].id, file: other, record: 1 },
    });
    expect(await readdir(folder)).not.toContain('conflict.acs.gz');
    const { status } = await runCommand('merge', TWO, other, '-o', out);
    expect(status).toBe(4);
  });

  it('keeps a contract that is active on two synchronizers, and says so', async () => {
    const other = join(folder, 'elsewhere.acs.gz');
    await writeFile(other, gzipSync(await moved(TINY, 0, `third::1220${'0'.repeat(64)}`, 5n)));
    const out = join(folder, 'both.acs.gz');
    const { status, stdout, stderr } = await runCommand('merge', TINY, other, '-o', out, '--json');
    expect(status).toBe(1);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ contracts: 13, duplicates: 0, severalSynchronizers: { count: 1 } });
    expect(result.severalSynchronizers.first[0].places).toEqual([
      { file: TINY, record: 0 },
      { file: other, record: 0 },
    ]);
    expect(stderr).toContain('SEVERAL_SYNCHRONIZERS');
    // Once more: now both records are known.
    expect(await mergeSnapshots([out, TINY, other], join(folder, 'both2.acs.gz'))).toMatchObject({
      contracts: 13,
      duplicates: 13,
    });
  });

  it('refuses to overwrite an input', async () => {
    await expect(mergeSnapshots([TWO, TINY], TINY)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
