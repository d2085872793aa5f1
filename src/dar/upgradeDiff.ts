/**
 * Whether one package is a valid upgrade of another, and what changed (daml-lf spec, section 3.5). The rules are those a
 * participant applies when it vets a package.
 */
import {
  type Choice,
  type DataType,
  type Field,
  formatType,
  type LfType,
  type Module,
  type Package,
  type PackageSet,
  type Template,
  type TypeParam,
  type TypeRef,
} from './type.js';
import { compareVersions } from './version.js';

export type UpgradeChangeCode =
  | 'NAME_CHANGED'
  | 'VERSION_NOT_HIGHER'
  /** Both packages have the same name and version but different ids. */
  | 'VERSION_COLLISION'
  | 'LF_VERSION_DECREASED'
  | 'MODULE_REMOVED'
  | 'MODULE_ADDED'
  | 'TYPE_REMOVED'
  | 'TYPE_ADDED'
  | 'TYPE_FORM_CHANGED'
  | 'TYPE_PARAMETERS_CHANGED'
  | 'TYPE_UNSERIALIZABLE'
  | 'FIELD_REMOVED'
  | 'FIELD_ADDED'
  | 'FIELD_TYPE_CHANGED'
  | 'FIELD_ORDER_CHANGED'
  | 'CONSTRUCTOR_REMOVED'
  | 'CONSTRUCTOR_ADDED'
  | 'CONSTRUCTOR_TYPE_CHANGED'
  | 'CONSTRUCTOR_ORDER_CHANGED'
  | 'TEMPLATE_REMOVED'
  | 'TEMPLATE_ADDED'
  | 'KEY_ADDED'
  | 'KEY_REMOVED'
  | 'KEY_TYPE_CHANGED'
  | 'CHOICE_REMOVED'
  | 'CHOICE_ADDED'
  | 'CHOICE_ARGUMENT_CHANGED'
  | 'CHOICE_RESULT_CHANGED'
  | 'CHOICE_CONSUMING_CHANGED'
  | 'INSTANCE_REMOVED'
  | 'INSTANCE_ADDED'
  /** Both packages define the interface: its instances are those of two different interfaces. */
  | 'INTERFACE_REDEFINED';

export interface UpgradeChange {
  readonly code: UpgradeChangeCode;
  /** A change that a valid upgrade may make. */
  readonly compatible: boolean;
  /** `Module:Type`, with `.field`, `.Constructor` or `.Choice` after it; empty for the package itself. */
  readonly place: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface PackageSummary {
  readonly packageId: string;
  readonly name: string | null;
  readonly version: string | null;
  readonly languageVersion: string;
}

export interface UpgradeDiff {
  readonly older: PackageSummary;
  readonly newer: PackageSummary;
  readonly compatible: boolean;
  /** The incompatible ones first, then by place. */
  readonly changes: readonly UpgradeChange[];
}

/**
 * Compares two packages. `packages` must hold what their types refer to: a package that is absent counts as equal only
 * to itself.
 */
export function diffUpgrade(older: Package, newer: Package, packages: PackageSet): UpgradeDiff {
  const diff = new Differ(older, newer, packages);
  const changes = diff.run();
  return {
    older: summarizePackage(older),
    newer: summarizePackage(newer),
    compatible: changes.every((change) => change.compatible),
    changes,
  };
}

export function summarizePackage(each: Package): PackageSummary {
  const { packageId, name, version, languageVersion } = each;
  return { packageId, name, version, languageVersion };
}

/** Major and minor as numbers; `dev` is above all. */
function compareLanguageVersions(a: string, b: string): number {
  const rank = (version: string): [number, number] => {
    const [major, minor] = version.split('.');
    const parsed = Number.parseInt(minor, 10);
    return [Number(major), Number.isNaN(parsed) ? Number.POSITIVE_INFINITY : parsed];
  };
  const [left, right] = [rank(a), rank(b)];
  if (left[0] !== right[0]) return left[0] - right[0];
  return left[1] === right[1] ? 0 : left[1] - right[1];
}

class Differ {
  private readonly older: Package;
  private readonly newer: Package;
  private readonly packages: PackageSet;
  private readonly changes: UpgradeChange[] = [];

