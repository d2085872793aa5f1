import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type CatOptions, catJsonLines, catSnapshot, rowJson } from '../../src/inspect/cat.js';
import type { CatField } from '../../src/inspect/catFields.js';
import { encodeLedgerJson } from '../../src/ledger/ledgerApiJson.js';
import { encodeCreatedEvent, encodeFrame } from '../../src/snapshot/encodeRecord.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture, jsonLines, shared } from '../fixtures.js';

interface Expected {
  contract_id: string;
  contract_id_version: string;
  template_id: string;
  package_name: string;
  representative_package_id: string;
  signatories: string[];
  observers: string[];
  created_at: string;
  synchronizer_id: string;
  reassignment_counter: number | string;
  authentication_data: string;
  lf_serialization_version: string;
  offset: string;
  node_id: number;
  witness_parties: string[];
  acs_delta: boolean;
  created_event_blob: string;
  contract_key_hash?: string;
  maintainers?: string[];
}

async function rows(file: string, fields?: CatField[]): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  await catSnapshot(
    file,
    (row, names) => found.push(JSON.parse(rowJson(row, names)) as Record<string, unknown>),
    fields === undefined ? { blob: true } : { fields },
  );
  return found;
}

/** All lines as one text. */
async function lines(file: string, options: CatOptions): Promise<string> {
  const portions: Buffer[] = [];
  await catJsonLines(file, (bytes) => void portions.push(bytes), options);
  return Buffer.concat(portions).toString('utf8');
}

const FILES: [string, string][] = [
  ['snapshots/tiny.acs.gz', 'snapshots/tiny.expected.jsonl'],
  ['snapshots/tiny-verbose.acs.gz', 'snapshots/tiny.expected.jsonl'],
  ['snapshots/two-synchronizers.acs.gz', 'snapshots/two-synchronizers.expected.jsonl.gz'],
  ['snapshots/multi/participant1.acs.gz', 'snapshots/multi/participant1.expected.jsonl.gz'],
  ['snapshots/multi/participant2.acs.gz', 'snapshots/multi/participant2.expected.jsonl.gz'],
  ['snapshots/multi/participant3.acs.gz', 'snapshots/multi/participant3.expected.jsonl.gz'],
];

describe('JSON lines', () => {
  it.each(FILES)('%s: the same as the rows, whatever the fields', async (file) => {
    const choices: CatOptions[] = [
      {},
      { blob: true },
      { fields: ['contractKey'] },
      { fields: ['argumentPackageId', 'maintainers', 'nodeId', 'blobDiffers'] },
      { fields: ['createArgument', 'contractId'], limit: 3 },
    ];
    for (const options of choices) {
      let text = '';
      await catSnapshot(
        fixture(file),
        (row, names) => {
          text += rowJson(row, names);
        },
        options,
      );
      expect(await lines(fixture(file), options)).toBe(text);
    }
  });
});

describe('cat against what the real implementation wrote', () => {
  it.each(FILES)('%s, field by field', async (file, sidecar) => {
    const found = await rows(fixture(file));
    const expected = jsonLines<Expected>(fixture(sidecar));
    expect(found.length).toBe(expected.length);
    for (const [i, e] of expected.entries()) {
      const f = found[i];
      const { argumentForm, createArgument, contractKey, createdEventBlob, ...rest } = f;
      expect(argumentForm).toBe('positional');
      expect(createArgument).toBeTypeOf('object');
      expect(contractKey !== undefined).toBe(e.contract_key_hash !== undefined);
      expect(Buffer.from(createdEventBlob as string, 'base64').toString('hex')).toBe(e.created_event_blob);
      const want: Record<string, unknown> = {
        record: i,
        contractId: e.contract_id,
        contractIdVersion: e.contract_id_version,
        templateId: e.template_id,
        packageName: e.package_name,
        representativePackageId: e.representative_package_id,
        synchronizerId: e.synchronizer_id,
        reassignmentCounter: String(e.reassignment_counter),
        createdAt: e.created_at,
        signatories: e.signatories,
        observers: e.observers,
        witnessParties: e.witness_parties,
        offset: e.offset,
        nodeId: e.node_id,
        acsDelta: e.acs_delta,
        serializationVersion: e.lf_serialization_version,
        authenticationData: e.authentication_data,
      };
      if (e.contract_key_hash !== undefined) {
        want.contractKeyHash = e.contract_key_hash;
        want.maintainers = e.maintainers;
      }
      expect(rest).toEqual(want);
    }
  });

  it('agrees with the compact sidecar of the 20 000 contracts', async (context) => {
    const file = shared('corpus/snapshots/big-20000.acs.gz');
    const sidecar = shared('corpus/snapshots/big-20000.expected.jsonl.gz');
    if (file === undefined || sidecar === undefined)
      return context.skip('the shared corpus is not beside this clone');
    const expected = jsonLines<{ contract_id: string; reassignment_counter: number | string }>(sidecar);
    const found = await rows(file, ['contractId', 'reassignmentCounter']);
    expect(found).toEqual(
      expected.map((e) => ({
        contractId: e.contract_id,
        reassignmentCounter: String(e.reassignment_counter),
      })),
    );
  });
});

