/** Values of `contract-hash.json` as LF values, and types made to fit them. */
import type { LfValue } from '../../src/contract/value.js';
import type { LfType } from '../../src/dar/type.js';
import {
  PLAN_BOOL,
  PLAN_CONTRACT_ID,
  PLAN_DATE,
  PLAN_ENUM,
  PLAN_GEN_MAP,
  PLAN_INT64,
  PLAN_LIST,
  PLAN_NUMERIC,
  PLAN_OPTIONAL,
  PLAN_PARTY,
  PLAN_RECORD,
  PLAN_TEXT,
  PLAN_TEXT_MAP,
  PLAN_TIMESTAMP,
  PLAN_UNIT,
  PLAN_VARIANT,
  TypePlan,
} from '../../src/typed/typePlan.js';

export type VectorValue =
  | { t: 'unit' }
  | { t: 'bool'; v: boolean }
  | { t: 'int64' | 'timestamp' | 'numeric' | 'party' | 'text' | 'contractId'; v: string }
  | { t: 'date'; v: number }
  | { t: 'optional'; v: VectorValue | null }
  | { t: 'list'; v: VectorValue[] }
  | { t: 'textMap'; v: [string, VectorValue][] }
  | { t: 'genMap'; v: [VectorValue, VectorValue][] }
  | { t: 'record'; type: string | null; fields: [string | null, VectorValue][] }
  | { t: 'variant'; type: string; ctor: string; rank: number; v: VectorValue }
  | { t: 'enum'; type: string; ctor: string; rank: number };

export function toLf(v: VectorValue): LfValue {
  switch (v.t) {
    case 'unit':
      return { kind: 'unit' };
    case 'bool':
      return { kind: 'bool', value: v.v };
    case 'int64':
    case 'timestamp':
      return { kind: v.t, value: BigInt(v.v) };
    case 'numeric':
    case 'party':
    case 'text':
    case 'contractId':
      return { kind: v.t, value: v.v };
    case 'date':
      return { kind: 'date', value: v.v };
    case 'optional':
      return { kind: 'optional', value: v.v === null ? null : toLf(v.v) };
    case 'list':
      return { kind: 'list', items: v.v.map(toLf) };
    case 'textMap':
      return { kind: 'textMap', entries: v.v.map(([key, item]) => [key, toLf(item)]) };
    case 'genMap':
      return { kind: 'genMap', entries: v.v.map(([key, item]) => [toLf(key), toLf(item)]) };
    case 'record':
      return { kind: 'record', fields: v.fields.map(([, item]) => toLf(item)) };
    case 'variant':
      return { kind: 'variant', tag: v.ctor, value: toLf(v.v) };
    case 'enum':
      return { kind: 'enum', tag: v.ctor };
  }
}

const SCALARS: Record<string, number> = {
  unit: PLAN_UNIT,
  bool: PLAN_BOOL,
  int64: PLAN_INT64,
  timestamp: PLAN_TIMESTAMP,
  party: PLAN_PARTY,
  text: PLAN_TEXT,
  contractId: PLAN_CONTRACT_ID,
  date: PLAN_DATE,
};

/** A type that all the values have. */
export function planOf(values: VectorValue[]): TypePlan {
  if (values.length === 0) return new TypePlan(PLAN_UNIT, typeNamed('Unit'), null);
  const first = values[0];
  const scalar = SCALARS[first.t];
  if (scalar !== undefined) return new TypePlan(scalar, typeNamed(first.t), null);
  switch (first.t) {
    case 'numeric': {
      const plan = new TypePlan(PLAN_NUMERIC, typeNamed('Numeric'), null);
      plan.scale = first.v.length - first.v.indexOf('.') - 1;
      return plan;
    }
    case 'optional':
      return container(
        PLAN_OPTIONAL,
        values.flatMap((v) => (v.t === 'optional' && v.v !== null ? [v.v] : [])),
      );
    case 'list':
      return container(
        PLAN_LIST,
        values.flatMap((v) => (v.t === 'list' ? v.v : [])),
      );
    case 'textMap':
      return container(
        PLAN_TEXT_MAP,
        values.flatMap((v) => (v.t === 'textMap' ? v.v.map(([, item]) => item) : [])),
      );
    case 'genMap': {
      const entries = values.flatMap((v) => (v.t === 'genMap' ? v.v : []));
      return new TypePlan(PLAN_GEN_MAP, typeNamed('GenMap'), () => [
        planOf(entries.map(([key]) => key)),
        planOf(entries.map(([, item]) => item)),
      ]);
    }
    case 'record': {
      const records = values.flatMap((v) => (v.t === 'record' ? [v] : []));
      const plan = new TypePlan(PLAN_RECORD, typeNamed(first.type ?? 'M:T'), () =>
        first.fields.map((_, i) =>
          planOf(records.flatMap((r) => (i < r.fields.length ? [r.fields[i][1]] : []))),
        ),
      );
      return named(
        plan,
        first.type,
        first.fields.map(([label], i) => label ?? `f${i}`),
      );
    }
    case 'variant': {
      const variants = values.flatMap((v) => (v.t === 'variant' ? [v] : []));
      const names = constructorNames(variants);
      const plan = new TypePlan(PLAN_VARIANT, typeNamed(first.type), () =>
        names.map((name) => planOf(variants.filter((v) => v.ctor === name).map((v) => v.v))),
      );
      return named(plan, first.type, names);
    }
    case 'enum': {
      const enums = values.flatMap((v) => (v.t === 'enum' ? [v] : []));
      return named(new TypePlan(PLAN_ENUM, typeNamed(first.type), null), first.type, constructorNames(enums));
    }
  }
  throw new Error(`unknown kind ${first.t}`);
}

function constructorNames(values: { ctor: string; rank: number }[]): string[] {
  const names = Array.from({ length: Math.max(...values.map((v) => v.rank)) + 1 }, (_, i) => `Other${i}`);
  for (const v of values) names[v.rank] = v.ctor;
  return names;
}

function container(kind: number, elements: VectorValue[]): TypePlan {
  return new TypePlan(kind, typeNamed('Container'), () => [planOf(elements)]);
}

function named(plan: TypePlan, type: string | null, names: string[]): TypePlan {
  const [module, name] = (type ?? 'M:T').split(':');
  plan.ref = { packageId: 'p', module, name };
  plan.names = names;
  plan.ranks = new Map(names.map((n, i) => [n, i]));
  return plan;
}

function typeNamed(name: string): LfType {
  return { kind: 'con', ref: { packageId: 'p', module: 'M', name }, args: [] };
}
