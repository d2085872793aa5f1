import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeBlob } from '../../src/contract/contractInstance.js';
import type { LfValue } from '../../src/contract/value.js';
import { decodeValue } from '../../src/contract/valueDecoder.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { type DarCatalog, loadDars } from '../../src/dar/catalog.js';
import { AcsError } from '../../src/io/error.js';
import { decodeLedgerApiRecord, decodeLedgerApiValue } from '../../src/typed/ledgerApiValueReader.js';
import {
  encodeLedgerApiRecord,
  encodeLedgerApiValue,
  type LedgerApiForm,
} from '../../src/typed/ledgerApiValueWriter.js';
import { checkValue } from '../../src/typed/typeCheck.js';
import { PlanCompiler, type TypePlan } from '../../src/typed/typePlan.js';
import { valueFromJson } from '../../src/typed/valueFromJson.js';
import { compareValues } from '../../src/typed/valueOrder.js';
import { valueToJson } from '../../src/typed/valueToJson.js';

interface Vector {
  name: string;
  lf_type: string;
  template: string;
  json: unknown;
  json_present: boolean;
  create_argument_json: unknown;
  create_argument_lf_proto: string;
  create_argument_lapi_verbose: string;
  create_argument_lapi: string;
  json_decoded_to_lapi: string;
  value_lf_proto?: string;
  value_lapi_verbose?: string;
}

const VALUES = 'fca05131f34a817d8ffc70a22c616ffb63104a04626f5a7a0b4f794d5613885d';
const lines = gunzipSync(readFileSync('fixtures/values/vectors.jsonl.gz'))
  .toString('utf8')
  .split('\n')
  .filter((line) => line !== '');
const vectors = lines.map((line): [string, string, Vector] => {
  const vector = JSON.parse(line) as Vector;
  return [vector.name, line, vector];
});

let catalog: DarCatalog;
let compiler: PlanCompiler;
beforeAll(async () => {
  catalog = await loadDars(['fixtures/dars'], { cacheDir: false });
  compiler = new PlanCompiler(catalog);
});

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

function failure(work: () => unknown): AcsError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(AcsError);
    return error as AcsError;
  }
  throw new Error('nothing was thrown');
}

describe('every vector of the corpus', () => {
  it('is there', () => {
    expect(vectors).toHaveLength(130);
  });

  it.each(vectors)('%s', (_name, line, vector) => {
    const { arg } = compiler.template(VALUES, vector.template);
    const bytes = hex(vector.create_argument_lf_proto);
    const value = decodeValue(bytes);
    expect(encodeValue(value)).toEqual(bytes);
    checkValue(arg, value, { trailingNone: false });

    // Blob to Ledger API, in all forms, and back.
    const forms: [LedgerApiForm, string][] = [
      ['verbose', vector.create_argument_lapi_verbose],
      ['labels', vector.json_decoded_to_lapi],
      ['plain', vector.create_argument_lapi],
    ];
    for (const [form, expected] of forms) {
      expect(encodeLedgerApiRecord(arg, value, form).toString('hex')).toBe(expected);
      expect(decodeLedgerApiRecord(hex(expected), arg)).toEqual(value);
      expect(encodeValue(decodeLedgerApiRecord(hex(expected)))).toEqual(bytes);
    }

    // Blob to JSON text, and back to the blob's bytes.
    const text = valueToJson(arg, value);
    expect(line).toContain(`"create_argument_json":${text},`);
    expect(encodeValue(valueFromJson(arg, text))).toEqual(bytes);

    // The value alone.
    const plan = arg.fields[1];
    if (vector.value_lf_proto !== undefined && vector.value_lapi_verbose !== undefined) {
      const inner = decodeValue(hex(vector.value_lf_proto));
      expect(encodeLedgerApiValue(plan, inner, 'verbose').toString('hex')).toBe(vector.value_lapi_verbose);
      expect(decodeLedgerApiValue(hex(vector.value_lapi_verbose), plan)).toEqual(inner);
      const innerText = valueToJson(plan, inner);
      expect(line).toContain(`"json":${innerText},"json_present"`);
      expect(encodeValue(valueFromJson(plan, innerText)).toString('hex')).toBe(vector.value_lf_proto);
      expect(compareValues(plan, inner, inner)).toBe(0);
    } else {
      expect(value.kind === 'record' && value.fields.length).toBe(1);
    }
  });
});

