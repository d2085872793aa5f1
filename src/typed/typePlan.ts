/**
 * Types compiled for walking values: everything a value of a type needs (labels, ranks, element plans) is one property
 * read away. A plan is made once per type and shared; the parts of records and variants are made when a value first
 * reaches them, so recursive types end where the values end.
 */

import {
  type DataType,
  formatType,
  formatTypeRef,
  type LfType,
  type PackageSet,
  resolveDataType,
  resolveTemplate,
  type TypeRef,
} from '../dar/type.js';
import { AcsError } from '../io/error.js';
import { type InternedType, TypeInterner } from './typeInterner.js';

/** Plan kinds; the numbers are the tags of the typed hash (contract-id spec, section 4.4). */
export const PLAN_INT64 = 0;
export const PLAN_NUMERIC = 1;
export const PLAN_TEXT = 2;
export const PLAN_TIMESTAMP = 3;
export const PLAN_PARTY = 4;
export const PLAN_BOOL = 5;
export const PLAN_UNIT = 6;
export const PLAN_DATE = 7;
export const PLAN_RECORD = 8;
export const PLAN_VARIANT = 9;
export const PLAN_ENUM = 10;
export const PLAN_LIST = 11;
export const PLAN_OPTIONAL = 12;
export const PLAN_TEXT_MAP = 13;
export const PLAN_GEN_MAP = 14;
export const PLAN_CONTRACT_ID = 15;

const NO_NAMES: readonly string[] = [];
const NO_RANKS: ReadonlyMap<string, number> = new Map();
const NO_PLANS: readonly TypePlan[] = [];

/**
 * One shape for every kind, so that the code that walks plans stays monomorphic. Which properties mean something
 * depends on `kind`; the others hold neutral values.
 */
export class TypePlan {
  /** One of the `PLAN_…` numbers. */
  readonly kind: number;
  /** The type with parameters filled in, for messages. */
  readonly type: LfType;
  /** Numeric: digits after the point. Otherwise -1. */
  scale = -1;
  /** Record, variant, enum: the definition. */
  ref: TypeRef | null = null;
  /** Record: labels. Variant and enum: constructor names. In definition order. */
  names: readonly string[] = NO_NAMES;
  /** Variant and enum: constructor name to its rank (position in the definition). Record: label to position. */
  ranks: ReadonlyMap<string, number> = NO_RANKS;
  /**
   * Optional: JSON writes None as `[]` and Some x as `[x]`, because the element is written as an `Optional` too or the
   * plan is itself the element of such an `Optional` (daml-lf spec, section 3.3).
   */
  jsonArrayForm = false;
  /** Bytes a consumer has derived from this plan (e.g. a hash prefix). Owned by whoever sets it. */
  prefix: DataView | null = null;
  /** Bytes derived per name, see `names`. Owned by whoever sets it. */
  namePrefixes: readonly DataView[] | null = null;

  private resolved: readonly TypePlan[] | null = null;
  private resolveParts: (() => readonly TypePlan[]) | null;

  constructor(kind: number, type: LfType, resolveParts: (() => readonly TypePlan[]) | null) {
    this.kind = kind;
    this.type = type;
    this.resolveParts = resolveParts;
  }

  /**
   * Record: the fields. Variant: the payload of each constructor. Optional, list, text map: the element. GenMap: key
   * and value. Enum and scalars: nothing. May throw `PACKAGE_MISSING` when first asked.
   */
  get parts(): readonly TypePlan[] {
    return this.resolved ?? this.resolve();
  }

  private resolve(): readonly TypePlan[] {
    const parts = this.resolveParts === null ? NO_PLANS : this.resolveParts();
    this.resolved = parts;
    this.resolveParts = null;
    return parts;
  }

  /** Record field plans; the same as {@link parts}. */
  get fields(): readonly TypePlan[] {
    return this.resolved ?? this.resolve();
  }

  /** Element of an optional, list or text map; key of a GenMap. */
  get element(): TypePlan {
    return (this.resolved ?? this.resolve())[0];
  }

  /** Value plan of a GenMap. */
  get mapValue(): TypePlan {
    return (this.resolved ?? this.resolve())[1];
  }
}

/** A template's plans. `arg` is its argument record, `key` the plan of its key, if it has one. */
export interface TemplatePlan {
  readonly ref: TypeRef;
  readonly packageName: string | null;
  readonly arg: TypePlan;
  readonly key: TypePlan | null;
}

const SCALARS: Partial<Record<string, number>> = {
  unit: PLAN_UNIT,
  bool: PLAN_BOOL,
  int64: PLAN_INT64,
  date: PLAN_DATE,
  timestamp: PLAN_TIMESTAMP,
  party: PLAN_PARTY,
  text: PLAN_TEXT,
};

/** Compiles types of a set of packages and keeps what it compiled. */
export class PlanCompiler {
  readonly packages: PackageSet;
  private readonly interner = new TypeInterner();
  private readonly plans = new Map<number, TypePlan>();
  private readonly arrayPlans = new Map<number, TypePlan>();
  private readonly templates = new Map<string, Map<string, TemplatePlan>>();

  constructor(packages: PackageSet) {
    this.packages = packages;
  }

