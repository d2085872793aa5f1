/**
 * Packages as text, for the cache: JSON in which every type node and reference is written once and shared by index, as
 * in the archive. A checksum in front tells damage from content.
 */
import { createHash } from 'node:crypto';
import type {
  BuiltinName,
  Choice,
  DataCons,
  Field,
  Interface,
  LfType,
  Module,
  Package,
  Template,
  TypeParam,
  TypeRef,
} from './type.js';

/** Part of the cache's folder name: raise it whenever the text or the model changes. */
export const PACKAGE_TEXT_VERSION = 2;

type RefNode = readonly [packageId: string, module: string, name: string];
type TypeNode =
  | readonly ['b', BuiltinName, readonly number[]]
  | readonly ['c' | 's', number, readonly number[]]
  | readonly ['v', string, readonly number[]]
  | readonly ['n', number]
  | readonly ['o', 'forall' | 'struct' | 'tooDeep'];
type FieldText = readonly [string, number];
type ConsText =
  | readonly ['record' | 'variant', readonly FieldText[]]
  | readonly ['enum', readonly string[]]
  | readonly ['interface'];
type ChoiceText = readonly [name: string, consuming: boolean, arg: number, returns: number];

interface ModuleText {
  name: string;
  dataTypes: [string, TypeParam[], boolean, ConsText][];
  synonyms: [string, TypeParam[], number][];
  templates: [string, ChoiceText[], number | null, number[]][];
  interfaces: [string, ChoiceText[], number | null, number[]][];
}

interface PackageText {
  packageId: string;
  languageVersion: string;
  name: string | null;
  version: string | null;
  upgradedPackageId: string | null;
  dependencies: string[];
  listsImports: boolean;
  refs: RefNode[];
  types: TypeNode[];
  modules: ModuleText[];
}

export function packageToText(lfPackage: Package): string {
  const body = JSON.stringify(new PackageWriter().write(lfPackage));
  return `${checksum(body)}\n${body}`;
}

/** `undefined` when the text is damaged or is that of another package. */
export function packageFromText(text: string, packageId: string): Package | undefined {
  const body = text.slice(65);
  if (text[64] !== '\n' || text.slice(0, 64) !== checksum(body)) return undefined;
  const parsed = JSON.parse(body) as PackageText;
  return parsed.packageId === packageId ? readPackage(parsed) : undefined;
}

function checksum(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}

class PackageWriter {
  private readonly refs: RefNode[] = [];
  private readonly refIndex = new Map<string, number>();
  private readonly types: TypeNode[] = [];
  private readonly typeIndex = new Map<LfType, number>();

  write(lfPackage: Package): PackageText {
    const modules = [...lfPackage.modules.values()].map((module) => this.module(module));
    return {
      packageId: lfPackage.packageId,
      languageVersion: lfPackage.languageVersion,
      name: lfPackage.name,
      version: lfPackage.version,
      upgradedPackageId: lfPackage.upgradedPackageId,
      dependencies: [...lfPackage.dependencies],
      listsImports: lfPackage.listsImports,
      refs: this.refs,
      types: this.types,
      modules,
    };
  }

  private ref(ref: TypeRef): number {
    const key = `${ref.packageId}:${ref.module}:${ref.name}`;
    let index = this.refIndex.get(key);
    if (index === undefined) {
      index = this.refs.push([ref.packageId, ref.module, ref.name]) - 1;
      this.refIndex.set(key, index);
    }
    return index;
  }

  private type(type: LfType): number {
    let index = this.typeIndex.get(type);
    if (index === undefined) {
      const node = this.node(type);
      index = this.types.push(node) - 1;
      this.typeIndex.set(type, index);
    }
    return index;
  }

  private node(type: LfType): TypeNode {
    switch (type.kind) {
      case 'nat':
        return ['n', type.value];
      case 'opaque':
        return ['o', type.what];
      case 'builtin':
        return ['b', type.builtin, type.args.map((arg) => this.type(arg))];
      case 'var':
        return ['v', type.name, type.args.map((arg) => this.type(arg))];
      default:
        return [type.kind === 'con' ? 'c' : 's', this.ref(type.ref), type.args.map((arg) => this.type(arg))];
    }
  }

  private fields(fields: readonly Field[]): FieldText[] {
    return fields.map((field) => [field.name, this.type(field.type)]);
  }

  private cons(cons: DataCons): ConsText {
    switch (cons.kind) {
      case 'record':
        return ['record', this.fields(cons.fields)];
      case 'variant':
        return ['variant', this.fields(cons.constructors)];
      case 'enum':
        return ['enum', cons.constructors];
      case 'interface':
        return ['interface'];
    }
  }