  constructor(older: Package, newer: Package, packages: PackageSet) {
    this.older = older;
    this.newer = newer;
    this.packages = packages;
  }

  private add(
    code: UpgradeChangeCode,
    compatible: boolean,
    place: string,
    before: string | null = null,
    after: string | null = null,
  ): void {
    this.changes.push({ code, compatible, place, before, after });
  }

  run(): UpgradeChange[] {
    const { older, newer } = this;
    if (older.packageId === newer.packageId) return [];
    this.metadata();
    for (const [name, module] of older.modules) {
      const next = newer.modules.get(name);
      if (next === undefined) this.add('MODULE_REMOVED', false, name);
      else this.module(module, next);
    }
    for (const name of newer.modules.keys()) {
      if (!older.modules.has(name)) this.add('MODULE_ADDED', true, name);
    }
    const order = (a: UpgradeChange, b: UpgradeChange) =>
      Number(a.compatible) - Number(b.compatible) ||
      (a.place < b.place ? -1 : a.place > b.place ? 1 : a.code < b.code ? -1 : a.code > b.code ? 1 : 0);
    return this.changes.sort(order);
  }

  private metadata(): void {
    const { older, newer } = this;
    if (older.name !== newer.name) this.add('NAME_CHANGED', false, '', older.name, newer.name);
    if (compareLanguageVersions(older.languageVersion, newer.languageVersion) > 0) {
      this.add('LF_VERSION_DECREASED', false, '', older.languageVersion, newer.languageVersion);
    }
    if (older.version === null || newer.version === null) return;
    const order = compareVersions(older.version, newer.version);
    if (order === 0 && older.name === newer.name) {
      this.add('VERSION_COLLISION', false, '', older.packageId, newer.packageId);
    } else if (order > 0) this.add('VERSION_NOT_HIGHER', false, '', older.version, newer.version);
  }

  private module(older: Module, newer: Module): void {
    for (const type of older.dataTypes.values()) {
      const next = newer.dataTypes.get(type.ref.name);
      const place = placeOf(type.ref);
      if (next === undefined) {
        if (type.serializable) this.add('TYPE_REMOVED', false, place);
      } else if (type.serializable && !next.serializable) this.add('TYPE_UNSERIALIZABLE', false, place);
      else if (type.serializable) this.dataType(place, type, next);
    }
    for (const type of newer.dataTypes.values()) {
      if (type.serializable && !older.dataTypes.has(type.ref.name)) {
        this.add('TYPE_ADDED', true, placeOf(type.ref));
      }
    }
    for (const template of older.templates.values()) {
      const next = newer.templates.get(template.ref.name);
      if (next === undefined) this.add('TEMPLATE_REMOVED', false, placeOf(template.ref));
      else this.template(template, next);
    }
    for (const template of newer.templates.values()) {
      if (!older.templates.has(template.ref.name)) this.add('TEMPLATE_ADDED', true, placeOf(template.ref));
    }
    for (const each of newer.interfaces.values()) {
      if (older.interfaces.has(each.ref.name)) this.add('INTERFACE_REDEFINED', true, placeOf(each.ref));
    }
  }

  private dataType(place: string, older: DataType, newer: DataType): void {
    const kinds = (params: readonly TypeParam[]) => params.map((param) => param.kind).join(' ');
    if (kinds(older.params) !== kinds(newer.params)) {
      this.add('TYPE_PARAMETERS_CHANGED', false, place, kinds(older.params), kinds(newer.params));
      return;
    }
    const before = older.cons;
    const after = newer.cons;
    const same = this.typeComparer(older.params, newer.params);
    if (before.kind === 'record' && after.kind === 'record') {
      this.members(place, before.fields, after.fields, same, 'FIELD');
    } else if (before.kind === 'variant' && after.kind === 'variant') {
      this.members(place, before.constructors, after.constructors, same, 'CONSTRUCTOR');
    } else if (before.kind === 'enum' && after.kind === 'enum') {
      const asMembers = (names: readonly string[]): Field[] => names.map((name) => ({ name, type: UNIT }));
      const { constructors } = after;
      this.members(place, asMembers(before.constructors), asMembers(constructors), same, 'CONSTRUCTOR');
    } else if (before.kind !== after.kind) {
      this.add('TYPE_FORM_CHANGED', false, place, before.kind, after.kind);
    }
  }