  /**
   * Plans of a template. The type name is `Module:Entity`.
   * Errors: `PACKAGE_MISSING`, `TYPE_NOT_FOUND`.
   */
  template(packageId: string, qualifiedName: string): TemplatePlan {
    let ofPackage = this.templates.get(packageId);
    if (ofPackage === undefined) {
      ofPackage = new Map();
      this.templates.set(packageId, ofPackage);
    }
    let plan = ofPackage.get(qualifiedName);
    if (plan === undefined) {
      plan = this.compileTemplate(packageId, qualifiedName);
      ofPackage.set(qualifiedName, plan);
    }
    return plan;
  }

  private compileTemplate(packageId: string, qualifiedName: string): TemplatePlan {
    const colon = qualifiedName.indexOf(':');
    const ref = { packageId, module: qualifiedName.slice(0, colon), name: qualifiedName.slice(colon + 1) };
    const template = resolveTemplate(this.packages, ref);
    return {
      ref,
      packageName: this.packages.get(packageId)?.name ?? null,
      arg: this.plan({ kind: 'con', ref, args: [] }),
      key: template.keyType === null ? null : this.plan(template.keyType),
    };
  }

  /**
   * The plan of a closed type.
   * Errors: `PACKAGE_MISSING`, `TYPE_NOT_FOUND`, `TYPE_NOT_SERIALIZABLE`, `TYPE_ILL_KINDED`.
   */
  plan(type: LfType): TypePlan {
    return this.compile(this.interner.intern(type), false);
  }

  private compile(type: InternedType, inArrayForm: boolean): TypePlan {
    const memo = inArrayForm ? this.arrayPlans : this.plans;
    let plan = memo.get(type.id);
    if (plan === undefined) {
      plan = this.make(this.interner.expand(this.packages, type), inArrayForm);
      memo.set(type.id, plan);
    }
    return plan;
  }

  private make(type: InternedType, inArrayForm: boolean): TypePlan {
    const node = type.type;
    if (node.kind === 'con') return this.makeData(type, node.ref);
    if (node.kind !== 'builtin') throw notSerializable(node);
    const { args } = type;
    const scalar = SCALARS[node.builtin];
    if (scalar !== undefined) {
      requireArgs(type, 0);
      return new TypePlan(scalar, node, null);
    }
    switch (node.builtin) {
      case 'numeric': {
        requireArgs(type, 1);
        const scale = this.interner.expand(this.packages, args[0]).type;
        if (scale.kind !== 'nat') throw notSerializable(node);
        const plan = new TypePlan(PLAN_NUMERIC, node, null);
        plan.scale = scale.value;
        return plan;
      }
      case 'contractId':
        // The argument only informs; its package may be absent.
        requireArgs(type, 1);
        return new TypePlan(PLAN_CONTRACT_ID, node, null);
      case 'optional':
        return this.makeOptional(type, inArrayForm);
      case 'list':
        requireArgs(type, 1);
        return new TypePlan(PLAN_LIST, node, () => [this.compile(args[0], false)]);
      case 'textMap':
        requireArgs(type, 1);
        return new TypePlan(PLAN_TEXT_MAP, node, () => [this.compile(args[0], false)]);
      case 'genMap':
        requireArgs(type, 2);
        return new TypePlan(PLAN_GEN_MAP, node, () => [
          this.compile(args[0], false),
          this.compile(args[1], false),
        ]);
      default:
        throw notSerializable(node);
    }
  }

  private makeOptional(type: InternedType, inArrayForm: boolean): TypePlan {
    requireArgs(type, 1);
    const element = this.interner.expand(this.packages, type.args[0]);
    const nested =
      !type.viaParameter && element.type.kind === 'builtin' && element.type.builtin === 'optional';
    const plan = new TypePlan(PLAN_OPTIONAL, type.type, () => [this.compile(type.args[0], nested)]);
    plan.jsonArrayForm = nested || inArrayForm;
    return plan;
  }

  private makeData(type: InternedType, ref: TypeRef): TypePlan {
    const definition: DataType = resolveDataType(this.packages, ref);
    const binding = this.interner.bind(definition.params, type.args, formatTypeRef(ref));
    const { cons } = definition;
    if (cons.kind === 'interface') throw notSerializable(type.type);
    let plan: TypePlan;
    if (cons.kind === 'enum') {
      plan = new TypePlan(PLAN_ENUM, type.type, null);
      plan.names = cons.constructors;
    } else {
      const members = cons.kind === 'record' ? cons.fields : cons.constructors;
      plan = new TypePlan(cons.kind === 'record' ? PLAN_RECORD : PLAN_VARIANT, type.type, () =>
        members.map((member) =>
          this.compile(this.interner.substitute(this.interner.intern(member.type), binding), false),
        ),
      );
      plan.names = members.map((member) => member.name);
    }
    plan.ref = ref;
    plan.ranks = new Map(plan.names.map((name, rank) => [name, rank]));
    return plan;
  }
}

function requireArgs(type: InternedType, count: number): void {
  if (type.args.length !== count) {
    throw new AcsError('TYPE_ILL_KINDED', `${formatType(type.type)} has the wrong number of type arguments`, {
      expected: `${count}`,
      found: `${type.args.length}`,
    });
  }
}

function notSerializable(type: LfType): AcsError {
  return new AcsError('TYPE_NOT_SERIALIZABLE', `no contract value can have the type ${formatType(type)}`);
}