describe('the contracts of tiny', () => {
  const records = readFileSync('fixtures/snapshots/tiny.expected.jsonl', 'utf8')
    .split('\n')
    .filter((line) => line !== '');

  it('print their arguments and keys exactly', () => {
    expect(records).toHaveLength(12);
    for (const line of records) {
      const record = JSON.parse(line) as Record<string, string>;
      const [, module, entity] = record.template_id.split(':');
      const blob = decodeBlob(hex(record.created_event_blob));
      const plan = compiler.template(record.representative_package_id, `${module}:${entity}`);
      const value = decodeValue(blob.createArgument);
      checkValue(plan.arg, value, { trailingNone: record.contract_id_version === 'V10' });
      const text = valueToJson(plan.arg, value);
      expect(line).toContain(`"create_argument":${text}`);
      expect(encodeValue(valueFromJson(plan.arg, text))).toEqual(blob.createArgument);
      if (blob.key !== undefined) {
        const key = valueToJson(plan.key!, decodeValue(blob.key.value));
        expect(line).toContain(`"contract_key":${key}`);
        expect(encodeValue(valueFromJson(plan.key!, key))).toEqual(blob.key.value);
      }
    }
  });
});

describe('the type check', () => {
  const party: LfValue = { kind: 'party', value: 'alice::1220aa' };
  const none: LfValue = { kind: 'optional', value: null };
  const text = (value: string): LfValue => ({ kind: 'text', value });
  const some = (value: LfValue): LfValue => ({ kind: 'optional', value });
  const iou = (...extra: LfValue[]): LfValue => ({
    kind: 'record',
    fields: [
      party,
      party,
      text('EUR'),
      { kind: 'numeric', value: '1.0000000000' },
      { kind: 'list', items: [party] },
      ...extra,
    ],
  });
  let old: TypePlan;
  let young: TypePlan;
  beforeAll(() => {
    const [first, second] = catalog.byName('acme-iou');
    old = compiler.template(first.packageId, 'Acme.Iou:Iou').arg;
    young = compiler.template(second.packageId, 'Acme.Iou:Iou').arg;
  });
  const codeOf = (
    plan: () => TypePlan,
    value: LfValue,
    trailingNone = false,
  ): [string, string | undefined] => {
    const error = failure(() => checkValue(plan(), value, { trailingNone }));
    return [error.code, error.place.path];
  };

  it('accepts older and newer packages of the name', () => {
    checkValue(old, iou(), { trailingNone: false });
    checkValue(young, iou(), { trailingNone: false });
    checkValue(young, iou(some(text('memo'))), { trailingNone: false });
    checkValue(old, iou(none, none), { trailingNone: true });
    checkValue(young, iou(none, none), { trailingNone: true });
    expect(valueToJson(old, iou(none, none))).toBe(valueToJson(young, iou()));
  });

  it('refuses with a code and a path', () => {
    expect(codeOf(() => old, iou(some(text('memo'))))).toEqual(['TYPE_EXTRA_FIELD', '[5]']);
    expect(codeOf(() => old, iou(text('memo')))).toEqual(['TYPE_EXTRA_FIELD', '[5]']);
    expect(codeOf(() => young, iou(none))).toEqual(['TYPE_TRAILING_NONE', 'memo']);
    expect(codeOf(() => young, iou(text('memo')))).toEqual(['TYPE_MISMATCH', 'memo']);
    expect(codeOf(() => young, iou(some(party)))).toEqual(['TYPE_MISMATCH', 'memo']);
    const short = iou() as Extract<LfValue, { kind: 'record' }>;
    expect(codeOf(() => old, { kind: 'record', fields: short.fields.slice(0, 4) })).toEqual([
      'TYPE_MISSING_FIELD',
      'observers',
    ]);
    const scaled = [...short.fields];
    scaled[3] = { kind: 'numeric', value: '1.00' };
    expect(codeOf(() => old, { kind: 'record', fields: scaled })).toEqual(['TYPE_NUMERIC_SCALE', 'amount']);
    const list = [...short.fields];
    list[4] = { kind: 'list', items: [party, text('x')] };
    expect(codeOf(() => old, { kind: 'record', fields: list })).toEqual(['TYPE_MISMATCH', 'observers[1]']);
    expect(codeOf(() => old, party)).toEqual(['TYPE_MISMATCH', '']);
    expect(failure(() => compiler.template('00', 'A:B')).code).toBe('PACKAGE_MISSING');
    expect(failure(() => compiler.template(VALUES, 'A:B')).code).toBe('TYPE_NOT_FOUND');
  });

  const valuePlan = (name: string): TypePlan =>
    compiler.template(VALUES, `Acme.Values:V_${name}`).arg.fields[1];
  const int = (value: bigint): LfValue => ({ kind: 'int64', value });

  it('checks maps, constructors, contract ids and depth', () => {
    const unsorted: LfValue = {
      kind: 'genMap',
      entries: [
        [int(2n), text('b')],
        [int(1n), text('a')],
      ],
    };
    expect(codeOf(() => valuePlan('gmInt'), unsorted)).toEqual(['TYPE_GENMAP_ORDER', '[1]']);
    const doubled: LfValue = {
      kind: 'genMap',
      entries: [
        [int(1n), text('b')],
        [int(1n), text('a')],
      ],
    };
    expect(codeOf(() => valuePlan('gmInt'), doubled)).toEqual(['TYPE_GENMAP_ORDER', '[1]']);
    const wrongKey: LfValue = { kind: 'genMap', entries: [[text('1'), text('b')]] };
    expect(codeOf(() => valuePlan('gmInt'), wrongKey)).toEqual(['TYPE_MISMATCH', '[0][0]']);
    expect(codeOf(() => valuePlan('enum'), { kind: 'enum', tag: 'Four' })).toEqual([
      'TYPE_UNKNOWN_CONSTRUCTOR',
      '',
    ]);
    expect(codeOf(() => valuePlan('var'), { kind: 'variant', tag: 'Z', value: int(1n) })).toEqual([
      'TYPE_UNKNOWN_CONSTRUCTOR',
      '',
    ]);
    expect(codeOf(() => valuePlan('var'), { kind: 'variant', tag: 'A', value: text('') })).toEqual([
      'TYPE_MISMATCH',
      'A',
    ]);
    expect(codeOf(() => valuePlan('cid'), { kind: 'contractId', value: `00${'ab'.repeat(32)}` })).toEqual([
      'TYPE_CONTRACT_ID',
      '',
    ]);
    let tree: LfValue = { kind: 'variant', tag: 'Node', value: { kind: 'list', items: [] } };
    for (let i = 0; i < 60; i++)
      tree = { kind: 'variant', tag: 'Node', value: { kind: 'list', items: [tree] } };
    expect(codeOf(() => valuePlan('tree'), tree)[0]).toBe('VALUE_TOO_DEEP');
  });
});