  /** Fields or constructors: the old ones stay as they are and in front; new ones follow, new fields being Optional. */
  private members(
    place: string,
    older: readonly Field[],
    newer: readonly Field[],
    same: TypeComparer,
    what: 'FIELD' | 'CONSTRUCTOR',
  ): void {
    const after = new Map(newer.map((member, i) => [member.name, { member, i }]));
    const before = new Set(older.map((member) => member.name));
    let last = -1;
    for (const member of older) {
      const memberPlace = `${place}.${member.name}`;
      const next = after.get(member.name);
      if (next === undefined) {
        this.add(`${what}_REMOVED`, false, memberPlace, formatType(member.type, true));
        continue;
      }
      if (!same(member.type, next.member.type)) {
        const texts = this.typeTexts(member.type, next.member.type);
        this.add(`${what}_TYPE_CHANGED`, false, memberPlace, texts[0], texts[1]);
      }
      if (next.i < last) this.add(`${what}_ORDER_CHANGED`, false, memberPlace);
      last = Math.max(last, next.i);
    }
    newer.forEach((member, i) => {
      if (before.has(member.name)) return;
      const optional = what === 'CONSTRUCTOR' || isOptional(member.type);
      this.add(
        `${what}_ADDED`,
        optional && i > last,
        `${place}.${member.name}`,
        null,
        formatType(member.type, true),
      );
    });
  }

  /** Texts that tell two unequal types apart: with package ids when the names alone are the same. */
  private typeTexts(before: LfType, after: LfType): [string, string] {
    const texts: [string, string] = [formatType(before, true), formatType(after, true)];
    if (texts[0] !== texts[1]) return texts;
    const ids = (type: LfType): string =>
      [...packagesIn(type)].map((id) => this.packages.get(id)?.version ?? id).join(', ');
    return [`${texts[0]} (${ids(before)})`, `${texts[1]} (${ids(after)})`];
  }

  private template(older: Template, newer: Template): void {
    const place = placeOf(older.ref);
    const same = this.typeComparer([], []);
    if (older.keyType !== null && newer.keyType !== null) {
      if (!same(older.keyType, newer.keyType)) {
        const texts = this.typeTexts(older.keyType, newer.keyType);
        this.add('KEY_TYPE_CHANGED', false, place, texts[0], texts[1]);
      }
    } else if (older.keyType !== null) this.add('KEY_REMOVED', false, place, formatType(older.keyType, true));
    else if (newer.keyType !== null)
      this.add('KEY_ADDED', false, place, null, formatType(newer.keyType, true));
    this.choices(place, older.choices, newer.choices, same);
    for (const ref of older.implements) {
      if (!newer.implements.some((next) => this.sameRef(ref, next))) {
        this.add('INSTANCE_REMOVED', false, place, placeOf(ref));
      }
    }
    for (const ref of newer.implements) {
      if (!older.implements.some((past) => this.sameRef(past, ref))) {
        this.add('INSTANCE_ADDED', true, place, null, placeOf(ref));
      }
    }
  }

