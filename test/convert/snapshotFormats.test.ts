import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeBlob } from '../../src/contract/contractInstance.js';
import { completeContract } from '../../src/convert/completeContract.js';
import { OldRecordTranscoder } from '../../src/convert/oldRecordTranscoder.js';
import { AcsError } from '../../src/io/error.js';
import { RecordView } from '../../src/snapshot/record.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { fixture, jsonLines } from '../fixtures.js';
import {
  CREATED_MICROS,
  contractIdHex,
  DOMAIN,
  dumpD,
  dumpE,
  field,
  frameB,
  frameC,
  message,
  PACKAGE_ID,
  PARTY_A,
  PARTY_B,
  SALT,
  serializableContract,
  varintField,
} from './handBuilt.js';
import { failure, readAll } from './readAll.js';

interface ExpectedRecord {
  contract_id: string;
  package_name: string;
  signatories: string[];
  observers: string[];
  created_at_micros: string;
  synchronizer_id: string;
  reassignment_counter: number;
  salt: string;
  created_event_blob: string;
}

const idV12 = contractIdHex('ca12');

describe('format A', () => {
  it('gives every field of the blob and of the event', async () => {
    const expected = jsonLines<ExpectedRecord>(fixture('snapshots/tiny.expected.jsonl'));
    const { contracts, facts } = await readAll(fixture('snapshots/tiny.acs.gz'));
    expect(facts).toMatchObject({ format: 'A', container: 'gzip', contracts: expected.length, findings: [] });
    contracts.forEach((contract, i) => {
      expect(contract).toMatchObject({
        contractId: expected[i].contract_id,
        packageName: expected[i].package_name,
        signatories: expected[i].signatories,
        observers: expected[i].observers,
        createdAt: BigInt(expected[i].created_at_micros),
        synchronizerId: expected[i].synchronizer_id,
        reassignmentCounter: BigInt(expected[i].reassignment_counter),
      });
      expect(contract.blob?.toString('hex')).toBe(expected[i].created_event_blob);
    });
  });

  it('comes back byte for byte', async () => {
    const frames: Buffer[] = [];
    await scanSnapshot(fixture('snapshots/tiny.acs.gz'), (record: RecordView) =>
      frames.push(Buffer.from(record.buf.subarray(record.start, record.end))),
    );
    const { contracts } = await readAll(fixture('snapshots/tiny.acs.gz'));
    contracts.forEach((contract, i) => {
      expect(completeContract(contract)).toEqual({ frame: frames[i] });
    });
  });

  it('counts in-flight records and leaves them out', async () => {
    const { facts } = await readAll(fixture('live/p1.export-acs.all-parties.acs.gz'));
    expect(facts.findings).toMatchObject([{ code: 'IN_FLIGHT', count: 1 }]);
  });
});

