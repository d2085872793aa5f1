import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDars } from '../../src/dar/catalog.js';
import { partyMap, readPartyMap } from '../../src/remap/partyMap.js';
import { remapContracts } from '../../src/remap/remap.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { fixture } from '../fixtures.js';

let folder: string;
let compiler: PlanCompiler;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acs-genuine-'));
  compiler = new PlanCompiler(await loadDars([fixture('paint/acme-paint-1.0.0.dar')], { cacheDir: false }));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a contract that changes only because what it refers to does', () => {
  it.each([false, true])('is checked before it gets a new id (long way: %s)', async (longWay) => {
    const genuine = fixture('paint/old-ledger-with-references.acs.gz');
    // The house of Kahlo and Alice refers to an IOU of Citi. Its painter becomes somebody who never signed.
    const bytes = gunzipSync(readFileSync(genuine));
    const house = bytes.indexOf('PaintHouse');
    for (let at = bytes.indexOf('Kahlo::', house); at >= 0; at = bytes.indexOf('Kahlo::', at + 1)) {
      bytes.write('M', at);
    }
    const forged = join(folder, 'forged.acs.gz');
    writeFileSync(forged, gzipSync(bytes));

    const { entries } = await readPartyMap(fixture('paint/party-map.csv'));
    const kept = entries.map(({ old, new: fresh }) => ({
      old,
      new: old.startsWith('Citi::') ? fresh : old,
    }));
    const kahlo = entries.find(({ old }) => old.startsWith('Kahlo::'))?.old ?? '';
    const mahlo = kahlo.replace('Kahlo', 'Mahlo');
    const map = partyMap([...kept, { old: mahlo, new: mahlo }]);
    const run = (input: string) =>
      remapContracts([input], { map, compiler, output: join(folder, 'out.acs.gz'), longWay });

    const refused = await run(forged);
    expect(refused.refused).toEqual(['NOT_AUTHENTIC']);
    const finding = refused.findings.find(({ code }) => code === 'NOT_AUTHENTIC');
    expect(finding?.count).toBe(1);
    expect(finding?.examples[0]).toMatch(/^009885a3d066b8.* MISMATCH: /);
    expect((await run(genuine)).refused).toEqual([]);
  });
});