  private choices(choices: readonly Choice[]): ChoiceText[] {
    return choices.map((choice) => [
      choice.name,
      choice.consuming,
      this.type(choice.argType),
      this.type(choice.returnType),
    ]);
  }

  private module(module: Module): ModuleText {
    return {
      name: module.name,
      dataTypes: [...module.dataTypes.values()].map((type) => [
        type.ref.name,
        [...type.params],
        type.serializable,
        this.cons(type.cons),
      ]),
      synonyms: [...module.synonyms.values()].map((synonym) => [
        synonym.ref.name,
        [...synonym.params],
        this.type(synonym.type),
      ]),
      templates: [...module.templates.values()].map((template) => [
        template.ref.name,
        this.choices(template.choices),
        template.keyType === null ? null : this.type(template.keyType),
        template.implements.map((ref) => this.ref(ref)),
      ]),
      interfaces: [...module.interfaces.values()].map((each) => [
        each.ref.name,
        this.choices(each.choices),
        each.viewType === null ? null : this.type(each.viewType),
        each.requires.map((ref) => this.ref(ref)),
      ]),
    };
  }
}

function readPackage(text: PackageText): Package {
  const refs: TypeRef[] = text.refs.map(([packageId, module, name]) => ({ packageId, module, name }));
  const types: LfType[] = [];
  for (const node of text.types) types.push(readType(node, types, refs));
  const fields = (list: readonly FieldText[]): Field[] =>
    list.map(([name, type]) => ({ name, type: types[type] }));
  const choices = (list: readonly ChoiceText[]): Choice[] =>
    list.map(([name, consuming, arg, returns]) => ({
      name,
      consuming,
      argType: types[arg],
      returnType: types[returns],
    }));
  const modules = text.modules.map((module): [string, Module] => {
    const own = (name: string): TypeRef => ({ packageId: text.packageId, module: module.name, name });
    return [
      module.name,
      {
        name: module.name,
        dataTypes: new Map(
          module.dataTypes.map(([name, params, serializable, cons]) => [
            name,
            { ref: own(name), params, serializable, cons: readCons(cons, fields) },
          ]),
        ),
        synonyms: new Map(
          module.synonyms.map(([name, params, type]) => [
            name,
            { ref: own(name), params, type: types[type] },
          ]),
        ),
        templates: new Map(
          module.templates.map(([name, choiceList, key, implemented]): [string, Template] => [
            name,
            {
              ref: own(name),
              choices: choices(choiceList),
              keyType: key === null ? null : types[key],
              implements: implemented.map((ref) => refs[ref]),
            },
          ]),
        ),
        interfaces: new Map(
          module.interfaces.map(([name, choiceList, view, requires]): [string, Interface] => [
            name,
            {
              ref: own(name),
              choices: choices(choiceList),
              viewType: view === null ? null : types[view],
              requires: requires.map((ref) => refs[ref]),
            },
          ]),
        ),
      },
    ];
  });
  return {
    packageId: text.packageId,
    languageVersion: text.languageVersion,
    name: text.name,
    version: text.version,
    upgradedPackageId: text.upgradedPackageId,
    dependencies: text.dependencies,
    listsImports: text.listsImports,
    modules: new Map(modules),
  };
}

function readCons(cons: ConsText, fields: (list: readonly FieldText[]) => Field[]): DataCons {
  switch (cons[0]) {
    case 'record':
      return { kind: 'record', fields: fields(cons[1]) };
    case 'variant':
      return { kind: 'variant', constructors: fields(cons[1]) };
    case 'enum':
      return { kind: 'enum', constructors: cons[1] };
    case 'interface':
      return { kind: 'interface' };
  }
}

function readType(node: TypeNode, types: readonly LfType[], refs: readonly TypeRef[]): LfType {
  switch (node[0]) {
    case 'n':
      return { kind: 'nat', value: node[1] };
    case 'o':
      return { kind: 'opaque', what: node[1] };
    case 'b':
      return { kind: 'builtin', builtin: node[1], args: node[2].map((arg) => types[arg]) };
    case 'v':
      return { kind: 'var', name: node[1], args: node[2].map((arg) => types[arg]) };
    case 'c':
      return { kind: 'con', ref: refs[node[1]], args: node[2].map((arg) => types[arg]) };
    case 's':
      return { kind: 'synonym', ref: refs[node[1]], args: node[2].map((arg) => types[arg]) };
  }
}
