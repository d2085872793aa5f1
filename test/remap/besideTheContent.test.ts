import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDars } from '../../src/dar/catalog.js';
import { type PartyMap, partyMap, readPartyMap, unchangedParties } from '../../src/remap/partyMap.js';
import { remapContracts } from '../../src/remap/remap.js';
import type { RemapOptions } from '../../src/remap/remapOptions.js';
import { encodeFrame } from '../../src/snapshot/encodeRecord.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { WireReader } from '../../src/wire/reader.js';
import { runCommand } from '../cli/runCommand.js';
import { field } from '../convert/handBuilt.js';
import { readAll } from '../convert/readAll.js';
import { fixture } from '../fixtures.js';

const ZED = `Zed::1220${'ab'.repeat(32)}`;
const ZOD = `Zod::1220${'cd'.repeat(32)}`;

let folder: string;
let compiler: PlanCompiler;
/** Its first contract was witnessed by a party that is no stakeholder of any. */
let witnessed: string;
let map: PartyMap;
let identity: PartyMap;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acs-beside-'));
  compiler = new PlanCompiler(await loadDars([fixture('paint/acme-paint-1.0.0.dar')], { cacheDir: false }));
  map = await readPartyMap(fixture('paint/party-map.csv'));
  identity = partyMap(map.entries.map(({ old }) => ({ old, new: old })));
  witnessed = join(folder, 'witnessed.acs.gz');
  const { contracts } = await readAll(fixture('paint/old-ledger.acs.gz'));
  const frames = contracts.map(({ event = Buffer.alloc(0), synchronizerId = '' }, i) =>
    encodeFrame(i === 0 ? withWitness(event) : event, synchronizerId, 0n),
  );
  writeFileSync(witnessed, gzipSync(Buffer.concat(frames)));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The event with a further witness behind the others. */
function withWitness(event: Buffer): Buffer {
  const r = new WireReader(event);
  let behind = 0;
  while (r.pos < r.end) {
    const tag = r.tag();
    r.skip(tag & 7);
    if (tag >>> 3 === 9) behind = r.pos;
  }
  return Buffer.concat([event.subarray(0, behind), field(9, ZED), event.subarray(behind)]);
}

function withZed(base: PartyMap, fresh: string): PartyMap {
  return partyMap([...base.entries, { old: ZED, new: fresh }]);
}

const ways = [{ threads: 0 }, { threads: 1 }, { longWay: true }] as const;

describe.each(ways)('what stands beside the content (%o)', (way) => {
  const run = (chosen: PartyMap, input = witnessed) =>
    remapContracts([input], { map: chosen, compiler, output: join(folder, 'out.acs.gz'), ...way });
  const witnesses = async () => (await readAll(join(folder, 'out.acs.gz'))).contracts[0].witnesses ?? [];

  it('a witness is renamed although the contract keeps its id', async () => {
    const result = await run(withZed(identity, ZOD));
    expect(result).toMatchObject({ newIds: 0, refused: [], findings: [] });
    const [before] = (await readAll(witnessed)).contracts;
    expect(await witnesses()).toEqual(before.witnesses?.map((party) => (party === ZED ? ZOD : party)));
    const [after] = (await readAll(join(folder, 'out.acs.gz'))).contracts;
    expect(after.event?.toString('latin1')).toBe(before.event?.toString('latin1').replace(ZED, ZOD));
  });

  it('a witness that the map lacks is reported, whether the contract changes or not', async () => {
    for (const chosen of [map, identity]) {
      const result = await run(chosen);
      expect(result.refused).toEqual(['UNMAPPED_PARTY']);
      expect(result.unmappedParties).toEqual([ZED]);
    }
    expect((await run(withZed(map, ZOD))).refused).toEqual([]);
    expect(await witnesses()).toContain(ZOD);
  });
});

it('a renamed package is renamed too where it only represents a contract that keeps its id', async () => {
  const { contracts } = await readAll(fixture('snapshots/tiny.acs.gz'));
  const upgraded = contracts.find((c) => c.representativePackageId !== c.templateId.packageId);
  const { event = Buffer.alloc(0), synchronizerId = '', representativePackageId = '' } = upgraded ?? {};
  const input = join(folder, 'upgraded.acs.gz');
  writeFileSync(input, gzipSync(encodeFrame(event, synchronizerId, 0n)));
  const output = join(folder, 'represented.acs.gz');
  const packageMap = new Map([[representativePackageId, 'ab'.repeat(32)]]);
  const result = await remapContracts([input], { map: unchangedParties(), packageMap, output });
  expect(result).toMatchObject({ newIds: 0, refused: [] });
  const [after] = (await readAll(output)).contracts;
  expect(after.blob).toEqual(upgraded?.blob);
  expect(after.representativePackageId).toBe('ab'.repeat(32));
});

