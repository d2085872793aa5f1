import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeValue } from '../../src/contract/valueDecoder.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import type { SourceContract, SourceFormat } from '../../src/convert/sourceContract.js';
import { argumentOf } from '../../src/convert/typeSource.js';
import { loadDars } from '../../src/dar/catalog.js';
import { AcsError } from '../../src/io/error.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { fixture } from '../fixtures.js';
import {
  CREATED_MICROS,
  contractIdHex,
  createdEventV1,
  delimited,
  field,
  message,
  PACKAGE_ID,
  PARTY_A,
  PARTY_B,
  streamV1,
} from './handBuilt.js';
import { failure, readAll } from './readAll.js';

const text = (json: unknown): Buffer => Buffer.from(JSON.stringify(json));

let compiler: PlanCompiler;
let paint: SourceContract[];

beforeAll(async () => {
  compiler = new PlanCompiler(await loadDars([fixture('paint/acme-paint-1.0.0.dar')], { cacheDir: false }));
  paint = (await readAll(fixture('paint/old-ledger.acs.gz'))).contracts;
});

describe('Ledger API v2 responses of a live participant', () => {
  it.each(['plain', 'verbose'])('%s: protobuf and JSON hold the same contracts', async (form) => {
    const binary = await readAll(fixture(`live/p1.active-contracts.${form}.bin`));
    const json = await readAll(
      gunzipSync(readFileSync(fixture(`live/p1.active-contracts.${form}.jsonl.gz`))),
    );
    expect(binary.facts).toMatchObject({
      format: 'ledger-api-v2',
      findings: [{ code: 'IN_FLIGHT', count: 1 }],
    });
    expect(json.facts).toMatchObject({
      format: 'ledger-api-v2-json',
      findings: [{ code: 'IN_FLIGHT', count: 1 }],
    });
    const bare = ({ event: _event, format: _format, nodeId: _nodeId, ...rest }: SourceContract) => rest;
    expect(json.contracts.map(bare)).toEqual(binary.contracts.map(bare));
    expect(binary.contracts.length).toBeGreaterThan(10);
  });

  it('hold what the export of the same moment holds', async () => {
    const exported = await readAll(fixture('live/p1.export-acs.all-parties.acs.gz'));
    const streamed = await readAll(fixture('live/p1.active-contracts.plain.bin'));
    const ids = (contracts: SourceContract[]) => contracts.map((c) => c.contractId).sort();
    expect(ids(streamed.contracts)).toEqual(ids(exported.contracts));
    const byId = new Map(exported.contracts.map((c) => [c.contractId, c]));
    for (const contract of streamed.contracts) {
      expect(contract.blob).toEqual(byId.get(contract.contractId)?.blob);
      expect(contract.reassignmentCounter).toBe(byId.get(contract.contractId)?.reassignmentCounter);
    }
  });

  it('without blobs keep the typed arguments and say what is lost', async () => {
    const lines = gunzipSync(readFileSync(fixture('live/p1.active-contracts.verbose.jsonl.gz')))
      .toString()
      .split('\n');
    const withoutBlobs = lines
      .filter((line) => line !== '')
      .map((line) => line.replace(/"createdEventBlob": ?"[^"]*", ?/, ''))
      .join('\n');
    const { contracts, facts } = await readAll(Buffer.from(withoutBlobs));
    const full = await readAll(fixture('live/p1.active-contracts.verbose.bin'));
    expect(facts.findings.map((f) => f.code)).toContain('NO_BLOB');
    expect(contracts).toHaveLength(full.contracts.length);
    contracts.forEach((contract, i) => {
      const original = full.contracts[i].argument;
      if (contract.argument.form !== 'value' || original.form !== 'bytes') throw new Error('form');
      expect(contract.argument.value).toEqual(decodeValue(original.bytes));
      expect(contract.authenticationData).toBeUndefined();
    });
  });
});

describe('JSON Ledger API v2', () => {
  it('gives the contracts of the snapshot', async () => {
    const { contracts, facts } = await readAll(fixture('paint/json-ledger-api-v2.active-contracts.json'));
    expect(facts).toMatchObject({ format: 'json-ledger-api-v2', contracts: 36, findings: [] });
    expect(contracts.map((c) => c.blob)).toEqual(paint.map((c) => c.blob));
    expect(contracts.map((c) => c.offset)).toEqual(paint.map((c) => c.offset));
    expect(contracts.map((c) => c.synchronizerId)).toEqual(paint.map((c) => c.synchronizerId));
  });

  it('reads pages and JSON lines of entries, and types untyped arguments', async () => {
    const entries = JSON.parse(
      readFileSync(fixture('paint/json-ledger-api-v2.active-contracts.json'), 'utf8'),
    ) as { contractEntry: { JsActiveContract: { createdEvent: Record<string, unknown> } } }[];
    for (const entry of entries) delete entry.contractEntry.JsActiveContract.createdEvent.createdEventBlob;
    const pages = [0, 12, 24].map((from, i) => ({
      activeContracts: entries.slice(from, from + 12),
      activeAtOffset: 99,
      ...(i < 2 ? { nextPageToken: 'abc' } : {}),
    }));
    const inputs = [
      text(pages[0]).toString() + text(pages[1]).toString() + text(pages[2]).toString(),
      JSON.stringify(pages),
      entries.map((entry) => JSON.stringify(entry)).join('\n'),
    ];
    for (const input of inputs) {
      const { contracts, facts } = await readAll(Buffer.from(input));
      expect(facts).toMatchObject({ format: 'json-ledger-api-v2', contracts: 36 });
      contracts.forEach((contract, i) => {
        const original = paint[i].argument;
        if (original.form !== 'bytes') throw new Error('form');
        expect(encodeValue(argumentOf(contract, { compiler }))).toEqual(original.bytes);
        expect(contract.createdAt).toBe(paint[i].createdAt);
      });
    }
    expect((await readAll(Buffer.from(inputs[0]))).facts.offset).toBe('99');
  });

  it('pages of different offsets have no common cut', async () => {
    const page = (offset: number) =>
      JSON.stringify({ activeContracts: [], activeAtOffset: offset, nextPageToken: 't' });
    const { facts } = await readAll(Buffer.from(`${page(1)}\n${page(2)}`));
    expect(facts.findings).toMatchObject([{ code: 'NO_COMMON_CUT' }]);
  });

  it('names incomplete entries as in flight', async () => {
    const entry = {
      workflowId: '',
      contractEntry: {
        JsIncompleteUnassigned: { createdEvent: {}, unassignedEvent: { contractId: 'aa' } },
      },
    };
    const { facts } = await readAll(text([entry, { contractEntry: { JsEmpty: {} } }]));
    expect(facts).toMatchObject({
      contracts: 0,
      findings: [{ code: 'IN_FLIGHT', count: 1, examples: ['aa'] }],
    });
  });
});

describe('JSON API v1', () => {
  it.each([
    ['json-api-v1.query.json', 'ids of Canton'],
    ['sandbox.query.json', 'ids of a sandbox'],
  ])('%s gives arguments equal to the snapshot, once typed', async (name) => {
    const { contracts, facts } = await readAll(fixture(`paint/${name}`));
    expect(facts).toMatchObject({ format: 'json-api-v1', contracts: 36, findings: [] });
    contracts.forEach((contract, i) => {
      const value = argumentOf(contract, { compiler });
      const original = paint[i].argument;
      if (original.form !== 'bytes') throw new Error('form');
      const strip = (hex: string) => hex;
      if (name.startsWith('json-api')) {
        expect(strip(encodeValue(value).toString('hex'))).toBe(original.bytes.toString('hex'));
        expect(contract.signatories).toEqual(paint[i].signatories);
      } else expect(contract.contractId).toBe(`#${i}:0`);
      expect(contract.createdAt).toBeUndefined();
      expect(contract.authenticationData).toBeUndefined();
    });
  });

  it('without DAR says that types are needed', async () => {
    const { contracts } = await readAll(fixture('paint/sandbox.query.json'));
    expect(() => argumentOf(contracts[0], {})).toThrow(expect.objectContaining({ code: 'TYPES_MISSING' }));
  });

  it('a failed answer, warnings, two answers and suspicious counts are findings or errors', async () => {
    const [contract] = (
      JSON.parse(readFileSync(fixture('paint/sandbox.query.json'), 'utf8')) as { result: object[] }
    ).result;
    expect(
      await failure(text({ status: 500, errors: ['boom'], result: null }), { format: 'json-api-v1' }),
    ).toMatchObject({
      code: 'ANSWER_FAILED',
    });
    const warned = await readAll(
      text({ status: 200, result: [contract], warnings: { unknownTemplateIds: ['M:T'] } }),
    );
    expect(warned.facts.findings).toMatchObject([{ code: 'INCOMPLETE_ANSWER' }]);
    const twice = await readAll(
      Buffer.concat([text({ status: 200, result: [contract] }), text({ status: 200, result: [] })]),
    );
    expect(twice.facts.findings).toMatchObject([{ code: 'NO_COMMON_CUT' }]);
    const many = Array.from({ length: 1000 }, (_, i) => ({ ...contract, contractId: `#${i}:0` }));
    expect((await readAll(text({ status: 200, result: many }))).facts.findings).toMatchObject([
      { code: 'SUSPICIOUS_COUNT', count: 1000 },
    ]);
    const seven = await readAll(text({ status: 200, result: many.slice(0, 7) }), { expectLimit: 7 });
    expect(seven.facts.findings).toMatchObject([{ code: 'SUSPICIOUS_COUNT' }]);
  });

  it('a recorded stream (hand-built): transient contracts are left out and named', async () => {
    const contracts = (
      JSON.parse(readFileSync(fixture('paint/sandbox.query.json'), 'utf8')) as { result: object[] }
    ).result;
    const created = contracts.slice(0, 4).map((c) => ({ created: c, matchedQueries: [0] }));
    const documents = [
      { events: created.slice(0, 3) },
      { heartbeat: 'ledger' },
      { events: [{ archived: { contractId: '#1:0', templateId: 'x:M:T' } }, created[3]], offset: '0001' },
    ];
    for (const input of [documents.map((d) => JSON.stringify(d)).join('\n'), JSON.stringify(documents)]) {
      const { contracts: found, facts } = await readAll(Buffer.from(input));
      expect(found.map((c) => c.contractId)).toEqual(['#0:0', '#2:0', '#3:0']);
      expect(facts).toMatchObject({
        format: 'json-api-v1-stream',
        findings: [{ code: 'TRANSIENT', count: 1, examples: ['#1:0'] }],
      });
    }
    const cut = await readAll(text(documents[0]));
    expect(cut.facts.findings).toMatchObject([{ code: 'INCOMPLETE_ANSWER' }]);
  });

  it('reads the JSON of the 2.x line: numbers, positional records', async () => {
    const answer = {
      status: 200,
      result: [
        {
          contractId: '#7:0',
          templateId: 'Acme.Paint:OfferToPaint',
          payload: ['p', 'o', 'b', [100, 'USD']],
          signatories: ['p'],
          observers: ['o'],
          agreementText: '',
        },
      ],
    };
    const { contracts } = await readAll(text(answer));
    expect(argumentOf(contracts[0], { compiler })).toEqual({
      kind: 'record',
      fields: [
        { kind: 'party', value: 'p' },
        { kind: 'party', value: 'o' },
        { kind: 'party', value: 'b' },
        {
          kind: 'record',
          fields: [
            { kind: 'numeric', value: '100.0000000000' },
            { kind: 'text', value: 'USD' },
          ],
        },
      ],
    });
  });
});

describe('Ledger API v1 (hand-built)', () => {
  const id = contractIdHex('ca03');

  it('is recognised and read field by field', async () => {
    const { contracts, facts } = await readAll(
      streamV1([createdEventV1(id), createdEventV1(contractIdHex('ca03', '01'), { late: true })]),
    );
    expect(facts).toMatchObject({ format: 'ledger-api-v1', contracts: 2, offset: '000000000000000042' });
    expect(contracts[0]).toEqual({
      format: 'ledger-api-v1',
      contractId: id,
      templateId: { packageId: PACKAGE_ID, moduleName: 'Main.Sub', entityName: 'Deal' },
      argument: {
        form: 'value',
        value: {
          kind: 'record',
          fields: [
            { kind: 'party', value: PARTY_B },
            { kind: 'numeric', value: '1.5' },
            { kind: 'int64', value: -9n },
            { kind: 'timestamp', value: CREATED_MICROS },
            { kind: 'bool', value: true },
            { kind: 'unit' },
            { kind: 'date', value: -1 },
            { kind: 'optional', value: { kind: 'text', value: 'x' } },
            { kind: 'textMap', entries: [['k', { kind: 'text', value: 'v' }]] },
            { kind: 'enum', tag: 'Red' },
            {
              kind: 'genMap',
              entries: [
                [
                  { kind: 'party', value: PARTY_A },
                  { kind: 'text', value: 'w' },
                ],
              ],
            },
            { kind: 'contractId', value: contractIdHex('ca03', '55') },
            { kind: 'list', items: [{ kind: 'text', value: 'one' }] },
            { kind: 'variant', tag: 'Left', value: { kind: 'text', value: 'l' } },
            { kind: 'record', fields: [{ kind: 'text', value: 'deep' }] },
          ],
        },
      },
      key: { value: { form: 'value', value: { kind: 'party', value: PARTY_B } } },
      signatories: [PARTY_B],
      observers: [PARTY_A],
      witnesses: [PARTY_A],
      lfLine: '1',
    });
    expect(contracts[1]).toMatchObject({ createdAt: CREATED_MICROS, packageName: 'main-package' });
  });

  it('in JSON', async () => {
    const event = {
      eventId: '#1:0',
      contractId: id,
      templateId: { packageId: PACKAGE_ID, moduleName: 'Main.Sub', entityName: 'Deal' },
      createArguments: {
        fields: [
          { label: 'bank', value: { party: PARTY_B } },
          { label: 'n', value: { int64: '9007199254740993' } },
          { label: 'o', value: { optional: {} } },
          { label: 'm', value: { map: { entries: [{ key: 'k', value: { bool: true } }] } } },
          { label: 'e', value: { enum: { constructor: 'Red' } } },
          { label: 't', value: { timestamp: '1767225601000002' } },
        ],
      },
      witnessParties: [PARTY_A],
      agreementText: '',
      signatories: [PARTY_B],
      observers: [PARTY_A],
    };
    const { contracts, facts } = await readAll(
      Buffer.from(`${JSON.stringify({ activeContracts: [event] })}\n${JSON.stringify({ offset: '42' })}\n`),
    );
    expect(facts).toMatchObject({ format: 'ledger-api-v1-json', contracts: 1, offset: '42' });
    expect(contracts[0].argument).toEqual({
      form: 'value',
      value: {
        kind: 'record',
        fields: [
          { kind: 'party', value: PARTY_B },
          { kind: 'int64', value: 9007199254740993n },
          { kind: 'optional', value: null },
          { kind: 'textMap', entries: [['k', { kind: 'bool', value: true }]] },
          { kind: 'enum', tag: 'Red' },
          { kind: 'timestamp', value: CREATED_MICROS },
        ],
      },
    });
  });
});

describe('Scan (hand-built around real contracts)', () => {
  const event = (contract: SourceContract, i: number, args: unknown) => ({
    event_type: 'created_event',
    event_id: `u:${i}`,
    contract_id: contract.contractId,
    template_id: `${contract.templateId.packageId}:${contract.templateId.moduleName}:${contract.templateId.entityName}`,
    package_name: contract.packageName,
    create_arguments: args,
    created_at: '2026-01-01T00:00:01Z',
    signatories: contract.signatories,
    observers: contract.observers,
  });

  function events() {
    const answer = JSON.parse(readFileSync(fixture('paint/json-api-v1.query.json'), 'utf8')) as {
      result: { payload: unknown }[];
    };
    return paint.map((contract, i) => event(contract, i, answer.result[i].payload));
  }

  it('a base64 snapshot is the snapshot', async () => {
    const file = readFileSync(fixture('paint/old-ledger.acs.gz'));
    const { contracts, facts } = await readAll(text({ acs_snapshot: file.toString('base64') }));
    expect(facts).toMatchObject({ format: 'scan-snapshot', contracts: 36 });
    expect(contracts).toEqual(paint);
    expect(await failure(text({ acs_snapshot: `${file.toString('base64').slice(0, 400)}!!` }))).toMatchObject(
      {
        code: 'BASE64_MALFORMED',
      },
    );
    expect(await failure(text({ acs_snapshot: file.toString('base64').slice(0, 4000) }))).toMatchObject({
      code: 'GZIP_TRUNCATED',
    });
  });

  it('pages and JSON lines of created events', async () => {
    const page = {
      record_time: '2026-01-01T01:00:00Z',
      migration_id: 0,
      created_events: events(),
      next_page_token: 36,
    };
    const lines = events()
      .map((e) => JSON.stringify(e))
      .join('\n');
    for (const input of [text(page), Buffer.from(lines)]) {
      const { contracts, facts } = await readAll(input);
      expect(facts).toMatchObject({ format: 'scan-events', contracts: 36 });
      expect(facts.findings.map((f) => f.code)).toEqual(['NO_BLOB']);
      contracts.forEach((contract, i) => {
        const original = paint[i].argument;
        if (original.form !== 'bytes') throw new Error('form');
        expect(encodeValue(argumentOf(contract, { compiler }))).toEqual(original.bytes);
      });
    }
  });

  it('arguments in the JSON of the protobuf need no DAR', async () => {
    const args = {
      record_id: null,
      fields: [{ label: 'a', value: { party: PARTY_A } }, { value: { int64: '5' } }],
    };
    const { contracts } = await readAll(text(event(paint[0], 0, args)));
    expect(argumentOf(contracts[0], {})).toEqual({
      kind: 'record',
      fields: [
        { kind: 'party', value: PARTY_A },
        { kind: 'int64', value: 5n },
      ],
    });
  });

  it.skipIf(!existsSync('/usr/bin/zstd'))('zstd JSON lines, whole and cut', async () => {
    const lines = Buffer.from(
      events()
        .map((e) => `${JSON.stringify(e)}\n`)
        .join('')
        .repeat(20),
    );
    const compressed = execFileSync('/usr/bin/zstd', ['-c', '-q', '-3'], { input: lines });
    const two = Buffer.concat([compressed, compressed]);
    expect((await readAll(compressed)).facts).toMatchObject({
      container: 'zstd',
      format: 'scan-events',
      contracts: 720,
    });
    expect((await readAll(two)).facts).toMatchObject({ contracts: 1440 });
    for (const cut of [5, 6, 20, compressed.length >> 1, compressed.length - 5, compressed.length - 1]) {
      expect((await failure(compressed.subarray(0, cut))).code).toMatch(
        /^(ZSTD_|SOURCE_UNKNOWN|JSON_TRUNCATED)/,
      );
    }
  });
});

describe('forced and hostile JSON', () => {
  const forms: [SourceFormat, () => Buffer][] = [
    ['json-api-v1', () => readFileSync(fixture('paint/sandbox.query.json'))],
    ['json-ledger-api-v2', () => readFileSync(fixture('paint/json-ledger-api-v2.active-contracts.json'))],
    [
      'ledger-api-v2-json',
      () => gunzipSync(readFileSync(fixture('live/p1.active-contracts.plain.jsonl.gz'))),
    ],
    ['ledger-api-v2', () => readFileSync(fixture('live/p1.active-contracts.plain.bin'))],
    ['ledger-api-v1', () => streamV1([createdEventV1(contractIdHex('ca03'))])],
  ];

  it.each(forms)('%s forced as something else is a clear error', async (format, bytes) => {
    for (const other of [
      'B',
      'D',
      'json-api-v1',
      'ledger-api-v1',
      'scan-events',
      'json-ledger-api-v2',
    ] as const) {
      if (other === format) continue;
      expect(await failure(bytes(), { format: other })).toMatchObject({
        code: 'SOURCE_WRONG_FORMAT',
        hint: expect.stringContaining('--format'),
      });
    }
  });

  it.each(forms)('%s cut anywhere is refused, or shorter by whole contracts', async (format, bytes) => {
    const whole = bytes().subarray(0, 9000);
    for (let cut = 1; cut < whole.length; cut += format === 'ledger-api-v1' ? 1 : 37) {
      await readAll(whole.subarray(0, cut), { format }).catch((error: unknown) => {
        expect(error).toBeInstanceOf(AcsError);
      });
    }
  });

  it('deep nesting and wrong types are errors with a path', async () => {
    const deep = `{"status":200,"result":[{"contractId":"#0:0","templateId":"a:M:T","payload":${'['.repeat(5000)}${']'.repeat(5000)}}]}`;
    expect((await failure(Buffer.from(deep))).code).toMatch(/^JSON_/);
    const wrong = '{"status":200,"result":[{"contractId":7,"templateId":"a:M:T","payload":{}}]}';
    expect(await failure(Buffer.from(wrong))).toMatchObject({
      code: 'JSON_WRONG_TYPE',
      place: { path: 'contractId' },
    });
    const missing = '{"status":200,"result":[{"contractId":"#0:0","payload":{}}]}';
    expect(await failure(Buffer.from(missing))).toMatchObject({ code: 'JSON_MEMBER_MISSING' });
    const comma = '{"status":200,"result":[{} {}]}';
    expect(await failure(Buffer.from(comma))).toMatchObject({ code: expect.stringMatching(/^JSON_/) });
  });

  it('an unknown field of a response is refused', async () => {
    expect(
      await failure(gzipSync(delimited(message(field(9, 'x')))), { format: 'ledger-api-v2' }),
    ).toMatchObject({
      code: 'RESPONSE_UNKNOWN_FIELD',
    });
  });
});
