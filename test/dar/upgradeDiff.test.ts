import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadDars, packageSet } from '../../src/dar/catalog.js';
import type { DataCons, DataType, LfType, Module, Package, Template } from '../../src/dar/type.js';
import { diffUpgrade, type UpgradeChangeCode } from '../../src/dar/upgradeDiff.js';
import { compareVersions } from '../../src/dar/version.js';

const INT: LfType = { kind: 'builtin', builtin: 'int64', args: [] };
const TEXT: LfType = { kind: 'builtin', builtin: 'text', args: [] };
const optional = (type: LfType): LfType => ({ kind: 'builtin', builtin: 'optional', args: [type] });
const variable = (name: string): LfType => ({ kind: 'var', name, args: [] });

interface Parts {
  id?: string;
  name?: string;
  version?: string;
  lf?: string;
  module?: string;
  types?: Record<string, DataCons | { cons: DataCons; params?: string[]; serializable?: boolean }>;
  templates?: Record<string, Partial<Template>>;
}

function make(parts: Parts): Package {
  const packageId = parts.id ?? `id-${parts.version ?? '1.0.0'}`;
  const module = parts.module ?? 'M';
  const ref = (name: string) => ({ packageId, module, name });
  const dataTypes = Object.entries(parts.types ?? {}).map(([name, given]): [string, DataType] => {
    const { cons, params, serializable } =
      'cons' in given ? given : { cons: given, params: undefined, serializable: undefined };
    return [
      name,
      {
        ref: ref(name),
        params: (params ?? []).map((param) => ({ name: param, kind: '*' })),
        serializable: serializable ?? true,
        cons,
      },
    ];
  });
  const templates = Object.entries(parts.templates ?? {}).map(([name, given]): [string, Template] => [
    name,
    { ref: ref(name), choices: [], keyType: null, implements: [], ...given },
  ]);
  const only: Module = {
    name: module,
    dataTypes: new Map(dataTypes),
    synonyms: new Map(),
    templates: new Map(templates),
    interfaces: new Map(),
  };
  return {
    packageId,
    languageVersion: parts.lf ?? '2.1',
    name: parts.name ?? 'p',
    version: parts.version ?? '1.0.0',
    upgradedPackageId: null,
    dependencies: [],
    listsImports: false,
    modules: new Map([[module, only]]),
  };
}

function changes(older: Parts, newer: Parts, ...others: Package[]): [UpgradeChangeCode, boolean, string][] {
  const before = make(older);
  const after = make({ version: '1.1.0', ...newer });
  const diff = diffUpgrade(before, after, packageSet([before, after, ...others]));
  expect(diff.compatible).toBe(diff.changes.every((change) => change.compatible));
  return diff.changes.map((change) => [change.code, change.compatible, change.place]);
}

const record = (fields: Record<string, LfType>): DataCons => ({
  kind: 'record',
  fields: Object.entries(fields).map(([name, type]) => ({ name, type })),
});
const variant = (constructors: Record<string, LfType>): DataCons => ({
  kind: 'variant',
  constructors: Object.entries(constructors).map(([name, type]) => ({ name, type })),
});
const choice = (name: string, returnType: LfType, argType: LfType = INT, consuming = true) => ({
  name,
  consuming,
  argType,
  returnType,
});

