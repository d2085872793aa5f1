/**
 * Daml-LF packages as far as a contract's data needs them: data types, templates, interfaces (daml-lf spec,
 * section 2). Every reference is absolute: it names the package that defines the thing, never "self".
 */
import { AcsError } from '../io/error.js';

/** Built-in types. The opaque ones (from `any` on) never occur in a serializable type. */
export type BuiltinName =
  | 'unit'
  | 'bool'
  | 'int64'
  | 'date'
  | 'timestamp'
  | 'numeric'
  | 'party'
  | 'text'
  | 'contractId'
  | 'optional'
  | 'list'
  | 'genMap'
  | 'textMap'
  | 'any'
  | 'anyException'
  | 'typeRep'
  | 'arrow'
  | 'update'
  | 'scenario'
  | 'failureCategory'
  | 'bigNumeric'
  | 'roundingMode';

/** A data type, synonym, template or interface: where it is defined. `module` and `name` are dotted. */
export interface TypeRef {
  readonly packageId: string;
  readonly module: string;
  readonly name: string;
}

/**
 * A type. Applications are normalised to head and argument list. Nodes are shared: a type is a directed acyclic graph
 * and must not be walked as a tree without remembering what was seen (see {@link TypeInterner}).
 */
export type LfType =
  /** `numeric` takes one `nat` (its scale), `genMap` key and value, the other containers their element. */
  | { readonly kind: 'builtin'; readonly builtin: BuiltinName; readonly args: readonly LfType[] }
  | { readonly kind: 'con'; readonly ref: TypeRef; readonly args: readonly LfType[] }
  | { readonly kind: 'var'; readonly name: string; readonly args: readonly LfType[] }
  | { readonly kind: 'synonym'; readonly ref: TypeRef; readonly args: readonly LfType[] }
  | { readonly kind: 'nat'; readonly value: number }
  /** Known to exist, of no use for contract data. */
  | { readonly kind: 'opaque'; readonly what: 'forall' | 'struct' | 'tooDeep' };

export interface TypeParam {
  readonly name: string;
  /** `*`, `nat`, or an arrow such as `(* -> *)`. */
  readonly kind: string;
}

export interface Field {
  readonly name: string;
  readonly type: LfType;
}

export type DataCons =
  | { readonly kind: 'record'; readonly fields: readonly Field[] }
  | { readonly kind: 'variant'; readonly constructors: readonly Field[] }
  | { readonly kind: 'enum'; readonly constructors: readonly string[] }
  | { readonly kind: 'interface' };

export interface DataType {
  readonly ref: TypeRef;
  readonly params: readonly TypeParam[];
  readonly serializable: boolean;
  readonly cons: DataCons;
}

export interface TypeSynonym {
  readonly ref: TypeRef;
  readonly params: readonly TypeParam[];
  readonly type: LfType;
}

export interface Choice {
  readonly name: string;
  readonly consuming: boolean;
  readonly argType: LfType;
  readonly returnType: LfType;
}

/** Its argument record is the data type of the same name. Choices inherited through interfaces are not listed. */
export interface Template {
  readonly ref: TypeRef;
  readonly choices: readonly Choice[];
  readonly keyType: LfType | null;
  readonly implements: readonly TypeRef[];
}

export interface Interface {
  readonly ref: TypeRef;
  readonly choices: readonly Choice[];
  /** Absent in packages made before views existed. */
  readonly viewType: LfType | null;
  readonly requires: readonly TypeRef[];
}

/** Maps are keyed by the (dotted) name inside the module, in the order of the package. */
export interface Module {
  readonly name: string;
  readonly dataTypes: ReadonlyMap<string, DataType>;
  readonly synonyms: ReadonlyMap<string, TypeSynonym>;
  readonly templates: ReadonlyMap<string, Template>;
  readonly interfaces: ReadonlyMap<string, Interface>;
}

