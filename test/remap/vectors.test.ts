import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBlob } from '../../src/contract/contractInstance.js';
import { loadDars } from '../../src/dar/catalog.js';
import { partyMap } from '../../src/remap/partyMap.js';
import { remapContracts } from '../../src/remap/remap.js';
import type { RemapCode } from '../../src/remap/remapFindings.js';
import type { RemapOptions } from '../../src/remap/remapOptions.js';
import { encodeRecord } from '../../src/snapshot/encodeRecord.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { readAll } from '../convert/readAll.js';
import { fixture, jsonLines } from '../fixtures.js';

/** Contracts remapped by the real code (`contract-ids/remapped*.jsonl` of the corpus). */
interface Vector {
  name: string;
  party_map: Record<string, string>;
  old_contract_id: string;
  new_contract_id: string;
  old_blob: string;
  new_blob: string;
  new_key_hash?: string;
  authentication?: { verdict: string } | string;
}

const SYNC = `sync::1220${'aa'.repeat(32)}`;
let folder: string;
let compiler: PlanCompiler;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acs-remap-vectors-'));
  compiler = new PlanCompiler(await loadDars([fixture('dars')], { cacheDir: false }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const vectors = [
  ...jsonLines<Vector>(fixture('contract-ids/remapped.jsonl.gz')),
  ...jsonLines<Vector>(fixture('contract-ids/remapped-2.jsonl.gz')),
].filter((vector) => vector.new_blob !== undefined);

/** What the real code made by hand and an engine refuses: not what a remap shall produce. */
const NOT_A_REMAP = /^(genmap-left-in-old-order|merge\/genmap-both-entries-kept)\//;

function snapshot(name: string, of: readonly Vector[]): string {
  const frames = of.map((vector) =>
    encodeRecord({
      synchronizerId: SYNC,
      reassignmentCounter: 0n,
      createdEvent: {
        contractId: vector.old_contract_id,
        createdEventBlob: Buffer.from(vector.old_blob, 'hex'),
      },
    }),
  );
  const file = join(folder, name);
  writeFileSync(file, gzipSync(Buffer.concat(frames)));
  return file;
}

async function remap(of: readonly Vector[], allow: readonly RemapCode[], rest: Partial<RemapOptions> = {}) {
  const output = join(folder, 'out.acs.gz');
  const result = await remapContracts([snapshot('in.acs.gz', of)], {
    map: partyMap(Object.entries(of[0].party_map).map(([old, fresh]) => ({ old, new: fresh }))),
    compiler,
    output,
    allow: new Set(allow),
    ...rest,
  });
  return { result, contracts: result.refused.length > 0 ? [] : (await readAll(output)).contracts };
}

const MERGING: readonly RemapCode[] = ['UNMAPPED_PARTY', 'MERGED_PARTIES', 'ROLES_CHANGED', 'KEY_COLLISION'];

describe('remap vectors of the real code', () => {
  const single = vectors.filter((v) => !v.name.startsWith('chain/') && !NOT_A_REMAP.test(v.name));

  it.each(single.map((vector) => [vector.name, vector] as const))('%s', async (_name, vector) => {
    const { contracts } = await remap([vector], [...MERGING, 'DANGLING_REFERENCE']);
    expect(contracts[0].blob?.toString('hex')).toBe(vector.new_blob);
    expect(contracts[0].contractId).toBe(vector.new_contract_id);
    if (vector.new_key_hash !== undefined) {
      expect(contracts[0].instance?.key?.hash.toString('hex')).toBe(vector.new_key_hash);
    }
  });

  it.each(['V10', 'V11', 'V12'])('chains of references, %s, in any order of the records', async (version) => {
    const chain = vectors.filter(
      (v) => v.name.endsWith(`/${version}`) && /^chain\/\d-of-3\/|^chain\/(iou|deal-with-iou)\//.test(v.name),
    );
    expect(chain.length).toBe(5);
    for (const order of [chain, [...chain].reverse()]) {
      const { result, contracts } = await remap(order, ['UNMAPPED_PARTY']);
      expect(result).toMatchObject({ referring: 3, newIds: 5 });
      expect(contracts.map((c) => c.blob?.toString('hex'))).toEqual(order.map((v) => v.new_blob));
    }
  });

  it.each(['V10', 'V11', 'V12'])(
    'a reference out of the input is kept, when allowed, %s',
    async (version) => {
      const vector = vectors.find((v) => v.name === `chain/3-of-3-old-reference-kept/${version}`) as Vector;
      const refused = await remap([vector], ['UNMAPPED_PARTY']);
      expect(refused.result.refused).toEqual(['DANGLING_REFERENCE']);
      const { contracts } = await remap([vector], ['UNMAPPED_PARTY', 'DANGLING_REFERENCE']);
      expect(contracts[0].blob?.toString('hex')).toBe(vector.new_blob);
    },
  );

  it('V10 and V11 need no DAR, V12 says that it does', async () => {
    const named = (name: string) => vectors.find((v) => v.name === name) as Vector;
    for (const version of ['V10', 'V11']) {
      const vector = named(`iou-1.0/${version}`);
      const { contracts } = await remap([vector], MERGING, { compiler: undefined });
      expect(contracts[0].blob?.toString('hex')).toBe(vector.new_blob);
    }
    await expect(remap([named('iou-1.0/V12')], MERGING, { compiler: undefined })).rejects.toMatchObject({
      code: 'PACKAGE_MISSING',
      hint: expect.stringContaining('--dar'),
    });
  });
});

describe('what a remap refuses', () => {
  const collide = vectors.find((v) => v.name === 'merge/genmap-keys-collide-different-values/V12') as Vector;

  it('merged parties, and colliding map keys with their path even when merging is allowed', async () => {
    const first = await remap([collide], ['UNMAPPED_PARTY']);
    expect(first.result.refused).toEqual(expect.arrayContaining(['MERGED_PARTIES', 'KEY_COLLISION']));
    expect(() => readFileSync(join(folder, 'never'))).toThrow();
    const second = await remap([collide], ['UNMAPPED_PARTY', 'MERGED_PARTIES', 'ROLES_CHANGED']);
    expect(second.result.refused).toEqual(['KEY_COLLISION']);
    expect(second.result.collisions).toEqual([
      { contractId: collide.old_contract_id, path: expect.stringMatching(/^[a-z][A-Za-z]+$/), lost: 1 },
    ]);
    const third = await remap([collide], MERGING);
    expect(third.result.collisions).toHaveLength(1);
    expect(third.contracts[0].blob?.toString('hex')).toBe(collide.new_blob);
  });

  it('parties that the map does not have, each named once', async () => {
    const vector = vectors.find((v) => v.name === 'all-types/V12') as Vector;
    const { result } = await remap([vector], [], { map: partyMap([]) });
    const parties = decodeBlob(Buffer.from(vector.old_blob, 'hex'));
    const finding = result.findings.find((f) => f.code === 'UNMAPPED_PARTY');
    expect(result.refused).toContain('UNMAPPED_PARTY');
    for (const party of [...parties.nonMaintainerSignatories, ...parties.nonSignatoryStakeholders]) {
      expect(finding?.examples.filter((example) => example.endsWith(` ${party}`))).toHaveLength(1);
    }
  });

  it('a contract whose id does not belong to its content: a new id would launder it', async () => {
    const vector = vectors.find((v) => v.name === 'iou-1.0/V12') as Vector;
    const forged = { ...vector, old_blob: vector.old_blob.replace('00'.repeat(2), '00'.repeat(2)) };
    const blob = Buffer.from(vector.old_blob, 'hex');
    const at = blob.indexOf(Buffer.from('.0000000000')) - 1;
    blob[at] = blob[at] === 0x35 ? 0x36 : 0x35;
    forged.old_blob = blob.toString('hex');
    const { result } = await remap([forged], MERGING);
    expect(result.refused).toEqual(['NOT_AUTHENTIC']);
    expect(result.findings.find((f) => f.code === 'NOT_AUTHENTIC')?.examples[0]).toContain('MISMATCH');
  });

  it('the same contract with two contents', async () => {
    const a = vectors.find((v) => v.name === 'iou-1.0/V10') as Vector;
    const b = { ...a, old_blob: a.old_blob.replace('555344', '455552') };
    expect(b.old_blob).not.toBe(a.old_blob);
    await expect(remap([a, b], [...MERGING, 'NOT_AUTHENTIC'])).rejects.toMatchObject({
      code: 'CONTENT_CONFLICT',
    });
  });
});
