/** A contract that an input holds several times: an import takes it once. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSnapshotFile } from '../../src/contract/snapshotFile.js';
import { loadDars } from '../../src/dar/catalog.js';
import { type PartyMap, partyMap, readPartyMap } from '../../src/remap/partyMap.js';
import { remapContracts } from '../../src/remap/remap.js';
import type { RemapOptions } from '../../src/remap/remapOptions.js';
import { encodeFrame } from '../../src/snapshot/encodeRecord.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { fixture } from '../fixtures.js';

const source = fixture('paint/old-ledger.acs.gz');
const OLD = 'old-sync::1220505b6d123bdb279b71a8ab16f71adce57b17b8f6526dc1db06da937f47afc3eb';
const OTHER = `other-sync::1220${'cd'.repeat(32)}`;

let folder: string;
let compiler: PlanCompiler;
let map: PartyMap;
const at = (name: string): string => join(folder, name);
const inflated = (file: string): Buffer => gunzipSync(readFileSync(file));

/** Every record of the source, each followed by itself on `synchronizer` with `counter`. */
async function twice(name: string, synchronizer: string, counter: bigint): Promise<string> {
  const file = await createSnapshotFile(at(name));
  await scanSnapshot(source, (record) => {
    file.writeRecord(record);
    const event = Buffer.from(record.buf.subarray(record.eventStart, record.eventEnd));
    file.writeFrame(encodeFrame(event, synchronizer, counter));
  });
  await file.finish();
  return at(name);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acs-written-'));
  compiler = new PlanCompiler(await loadDars([fixture('paint/acme-paint-1.0.0.dar')], { cacheDir: false }));
  map = await readPartyMap(fixture('paint/party-map.csv'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The short way with new ids, the short way with ids that stay, the long way with both. */
const ways: [string, () => Partial<RemapOptions>][] = [
  ['new ids', () => ({ map })],
  ['ids that stay', () => ({ map: partyMap([]), allow: new Set(['UNMAPPED_PARTY']) })],
  ['new ids, the long way', () => ({ map, longWay: true })],
  [
    'ids that stay, the long way',
    () => ({ map: partyMap([]), allow: new Set(['UNMAPPED_PARTY']), longWay: true }),
  ],
];

describe.each(ways)('contracts that an input holds twice: %s', (name, way) => {
  const remap = (input: string, rest: Partial<RemapOptions> = {}) =>
    remapContracts([input], { map, compiler, output: at(`${name}.acs.gz`), ...way(), ...rest });

  it('are written once, and counted', async () => {
    const once = await remap(source);
    const expected = inflated(at(`${name}.acs.gz`));
    const result = await remap(await twice('same.acs.gz', OLD, 0n));
    expect(result.outputs).toEqual([
      { ...once.outputs[0], input: at('same.acs.gz'), duplicates: once.contracts },
    ]);
    expect(inflated(at(`${name}.acs.gz`)).equals(expected)).toBe(true);
  });

  it('are written for each of two synchronizers', async () => {
    const result = await remap(await twice('two.acs.gz', OTHER, 0n));
    expect(result.outputs).toMatchObject([{ contracts: 72, duplicates: 0 }]);
  });

  it('are written once where two synchronizers become one', async () => {
    const synchronizerMap = new Map([[OTHER, OLD]]);
    const result = await remap(await twice('one.acs.gz', OTHER, 0n), { synchronizerMap });
    expect(result.outputs).toMatchObject([{ contracts: 36, duplicates: 36 }]);
  });

  it('are an error with different counters, and nothing is written', async () => {
    rmSync(at(`${name}.acs.gz`));
    await expect(remap(await twice('moved.acs.gz', OLD, 3n))).rejects.toMatchObject({
      code: 'CONTENT_CONFLICT',
      found: expect.stringContaining('counter 3') as string,
    });
    expect(existsSync(at(`${name}.acs.gz`))).toBe(false);
  });
});