describe('the upgrade rules', () => {
  it('records', () => {
    const types = (fields: Record<string, LfType>): Parts => ({ types: { R: record(fields) } });
    expect(changes(types({ a: INT }), types({ a: INT }))).toEqual([]);
    expect(changes(types({ a: INT }), types({ a: INT, b: optional(TEXT) }))).toEqual([
      ['FIELD_ADDED', true, 'M:R.b'],
    ]);
    expect(changes(types({ a: INT }), types({ a: INT, b: TEXT }))).toEqual([['FIELD_ADDED', false, 'M:R.b']]);
    expect(changes(types({ a: INT }), types({ b: optional(TEXT), a: INT }))).toEqual([
      ['FIELD_ADDED', false, 'M:R.b'],
    ]);
    expect(changes(types({ a: INT, b: TEXT }), types({ a: INT }))).toEqual([
      ['FIELD_REMOVED', false, 'M:R.b'],
    ]);
    expect(changes(types({ a: INT }), types({ a: TEXT }))).toEqual([['FIELD_TYPE_CHANGED', false, 'M:R.a']]);
    expect(changes(types({ a: INT, b: INT }), types({ b: INT, a: INT }))).toEqual([
      ['FIELD_ORDER_CHANGED', false, 'M:R.b'],
    ]);
  });

  it('variants and enums', () => {
    const v = (constructors: Record<string, LfType>): Parts => ({ types: { V: variant(constructors) } });
    expect(changes(v({ A: INT }), v({ A: INT, B: TEXT }))).toEqual([['CONSTRUCTOR_ADDED', true, 'M:V.B']]);
    expect(changes(v({ A: INT }), v({ B: TEXT, A: INT }))).toEqual([['CONSTRUCTOR_ADDED', false, 'M:V.B']]);
    expect(changes(v({ A: INT }), v({ A: TEXT }))).toEqual([['CONSTRUCTOR_TYPE_CHANGED', false, 'M:V.A']]);
    const e = (...constructors: string[]): Parts => ({ types: { E: { kind: 'enum', constructors } } });
    expect(changes(e('A', 'B'), e('A', 'B', 'C'))).toEqual([['CONSTRUCTOR_ADDED', true, 'M:E.C']]);
    expect(changes(e('A', 'B'), e('B', 'A'))).toEqual([['CONSTRUCTOR_ORDER_CHANGED', false, 'M:E.B']]);
    expect(changes(e('A', 'B'), e('A'))).toEqual([['CONSTRUCTOR_REMOVED', false, 'M:E.B']]);
    expect(changes(e('A'), v({ A: INT }))).toEqual([
      ['TYPE_REMOVED', false, 'M:E'],
      ['TYPE_ADDED', true, 'M:V'],
    ]);
    expect(changes({ types: { X: variant({ A: INT }) } }, { types: { X: record({ A: INT }) } })).toEqual([
      ['TYPE_FORM_CHANGED', false, 'M:X'],
    ]);
  });

  it('parameters, serializability, modules', () => {
    const box = (...params: string[]): Parts => ({
      types: { Box: { params, cons: record({ content: variable(params[0]) }) } },
    });
    expect(changes(box('a'), box('b'))).toEqual([]);
    expect(
      changes(box('a', 'b'), {
        types: { Box: { params: ['b', 'a'], cons: record({ content: variable('a') }) } },
      }),
    ).toEqual([['FIELD_TYPE_CHANGED', false, 'M:Box.content']]);
    expect(changes(box('a'), box('a', 'b'))).toEqual([['TYPE_PARAMETERS_CHANGED', false, 'M:Box']]);
    const hidden: Parts = { types: { R: { cons: record({ a: INT }), serializable: false } } };
    expect(changes({ types: { R: record({ a: INT }) } }, hidden)).toEqual([
      ['TYPE_UNSERIALIZABLE', false, 'M:R'],
    ]);
    expect(changes(hidden, { types: {} })).toEqual([]);
    expect(changes({ module: 'A' }, { module: 'B' })).toEqual([
      ['MODULE_REMOVED', false, 'A'],
      ['MODULE_ADDED', true, 'B'],
    ]);
  });

  it('templates, keys, choices, instances', () => {
    const t = (template: Partial<Template>): Parts => ({ templates: { T: template } });
    expect(changes(t({}), {})).toEqual([['TEMPLATE_REMOVED', false, 'M:T']]);
    expect(changes(t({ keyType: INT }), t({ keyType: TEXT }))).toEqual([['KEY_TYPE_CHANGED', false, 'M:T']]);
    expect(changes(t({ keyType: INT }), t({}))).toEqual([['KEY_REMOVED', false, 'M:T']]);
    expect(changes(t({}), t({ keyType: INT }))).toEqual([['KEY_ADDED', false, 'M:T']]);
    expect(changes(t({ choices: [choice('C', INT)] }), t({}))).toEqual([['CHOICE_REMOVED', false, 'M:T.C']]);
    expect(
      changes(t({ choices: [choice('C', INT)] }), t({ choices: [choice('C', TEXT, TEXT, false)] })),
    ).toEqual([
      ['CHOICE_ARGUMENT_CHANGED', false, 'M:T.C'],
      ['CHOICE_RESULT_CHANGED', false, 'M:T.C'],
      ['CHOICE_CONSUMING_CHANGED', true, 'M:T.C'],
    ]);
    const instance = { implements: [{ packageId: 'api', module: 'I', name: 'Holding' }] };
    expect(changes(t(instance), t({}))).toEqual([['INSTANCE_REMOVED', false, 'M:T']]);
    expect(changes(t({}), t(instance))).toEqual([['INSTANCE_ADDED', true, 'M:T']]);
  });

  it('packages and references to other packages', () => {
    expect(changes({}, { name: 'q' })[0]).toEqual(['NAME_CHANGED', false, '']);
    expect(changes({ lf: '2.2' }, { lf: '2.1' })).toEqual([['LF_VERSION_DECREASED', false, '']]);
    expect(changes({ lf: '2.3' }, { lf: '2.dev' })).toEqual([]);
    expect(changes({ version: '1.2' }, {})).toEqual([['VERSION_NOT_HIGHER', false, '']]);
    expect(changes({}, { version: '1.0.0', id: 'other' })).toEqual([['VERSION_COLLISION', false, '']]);
    const to = (packageId: string): Parts => ({
      types: { R: record({ x: { kind: 'con', ref: { packageId, module: 'D', name: 'T' }, args: [] } }) },
    });
    const dep = (version: string, lf = '2.1', name = 'dep') =>
      make({ id: `dep-${version}`, name, version, lf });
    expect(changes(to('dep-1'), to('dep-2'), dep('1'), dep('2'))).toEqual([]);
    expect(changes(to('dep-2'), to('dep-1'), dep('1'), dep('2'))).toEqual([
      ['FIELD_TYPE_CHANGED', false, 'M:R.x'],
    ]);
    expect(changes(to('dep-1'), to('dep-2'), dep('1'), dep('2', '2.1', 'x'))).toEqual([
      ['FIELD_TYPE_CHANGED', false, 'M:R.x'],
    ]);
    expect(changes(to('dep-1'), to('dep-2'), dep('1', '1.15'), dep('2'))).toEqual([
      ['FIELD_TYPE_CHANGED', false, 'M:R.x'],
    ]);
    expect(changes(to('gone-1'), to('gone-2'))).toEqual([['FIELD_TYPE_CHANGED', false, 'M:R.x']]);
  });
});