  private choices(
    place: string,
    older: readonly Choice[],
    newer: readonly Choice[],
    same: TypeComparer,
  ): void {
    const after = new Map(newer.map((choice) => [choice.name, choice]));
    for (const choice of older) {
      const choicePlace = `${place}.${choice.name}`;
      const next = after.get(choice.name);
      if (next === undefined) {
        this.add('CHOICE_REMOVED', false, choicePlace);
        continue;
      }
      if (!same(choice.argType, next.argType)) {
        const texts = this.typeTexts(choice.argType, next.argType);
        this.add('CHOICE_ARGUMENT_CHANGED', false, choicePlace, texts[0], texts[1]);
      }
      if (!same(choice.returnType, next.returnType)) {
        const texts = this.typeTexts(choice.returnType, next.returnType);
        this.add('CHOICE_RESULT_CHANGED', false, choicePlace, texts[0], texts[1]);
      }
      if (choice.consuming !== next.consuming) {
        const texts = [choice, next].map((each) => (each.consuming ? 'consuming' : 'nonconsuming'));
        this.add('CHOICE_CONSUMING_CHANGED', true, choicePlace, texts[0], texts[1]);
      }
    }
    const before = new Set(older.map((choice) => choice.name));
    for (const choice of newer) {
      if (!before.has(choice.name)) this.add('CHOICE_ADDED', true, `${place}.${choice.name}`);
    }
  }

  /** Equal names, and the same package or a later version of it. */
  private sameRef(older: TypeRef, newer: TypeRef): boolean {
    if (older.module !== newer.module || older.name !== newer.name) return false;
    if (older.packageId === newer.packageId) return true;
    // The two packages themselves: whether their versions rise is told once, for the whole package.
    if (older.packageId === this.older.packageId && newer.packageId === this.newer.packageId) return true;
    const before = this.packages.get(older.packageId);
    const after = this.packages.get(newer.packageId);
    if (before === undefined || after === undefined || before.name === null || before.name !== after.name)
      return false;
    if (!upgradeable(before) || !upgradeable(after)) return false;
    return (
      before.version !== null && after.version !== null && compareVersions(before.version, after.version) <= 0
    );
  }

  /** Compares types under parameters that are matched by position. Pairs seen are remembered: nodes are shared. */
  private typeComparer(older: readonly TypeParam[], newer: readonly TypeParam[]): TypeComparer {
    const memo = new Map<LfType, Map<LfType, boolean>>();
    const position = (params: readonly TypeParam[], name: string) =>
      params.findLastIndex((param) => param.name === name);
    const compare = (a: LfType, b: LfType): boolean => {
      if (a === b && older === newer) return true;
      const known = memo.get(a)?.get(b);
      if (known !== undefined) return known;
      const result = heads(a, b) && args(a, b);
      const row = memo.get(a) ?? new Map<LfType, boolean>();
      memo.set(a, row.set(b, result));
      return result;
    };
    const heads = (a: LfType, b: LfType): boolean => {
      switch (a.kind) {
        case 'builtin':
          return b.kind === 'builtin' && a.builtin === b.builtin;
        case 'nat':
          return b.kind === 'nat' && a.value === b.value;
        case 'var':
          return b.kind === 'var' && position(older, a.name) === position(newer, b.name);
        case 'con':
          return b.kind === 'con' && this.sameRef(a.ref, b.ref);
        case 'synonym':
          return b.kind === 'synonym' && this.sameRef(a.ref, b.ref);
        case 'opaque':
          return false;
      }
    };
    const args = (a: LfType, b: LfType): boolean => {
      if (!('args' in a) || !('args' in b)) return true;
      return a.args.length === b.args.length && a.args.every((arg, i) => compare(arg, b.args[i]));
    };
    return compare;
  }
}

type TypeComparer = (older: LfType, newer: LfType) => boolean;

const UNIT: LfType = { kind: 'builtin', builtin: 'unit', args: [] };

function isOptional(type: LfType): boolean {
  return type.kind === 'builtin' && type.builtin === 'optional';
}

/** Packages before LF 1.17 know no upgrades: only the very same package will do. */
function upgradeable(each: Package): boolean {
  return compareLanguageVersions(each.languageVersion, '1.17') >= 0;
}

function placeOf(ref: TypeRef): string {
  return `${ref.module}:${ref.name}`;
}

function packagesIn(type: LfType): Set<string> {
  const ids = new Set<string>();
  const seen = new Set<LfType>();
  const pending = [type];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if ('ref' in next) ids.add(next.ref.packageId);
    if ('args' in next) pending.push(...next.args);
  }
  return ids;
}
