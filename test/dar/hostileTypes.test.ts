import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { LfValue } from '../../src/contract/value.js';
import { packageSet } from '../../src/dar/catalog.js';
import { decodeDalf, openDalf } from '../../src/dar/dalf.js';
import { packageFromText, packageToText } from '../../src/dar/packageText.js';
import { formatType, type LfType, type Package } from '../../src/dar/type.js';
import { diffUpgrade } from '../../src/dar/upgradeDiff.js';
import { AcsError } from '../../src/io/error.js';
import { checkValue } from '../../src/typed/typeCheck.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { valueToJson } from '../../src/typed/valueToJson.js';
import { WireWriter } from '../../src/wire/writer.js';

/** Bytes of a message. */
const message = (write: (w: WireWriter) => void): Buffer => {
  const w = new WireWriter();
  write(w);
  return w.finish();
};
const int = (field: number, n: number) => (w: WireWriter) => w.tag(field, 0).varint(n);

const STRINGS = ['hostile', '1.0.0', 'M', 'R', 'Pair', 'x', 'y', 'a', 'b', 'S', 'N'];
const string = (text: string): number => STRINGS.indexOf(text);
/** Dotted names are one segment each, at the index of the string. */
const selfCon = (name: string, args: Buffer[]): Buffer =>
  message((w) =>
    w.messageField(2, () => {
      w.messageField(1, () => {
        w.messageField(1, () => {
          w.messageField(1, () => w.bytesField(1, Buffer.alloc(0)));
          int(2, string('M'))(w);
        });
        int(2, string(name))(w);
      });
      for (const arg of args) w.bytesField(2, arg);
    }),
  );
const builtin = (n: number, args: Buffer[] = []): Buffer =>
  message((w) =>
    w.messageField(3, () => {
      if (n !== 0) int(1, n)(w);
      for (const arg of args) w.bytesField(2, arg);
    }),
  );
const variable = (name: string): Buffer => message((w) => w.messageField(1, () => int(3, string(name))(w)));
const interned = (n: number): Buffer => message(int(8, n));

interface RecordType {
  name: string;
  params: string[];
  fields: [string, number][];
}

/** An LF 2.1 DALF with one module M that holds the given records. */
function dalf(types: Buffer[], records: RecordType[]): Buffer {
  const lfPackage = message((w) => {
    w.messageField(1, () => {
      int(1, string('M'))(w);
      for (const record of records) {
        w.messageField(4, () => {
          int(2, string(record.name))(w);
          for (const param of record.params) {
            w.messageField(3, () => {
              w.messageField(2, () => w.bytesField(1, Buffer.alloc(0)));
              int(3, string(param))(w);
            });
          }
          int(4, 1)(w);
          w.messageField(5, () => {
            for (const [field, type] of record.fields) {
              w.messageField(1, () => {
                w.bytesField(2, interned(type));
                int(3, string(field))(w);
              });
            }
          });
        });
      }
    });
    for (const text of STRINGS) w.stringField(2, text);
    STRINGS.forEach((_, i) => {
      w.messageField(3, () => w.bytesField(1, Buffer.from([i])));
    });
    w.messageField(4, () => {
      int(1, string('hostile'))(w);
      int(2, string('1.0.0'))(w);
    });
    for (const type of types) w.bytesField(5, type);
  });
  const payload = message((w) => {
    w.stringField(3, '1');
    w.bytesField(4, lfPackage);
  });
  return message((w) => {
    w.bytesField(3, payload);
    w.stringField(4, createHash('sha256').update(payload).digest('hex'));
  });
}

const decode = (...args: Parameters<typeof dalf>): Package => decodeDalf(openDalf(dalf(...args)));
const fieldType = (lfPackage: Package, name: string): LfType => {
  const { cons } = lfPackage.modules.get('M')!.dataTypes.get(name)!;
  if (cons.kind !== 'record') throw new Error('not a record');
  return cons.fields[0].type;
};

const PAIR: RecordType = {
  name: 'Pair',
  params: ['a', 'b'],
  fields: [
    ['x', 1],
    ['y', 2],
  ],
};