describe('format B (hand-built)', () => {
  const argument = Buffer.from('6a00', 'hex');
  const file = gzipSync(
    Buffer.concat([
      frameB({ contractId: idV12, argument, counter: 3 }),
      frameB({ contractId: contractIdHex('ca10', '66'), argument }),
    ]),
  );

  it('is recognised and read field by field', async () => {
    const { contracts, facts } = await readAll(file);
    expect(facts).toMatchObject({ format: 'B', contracts: 2, findings: [] });
    expect(contracts[0]).toEqual({
      format: 'B',
      contractId: idV12,
      templateId: { packageId: PACKAGE_ID, moduleName: 'Main.Sub', entityName: 'Deal' },
      packageName: 'main-package',
      argument: { form: 'bytes', bytes: argument },
      signatories: [PARTY_B],
      observers: [PARTY_A],
      createdAt: CREATED_MICROS,
      authenticationData: Buffer.concat([
        Buffer.from('0a260a2408011220', 'hex'),
        SALT,
        Buffer.from('101e', 'hex'),
      ]),
      synchronizerId: DOMAIN,
      reassignmentCounter: 3n,
      representativePackageId: PACKAGE_ID,
      lfLine: '2',
    });
    expect(contracts[1].reassignmentCounter).toBe(0n);
  });

  it('becomes exactly the record that a real export holds', async () => {
    // A real contract, taken apart and put into the old form by hand: converting it must give the real blob back.
    const expected = jsonLines<ExpectedRecord>(fixture('snapshots/tiny.expected.jsonl'));
    const real: Buffer[] = [];
    await scanSnapshot(fixture('snapshots/tiny.acs.gz'), (r) =>
      real.push(Buffer.from(r.buf.subarray(r.start, r.end))),
    );
    let compared = 0;
    for (const [i, line] of expected.entries()) {
      const blob = decodeBlob(Buffer.from(line.created_event_blob, 'hex'));
      if (blob.key !== undefined || line.contract_id.startsWith('01')) continue;
      const micros = BigInt(line.created_at_micros);
      const frame = frameB({
        contractId: line.contract_id,
        argument: blob.createArgument,
        packageName: line.package_name,
        templateId: message(
          field(1, blob.templateId.packageId),
          ...blob.templateId.moduleName.split('.').map((s) => field(2, s)),
          ...blob.templateId.entityName.split('.').map((s) => field(3, s)),
        ),
        signatories: [...line.signatories].reverse(),
        observers: [...line.observers].reverse(),
        salt: message(varintField(1, 1), field(2, Buffer.from(line.salt, 'hex'))),
        createdAt: message(varintField(1, micros / 1000000n), varintField(2, (micros % 1000000n) * 1000n)),
        synchronizerId: line.synchronizer_id,
        counter: line.reassignment_counter,
      });
      const { contracts } = await readAll(gzipSync(frame));
      const completed = completeContract(contracts[0]);
      if (!('frame' in completed)) throw new Error(completed.missing.join());
      // The short way from bytes to bytes gives the same frame.
      let body = 0;
      while (frame[body++] >= 0x80);
      const short = new OldRecordTranscoder().frame(frame, body, frame.length);
      expect(short === undefined ? undefined : Buffer.from(short)).toEqual(completed.frame);
      for (let cut = body + 1; cut < frame.length; cut += 7) {
        try {
          expect(new OldRecordTranscoder().frame(frame, body, cut)).toBeUndefined();
        } catch (error) {
          expect(error).toBeInstanceOf(AcsError);
        }
      }
      const view = new RecordView();
      const parse = (bytes: Buffer): RecordView => {
        let bodyStart = 0;
        while (bytes[bodyStart++] >= 0x80);
        return view.parse(bytes, 0, bodyStart, bytes.length, 0, 0);
      };
      const made = parse(completed.frame);
      expect(made.createdEventBlob?.toString('hex')).toBe(line.created_event_blob);
      const args = made.bytesField(6)?.toString('hex');
      const signatories = made.signatories;
      expect(made.synchronizerId).toBe(line.synchronizer_id);
      const original = parse(real[i]);
      expect(args).toBe(original.bytesField(6)?.toString('hex'));
      expect(signatories).toEqual(original.signatories);
      expect(made.representativePackageId).toBe(original.representativePackageId);
      compared++;
    }
    expect(compared).toBeGreaterThan(5);
  });

  it('is refused when another form is forced', async () => {
    expect(await failure(file, { format: 'A' })).toMatchObject({ code: 'SOURCE_WRONG_FORMAT' });
    expect(await failure(file, { format: 'C' })).toMatchObject({
      code: 'SOURCE_WRONG_FORMAT',
      found: expect.stringContaining('B, old snapshot'),
    });
  });

  it('names the record that lacks a field', async () => {
    const bad = Buffer.concat([
      frameB({ contractId: idV12, argument }),
      frameB({ contractId: idV12, argument, packageName: '' }),
    ]);
    expect(await failure(gzipSync(bad))).toMatchObject({
      code: 'RECORD_FIELD_MISSING',
      place: { record: 1, stream: 'inflated' },
    });
  });
});

