/** What must hold for every snapshot file that the real implementation wrote: those in fixtures and, beside a checkout, all. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeBlob, encodeBlob } from '../../src/contract/contractInstance.js';
import { ContractView } from '../../src/contract/contractView.js';
import { decodeValue } from '../../src/contract/valueDecoder.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { loadDars } from '../../src/dar/catalog.js';
import { labelledRenderer } from '../../src/inspect/labelledArgument.js';
import { verifySnapshot } from '../../src/inspect/verify.js';
import { filterSnapshot } from '../../src/reshape/filter.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { valueFromJson } from '../../src/typed/valueFromJson.js';
import { fixture, jsonLines, shared } from '../fixtures.js';

interface Expected {
  contract_id: string;
  created_event_blob?: string;
  blob_sha256?: string;
  create_argument?: unknown;
  contract_key?: unknown;
}

const root = shared('corpus') ?? fixture('');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  // `lost-synchronizer` is of our own making.
  .filter((name) => name.endsWith('.acs.gz') && !name.startsWith('lost-synchronizer'))
  .sort();
/** What an export writes, behind all others, for a contract in flight: the one thing an import would refuse in these files. */
const IN_FLIGHT_FRAME = Buffer.from('040a00101e', 'hex');

const packages = await loadDars([fixture('dars'), fixture('paint/acme-paint-1.0.0.dar')], {
  cacheDir: false,
});
const compiler = new PlanCompiler(packages);
const work = mkdtempSync(join(tmpdir(), 'acskit-every-'));
afterAll(() => rmSync(work, { recursive: true }));

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function sidecar(file: string): Expected[] | undefined {
  const base = file.replace(/(-verbose)?\.acs\.gz$/, '.expected.jsonl');
  const found = [base, `${base}.gz`].find((name) => existsSync(name));
  return found === undefined ? undefined : jsonLines<Expected>(found);
}

describe('every snapshot', () => {
  it('is found', () => {
    expect(files.length).toBeGreaterThanOrEqual(30);
  });

  it.each(files)('%s', async (name) => {
    const file = join(root, name);
    const inflated = gunzipSync(readFileSync(file));

    // A copy through filter has the same bytes.
    const out = join(work, 'copy.acs.gz');
    await filterSnapshot(file, out);
    expect(gunzipSync(readFileSync(out)).equals(inflated), relative(root, file)).toBe(true);

    // Nothing is wrong with it, and every contract id is genuine.
    const report = await verifySnapshot(file, { authenticate: packages });
    const inFlight = inflated.subarray(-IN_FLIGHT_FRAME.length).equals(IN_FLIGHT_FRAME);
    expect(Object.keys(report.findings)).toEqual(inFlight ? ['IN_FLIGHT_RECORD'] : []);
    expect(Object.entries(report.authenticity?.verdicts ?? {}).filter(([, n]) => n > 0)).toEqual(
      report.contracts === 0 ? [] : [['VALID', report.contracts]],
    );

    // Every blob and every value survives decoding and encoding; the JSON of arguments and keys gives their bytes back.
    const expected = sidecar(file);
    const view = new ContractView();
    const render = labelledRenderer(packages);
    const wrong: string[] = [];
    let contracts = 0;
    await scanSnapshot(file, (record) => {
      if (record.inFlight) return;
      view.of(record);
      const blob = record.createdEventBlob as Buffer;
      const instance = decodeBlob(blob);
      if (!encodeBlob(instance).equals(blob)) wrong.push(`blob ${view.contractId}`);
      if (!encodeValue(decodeValue(instance.createArgument)).equals(instance.createArgument))
        wrong.push(`argument ${view.contractId}`);
      const labelled = render(view);
      if (labelled === undefined) {
        wrong.push(`positional ${view.contractId}`);
        return;
      }
      const { packageId, createArgument, contractKey } = labelled;
      if (packageId !== view.representativePackageId) wrong.push(`package ${view.contractId}`);
      const { moduleName, entityName } = view.blob.templateId;
      const plan = compiler.template(view.representativePackageId, `${moduleName}:${entityName}`);
      if (!encodeValue(valueFromJson(plan.arg, createArgument)).equals(instance.createArgument))
        wrong.push(`argument from JSON ${view.contractId}`);
      if ((instance.key === undefined) !== (contractKey === undefined)) wrong.push(`key ${view.contractId}`);
      if (instance.key !== undefined && plan.key !== null) {
        const key = encodeValue(valueFromJson(plan.key, contractKey as string));
        if (!key.equals(instance.key.value)) wrong.push(`key from JSON ${view.contractId}`);
      }
      if (expected !== undefined) {
        const want = expected[contracts];
        if (want.contract_id !== view.contractId) wrong.push(`id ${view.contractId}`);
        if (want.create_argument !== undefined && JSON.stringify(want.create_argument) !== createArgument)
          wrong.push(`argument as expected ${view.contractId}`);
        if (want.contract_key !== undefined && JSON.stringify(want.contract_key) !== contractKey)
          wrong.push(`key as expected ${view.contractId}`);
        if (want.created_event_blob !== undefined && want.created_event_blob !== blob.toString('hex'))
          wrong.push(`blob as expected ${view.contractId}`);
        if (want.blob_sha256 !== undefined && want.blob_sha256 !== sha256(blob))
          wrong.push(`digest as expected ${view.contractId}`);
      }
      contracts++;
    });
    expect(wrong).toEqual([]);
    expect(contracts).toBe(report.contracts);
    if (expected !== undefined) expect(contracts).toBe(expected.length);
  });
});
