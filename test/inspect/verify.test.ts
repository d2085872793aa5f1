import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CREATED_AT_NOW } from '../../src/contract/blob.js';
import { type ContractInstance, decodeBlob, encodeBlob } from '../../src/contract/contractInstance.js';
import type { Finding } from '../../src/inspect/finding.js';
import { type VerifyOptions, verifySnapshot } from '../../src/inspect/verify.js';
import type { ByteInput } from '../../src/io/input.js';
import { encodeRecord } from '../../src/snapshot/encodeRecord.js';
import { IN_FLIGHT_FRAME } from '../../src/snapshot/recordBorders.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { WireReader } from '../../src/wire/reader.js';
import { WireWriter } from '../../src/wire/writer.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture, shared } from '../fixtures.js';
import { record, usual } from './madeRecords.js';

const TINY = fixture('snapshots/tiny.acs.gz');
const SYNCHRONIZER = `acme::1220${'ab'.repeat(32)}`;

async function frames(file: string): Promise<Buffer[]> {
  const list: Buffer[] = [];
  await scanSnapshot(file, (r) => {
    list.push(Buffer.from(r.buf.subarray(r.start, r.end)));
  });
  return list;
}

async function firstContract(): Promise<ContractInstance> {
  let instance: ContractInstance | undefined;
  await scanSnapshot(TINY, (r) => {
    instance ??= decodeBlob(r.createdEventBlob as Buffer);
  });
  return instance as ContractInstance;
}

function minimal(instance: ContractInstance, synchronizerId = SYNCHRONIZER, counter = 0n): Buffer {
  return encodeRecord({
    synchronizerId,
    reassignmentCounter: counter,
    createdEvent: {
      contractId: instance.contractId,
      createdEventBlob: encodeBlob(instance),
      representativePackageId: instance.templateId.packageId,
    },
  });
}

/** A contract whose template id comes in two parts, which Canton joins. */
function templateTwice(instance: ContractInstance): Buffer {
  const blob = encodeBlob(instance);
  const r = new WireReader(blob, 2 + instance.serializationVersion.length + 1);
  const payload = r.bytes();
  const part = new WireWriter(64).messageField(3, (w) => w.stringField(3, 'More')).finish();
  const joined = Buffer.concat([payload, part]);
  return encodeRecord({
    synchronizerId: SYNCHRONIZER,
    reassignmentCounter: 0n,
    createdEvent: {
      contractId: instance.contractId,
      createdEventBlob: new WireWriter(joined.length)
        .stringField(1, instance.serializationVersion)
        .bytesField(2, joined)
        .finish(),
    },
  });
}

async function verified(input: ByteInput, options: VerifyOptions = {}) {
  const findings: Finding[] = [];
  const report = await verifySnapshot(input, { ...options, onFinding: (f) => findings.push(f) });
  return { report, findings, codes: findings.map((f) => f.code) };
}