export interface Package {
  /** Lower-case hex SHA-256 of the archive payload. */
  readonly packageId: string;
  /** Major and minor, e.g. `2.1`. */
  readonly languageVersion: string;
  /** Absent before LF 1.8. */
  readonly name: string | null;
  readonly version: string | null;
  /** The package this one was compiled as an upgrade of; usually absent. */
  readonly upgradedPackageId: string | null;
  /** Ids of the packages that its types refer to or that it lists as imports, sorted. */
  readonly dependencies: readonly string[];
  /** It lists its imports (LF 2.2 and later), so that `dependencies` is complete but for stable packages. */
  readonly listsImports: boolean;
  readonly modules: ReadonlyMap<string, Module>;
}

/** All packages at hand. */
export interface PackageSet {
  get(packageId: string): Package | undefined;
  /** Packages of that name, by ascending version, then ascending package id. */
  byName(name: string): readonly Package[];
  /** Sorted. */
  ids(): readonly string[];
}

export function formatTypeRef(ref: TypeRef): string {
  return `${ref.packageId}:${ref.module}:${ref.name}`;
}

/**
 * Type text for messages and listings, e.g. `List (ContractId Iou)`; package ids are left out, and modules too unless
 * `qualified`. Shared nodes can make the text exponentially long: it stops after 64 nodes.
 */
export function formatType(type: LfType, qualified = false): string {
  return formatPart(type, { left: 64, qualified }, false);
}

const BUILTIN_TEXT: Partial<Record<BuiltinName, string>> = {
  genMap: 'GenMap',
  textMap: 'TextMap',
  contractId: 'ContractId',
  arrow: '->',
};

function formatPart(type: LfType, budget: { left: number; qualified: boolean }, nested: boolean): string {
  if (budget.left-- <= 0) return '…';
  let head: string;
  if (type.kind === 'nat') return String(type.value);
  if (type.kind === 'opaque') return `<${type.what}>`;
  if (type.kind === 'builtin') {
    head = BUILTIN_TEXT[type.builtin] ?? `${type.builtin[0].toUpperCase()}${type.builtin.slice(1)}`;
  } else if (type.kind === 'var') head = type.name;
  else head = budget.qualified ? `${type.ref.module}:${type.ref.name}` : type.ref.name;
  if (type.args.length === 0) return head;
  const text = `${head} ${type.args.map((arg) => formatPart(arg, budget, true)).join(' ')}`;
  return nested ? `(${text})` : text;
}

/** The package of a reference; `PACKAGE_MISSING` when it is not in the set. */
export function requirePackage(packages: PackageSet, packageId: string): Package {
  const found = packages.get(packageId);
  if (found === undefined) {
    throw new AcsError('PACKAGE_MISSING', `package ${packageId} is not among the given DARs`, {
      expected: packageId,
      hint: 'give the DAR that contains it with --dar',
    });
  }
  return found;
}

/** The definition of a data type; `PACKAGE_MISSING`, or `TYPE_NOT_FOUND` when its package lacks it. */
export function resolveDataType(packages: PackageSet, ref: TypeRef): DataType {
  const found = requirePackage(packages, ref.packageId).modules.get(ref.module)?.dataTypes.get(ref.name);
  if (found === undefined) throw notFound('data type', ref);
  return found;
}

/** The definition of a template; `PACKAGE_MISSING`, or `TYPE_NOT_FOUND` when its package lacks it. */
export function resolveTemplate(packages: PackageSet, ref: TypeRef): Template {
  const found = requirePackage(packages, ref.packageId).modules.get(ref.module)?.templates.get(ref.name);
  if (found === undefined) throw notFound('template', ref);
  return found;
}

export function resolveSynonym(packages: PackageSet, ref: TypeRef): TypeSynonym {
  const found = requirePackage(packages, ref.packageId).modules.get(ref.module)?.synonyms.get(ref.name);
  if (found === undefined) throw notFound('type synonym', ref);
  return found;
}

function notFound(what: string, ref: TypeRef): AcsError {
  return new AcsError('TYPE_NOT_FOUND', `package ${ref.packageId} has no ${what} ${ref.module}:${ref.name}`, {
    expected: formatTypeRef(ref),
  });
}
