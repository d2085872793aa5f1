/** What DARs hold, as plain objects for printing: `acs dar info`, `types` and `templates`. */
import type { CatalogFinding, DarCatalog } from './catalog.js';
import { STABLE_PACKAGES } from './stablePackages.js';
import {
  type Choice,
  type DataCons,
  formatType,
  formatTypeRef,
  type Module,
  type Package,
  type TypeRef,
} from './type.js';
import { type PackageSummary, summarizePackage } from './upgradeDiff.js';

export interface PackageDescription extends PackageSummary {
  readonly main: boolean;
  /** Part of every participant. */
  readonly stable: boolean;
  readonly templates: number;
  readonly interfaces: number;
  /** Serializable ones. */
  readonly dataTypes: number;
}

export interface DarDescription {
  readonly file: string;
  readonly sdkVersion: string | null;
  readonly mainPackageId: string;
  readonly packages: readonly PackageDescription[];
}

export interface UpgradeChain {
  readonly name: string;
  /** By ascending version, then id. */
  readonly packages: readonly { readonly version: string | null; readonly packageId: string }[];
}

export interface DarsDescription {
  readonly dars: readonly DarDescription[];
  /** Names of which several packages are at hand. */
  readonly upgradeChains: readonly UpgradeChain[];
  readonly findings: readonly CatalogFinding[];
}

export function describeDars(catalog: DarCatalog): DarsDescription {
  return {
    dars: catalog.dars.map((dar) => ({
      file: dar.file,
      sdkVersion: dar.manifest?.sdkVersion ?? null,
      mainPackageId: dar.mainPackageId,
      packages: dar.packageIds.flatMap((id) => {
        const found = catalog.get(id);
        return found === undefined ? [] : [describePackage(found, id === dar.mainPackageId)];
      }),
    })),
    upgradeChains: upgradeChains(catalog),
    findings: catalog.findings,
  };
}

function describePackage(each: Package, main: boolean): PackageDescription {
  const modules = [...each.modules.values()];
  const sum = (count: (module: Module) => number) =>
    modules.reduce((total, module) => total + count(module), 0);
  return {
    ...summarizePackage(each),
    main,
    stable: STABLE_PACKAGES.has(each.packageId),
    templates: sum((module) => module.templates.size),
    interfaces: sum((module) => module.interfaces.size),
    dataTypes: sum((module) => [...module.dataTypes.values()].filter((type) => type.serializable).length),
  };
}

function upgradeChains(catalog: DarCatalog): UpgradeChain[] {
  const names = new Set<string>();
  for (const id of catalog.ids()) {
    const name = catalog.get(id)?.name;
    if (name !== undefined && name !== null) names.add(name);
  }
  return [...names].sort().flatMap((name) => {
    const packages = catalog.byName(name);
    if (packages.length < 2) return [];
    return [{ name, packages: packages.map(({ version, packageId }) => ({ version, packageId })) }];
  });
}

export interface MemberDescription {
  readonly name: string;
  /** Type text with module names. Enum constructors have none. */
  readonly type: string | null;
}

export interface TypeDescription {
  readonly packageId: string;
  /** `Module:Type`. */
  readonly type: string;
  readonly params: readonly string[];
  readonly form: 'record' | 'variant' | 'enum' | 'interface' | 'synonym';
  readonly serializable: boolean;
  /** Fields or constructors in definition order; of a synonym the one type it stands for, without name. */
  readonly members: readonly MemberDescription[];
}

/** The data types and synonyms of a package, by module and name. */
export function describeTypes(each: Package): TypeDescription[] {
  const types: TypeDescription[] = [];
  for (const module of sortedModules(each)) {
    for (const type of module.dataTypes.values()) {
      types.push({
        packageId: each.packageId,
        type: qualifiedName(type.ref),
        params: type.params.map((param) => param.name),
        form: type.cons.kind,
        serializable: type.serializable,
        members: membersOf(type.cons),
      });
    }
    for (const synonym of module.synonyms.values()) {
      types.push({
        packageId: each.packageId,
        type: qualifiedName(synonym.ref),
        params: synonym.params.map((param) => param.name),
        form: 'synonym',
        serializable: false,
        members: [{ name: '', type: formatType(synonym.type, true) }],
      });
    }
  }
  return types.sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
}

function membersOf(cons: DataCons): MemberDescription[] {
  switch (cons.kind) {
    case 'record':
      return cons.fields.map(({ name, type }) => ({ name, type: formatType(type, true) }));
    case 'variant':
      return cons.constructors.map(({ name, type }) => ({ name, type: formatType(type, true) }));
    case 'enum':
      return cons.constructors.map((name) => ({ name, type: null }));
    case 'interface':
      return [];
  }
}

export interface ChoiceDescription {
  readonly name: string;
  readonly consuming: boolean;
  readonly argument: string;
  readonly returns: string;
}

export interface TemplateDescription {
  /** `package:Module:Template`. */
  readonly templateId: string;
  readonly fields: readonly MemberDescription[];
  readonly key: string | null;
  readonly choices: readonly ChoiceDescription[];
  /** `package:Module:Interface`. */
  readonly implements: readonly string[];
}

export interface InterfaceDescription {
  /** `package:Module:Interface`. */
  readonly interfaceId: string;
  readonly view: string | null;
  readonly choices: readonly ChoiceDescription[];
  readonly requires: readonly string[];
}

/** The templates of a package, by module and name. */
export function describeTemplates(each: Package): TemplateDescription[] {
  return sortedModules(each).flatMap((module) =>
    [...module.templates.values()].sort(byName).map((template) => {
      const argument = module.dataTypes.get(template.ref.name);
      return {
        templateId: formatTypeRef(template.ref),
        fields: argument === undefined ? [] : membersOf(argument.cons),
        key: template.keyType === null ? null : formatType(template.keyType, true),
        choices: template.choices.map(describeChoice),
        implements: template.implements.map(formatTypeRef),
      };
    }),
  );
}

/** The interfaces of a package, by module and name. */
export function describeInterfaces(each: Package): InterfaceDescription[] {
  return sortedModules(each).flatMap((module) =>
    [...module.interfaces.values()].sort(byName).map((definition) => ({
      interfaceId: formatTypeRef(definition.ref),
      view: definition.viewType === null ? null : formatType(definition.viewType, true),
      choices: definition.choices.map(describeChoice),
      requires: definition.requires.map(formatTypeRef),
    })),
  );
}

function describeChoice(choice: Choice): ChoiceDescription {
  return {
    name: choice.name,
    consuming: choice.consuming,
    argument: formatType(choice.argType, true),
    returns: formatType(choice.returnType, true),
  };
}

function sortedModules(each: Package): Module[] {
  return [...each.modules.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function byName(a: { ref: TypeRef }, b: { ref: TypeRef }): number {
  return a.ref.name < b.ref.name ? -1 : 1;
}

function qualifiedName(ref: TypeRef): string {
  return `${ref.module}:${ref.name}`;
}