describe('formats C, D and E (hand-built)', () => {
  const id = contractIdHex('ca02');
  const contracts = [
    serializableContract({ version: 0, contractId: contractIdHex('ca00', '33') }),
    serializableContract({ version: 1, contractId: id, key: true }),
    serializableContract({
      version: 2,
      contractId: contractIdHex('ca03', '22'),
      packageName: 'main-package',
    }),
  ];

  const inputs = {
    C: gzipSync(Buffer.concat(contracts.map((contract) => frameC(contract)))),
    D: Buffer.from(dumpD(contracts)),
    E: Buffer.from(dumpE(contracts)),
  } as const;

  it.each(['C', 'D', 'E'] as const)('%s is recognised and read field by field', async (format) => {
    const { contracts: found, facts } = await readAll(inputs[format]);
    expect(facts).toMatchObject({ format, contracts: 3, findings: [] });
    expect(found.map((c) => c.contractId)).toEqual([
      contractIdHex('ca00', '33'),
      id,
      contractIdHex('ca03', '22'),
    ]);
    expect(found.map((c) => c.legacySalt)).toEqual([undefined, SALT, SALT]);
    expect(found.map((c) => c.packageName)).toEqual([undefined, undefined, 'main-package']);
    expect(found[1]).toMatchObject({
      format,
      templateId: { packageId: PACKAGE_ID, moduleName: 'Main.Sub', entityName: 'Deal' },
      signatories: [PARTY_B],
      observers: [PARTY_A],
      createdAt: CREATED_MICROS,
      synchronizerId: DOMAIN,
      lfLine: '1',
      key: { value: { form: 'value', value: { kind: 'party', value: PARTY_B } }, maintainers: [PARTY_B] },
    });
    expect(found[1].reassignmentCounter).toBeUndefined();
    expect(found[0].argument).toEqual({
      form: 'value',
      value: {
        kind: 'record',
        fields: [
          { kind: 'party', value: PARTY_B },
          { kind: 'int64', value: -5n },
          { kind: 'numeric', value: '100.0000000000' },
          { kind: 'text', value: 'text' },
          { kind: 'timestamp', value: CREATED_MICROS },
          { kind: 'bool', value: true },
          { kind: 'unit' },
          { kind: 'date', value: 20454 },
          { kind: 'optional', value: null },
          { kind: 'optional', value: { kind: 'int64', value: 7n } },
          { kind: 'contractId', value: contractIdHex('ca02', '44') },
          {
            kind: 'list',
            items: [
              { kind: 'text', value: 'a' },
              { kind: 'text', value: 'b' },
            ],
          },
          { kind: 'textMap', entries: [['k', { kind: 'bool', value: false }]] },
          {
            kind: 'genMap',
            entries: [
              [
                { kind: 'party', value: PARTY_A },
                { kind: 'int64', value: 1n },
              ],
            ],
          },
          { kind: 'enum', tag: 'Red' },
          { kind: 'variant', tag: 'Some', value: { kind: 'unit' } },
          { kind: 'record', fields: [{ kind: 'text', value: 'inner' }] },
        ],
      },
    });
  });

  it('D and E may be gzipped', async () => {
    for (const format of ['D', 'E'] as const) {
      expect((await readAll(gzipSync(inputs[format]))).facts).toMatchObject({
        format,
        container: 'gzip',
        contracts: 3,
      });
    }
  });

  it.each([
    ['C', 'D'],
    ['D', 'E'],
    ['E', 'C'],
    ['D', 'json-api-v1'],
  ] as const)('%s forced as %s is refused by name', async (actual, forced) => {
    expect(await failure(inputs[actual], { format: forced })).toMatchObject({ code: 'SOURCE_WRONG_FORMAT' });
  });

  it('names the line of a damaged contract', async () => {
    const lines = dumpD(contracts).split('\n');
    lines[1] = `${lines[1].slice(0, -41)}`;
    expect(await failure(Buffer.from(lines.join('\n')))).toMatchObject({ place: { line: 2 } });
    const malformed = dumpD(contracts).replace(':::', '::').replace('\n', '\n');
    expect(await failure(Buffer.from(malformed), { format: 'D' })).toMatchObject({
      code: 'LINE_MALFORMED',
      place: { line: 1 },
    });
  });
});

describe('hostile input', () => {
  it('cut anywhere, a snapshot of an old format is refused or shorter by whole records, never wrong', async () => {
    const argument = Buffer.from('6a00', 'hex');
    const samples: [string, Buffer, 'B' | 'C'][] = [
      [
        'B',
        Buffer.concat([frameB({ contractId: idV12, argument }), frameB({ contractId: idV12, argument })]),
        'B',
      ],
      [
        'C',
        Buffer.concat(
          [0, 1].map(() => frameC(serializableContract({ version: 1, contractId: contractIdHex('ca02') }))),
        ),
        'C',
      ],
    ];
    for (const [, bytes, format] of samples) {
      for (let cut = 1; cut < bytes.length; cut++) {
        const outcome = await readAll(bytes.subarray(0, cut), { format }).catch((error: unknown) => error);
        // Only between the two records it may end.
        if (cut === bytes.length / 2) expect(outcome).toMatchObject({ contracts: { length: 1 } });
        else expect(outcome, `cut at ${cut}`).toBeInstanceOf(AcsError);
      }
    }
  });

  it('any flipped byte gives contracts or a clear error', async () => {
    const inputs: Buffer[] = [
      frameC(serializableContract({ version: 1, contractId: contractIdHex('ca02'), key: true })),
      Buffer.from(dumpE([serializableContract({ version: 2, contractId: contractIdHex('ca03') })])),
      gunzipSync(readFileSync(fixture('snapshots/tiny.acs.gz'))).subarray(0, 1500),
    ];
    for (const original of inputs) {
      for (let at = 0; at < original.length; at += 3) {
        const bytes = Buffer.from(original);
        bytes[at] ^= 0x11;
        await readAll(gzipSync(bytes, { level: 1 })).catch((error: unknown) => {
          expect(error).toBeInstanceOf(AcsError);
        });
      }
    }
  });

  it('an unknown input says what can be read', async () => {
    expect(await failure(gzipSync('hello world'))).toMatchObject({ code: 'SOURCE_UNKNOWN' });
    expect((await readAll(gzipSync(''))).facts).toMatchObject({ format: 'empty', contracts: 0 });
  });
});