describe('acs cat', () => {
  it('prints chosen fields, stops at a limit, and knows other forms', async () => {
    const lines = await runCommand(
      'cat',
      fixture('snapshots/tiny.acs.gz'),
      '--limit',
      '2',
      '--fields',
      'record,nodeId',
    );
    expect(lines).toEqual({
      status: 0,
      stdout: '{"record":0,"nodeId":0}\n{"record":1,"nodeId":0}\n',
      stderr: '',
    });
    const csv = await runCommand(
      'cat',
      fixture('snapshots/tiny.acs.gz'),
      '--limit',
      '1',
      '--fields',
      'record,signatories',
      '--format',
      'csv',
    );
    expect(csv.stdout).toMatch(/^record,signatories\n0,"\[""bank::1220[0-9a-f]{64}""\]"\n$/);
  });

  it('finds a contract by id and says when it is not there', async () => {
    const [first] = jsonLines<Expected>(fixture('snapshots/tiny.expected.jsonl'));
    const found = await runCommand(
      'cat',
      fixture('snapshots/tiny.acs.gz'),
      '--contract',
      first.contract_id,
      '--fields',
      'contractId',
    );
    expect(found).toEqual({ status: 0, stdout: `{"contractId":"${first.contract_id}"}\n`, stderr: '' });
    const missing = await runCommand(
      'cat',
      fixture('snapshots/tiny.acs.gz'),
      '--contract',
      '00ab',
      '--fields',
      'contractId',
    );
    expect(missing.status).toBe(1);
    expect(missing.stderr).toContain('CONTRACT_NOT_FOUND');
  });

  it('names a missing contract whatever the fields, unless the limit cut the search short', async () => {
    const [{ contract_id: first }] = jsonLines<Expected>(fixture('snapshots/tiny.expected.jsonl'));
    const words = ['--contract', first, '--contract', '00ab', '--fields', 'record'];
    const searched = await runCommand('cat', fixture('snapshots/tiny.acs.gz'), ...words);
    expect([searched.status, searched.stdout]).toEqual([1, '{"record":0}\n']);
    expect(searched.stderr).toMatch(/not in .*: 00ab \[CONTRACT_NOT_FOUND\]/);
    const short = await runCommand('cat', fixture('snapshots/tiny.acs.gz'), ...words, '--limit', '1');
    expect(short).toEqual({ status: 0, stdout: '{"record":0}\n', stderr: '' });
  });

  it('prints interface views, which exports lack and streams may have', async () => {
    const identifier = { packageId: 'pi', moduleName: 'Acme.Api', entityName: 'Holding' };
    const event = encodeLedgerJson('CreatedEvent', {
      interfaceViews: [
        {
          interfaceId: identifier,
          viewStatus: {},
          viewValue: {
            fields: [{ label: 'owner', value: { party: 'alice::12' } }, { value: { int64: '-3' } }],
          },
          implementationPackageId: 'impl',
        },
        { interfaceId: identifier, viewStatus: { code: 13, message: 'no\u001bview' } },
      ],
    });
    let bytes = Buffer.alloc(0);
    await scanSnapshot(fixture('snapshots/tiny.acs.gz'), (record) => {
      if (record.index > 0) return false;
      const minimal = encodeCreatedEvent({
        contractId: record.contractId,
        createdEventBlob: record.createdEventBlob as Buffer,
      });
      bytes = gzipSync(encodeFrame(Buffer.concat([minimal, event]), record.synchronizerId, 0n));
      return true;
    });
    const lines: string[] = [];
    await catJsonLines(bytes, (line) => void lines.push(line.toString()), { fields: ['interfaceViews'] });
    expect(JSON.parse(lines.join(''))).toEqual({
      interfaceViews: [
        {
          interfaceId: 'pi:Acme.Api:Holding',
          statusCode: 0,
          viewValue: { _0: 'alice::12', _1: '-3' },
          implementationPackageId: 'impl',
        },
        { interfaceId: 'pi:Acme.Api:Holding', statusCode: 13, statusMessage: 'no\u001bview' },
      ],
    });
  });

  it('prints what stands before the damage, then the error', async () => {
    const work = mkdtempSync(join(tmpdir(), 'acskit-cat-'));
    try {
      const file = join(work, 'cut.acs.gz');
      writeFileSync(file, readFileSync(fixture('snapshots/multi/participant1.acs.gz')).subarray(0, 30_000));
      for (const format of ['jsonl', 'csv', 'table']) {
        const result = await runCommand('cat', file, '--format', format, '--fields', 'record');
        expect(result.status).toBe(4);
        expect(result.stdout.split('\n').length, format).toBeGreaterThan(90);
        expect(result.stderr).toContain('GZIP_TRUNCATED');
      }
    } finally {
      rmSync(work, { recursive: true });
    }
  });

  it('says when a table does not hold everything', async (context) => {
    const file = shared('corpus/snapshots/big-20000.acs.gz');
    if (file === undefined) return context.skip('the shared corpus is not beside this clone');
    const result = await runCommand('cat', file, '--format', 'table', '--fields', 'record');
    expect(result.stdout.trimEnd().split('\n').at(-1)).toBe('9999');
    expect(result.stderr).toContain('TABLE_CUT');
  });

  it('counts contracts in flight instead of printing them', async () => {
    const result = await runCommand(
      'cat',
      fixture('live/p1.export-acs.no-party-filter.acs.gz'),
      '--fields',
      'record',
    );
    expect(result.status).toBe(0);
    expect(result.stdout.split('\n').length - 1).toBe(18);
    expect(result.stderr).toContain('IN_FLIGHT_RECORD');
  });

  it('refuses a field it does not know', async () => {
    const result = await runCommand('cat', fixture('snapshots/tiny.acs.gz'), '--fields', 'colour');
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('no field is called "colour"');
    const twice = await runCommand(
      'cat',
      fixture('snapshots/tiny.acs.gz'),
      '--fields',
      'offset,contractId,offset',
    );
    expect(twice.stderr).toContain('the field offset is named twice');
    expect(twice.status).toBe(2);
  });
});
