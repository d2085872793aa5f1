/** Field numbers of the two Daml-LF major versions (daml-lf spec, sections 2.2 and 2.5). Names are shared, numbers not. */
import type { BuiltinName } from './type.js';

/**
 * A field number of 0 means the version has no such field. `…Name` fields hold indexes into the interned tables;
 * `…Inline` fields hold the text itself (LF 1 before 1.7).
 */
export interface LfLayout {
  readonly major: 1 | 2;
  readonly builtins: ReadonlyMap<number, BuiltinName>;
  /** LF 2 omits index 0 of a plain field on the wire; LF 1 writes it, so that absence selects the inline form. */
  readonly indexZeroOmitted: boolean;
  readonly packageRef: { self: number; inline: number; interned: number; importIndex: number };
  readonly moduleRef: { package: number; inline: number; name: number };
  readonly typeRef: { module: number; inline: number; name: number };
  /** FieldWithType, VarWithType and TypeVarWithKind. `value` is the type or the kind. */
  readonly named: { inline: number; value: number; name: number };
  readonly type: {
    var: number;
    con: number;
    builtin: number;
    forall: number;
    struct: number;
    nat: number;
    synonym: number;
    interned: number;
    application: number;
  };
  readonly module: {
    inline: number;
    name: number;
    synonyms: number;
    dataTypes: number;
    templates: number;
    interfaces: number;
  };
  readonly dataType: {
    inline: number;
    name: number;
    params: number;
    serializable: number;
    record: number;
    variant: number;
    enum: number;
    interface: number;
  };
  readonly enumConstructors: { inline: number; names: number };
  readonly synonym: { inline: number; name: number; params: number; type: number };
  readonly template: { inline: number; name: number; choices: number; key: number; implements: number };
  readonly choice: {
    inline: number;
    name: number;
    consuming: number;
    argBinder: number;
    returnType: number;
  };
  readonly interface: { name: number; choices: number; view: number; requires: number };
}

const COMMON: readonly [number, BuiltinName][] = [
  [0, 'unit'],
  [1, 'bool'],
  [2, 'int64'],
];

export const LF2: LfLayout = {
  major: 2,
  builtins: new Map<number, BuiltinName>([
    ...COMMON,
    [3, 'date'],
    [4, 'timestamp'],
    [5, 'numeric'],
    [6, 'party'],
    [7, 'text'],
    [8, 'contractId'],
    [9, 'optional'],
    [10, 'list'],
    [11, 'genMap'],
    [13, 'any'],
    [14, 'anyException'],
    [15, 'typeRep'],
    [16, 'arrow'],
    [17, 'update'],
    [18, 'failureCategory'],
    [19, 'textMap'],
    [1002, 'bigNumeric'],
    [1003, 'roundingMode'],
  ]),
  indexZeroOmitted: true,
  packageRef: { self: 1, inline: 0, interned: 3, importIndex: 4 },
  moduleRef: { package: 1, inline: 0, name: 2 },
  typeRef: { module: 1, inline: 0, name: 2 },
  named: { inline: 0, value: 2, name: 3 },
  type: {
    var: 1,
    con: 2,
    builtin: 3,
    forall: 4,
    struct: 5,
    nat: 6,
    synonym: 7,
    interned: 8,
    application: 9,
  },
  module: { inline: 0, name: 1, synonyms: 3, dataTypes: 4, templates: 6, interfaces: 8 },
  dataType: {
    inline: 0,
    name: 2,
    params: 3,
    serializable: 4,
    record: 5,
    variant: 6,
    enum: 7,
    interface: 8,
  },
  enumConstructors: { inline: 0, names: 2 },
  synonym: { inline: 0, name: 2, params: 3, type: 4 },
  template: { inline: 0, name: 1, choices: 6, key: 9, implements: 10 },
  choice: { inline: 0, name: 2, consuming: 3, argBinder: 6, returnType: 8 },
  interface: { name: 2, choices: 5, view: 6, requires: 7 },
};

export const LF1: LfLayout = {
  major: 1,
  builtins: new Map<number, BuiltinName>([
    ...COMMON,
    [5, 'text'],
    [6, 'timestamp'],
    [8, 'party'],
    [9, 'list'],
    [10, 'update'],
    [11, 'scenario'],
    [12, 'date'],
    [13, 'contractId'],
    [14, 'optional'],
    [15, 'arrow'],
    [16, 'textMap'],
    [17, 'numeric'],
    [18, 'any'],
    [19, 'typeRep'],
    [20, 'genMap'],
    [21, 'bigNumeric'],
    [22, 'roundingMode'],
    [23, 'anyException'],
  ]),
  indexZeroOmitted: false,
  packageRef: { self: 1, inline: 2, interned: 3, importIndex: 0 },
  moduleRef: { package: 1, inline: 2, name: 3 },
  typeRef: { module: 1, inline: 2, name: 3 },
  named: { inline: 1, value: 2, name: 3 },
  type: {
    var: 1,
    con: 2,
    builtin: 3,
    forall: 5,
    struct: 7,
    nat: 11,
    synonym: 12,
    interned: 13,
    application: 0,
  },
  module: { inline: 1, name: 8, synonyms: 9, dataTypes: 5, templates: 7, interfaces: 11 },
  dataType: {
    inline: 1,
    name: 8,
    params: 2,
    serializable: 5,
    record: 3,
    variant: 4,
    enum: 7,
    interface: 9,
  },
  enumConstructors: { inline: 1, names: 2 },
  synonym: { inline: 1, name: 8, params: 2, type: 3 },
  template: { inline: 1, name: 12, choices: 7, key: 10, implements: 13 },
  choice: { inline: 1, name: 9, consuming: 2, argBinder: 4, returnType: 5 },
  interface: { name: 2, choices: 5, view: 8, requires: 9 },
};

/** LF 1 before 1.7: `Decimal`, the same as `Numeric 10`. */
export const LF1_DECIMAL = 3;