describe('JSON input', () => {
  const read = (name: string, json: string) =>
    valueFromJson(compiler.template(VALUES, `Acme.Values:V_${name}`).arg.fields[1], json);
  const refused = (name: string, json: string): [string, string | undefined] => {
    const error = failure(() => read(name, json));
    return [error.code, error.place.path];
  };

  it.each([
    ['int', '5', 'JSON_WRONG_TYPE', ''],
    ['int', '"5.0"', 'JSON_BAD_VALUE', ''],
    ['int', '"9223372036854775808"', 'JSON_BAD_VALUE', ''],
    ['int', '" 5"', 'JSON_BAD_VALUE', ''],
    ['n2', '1.5', 'JSON_WRONG_TYPE', ''],
    ['n2', '"1.505"', 'JSON_BAD_VALUE', ''],
    ['n2', '"1e3"', 'JSON_BAD_VALUE', ''],
    ['n37', '"10."', 'JSON_BAD_VALUE', ''],
    ['bool', '"true"', 'JSON_WRONG_TYPE', ''],
    ['date', '"2023-02-29"', 'JSON_BAD_VALUE', ''],
    ['date', '"10000-01-01"', 'JSON_BAD_VALUE', ''],
    ['ts', '"2026-01-01T00:00:00"', 'JSON_BAD_VALUE', ''],
    ['ts', '"2026-01-01T25:00:00Z"', 'JSON_BAD_VALUE', ''],
    ['ts', '"2026-01-01T00:00:00.0000001Z"', 'JSON_BAD_VALUE', ''],
    ['party', '"a/b"', 'JSON_BAD_VALUE', ''],
    ['party', '""', 'JSON_BAD_VALUE', ''],
    ['text', '"a\\u0000b"', 'JSON_BAD_VALUE', ''],
    ['text', '"\\ud800"', 'JSON_MALFORMED', undefined],
    ['text', '"a', 'JSON_MALFORMED', undefined],
    ['unit', 'null', 'JSON_WRONG_TYPE', ''],
    ['cid', '"00AB"', 'JSON_BAD_VALUE', ''],
    ['listInt', '["1",2]', 'JSON_WRONG_TYPE', '[1]'],
    ['tmInt', '{"a":"1","a":"2"}', 'JSON_MALFORMED', undefined],
    ['tmInt', '{"a":"1","b":"x"}', 'JSON_BAD_VALUE', '["b"]'],
    ['gmInt', '[["1","a"],["1","b"]]', 'JSON_DUPLICATE_KEY', '[1]'],
    ['gmInt', '[["1","a","b"]]', 'JSON_WRONG_TYPE', '[0]'],
    ['gmInt', '[["1",2]]', 'JSON_WRONG_TYPE', '[0][1]'],
    ['rec', '{"a":"1"}', 'JSON_MISSING_FIELD', 'b'],
    ['rec', '{"a":"1","b":"x","c":"y"}', 'JSON_UNKNOWN_FIELD', 'c'],
    ['rec', '["1","x"]', 'JSON_WRONG_TYPE', ''],
    ['listRec', '[{"a":"1","b":"x"},{"a":"1","b":2}]', 'JSON_WRONG_TYPE', '[1].b'],
    ['var', '{"tag":"A"}', 'JSON_WRONG_TYPE', ''],
    ['var', '{"tag":"Z","value":"1"}', 'TYPE_UNKNOWN_CONSTRUCTOR', ''],
    ['var', '{"tag":"B","value":{"a":"x","b":"b"}}', 'JSON_BAD_VALUE', 'B.a'],
    ['enum', '"Four"', 'TYPE_UNKNOWN_CONSTRUCTOR', ''],
    ['optOpt', '["1"]', 'JSON_WRONG_TYPE', '[0]'],
    ['optOpt', '[null]', 'JSON_WRONG_TYPE', '[0]'],
    ['optOpt', '[[],[]]', 'JSON_WRONG_TYPE', ''],
    ['int', '"1" x', 'JSON_MALFORMED', undefined],
    ['int', '', 'JSON_MALFORMED', undefined],
  ])('%s refuses %s', (name, json, code, path) => {
    expect(refused(name, json)).toEqual([code, path]);
  });

  it('accepts other spellings of the same value', () => {
    expect(read('int', '"+007"')).toEqual({ kind: 'int64', value: 7n });
    expect(read('n2', '"-0"')).toEqual({ kind: 'numeric', value: '0.00' });
    expect(read('n0', '"5"')).toEqual({ kind: 'numeric', value: '5.' });
    expect(read('ts', '"2026-01-01T01:00:00+01:00"')).toEqual(read('ts', '"2026-01-01T00:00:00Z"'));
    expect(read('optOpt', 'null')).toEqual({ kind: 'optional', value: null });
    expect(read('rec', '{"b":"x","zzz":null,"a":"1"}')).toEqual(read('rec', '{"a":"1","b":"x"}'));
    expect(read('gmInt', '[["3","c"],["-1","neg"]]')).toEqual(read('gmInt', '[["-1","neg"],["3","c"]]'));
    expect(read('tmInt', '{"__proto__":"1","10":"2","9":"3"}')).toEqual({
      kind: 'textMap',
      entries: [
        ['10', { kind: 'int64', value: 2n }],
        ['9', { kind: 'int64', value: 3n }],
        ['__proto__', { kind: 'int64', value: 1n }],
      ],
    });
  });

  it('deep nesting and long strings end well', () => {
    expect(refused('listInt', '['.repeat(100_000))[0]).toBe('JSON_MALFORMED');
    const long = 'ü"\\'.repeat(300_000);
    expect(read('text', JSON.stringify(long))).toEqual({ kind: 'text', value: long });
  });
});