describe('verify', () => {
  it('finds a counter that is read as negative', async () => {
    const contract = await firstContract();
    const bytes = gzipSync(Buffer.concat([minimal(contract, SYNCHRONIZER, 2n ** 64n - 1n)]));
    const { findings } = await verified(bytes);
    expect(findings).toMatchObject([
      { code: 'COUNTER_NEGATIVE', level: 'messages', found: '18446744073709551615', record: 0 },
    ]);
  });

  it.each([
    'snapshots/tiny.acs.gz',
    'snapshots/tiny-verbose.acs.gz',
    'snapshots/two-synchronizers.acs.gz',
    'snapshots/multi/participant1.acs.gz',
    'live/p1.export-acs.alice.acs.gz',
    'live/p1.export-acs.err-unknown-party.acs.gz',
  ])('finds nothing in %s', async (file) => {
    const { report, findings } = await verified(fixture(file));
    expect(findings).toEqual([]);
    expect(report.notChecked).toEqual(['authenticity of the contract ids']);
    expect(report.checkedBlobs).toBe(report.contracts);
  });

  it('finds nothing in the 20 000 contracts', async (context) => {
    const file = shared('corpus/snapshots/big-20000.acs.gz');
    if (file === undefined) return context.skip('the shared corpus is not beside this clone');
    expect((await verified(file)).findings).toEqual([]);
  });

  it('names the empty record of a contract in flight', async () => {
    const { findings } = await verified(fixture('live/p1.export-acs.no-party-filter.acs.gz'));
    expect(findings).toMatchObject([
      { level: 'cross-record', code: 'IN_FLIGHT_RECORD', record: 18, severity: 'error' },
    ]);
  });

  it('accepts minimal records and says what is wrong with others', async () => {
    const instance = await firstContract();
    const cases: [string, Buffer, string[]][] = [
      ['minimal', minimal(instance), []],
      ['physical synchronizer', minimal(instance, `${SYNCHRONIZER}::35-0`), ['SYNCHRONIZER_ID']],
      ['no namespace', minimal(instance, 'acme'), ['SYNCHRONIZER_ID']],
      ['created now', minimal({ ...instance, createdAt: CREATED_AT_NOW }), ['CREATED_AT_NOW']],
      [
        '2.x id',
        minimal({ ...instance, contractId: instance.contractId.replace('ca121220', 'ca031220') }),
        ['CONTRACT_ID'],
      ],
      ['local id', minimal({ ...instance, contractId: instance.contractId.slice(0, 66) }), ['CONTRACT_ID']],
      ['no signatory', minimal({ ...instance, nonMaintainerSignatories: [] }), ['BLOB_NO_SIGNATORY']],
      [
        'disorder',
        minimal({ ...instance, nonSignatoryStakeholders: [...instance.nonSignatoryStakeholders].reverse() }),
        ['BLOB_PARTIES_NOT_ASCENDING'],
      ],
      ['template id twice', templateTwice(instance), ['BLOB_FIELD_TWICE']],
      [
        'unknown version',
        minimal({ ...instance, serializationVersion: '2.2' }),
        ['BLOB_UNSUPPORTED_VERSION'],
      ],
    ];
    for (const [name, frame, codes] of cases) {
      const { codes: found, findings } = await verified(gzipSync(frame));
      expect(found, name).toEqual(codes);
      for (const f of findings) expect(f, name).toMatchObject({ record: 0, stream: 'inflated' });
    }
  });

  it('names the names that Canton refuses, though event and blob agree on them, and ids of version V2', async () => {
    const { templateId, contractId } = usual;
    const other = (digit: number): string => `00${'ab'.repeat(31)}0${digit}${contractId.slice(66)}`;
    const frames = [
      record({ ...usual, packageName: 'a b', contractId: other(1) }),
      record({ ...usual, packageName: 'x'.repeat(256), contractId: other(2) }),
      record({ ...usual, templateId: { ...templateId, packageId: 'p/q' }, contractId: other(3) }),
      record({ ...usual, templateId: { ...templateId, moduleName: 'Test.1Main' }, contractId: other(4) }),
      record({ ...usual, templateId: { ...templateId, entityName: 'Thing\u202e' }, contractId: other(5) }),
      record({ ...usual, representativePackageId: 'x'.repeat(65), contractId: other(6) }),
      record({ ...usual, representativePackageId: 'p:q', contractId: other(7) }),
      record({ ...usual, contractId: `01${'00'.repeat(12)}80${'33'.repeat(32)}` }),
      record(usual),
    ];
    const file = gzipSync(Buffer.concat([...frames, record({ ...usual, contractId: other(8) })]));
    for (const sample of [1, 0.999]) {
      const { findings } = await verified(file, { sample });
      expect(findings.map(({ code, record: at }) => [at, code])).toEqual(
        [
          [0, 'BLOB_BAD_PACKAGE_NAME'],
          [1, 'BLOB_BAD_PACKAGE_NAME'],
          [2, 'BLOB_BAD_TEMPLATE_ID'],
          [3, 'BLOB_BAD_TEMPLATE_ID'],
          [4, 'BLOB_BAD_TEMPLATE_ID'],
          [5, 'RECORD_BAD_PACKAGE_ID'],
          [6, 'RECORD_BAD_PACKAGE_ID'],
          [7, 'CONTRACT_ID_V2'],
        ].slice(sample < 1 ? 1 : 0),
      );
    }
  });

  it('sees duplicates and contracts on two synchronizers, exactly and from a pipe', async () => {
    const all = await frames(TINY);
    const instance = await firstContract();
    const bytes = gzipSync(Buffer.concat([...all, all[3], minimal(instance, SYNCHRONIZER, 1n)]));
    const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs');
    const { tmpdir } = await import('node:os');
    const { join } = await import('node:path');
    const work = mkdtempSync(join(tmpdir(), 'acskit-verify-'));
    try {
      writeFileSync(join(work, 'dup.acs.gz'), bytes);
      const { findings } = await verified(join(work, 'dup.acs.gz'));
      expect(findings).toMatchObject([
        { code: 'DUPLICATE_CONTRACT', record: 12, severity: 'error' },
        { code: 'CONTRACT_ON_TWO_SYNCHRONIZERS', record: 13, contractId: instance.contractId },
      ]);
      writeFileSync(join(work, 'cut.acs.gz'), bytes.subarray(0, -4));
      const cut = await verified(join(work, 'cut.acs.gz'));
      expect(cut.findings).toMatchObject([{ code: 'GZIP_TRUNCATED' }, ...findings]);
    } finally {
      rmSync(work, { recursive: true });
    }
    const piped = await verified(Readable.from([bytes]));
    expect(piped.codes).toEqual(['DUPLICATE_CONTRACT']);
  });

  it('reports unknown envelope versions and fields that Canton ignores', async () => {
    const [frame] = await frames(TINY);
    const version31 = Buffer.from(frame);
    version31[version31.length - 1] = 31;
    expect((await verified(gzipSync(version31))).codes).toEqual(['ENVELOPE_VERSION']);
    const prefix = frame[1] < 0x80 ? 2 : 3;
    const body = Buffer.concat([frame.subarray(prefix), Buffer.from([0x78, 0x01])]);
    const withUnknown = Buffer.concat([Buffer.from([(body.length & 0x7f) | 0x80, body.length >> 7]), body]);
    expect((await verified(gzipSync(withUnknown))).codes).toEqual(['UNKNOWN_FIELDS']);
  });

  it('goes on after a record it cannot read', async () => {
    const all = await frames(TINY);
    const { codes, report } = await verified(
      gzipSync(Buffer.concat([all[0], Buffer.from('020801', 'hex'), all[1]])),
    );
    expect(codes).toEqual(['ENVELOPE_NO_DATA']);
    expect(report.contracts).toBe(2);
  });

  it('names damage of the container with its place', async () => {
    const bytes = readFileSync(TINY);
    const member = bytes.length;
    const rows: [Buffer, string, object][] = [
      [Buffer.concat([bytes, bytes]), 'GZIP_SECOND_MEMBER', { byteOffset: member }],
      [
        Buffer.concat([bytes, Buffer.alloc(512)]),
        'GZIP_ZERO_PADDING',
        { byteOffset: member, severity: 'warning' },
      ],
      [
        Buffer.concat([bytes, Buffer.from('text')]),
        'GZIP_TRAILING_BYTES',
        { byteOffset: member, severity: 'warning' },
      ],
      [bytes.subarray(0, member - 3), 'GZIP_TRUNCATED', { level: 'gzip' }],
      [gzipSync(gunzipSync(bytes).subarray(0, 4000)), 'FRAME_TRUNCATED', { level: 'frames', record: 1 }],
      [gzipSync(Buffer.alloc(10)), 'FRAME_EMPTY', { record: 0, byteOffset: 0 }],
    ];
    for (const [input, code, place] of rows) {
      const { findings } = await verified(input);
      expect(
        findings.filter((f) => f.code === code),
        code,
      ).toMatchObject([place]);
    }
  });

  it('says that it did not look behind the first member when told not to', async () => {
    const bytes = readFileSync(TINY);
    const { report } = await verified(Buffer.concat([bytes, bytes]), { members: 'first' });
    expect(report).toMatchObject({ contracts: 12, errors: 0 });
    expect(report.notChecked).toContain('what follows the first gzip member');
  });

  it('looks at the same share of blobs every time', async () => {
    const first = await verifySnapshot(fixture('snapshots/multi/participant1.acs.gz'), { sample: 0.1 });
    const second = await verifySnapshot(fixture('snapshots/multi/participant1.acs.gz'), { sample: 0.1 });
    expect(first.checkedBlobs).toBe(41);
    expect(second).toEqual(first);
    expect(first.notChecked[0]).toContain('375 contracts');
  });
});

