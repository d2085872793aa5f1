import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadDars } from '../../src/dar/catalog.js';
import {
  listPackages,
  type PackagesReport,
  parseOverrides,
  typePackages,
} from '../../src/inspect/packages.js';
import type { AcsError } from '../../src/io/error.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture, shared } from '../fixtures.js';
import { CORPUS_DARS, corpusPackages } from '../hash/corpusPackages.js';

const IOU_1_0 = '0e004d4f1312221fb630102c5dd9c685f56c1e1d45065eccce630692391711dd';
const IOU_1_1 = 'a093d66ae0637dae75ecc8421eb145ad9392cc124b7c948359b799dd65f905a5';
const tiny = fixture('snapshots/tiny.acs.gz');
const packages = await corpusPackages();
const dir = mkdtempSync(join(tmpdir(), 'acskit-packages-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe('packages of a snapshot', () => {
  it('are all present with the DARs of the corpus, types of arguments included', async () => {
    const report = await listPackages(tiny, { packages });
    expect(report.contracts).toBe(12);
    expect(report.missing).toEqual([]);
    expect(report.overrides.packageIdOverride).toEqual({});
    expect(report.selections.every((s) => s.rule === 'exported' && !s.refusedByAccept)).toBe(true);
    const roles = new Set(report.packages.flatMap((p) => p.roles));
    expect([...roles].sort()).toEqual(['creation', 'representative', 'selected']);
    expect(report.packages.find((p) => p.packageId === IOU_1_0)).toMatchObject({
      name: 'acme-iou',
      version: '1.0.0',
      inDars: true,
      present: true,
    });
  });

  it('include those of the types in arguments and keys', () => {
    let keyed = 0;
    for (const id of packages.ids()) {
      for (const module of packages.get(id)?.modules.values() ?? []) {
        for (const template of module.templates.values()) {
          const { argument, key } = typePackages(packages, template.ref);
          expect(argument.has(id)).toBe(true);
          if (template.keyType !== null && key.size > 0) keyed++;
        }
      }
    }
    expect(keyed).toBeGreaterThan(0);
  });

  const amulet = shared('public/dars/splice-amulet-0.1.14.dar');
  it.skipIf(amulet === undefined)('reach into other packages, the standard library among them', async () => {
    const real = await loadDars([amulet as string], { cacheDir: false });
    const [{ mainPackageId }] = real.dars;
    const template = { packageId: mainPackageId, module: 'Splice.AmuletRules', name: 'AmuletRules' };
    const { argument, key } = typePackages(real, template);
    const modules = new Set([...argument].flatMap((id) => [...(real.get(id)?.modules.keys() ?? [])]));
    expect([...argument].every((id) => real.get(id) !== undefined)).toBe(true);
    for (const module of ['Splice.AmuletRules', 'DA.Types', 'DA.Set.Types', 'DA.Time.Types']) {
      expect(modules.has(module), module).toBe(true);
    }
    expect(key.size).toBe(0);
  });

  it('are all missing without DARs', async () => {
    const report = await listPackages(tiny);
    expect(report.missing).toContain(IOU_1_0);
    expect(report.selections.every((s) => s.selectedPackageId === null)).toBe(true);
    expect(report.notKnown[0]).toMatch(/--known/);
  });

  it('fall back to another version, which the override map writes down', async () => {
    const newer = await loadDars([fixture('dars/acme-iou-1.1.0.dar')], { cacheDir: false });
    const report = await listPackages(tiny, { packages: newer });
    const fallen = report.selections.filter((s) => s.representativePackageId === IOU_1_0);
    expect(fallen.length).toBeGreaterThan(0);
    for (const selection of fallen) {
      expect(selection).toMatchObject({
        selectedPackageId: IOU_1_1,
        rule: 'highest-version',
        refusedByAccept: true,
      });
    }
    expect(report.overrides.packageIdOverride).toEqual({ [IOU_1_0]: IOU_1_1 });
    const again = await listPackages(tiny, {
      packages: newer,
      overrides: parseOverrides(JSON.stringify(report.overrides)),
    });
    expect(again.selections.filter((s) => s.representativePackageId === IOU_1_0)).toEqual(
      fallen.map((s) => ({ ...s, rule: 'override-of-exported' })),
    );
  });

  it('follow overrides in the order of the participant', async () => {
    const [first] = (await listPackages(tiny, { packages })).selections;
    const id = 'ff'.repeat(69);
    const report = await listPackages(tiny, {
      packages,
      overrides: parseOverrides(
        JSON.stringify({
          contract_override: { [id]: IOU_1_1 },
          packageIdOverride: { [first.representativePackageId]: IOU_1_1 },
        }),
      ),
    });
    expect(report.unusedOverrides).toEqual([id]);
    expect(
      report.selections.find((s) => s.representativePackageId === first.representativePackageId)?.rule,
    ).toBe('override-of-exported');
  });

  it('refuse a malformed override map', () => {
    for (const text of [
      '{',
      '[]',
      '{"other":{}}',
      '{"packageIdOverride":1}',
      '{"packageIdOverride":{"a":1}}',
    ]) {
      expect(() => parseOverrides(text), text).toThrow(
        expect.objectContaining({ code: 'OVERRIDES_MALFORMED' }) as AcsError,
      );
    }
  });
});

describe('acs packages', () => {
  it('lists, writes the map, and fails when something is missing', async () => {
    const known = join(dir, 'known.txt');
    writeFileSync(known, `# of participant1\n${IOU_1_0} acme-iou 1.0.0\n`);
    const map = join(dir, 'map.json');
    const ok = await runCommand('packages', ...CORPUS_DARS.flatMap((d) => ['--dar', d]), '--no-cache', tiny);
    expect(ok.status, ok.stderr).toBe(0);
    expect(ok.stdout).toMatch(/acme-iou\s+1\.0\.0/);
    const lacking = await runCommand('packages', '--json', '--known', known, '--write-overrides', map, tiny);
    expect(lacking.status).toBe(1);
    const report = JSON.parse(lacking.stdout) as PackagesReport;
    expect(report.missing).not.toContain(IOU_1_0);
    expect(report.missing.length).toBeGreaterThan(0);
    expect(JSON.parse(readFileSync(map, 'utf8'))).toEqual(report.overrides);
  });

  it('names a mistake in the list of known packages', async () => {
    const known = join(dir, 'bad.txt');
    writeFileSync(known, '!!!\n');
    const result = await runCommand('packages', '--known', known, tiny);
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(/KNOWN_IDS_MALFORMED/);
    expect((await runCommand('packages', '--known', join(dir, 'none'), tiny)).status).toBe(2);
  });
});
