import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BlobView } from '../../src/contract/blob.js';
import { loadDars } from '../../src/dar/catalog.js';
import { authenticate } from '../../src/hash/authenticate.js';
import { mint } from '../../src/remap/mint.js';
import { type PartyMap, partyMap, readPartyMap } from '../../src/remap/partyMap.js';
import { remapContracts } from '../../src/remap/remap.js';
import type { RemapOptions } from '../../src/remap/remapOptions.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { readAll } from '../convert/readAll.js';
import { fixture, jsonLines } from '../fixtures.js';

const OLD = 'old-sync::1220505b6d123bdb279b71a8ab16f71adce57b17b8f6526dc1db06da937f47afc3eb';
const NEW = 'new-sync::122051d9f2365780a6da997ea1880cd2545154536367a2a04bf6b095ce14bcf4d0ca';
const SEED = 'a seed of at least sixteen bytes';

interface Expected {
  old_contract_id: string;
  new_contract_id: string;
  new_blob: string;
}

let folder: string;
let compiler: PlanCompiler;
let map: PartyMap;
const out = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acs-remap-'));
  compiler = new PlanCompiler(await loadDars([fixture('paint/acme-paint-1.0.0.dar')], { cacheDir: false }));
  map = await readPartyMap(fixture('paint/party-map.csv'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function options(rest: Partial<RemapOptions> & { output: string }): RemapOptions {
  return { map, compiler, synchronizerMap: new Map([[OLD, NEW]]), ...rest };
}

const inflated = (file: string): Buffer => gunzipSync(readFileSync(file));

async function allValid(file: string): Promise<void> {
  for (const { blob } of (await readAll(file)).contracts) {
    if (blob === undefined) throw new Error('no blob');
    expect(authenticate(new BlobView().parse(blob), { packages: compiler.packages }).code).toBe('VALID');
  }
}

describe('the paint-offer ledger', () => {
  const source = fixture('paint/old-ledger-with-references.acs.gz');

  it('gets exactly the ids and blobs of the real code, references included', async () => {
    const expected = jsonLines<Expected>(fixture('paint/remapped.expected.jsonl'));
    const result = await remapContracts([source], options({ output: out('new.acs.gz') }));
    expect(result).toMatchObject({ contracts: 38, newIds: 38, minted: 0, referring: 2, refused: [] });
    const { contracts } = await readAll(out('new.acs.gz'));
    const byId = new Map(contracts.map((contract) => [contract.contractId, contract]));
    expect(contracts).toHaveLength(expected.length);
    for (const line of expected) {
      expect(byId.get(line.new_contract_id)?.blob?.toString('hex')).toBe(line.new_blob);
    }
    const pairs = readFileSync(`${out('new.acs.gz')}.id-map.csv`, 'utf8')
      .trim()
      .split('\n')
      .slice(1);
    expect(pairs.sort()).toEqual(expected.map((e) => `${e.old_contract_id},${e.new_contract_id}`).sort());
    expect(contracts.every((contract) => contract.synchronizerId === NEW)).toBe(true);
    await allValid(out('new.acs.gz'));
    expect(inflated(out('new.acs.gz')).includes('1220505b6d123b')).toBe(false);
  });

  it('there and back gives the input byte for byte', async () => {
    const back = partyMap(map.entries.map((entry) => ({ old: entry.new, new: entry.old })));
    await remapContracts([source], options({ output: out('there.acs.gz') }));
    await remapContracts([out('there.acs.gz')], {
      map: back,
      compiler,
      synchronizerMap: new Map([[NEW, OLD]]),
      output: out('back.acs.gz'),
    });
    expect(inflated(out('back.acs.gz'))).toEqual(inflated(source));
  });

  it('an identity map changes nothing, ids included, and needs no allowance', async () => {
    const identity = partyMap(map.entries.map((entry) => ({ old: entry.old, new: entry.old })));
    const result = await remapContracts([source], {
      map: identity,
      compiler,
      output: out('same.acs.gz'),
      keepIds: true,
    });
    expect(result).toMatchObject({ newIds: 0, refused: [] });
    expect(inflated(out('same.acs.gz'))).toEqual(inflated(source));
    // Not even a DAR is needed when nothing changes.
    await remapContracts([source], { map: identity, output: out('same2.acs.gz') });
    expect(inflated(out('same2.acs.gz'))).toEqual(inflated(source));
  });

  it('a renamed synchronizer alone keeps ids and events', async () => {
    const identity = partyMap(map.entries.map((entry) => ({ old: entry.old, new: entry.old })));
    await remapContracts([source], options({ map: identity, output: out('moved.acs.gz'), keepIds: true }));
    const before = await readAll(source);
    const after = await readAll(out('moved.acs.gz'));
    expect(after.contracts.map((c) => c.event)).toEqual(before.contracts.map((c) => c.event));
    expect(new Set(after.contracts.map((c) => c.synchronizerId))).toEqual(new Set([NEW]));
  });

  it('keep-ids refuses when a content changes', async () => {
    await expect(
      remapContracts([source], options({ output: out('no.acs.gz'), keepIds: true })),
    ).rejects.toMatchObject({
      code: 'IDS_WOULD_CHANGE',
    });
    expect(() => readFileSync(out('no.acs.gz'))).toThrow();
  });

  it('refuses what cannot be read twice, and notices an input that changes in between', async () => {
    const fifo = out('pipe');
    execFileSync('mkfifo', [fifo]);
    for (const input of ['-', fifo]) {
      await expect(remapContracts([input], options({ output: out('no.acs.gz') }))).rejects.toMatchObject({
        code: 'USAGE',
        exitCode: 2,
      });
    }
    const input = out('changing.acs.gz');
    copyFileSync(source, input);
    const shorter = readFileSync(fixture('paint/old-ledger.acs.gz'));
    const read = { afterChunk: () => writeFileSync(input, shorter) };
    await expect(remapContracts([input], options({ output: out('no.acs.gz'), read }))).rejects.toMatchObject({
      code: 'INPUT_CHANGED',
      place: { file: input },
    });
    expect(existsSync(out('no.acs.gz'))).toBe(false);
  });

  it('from the JSON of the ledger: minted ids that are valid, the same on every run and from every subset', async () => {
    const plain = await readPartyMap(fixture('paint/party-map.plain.csv'));
    const minting = {
      map: plain,
      compiler,
      mint: mint(SEED),
      createdAt: 1767225600000000n,
      synchronizerId: NEW,
    };
    const json = fixture('paint/sandbox.query.json');
    const result = await remapContracts([json], { ...minting, output: out('minted.acs.gz') });
    expect(result).toMatchObject({ contracts: 36, minted: 36, refused: [] });
    expect(result.idVersions).toMatchObject([
      { label: 'V12', validation: true, accept: 'taken', contracts: 36 },
    ]);
    await remapContracts([json], { ...minting, output: out('again.acs.gz') });
    expect(readFileSync(out('again.acs.gz'))).toEqual(readFileSync(out('minted.acs.gz')));
    await allValid(out('minted.acs.gz'));
    const other = await remapContracts([json], {
      ...minting,
      mint: mint(`${SEED}!`),
      output: out('other.acs.gz'),
    });
    expect(other.refused).toEqual([]);
    const ids = async (file: string) => new Set((await readAll(file)).contracts.map((c) => c.contractId));
    const mine = await ids(out('minted.acs.gz'));
    expect([...(await ids(out('other.acs.gz')))].filter((id) => mine.has(id))).toEqual([]);
    // The arguments are those of the real remap.
    const real = jsonLines<Expected>(fixture('paint/remapped.expected.jsonl'));
    const args = (await readAll(out('minted.acs.gz'))).contracts.map((c) =>
      c.instance?.createArgument.toString('hex'),
    );
    for (const arg of args) expect(real.some((line) => line.new_blob.includes(arg ?? '-'))).toBe(true);
  });

  it('JSON with Canton ids but no salts is minted too, and says that it needs a seed', async () => {
    const json = fixture('paint/json-api-v1.query.json');
    await expect(remapContracts([json], options({ output: out('x.acs.gz') }))).rejects.toMatchObject({
      code: 'SEED_NEEDED',
    });
    const result = await remapContracts(
      [json],
      options({ output: out('x.acs.gz'), mint: mint(SEED), createdAt: 0n, synchronizerId: OLD }),
    );
    expect(result).toMatchObject({ minted: 36 });
    await allValid(out('x.acs.gz'));
  });

  it('a creation time that no contract can have is refused', async () => {
    const minting = { mint: mint(SEED), createdAt: -62135596800000001n, synchronizerId: OLD };
    await expect(
      remapContracts(
        [fixture('paint/json-api-v1.query.json')],
        options({ output: out('x.acs.gz'), ...minting }),
      ),
    ).rejects.toMatchObject({ code: 'BLOB_CREATED_AT' });
  });

  it('several inputs give one file each, with the same new ids', async () => {
    const inputs = [source, fixture('paint/old-ledger.acs.gz')];
    const result = await remapContracts(inputs, options({ output: out('several') }));
    expect(result).toMatchObject({ contracts: 38, newIds: 38 });
    expect(result.outputs.map((o) => o.contracts)).toEqual([38, 36]);
    const [a, b] = await Promise.all(
      result.outputs.map(async ({ output }) => (await readAll(output)).contracts),
    );
    const blobs = new Map(a.map((c) => [c.contractId, c.blob]));
    for (const contract of b) expect(blobs.get(contract.contractId)).toEqual(contract.blob);
  });
});