describe('acs verify', () => {
  it('fails for findings, not for allowed ones', async () => {
    const file = fixture('live/p1.export-acs.no-party-filter.acs.gz');
    expect((await runCommand('verify', file)).status).toBe(1);
    expect((await runCommand('verify', file, '--allow', 'IN_FLIGHT_RECORD')).status).toBe(0);
    const json = await runCommand('verify', '--json', file);
    expect(JSON.parse(json.stdout)).toMatchObject({ errors: 1, findings: [{ code: 'IN_FLIGHT_RECORD' }] });
  });

  it('says the same whatever the number of threads, of damaged files too', async () => {
    const instance = await firstContract();
    const good = minimal(instance);
    const twice = minimal({ ...instance, contractId: `${instance.contractId.slice(0, -2)}aa` });
    const foreign = minimal(
      { ...instance, contractId: `${instance.contractId.slice(0, -2)}bb` },
      'no-synchronizer',
    );
    const bad = Buffer.from([3, 0x08, 0x01, 0xff]);
    const list: Buffer[] = [twice, bad, foreign];
    // Enough for some stretches, in which no two ids are the same but one.
    for (let i = 0; i < 2000; i++) {
      list.push(
        minimal({
          ...instance,
          contractId: `${instance.contractId.slice(0, -4)}${(i + 0x1000).toString(16)}`,
        }),
      );
      if (i % 97 === 0) list.push(bad, IN_FLIGHT_FRAME);
    }
    list.push(twice, good);
    const whole = Buffer.concat(list);
    const files = [whole, whole.subarray(0, -3), Buffer.concat([whole, Buffer.from([0x00])])];
    for (const [i, bytes] of files.entries()) {
      const input = gzipSync(bytes);
      const alone = await verified(input);
      expect(alone.report.records).toBeGreaterThan(2000);
      expect(alone.report.inFlight).toBe(21);
      expect(alone.codes.at(-1)).toBe(['DUPLICATE_CONTRACT', 'DUPLICATE_CONTRACT', 'DUPLICATE_CONTRACT'][i]);
      expect(alone.report.findings).toMatchObject({ SYNCHRONIZER_ID: 1, IN_FLIGHT_RECORD: 21 });
      for (const threads of [1, 2, 3]) expect(await verified(input, { threads })).toEqual(alone);
    }
    const records = (await verified(gzipSync(whole))).findings.map(
      (f) => f.record ?? Number.MAX_SAFE_INTEGER,
    );
    expect(records).toEqual([...records].sort((a, b) => a - b));
  });
});