describe('the value order', () => {
  const plan = (name: string): TypePlan => compiler.template(VALUES, `Acme.Values:V_${name}`).arg.fields[1];

  it('is a total order that sorts text by code point', () => {
    const texts = fc.array(fc.string({ unit: 'binary' }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(texts, (list) => {
        const values = list.map((value): LfValue => ({ kind: 'text', value }));
        values.sort((a, b) => compareValues(plan('text'), a, b));
        for (let i = 1; i < values.length; i++) {
          const [a, b] = [values[i - 1], values[i]] as [{ value: string }, { value: string }];
          expect(Buffer.compare(Buffer.from(a.value), Buffer.from(b.value))).toBeLessThanOrEqual(0);
        }
      }),
    );
  });

  it('orders numerics by value, lists and optionals by element', () => {
    const numeric = (value: string): LfValue => ({ kind: 'numeric', value });
    expect(compareValues(plan('n2'), numeric('9.99'), numeric('10.00'))).toBeLessThan(0);
    expect(compareValues(plan('n2'), numeric('-9.99'), numeric('-10.00'))).toBeGreaterThan(0);
    const list = (...items: bigint[]): LfValue => ({
      kind: 'list',
      items: items.map((value) => ({ kind: 'int64', value })),
    });
    expect(compareValues(plan('listInt'), list(1n), list(1n, 0n))).toBeLessThan(0);
    expect(compareValues(plan('listInt'), list(2n), list(1n, 0n))).toBeGreaterThan(0);
  });
});

const PUBLIC = '../shared/public/dars';

describe.skipIf(!existsSync(PUBLIC))('an upgrade of real packages (skipped without ../shared/public)', () => {
  // LockedAmulet as 0.1.8 writes it; TimeLock gains `optContext : Optional Text` in 0.1.9.
  const SPEC =
    '6a8f010a650a636a610a0f0a0d3a0b44534f3a3a3132323061610a110a0f3a0d616c6963653a3a3132323062620a3b0a396a370a110a0f320d31322e353030303030303030300a0a0a086a060a040a0218060a160a146a120a100a0e320c302e303033383035313830300a260a246a220a130a115a0f0a0d3a0b626f623a3a3132323063630a0b0a09290a600cba992a0600';
  const EXPECTED =
    '{"amulet":{"dso":"DSO::1220aa","owner":"alice::1220bb","amount":{"initialAmount":"12.5000000000","createdAt":{"number":"3"},"ratePerRound":{"rate":"0.0038051800"}}},"lock":{"holders":["bob::1220cc"],"expiresAt":"2025-01-01T00:00:00.00001Z"}}';

  it('reads with the older and the newer package as the upgrade rules say', async () => {
    const packages = await loadDars(
      [`${PUBLIC}/splice-amulet-0.1.8@e611a705.dar`, `${PUBLIC}/splice-amulet-0.1.14.dar`],
      { cacheDir: false },
    );
    const splice = new PlanCompiler(packages);
    const [older, younger] = packages
      .byName('splice-amulet')
      .map((each) => splice.template(each.packageId, 'Splice.Amulet:LockedAmulet').arg);
    const plain = decodeValue(hex(SPEC)) as Extract<LfValue, { kind: 'record' }>;
    const lock = plain.fields[1] as Extract<LfValue, { kind: 'record' }>;
    const withContext = (context: LfValue): LfValue => ({
      kind: 'record',
      fields: [plain.fields[0], { kind: 'record', fields: [...lock.fields, context] }],
    });
    const none: LfValue = { kind: 'optional', value: null };
    const swap: LfValue = { kind: 'optional', value: { kind: 'text', value: 'swap' } };
    expect(valueToJson(older, plain)).toBe(EXPECTED);
    expect(valueToJson(younger, plain)).toBe(EXPECTED);
    expect(valueToJson(older, withContext(none))).toBe(EXPECTED);
    expect(valueToJson(younger, withContext(none))).toBe(EXPECTED);
    expect(valueToJson(younger, withContext(swap))).toBe(
      EXPECTED.replace('01Z"', '01Z","optContext":"swap"'),
    );
    const error = failure(() => valueToJson(older, withContext(swap)));
    expect([error.code, error.place.path]).toEqual(['TYPE_EXTRA_FIELD', 'lock[2]']);
    expect(encodeValue(valueFromJson(younger, EXPECTED)).toString('hex')).toBe(SPEC);
    expect(
      encodeValue(decodeLedgerApiRecord(encodeLedgerApiRecord(younger, plain, 'verbose'), older)),
    ).toEqual(hex(SPEC));
  });
});
