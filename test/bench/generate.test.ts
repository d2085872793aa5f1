import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BlobView } from '../../src/contract/blob.js';
import { loadDars } from '../../src/dar/catalog.js';
import { authenticate } from '../../src/hash/authenticate.js';
import { snapshotInfo } from '../../src/inspect/info.js';
import { verifySnapshot } from '../../src/inspect/verify.js';
import { partyMap } from '../../src/remap/partyMap.js';
import { remapContracts } from '../../src/remap/remap.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { readAll } from '../convert/readAll.js';
import { fixture } from '../fixtures.js';

const script = fileURLToPath(new URL('../../bench/generate.mjs', import.meta.url));

let folder: string;
let runs = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'acs-generate-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function generate(...options: string[]): Promise<string> {
  const path = join(folder, `${runs++}.acs.gz`);
  await promisify(execFile)(process.execPath, [script, path, ...options]);
  return path;
}

async function frames(path: string): Promise<string[]> {
  const list: string[] = [];
  await scanSnapshot(path, (record) => {
    list.push(record.buf.toString('hex', record.start, record.end));
  });
  return list;
}

describe('the generator of bench data', () => {
  it.each([
    ['iou', 'V12'],
    ['mixed', 'V11'],
    ['mixed', 'V10'],
  ])('shape %s, ids %s: verify finds nothing wrong', async (shape, version) => {
    const path = await generate(
      '--count',
      '400',
      '--shape',
      shape,
      '--id-version',
      version,
      '--synchronizers',
      '2',
    );
    const findings: unknown[] = [];
    const report = await verifySnapshot(path, { onFinding: (finding) => findings.push(finding) });
    expect(findings).toEqual([]);
    expect(report.contracts).toBe(400);
  });

  it('lets contracts refer to others, with ids that verify and that a remap follows', async () => {
    const path = await generate(
      ...['--count', '400', '--shape', 'mixed', '--authentic'],
      ...['--reference-share', '0.1', '--moved-share', '0'],
    );
    const packages = await loadDars([fixture('dars')], { cacheDir: false });
    const present = new Set<string>();
    const { contracts } = await readAll(path);
    for (const { contractId, blob } of contracts) {
      present.add(contractId);
      if (blob === undefined) throw new Error('no blob');
      expect(authenticate(new BlobView().parse(blob), { packages }).code).toBe('VALID');
    }
    expect(present.size).toBe(400);
    const report = await verifySnapshot(path);
    expect(report.findings).toEqual({});
    const renamed = partyMap([{ old: 'nobody::1220', new: 'somebody::1220' }]);
    const result = await remapContracts([path], {
      map: renamed,
      output: join(folder, 'remapped.acs.gz'),
      compiler: new PlanCompiler(packages),
      allow: new Set(['UNMAPPED_PARTY']),
    });
    expect(result.referring).toBeGreaterThan(20);
    expect(result.referring).toBeLessThan(60);
    // Nothing dangles: everything referred to is in the file.
    expect(result.findings.map(({ code }) => code)).not.toContain('DANGLING_REFERENCE');
  });

  it('writes records of the size a real export has', async () => {
    const info = await snapshotInfo(await generate('--count', '2000', '--plain'));
    const perRecord = info.gzip.inflatedBytes / info.contracts;
    expect(perRecord).toBeGreaterThan(1500);
    expect(perRecord).toBeLessThan(1580);
    expect(info.gzip.compressedBytes / info.contracts).toBeGreaterThan(240);
  });

  it('gives the same bytes for the same seed, others for another', async () => {
    const [a, b, c] = await Promise.all([
      generate('--count', '300', '--seed', '5'),
      generate('--count', '300', '--seed', '5'),
      generate('--count', '300', '--seed', '6'),
    ]);
    expect(await readFile(a)).toEqual(await readFile(b));
    expect((await snapshotInfo(a)).contentDigest).not.toBe((await snapshotInfo(c)).contentDigest);
  });

  it('archives a share, shuffles, and starts elsewhere without changing the contracts', async () => {
    const all = await frames(await generate('--count', '500'));
    const shuffled = await frames(await generate('--count', '500', '--shuffle'));
    expect(shuffled).not.toEqual(all);
    expect([...shuffled].sort()).toEqual([...all].sort());
    const fewer = await frames(await generate('--count', '500', '--archived-share', '0.2'));
    expect(fewer.length).toBeGreaterThan(350);
    expect(fewer.length).toBeLessThan(450);
    expect(fewer).toEqual(all.filter((frame) => fewer.includes(frame)));
    expect(await frames(await generate('--count', '100', '--first', '200'))).toEqual(all.slice(200, 300));
  });
});