it('versions', () => {
  const sorted = ['1', '1.0', '1.0.0', '1.0.1', '1.2', '1.10', '2', '10'];
  expect([...sorted].reverse().sort(compareVersions)).toEqual(sorted);
});

it('acme-iou 1.1.0 upgrades 1.0.0, not the other way', async () => {
  const catalog = await loadDars(['fixtures/dars'], { cacheDir: false });
  const [older, newer] = catalog.byName('acme-iou');
  const up = diffUpgrade(older, newer, catalog);
  expect(up.compatible).toBe(true);
  expect(up.changes.map((change) => [change.code, change.place, change.after])).toEqual([
    ['FIELD_ADDED', 'Acme.Iou:Iou.memo', 'Optional Text'],
    ['FIELD_ADDED', 'Acme.Iou:Iou.rating', 'Optional Int64'],
  ]);
  const down = diffUpgrade(newer, older, catalog);
  expect(down.compatible).toBe(false);
  expect(down.changes.map((change) => change.code)).toEqual([
    'VERSION_NOT_HIGHER',
    'FIELD_REMOVED',
    'FIELD_REMOVED',
  ]);
});

const PUBLIC = '../shared/public/dars';

describe.skipIf(!existsSync(PUBLIC))('public upgrade pairs (skipped without ../shared/public)', () => {
  const load = async (...names: string[]) => {
    const catalog = await loadDars(
      names.map((name) => `${PUBLIC}/splice-amulet-${name}.dar`),
      { cacheDir: false },
    );
    const [older, newer] = catalog.dars.map((dar) => catalog.get(dar.mainPackageId)!);
    return diffUpgrade(older, newer, catalog);
  };

  it('0.1.8 to 0.1.9 is compatible', async () => {
    const diff = await load('0.1.8@e611a705', '0.1.9@1afc87cd');
    expect([diff.older.packageId.slice(0, 8), diff.newer.packageId.slice(0, 8)]).toEqual([
      'bac5b3ce',
      '52cc6fd2',
    ]);
    expect(diff.compatible).toBe(true);
    expect(diff.changes.map((change) => `${change.code} ${change.place}`)).toContain(
      'FIELD_ADDED Splice.Expiry:TimeLock.optContext',
    );
  });

  it('0.1.9 to the other 0.1.9 is not', async () => {
    const diff = await load('0.1.9@1afc87cd', '0.1.9@71e44abe');
    expect(diff.compatible).toBe(false);
    expect(diff.changes.filter((change) => !change.compatible)).toMatchObject([
      { code: 'VERSION_COLLISION' },
      {
        code: 'FIELD_REMOVED',
        place: 'Splice.Amulet.TwoStepTransfer:TwoStepTransfer.requestedAt',
        before: 'Timestamp',
      },
      {
        code: 'FIELD_TYPE_CHANGED',
        place: 'Splice.AmuletAllocation:AmuletAllocation.allocation',
        before: 'Splice.Api.Token.AllocationV1:AllocationView',
        after: 'Splice.Api.Token.AllocationV1:AllocationSpecification',
      },
    ]);
  });

  it('0.1.9 to 0.1.14 is compatible', async () => {
    const diff = await load('0.1.9@71e44abe', '0.1.14');
    expect(diff.compatible).toBe(true);
    expect(diff.changes.map((change) => `${change.code} ${change.place}`)).toContain(
      'CONSTRUCTOR_ADDED Splice.AmuletRules:TransferInput.InputUnclaimedActivityRecord',
    );
  });
});
