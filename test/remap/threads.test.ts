import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDars } from '../../src/dar/catalog.js';
import { AcsError } from '../../src/io/error.js';
import { listParties } from '../../src/remap/listParties.js';
import { partyMap } from '../../src/remap/partyMap.js';
import { remapContracts } from '../../src/remap/remap.js';
import type { RemapOptions } from '../../src/remap/remapOptions.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { fixture } from '../fixtures.js';

let folder: string;
let compiler: PlanCompiler;
/** Some batches of genuine contracts, some of them referring to others. */
let genuine: string;
/** The same ids in both, which belong to no content. */
let false1: string;
let false2: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acs-threads-'));
  compiler = new PlanCompiler(
    await loadDars([fixture('dars'), fixture('paint/acme-paint-1.0.0.dar')], { cacheDir: false }),
  );
  genuine = join(folder, 'genuine.acs.gz');
  false1 = join(folder, 'false1.acs.gz');
  false2 = join(folder, 'false2.acs.gz');
  const generate = (path: string, ...words: string[]): void => {
    const program = fileURLToPath(new URL('../../bench/generate.mjs', import.meta.url));
    const shape = ['--count', '3000', '--shape', 'mixed', '--moved-share', '0'];
    execFileSync(process.execPath, [program, path, ...shape, ...words]);
  };
  generate(genuine, '--authentic', '--reference-share', '0.1', '--in-flight', '2');
  generate(false1, '--parties', '200');
  generate(false2, '--parties', '100');
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

async function mapOf(inputs: string[], keep: (i: number) => boolean) {
  const { parties } = await listParties(inputs, { compiler });
  return partyMap(
    parties
      .filter((_, i) => keep(i))
      .map(({ party }) => ({ old: party, new: `${party.split('::')[0]}::1220${'ef'.repeat(32)}` })),
  );
}

/** What a run gives: result and files, or the error. */
async function run(inputs: string[], options: Omit<RemapOptions, 'output'>) {
  const output = join(folder, inputs.length === 1 ? 'out.acs.gz' : 'out');
  rmSync(output, { recursive: true, force: true });
  try {
    const result = await remapContracts(inputs, { ...options, output });
    const files = result.outputs.map((out) => readFileSync(out.output).toString('base64'));
    if (result.idMap !== null) files.push(readFileSync(result.idMap, 'utf8'));
    return { result, files };
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
    return { error: error.toJSON() };
  }
}

/** Runs without further threads, and with some; all must give the same. */
async function same(inputs: string[], options: Omit<RemapOptions, 'output'>) {
  const alone = await run(inputs, { ...options, threads: 0 });
  for (const threads of [1, 3]) expect(await run(inputs, { ...options, threads })).toEqual(alone);
  return alone;
}

const EVERYTHING = new Set([
  'UNMAPPED_PARTY',
  'TEXT_PARTY',
  'DANGLING_REFERENCE',
  'NOT_AUTHENTIC',
  'ROLES_CHANGED',
] as const);

describe('a remap on several threads', () => {
  it.each([
    'snapshots/tiny.acs.gz',
    'snapshots/tiny-verbose.acs.gz',
    'snapshots/two-synchronizers.acs.gz',
    'paint/old-ledger-with-references.acs.gz',
    'live/p1.export-acs.acme.acs.gz',
    'live/p1.export-acs.all-parties.acs.gz',
  ])('gives the same result, files and findings: %s', async (name) => {
    const inputs = [fixture(name)];
    for (const keep of [() => true, (i: number) => i % 2 === 0]) {
      const { result } = await same(inputs, { map: await mapOf(inputs, keep), compiler, allow: EVERYTHING });
      expect(result?.contracts).toBeGreaterThan(0);
    }
  });

  it('… of many batches with references', async () => {
    const { result } = await same([genuine], { map: await mapOf([genuine], () => true), compiler });
    expect(result).toMatchObject({ contracts: 3000, newIds: 3000, refused: [] });
    expect(result?.referring).toBeGreaterThan(100);
    expect(result?.findings.map(({ code }) => code)).toEqual(['SIGNATORIES_CHANGED', 'IN_FLIGHT']);
  }, 60_000);

  it('… of contracts that are not genuine, in two inputs that share contracts', async () => {
    const copy = join(folder, 'copy.acs.gz');
    copyFileSync(false1, copy);
    const map = await mapOf([false1], (i) => i % 3 !== 0);
    const { result } = await same([false1, copy], { map, compiler, allow: EVERYTHING });
    expect(result?.contracts).toBe(3000);
    const found = new Map(result?.findings.map((finding) => [finding.code, finding]));
    expect(found.get('NOT_AUTHENTIC')?.count).toBe(result?.newIds);
    expect(found.get('NOT_AUTHENTIC')?.examples[0]).toContain(
      'MISMATCH: the id does not belong to the content',
    );
    expect(found.get('UNMAPPED_PARTY')?.count).toBe(result?.unmappedParties.length);
  }, 60_000);

  it('the first error in the order of the file is the one told', async () => {
    const map = await mapOf([genuine], () => true);
    const cut = join(folder, 'cut.acs.gz');
    copyFileSync(genuine, cut);
    truncateSync(cut, statSync(genuine).size - 100);
    expect((await same([cut], { map, compiler })).error?.code).toBe('GZIP_TRUNCATED');

    // Some contracts of the cut file have types that no DAR holds: that is found before its end is missed.
    const few = new PlanCompiler(await loadDars([fixture('dars/acme-iou-1.0.0.dar')], { cacheDir: false }));
    for (const input of [genuine, cut]) {
      const { error } = await same([input], { map, compiler: few });
      expect(error?.code).toBe('PACKAGE_MISSING');
      expect(error?.place?.record).toBeGreaterThan(0);
      expect(error?.place?.byteOffset).toBeGreaterThan(0);
    }

    const conflict = await same([false1, false2], {
      map: await mapOf([false1, false2], () => true),
      compiler,
      allow: EVERYTHING,
    });
    expect(conflict.error).toMatchObject({ code: 'CONTENT_CONFLICT', place: { file: false2 } });
  }, 60_000);
});