it('a contract whose id is hashed without types gets no package that is not at hand', async () => {
  const { contracts } = await readAll(fixture('snapshots/tiny.acs.gz'));
  const dars = new PlanCompiler(await loadDars([fixture('dars')], { cacheDir: false }));
  for (const version of ['ca10', 'ca11']) {
    const contract = contracts.find(({ contractId }) => contractId.startsWith(version, 66));
    const { event = Buffer.alloc(0), synchronizerId = '', templateId } = contract ?? {};
    const input = join(folder, 'untyped.acs.gz');
    writeFileSync(input, gzipSync(encodeFrame(event, synchronizerId, 0n)));
    const run = (fresh: string, packages?: PlanCompiler) =>
      remapContracts([input], {
        map: unchangedParties(),
        compiler: packages,
        packageMap: new Map([[templateId?.packageId ?? '', fresh]]),
        output: join(folder, 'untyped.out.gz'),
      });
    const error = { code: 'PACKAGE_MISSING', place: { contractId: contract?.contractId } };
    await expect(run('ab'.repeat(32))).rejects.toMatchObject(error);
    await expect(run('ab'.repeat(32), dars)).rejects.toMatchObject(error);
  }
});

describe('what is found while writing', () => {
  const run = (input: string, rest: Partial<RemapOptions>) =>
    remapContracts([input], { map, output: join(folder, 'found.acs.gz'), ...rest });

  it('dropped interface views are told', async () => {
    const { contracts } = await readAll(fixture('paint/old-ledger.acs.gz'));
    const input = join(folder, 'views.acs.gz');
    const frames = contracts.map(({ event = Buffer.alloc(0), synchronizerId = '' }, i) => {
      const view = i < 2 ? field(8, field(1, '')) : Buffer.alloc(0);
      return encodeFrame(Buffer.concat([event, view]), synchronizerId, 0n);
    });
    writeFileSync(input, gzipSync(Buffer.concat(frames)));
    for (const longWay of [false, true]) {
      const { findings } = await run(input, { compiler, longWay });
      expect(findings.find(({ code }) => code === 'VIEWS_DROPPED')).toMatchObject({
        count: 2,
        examples: contracts.slice(0, 2).map((c) => c.contractId),
      });
    }
  });

  it('a renamed synchronizer or package that no contract has', async () => {
    const input = fixture('paint/old-ledger.acs.gz');
    const [{ synchronizerId = '', templateId }] = (await readAll(input)).contracts;
    const other = `other::1220${'00'.repeat(32)}`;
    const ways: (Partial<RemapOptions> & { chosen: PartyMap })[] = [
      { chosen: identity },
      { chosen: map },
      { chosen: identity, longWay: true },
      { chosen: identity, packageMap: new Map([[templateId.packageId, templateId.packageId]]) },
    ];
    for (const { chosen, ...way } of ways) {
      const unused = async (old: string, packages: [string, string][] = []) => {
        const { findings } = await run(input, {
          compiler,
          ...way,
          map: chosen,
          synchronizerMap: new Map([[old, other]]),
          packageMap: new Map([...(way.packageMap ?? []), ...packages]),
        });
        return findings.find(({ code }) => code === 'UNUSED_RENAME')?.examples ?? [];
      };
      expect(await unused(synchronizerId)).toEqual([]);
      expect(await unused(other)).toEqual([other]);
      expect(await unused(synchronizerId, [['aa', 'bb']])).toEqual(['aa']);
    }
  });

  it('ids that can be none are refused', async () => {
    const words = [witnessed, '-o', join(folder, 'none.acs.gz')];
    for (const option of [
      ['--rename-synchronizer', 's::1220=not one'],
      ['--rename-synchronizer', `s::1220=s::1220${'00'.repeat(32)}::34-0`],
      ['--package-map', 'aa=b/b'],
      ['--synchronizer', 'not one'],
    ]) {
      expect(await runCommand('remap', ...words, ...option)).toMatchObject({ status: 2 });
    }
    expect(await runCommand('convert', ...words, '--synchronizer', 'not one')).toMatchObject({ status: 2 });
  });
});