describe('types made to explode', () => {
  it('a type of 2^60 nodes is as cheap as its 60 table entries', () => {
    const types = [builtin(2), variable('a'), variable('b')];
    for (let i = 0; i < 60; i++) {
      const last = interned(types.length === 3 ? 0 : types.length - 1);
      types.push(selfCon('Pair', [last, last]));
    }
    const make = () => decode(types, [PAIR, { name: 'R', params: [], fields: [['x', types.length - 1]] }]);
    const lfPackage = make();
    const type = fieldType(lfPackage, 'R');
    expect(formatType(type).length).toBeLessThan(1000);
    expect(packageFromText(packageToText(lfPackage), lfPackage.packageId)).toBeDefined();
    const packages = packageSet([lfPackage]);
    const plan = new PlanCompiler(packages).plan(type);
    let nested: LfValue = { kind: 'int64', value: 1n };
    for (let i = 0; i < 3; i++) nested = { kind: 'record', fields: [nested, nested] };
    expect(() => checkValue(plan, nested, { trailingNone: false })).toThrow(AcsError);
    const other = { ...make(), packageId: 'other', version: '1.0.1' };
    expect(diffUpgrade(lfPackage, other, packageSet([lfPackage, other])).compatible).toBe(true);
  });

  it('a type that grows with every level ends where the value ends', () => {
    // data N a = N { x : Optional (N (Pair a a)) }
    const types = [
      variable('a'),
      variable('a'),
      variable('b'),
      selfCon('Pair', [interned(0), interned(0)]),
      selfCon('N', [interned(3)]),
      builtin(9, [interned(4)]),
      builtin(2),
      selfCon('N', [interned(6)]),
    ];
    const lfPackage = decode(types, [
      PAIR,
      { name: 'N', params: ['a'], fields: [['x', 5]] },
      { name: 'R', params: [], fields: [['x', 7]] },
    ]);
    const plan = new PlanCompiler(packageSet([lfPackage])).plan(fieldType(lfPackage, 'R'));
    let value: LfValue = { kind: 'record', fields: [] };
    for (let i = 0; i < 45; i++) value = { kind: 'record', fields: [{ kind: 'optional', value }] };
    checkValue(plan, value, { trailingNone: false });
    expect(valueToJson(plan, value)).toBe(`${'{"x":'.repeat(45)}{}${'}'.repeat(45)}`);
    for (let i = 0; i < 45; i++) value = { kind: 'record', fields: [{ kind: 'optional', value }] };
    expect(() => checkValue(plan, value, { trailingNone: false })).toThrow('nested too deeply');
  });

  it('a chain of 100 000 entries does not exhaust the stack', () => {
    const types = [builtin(2)];
    for (let i = 0; i < 100_000; i++) types.push(builtin(9, [interned(i)]));
    const lfPackage = decode(types, [{ name: 'R', params: [], fields: [['x', types.length - 1]] }]);
    expect(fieldType(lfPackage, 'R')).toEqual({ kind: 'opaque', what: 'tooDeep' });
    expect(() => new PlanCompiler(packageSet([lfPackage])).plan(fieldType(lfPackage, 'R'))).toThrow(
      'no contract value can have the type',
    );
  });

  it('bad references are named', () => {
    const records = (type: number): RecordType[] => [{ name: 'R', params: [], fields: [['x', type]] }];
    expect(() => decode([builtin(2)], records(5))).toThrow('interned type index out of range');
    expect(() => decode([builtin(9, [interned(0)])], records(0))).toThrow('interned type index out of range');
    expect(() => decode([builtin(2), interned(0)], records(1))).toThrow('refers to another entry');
    expect(() => decode([builtin(77)], records(0))).toThrow('unknown built-in type 77');
    const missing = decode([selfCon('S', [])], records(0));
    const compiler = new PlanCompiler(packageSet([missing]));
    expect(() => compiler.plan(fieldType(missing, 'R'))).toThrow('has no data type M:S');
    const unapplied = decode([selfCon('Pair', []), variable('a'), variable('b')], [PAIR, ...records(0)]);
    expect(() => new PlanCompiler(packageSet([unapplied])).plan(fieldType(unapplied, 'R'))).toThrow(
      'wrong number of types',
    );
  });

  it('an Optional nested through a parameter prints as the server prints it, and says what is lost', () => {
    // data S a = S { x : Optional a, y : Int }, used as S (Optional Int)
    const types = [
      variable('a'),
      builtin(9, [interned(0)]),
      builtin(2),
      builtin(9, [interned(2)]),
      selfCon('S', [interned(3)]),
    ];
    const lfPackage = decode(types, [
      {
        name: 'S',
        params: ['a'],
        fields: [
          ['x', 1],
          ['y', 2],
        ],
      },
      { name: 'R', params: [], fields: [['x', 4]] },
    ]);
    const plan = new PlanCompiler(packageSet([lfPackage])).plan(fieldType(lfPackage, 'R'));
    const none: LfValue = { kind: 'optional', value: null };
    const some = (value: LfValue): LfValue => ({ kind: 'optional', value });
    const s = (x: LfValue): LfValue => ({ kind: 'record', fields: [x, { kind: 'int64', value: 1n }] });
    expect(valueToJson(plan, s(none))).toBe('{"x":null,"y":"1"}');
    expect(valueToJson(plan, s(some(some({ kind: 'int64', value: 5n }))))).toBe('{"x":"5","y":"1"}');
    expect(() => valueToJson(plan, s(some(none)))).toThrow('cannot be told from None');
    expect(valueToJson(plan, s(some(none)), { allowLossy: true })).toBe('{"x":null,"y":"1"}');
  });
});
