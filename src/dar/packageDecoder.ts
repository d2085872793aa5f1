/**
 * Decodes the Package message of a DALF into the model of `type.ts` (daml-lf spec, sections 2.1 to 2.5). Only types,
 * templates and interfaces are read; values and expressions are skipped as bytes.
 */
import { AcsError } from '../io/error.js';
import { LF1_DECIMAL, type LfLayout } from './lfLayout.js';
import type {
  Choice,
  DataCons,
  DataType,
  Field,
  Interface,
  LfType,
  Module,
  Package,
  Template,
  TypeParam,
  TypeRef,
  TypeSynonym,
} from './type.js';
import type { WireMessage } from './wireMessage.js';

/** Types nested deeper are kept as opaque: no contract value can have them (its depth ends at 100). */
const MAX_TYPE_DEPTH = 500;
/** Inline message nesting, as Google's readers are configured for these packages. */
const MAX_MESSAGE_DEPTH = 1000;
/** Type arguments held in total: guards against tables that grow with the square of their length. */
const MAX_TYPE_ARGS = 8_000_000;
const MAX_KIND_CHARS = 10_000;

const NAME = /^[A-Za-z$_][A-Za-z0-9$_]*$/;
const PACKAGE_NAME = /^[A-Za-z0-9_-]{1,255}$/;
const PACKAGE_ID = /^[A-Za-z0-9\-_ ]{1,64}$/;
const PACKAGE_VERSION = /^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$/;

const NO_ARGS: readonly LfType[] = [];
const TOO_DEEP: LfType = { kind: 'opaque', what: 'tooDeep' };

export function decodePackage(
  message: WireMessage,
  layout: LfLayout,
  packageId: string,
  languageVersion: string,
): Package {
  return new PackageDecoder(message, layout, packageId).decode(languageVersion);
}

class PackageDecoder {
  private readonly message: WireMessage;
  private readonly layout: LfLayout;
  private readonly packageId: string;
  private readonly strings: readonly string[];
  private readonly dottedNames: readonly (readonly number[])[];
  private readonly nameTexts = new Map<number, string>();
  private readonly imports: readonly string[];
  private readonly kinds: string[] = [];
  private readonly types: LfType[] = [];
  private readonly depths = new WeakMap<LfType, number>();
  private readonly referenced = new Set<string>();
  private argsHeld = 0;

  constructor(message: WireMessage, layout: LfLayout, packageId: string) {
    this.message = message;
    this.layout = layout;
    this.packageId = packageId;
    this.strings = message.strings(2);
    this.dottedNames = message.messages(3).map((name) => name.ints(1));
    this.imports = layout.major === 2 ? (message.message(9)?.strings(1) ?? []) : [];
    for (const id of this.imports) this.packageIdText(id);
    if (layout.major === 2) {
      for (const kind of message.messages(6)) this.kinds.push(this.kind(kind, 0, true));
    }
    for (const type of message.messages(5)) this.types.push(this.type(type, 0, true));
  }

  decode(languageVersion: string): Package {
    const metadata = this.message.message(4);
    if (metadata === undefined && this.layout.major === 2) throw malformed('the package has no metadata');
    const modules = new Map<string, Module>();
    for (const raw of this.message.messages(1)) {
      const module = this.module(raw);
      if (modules.has(module.name)) throw malformed(`module ${module.name} occurs twice`);
      modules.set(module.name, module);
    }
    const upgraded = metadata?.message(3);
    return {
      packageId: this.packageId,
      languageVersion,
      name:
        metadata === undefined ? null : checked(this.string(metadata.int(1)), PACKAGE_NAME, 'package name'),
      version:
        metadata === undefined
          ? null
          : checked(this.string(metadata.int(2)), PACKAGE_VERSION, 'package version'),
      upgradedPackageId: upgraded === undefined ? null : this.packageIdText(this.string(upgraded.int(1))),
      dependencies: [...this.referenced].sort(),
      listsImports: this.layout.major === 2 && (this.message.has(8) || this.message.has(9)),
      modules,
    };
  }

  private string(index: number): string {
    const text = this.strings[index];
    if (text === undefined) throw badIndex('interned string', index, this.strings.length);
    return text;
  }

  private packageIdText(id: string): string {
    checked(id, PACKAGE_ID, 'package id');
    this.referenced.add(id);
    return id;
  }

  private internedName(index: number): string {
    let text = this.nameTexts.get(index);
    if (text === undefined) {
      const segments = this.dottedNames[index];
      if (segments === undefined) throw badIndex('interned dotted name', index, this.dottedNames.length);
      text = dotted(segments.map((segment) => this.string(segment)));
      this.nameTexts.set(index, text);
    }
    return text;
  }

  /** A dotted name: interned, or inline as a DottedName message. */
  private dottedName(message: WireMessage, interned: number, inline: number): string {
    const index = message.optionalInt(interned);
    if (index !== undefined) return this.internedName(index);
    const text = inline === 0 ? undefined : message.message(inline);
    if (text !== undefined) return dotted(text.strings(1));
    if (this.layout.indexZeroOmitted) return this.internedName(0);
    throw malformed('a definition has no name');
  }

  /** A simple name: interned, or inline as a string. */
  private name(message: WireMessage, interned: number, inline: number): string {
    const index = message.optionalInt(interned);
    if (index !== undefined) return checked(this.string(index), NAME, 'name');
    const text = inline === 0 ? undefined : message.string(inline);
    if (text !== undefined) return checked(text, NAME, 'name');
    if (this.layout.indexZeroOmitted) return checked(this.string(0), NAME, 'name');
    throw malformed('a field, parameter or choice has no name');
  }

  private packageRef(message: WireMessage | undefined): string {
    const { self, inline, interned, importIndex } = this.layout.packageRef;
    const arm = message?.arm([self, inline, interned, importIndex].filter((field) => field !== 0)) ?? 0;
    if (message === undefined || arm === 0) throw malformed('a reference names no package');
    if (arm === self) return this.packageId;
    if (arm === interned) return this.packageIdText(this.string(message.int(interned)));
    if (arm === inline) return this.packageIdText(message.string(inline) ?? '');
    const id = this.imports[message.int(importIndex)];
    if (id === undefined) throw badIndex('package import', message.int(importIndex), this.imports.length);
    return id;
  }

  private typeRef(message: WireMessage | undefined): TypeRef {
    if (message === undefined) throw malformed('a type reference is empty');
    const { typeRef, moduleRef } = this.layout;
    const module = message.message(typeRef.module);
    if (module === undefined) throw malformed('a type reference names no module');
    return {
      packageId: this.packageRef(module.message(moduleRef.package)),
      module: this.dottedName(module, moduleRef.name, moduleRef.inline),
      name: this.dottedName(message, typeRef.name, typeRef.inline),
    };
  }

  private ownRef(module: string, name: string): TypeRef {
    return { packageId: this.packageId, module, name };
  }

  private kind(message: WireMessage, depth: number, inTable: boolean): string {
    if (depth > MAX_MESSAGE_DEPTH) throw tooDeep();
    switch (message.arm([1, 2, 3, 4])) {
      case 1:
        return '*';
      case 3:
        return 'nat';
      case 2: {
        const arrow = message.message(2);
        const result = arrow?.message(2);
        if (arrow === undefined || result === undefined) throw malformed('a kind is incomplete');
        let text = this.kind(result, depth + 1, false);
        for (const param of arrow.messages(1).reverse()) {
          text = `(${this.kind(param, depth + 1, false)} -> ${text})`;
          if (text.length > MAX_KIND_CHARS) throw tooDeep();
        }
        return text;
      }
      case 4: {
        const index = message.int(4);
        if (inTable && depth === 0) throw malformed('an entry of the kind table refers to another entry');
        const found = this.kinds[index];
        if (found === undefined) throw badIndex('interned kind', index, this.kinds.length);
        return found;
      }
      default:
        throw malformed('a kind is empty');
    }
  }

  private requiredType(message: WireMessage | undefined, what: string): LfType {
    if (message === undefined) throw malformed(`${what} has no type`);
    return this.type(message, 0, false);
  }

  private type(message: WireMessage, depth: number, inTable: boolean): LfType {
    if (depth > MAX_MESSAGE_DEPTH) throw tooDeep();
    const { type: numbers } = this.layout;
    const arm = message.arm(Object.values(numbers).filter((field) => field !== 0));
    switch (arm) {
      case 0:
        throw malformed('a type is empty');
      case numbers.interned: {
        const index = message.int(arm);
        if (inTable && depth === 0) throw malformed('an entry of the type table refers to another entry');
        const found = this.types[index];
        if (found === undefined) throw badIndex('interned type', index, this.types.length);
        return found;
      }
      case numbers.nat: {
        const value = message.sint(arm);
        if (value < 0n || value > 37n)
          throw malformed('a type-level number is out of range', '0 to 37', `${value}`);
        return this.sized({ kind: 'nat', value: Number(value) });
      }
      case numbers.forall:
        return this.sized({ kind: 'opaque', what: 'forall' });
      case numbers.struct:
        return this.sized({ kind: 'opaque', what: 'struct' });
      default: {
        const body = message.message(arm);
        if (body === undefined) throw malformed('a type is empty');
        return arm === numbers.application
          ? this.application(body, depth)
          : this.sized(this.headed(arm, body, depth));
      }
    }
  }

  private headed(arm: number, body: WireMessage, depth: number): LfType {
    const { type: numbers } = this.layout;
    const args = body.messages(2).map((arg) => this.type(arg, depth + 1, false));
    if (arm === numbers.con) return { kind: 'con', ref: this.typeRef(body.message(1)), args };
    if (arm === numbers.synonym) return { kind: 'synonym', ref: this.typeRef(body.message(1)), args };
    if (arm === numbers.var)
      return { kind: 'var', name: this.name(body, 3, this.layout.major === 1 ? 1 : 0), args };
    const number = body.int(1);
    if (this.layout.major === 1 && number === LF1_DECIMAL) {
      return { kind: 'builtin', builtin: 'numeric', args: [{ kind: 'nat', value: 10 }] };
    }
    const builtin = this.layout.builtins.get(number);
    if (builtin === undefined) throw malformed(`unknown built-in type ${number}`);
    return { kind: 'builtin', builtin, args: args.length === 0 ? NO_ARGS : args };
  }

  /** Flat archives apply one argument at a time: `((f a) b)`. */
  private application(body: WireMessage, depth: number): LfType {
    const lhs = body.message(1);
    const rhs = body.message(2);
    if (lhs === undefined || rhs === undefined) throw malformed('a type application is incomplete');
    const head = this.type(lhs, depth + 1, false);
    const arg = this.type(rhs, depth + 1, false);
    if (!('args' in head)) return head.kind === 'opaque' ? head : this.illKinded();
    return this.sized({ ...head, args: [...head.args, arg] });
  }

  private illKinded(): never {
    throw malformed('a type-level number is applied to a type');
  }

  /** Notes the depth of a new node and how many arguments are held in all. */
  private sized(type: LfType): LfType {
    let depth = 0;
    if ('args' in type) {
      this.argsHeld += type.args.length;
      if (this.argsHeld > MAX_TYPE_ARGS) throw tooDeep();
      for (const arg of type.args) {
        if (arg === TOO_DEEP) return TOO_DEEP;
        depth = Math.max(depth, (this.depths.get(arg) ?? 0) + 1);
      }
    }
    if (depth > MAX_TYPE_DEPTH) return TOO_DEEP;
    if (depth > 0) this.depths.set(type, depth);
    return type;
  }

  private module(message: WireMessage): Module {
    const { layout } = this;
    const name = this.dottedName(message, layout.module.name, layout.module.inline);
    return {
      name,
      dataTypes: byName(message.messages(layout.module.dataTypes).map((raw) => this.dataType(name, raw))),
      synonyms: byName(message.messages(layout.module.synonyms).map((raw) => this.synonym(name, raw))),
      templates: byName(message.messages(layout.module.templates).map((raw) => this.template(name, raw))),
      interfaces: byName(message.messages(layout.module.interfaces).map((raw) => this.interface(name, raw))),
    };
  }

  private params(messages: readonly WireMessage[]): TypeParam[] {
    const { named } = this.layout;
    return messages.map((raw) => {
      const kind = raw.message(named.value);
      if (kind === undefined) throw malformed('a type parameter has no kind');
      return { name: this.name(raw, named.name, named.inline), kind: this.kind(kind, 0, false) };
    });
  }

  private fields(message: WireMessage, what: string): Field[] {
    const { named } = this.layout;
    const fields = message.messages(1).map((raw) => ({
      name: this.name(raw, named.name, named.inline),
      type: this.requiredType(raw.message(named.value), `a field of ${what}`),
    }));
    requireDistinct(
      fields.map((field) => field.name),
      what,
    );
    return fields;
  }

  private dataType(module: string, message: WireMessage): DataType {
    const numbers = this.layout.dataType;
    const name = this.dottedName(message, numbers.name, numbers.inline);
    return {
      ref: this.ownRef(module, name),
      params: this.params(message.messages(numbers.params)),
      serializable: message.bool(numbers.serializable),
      cons: this.dataCons(message, `${module}:${name}`),
    };
  }

  private dataCons(message: WireMessage, what: string): DataCons {
    const numbers = this.layout.dataType;
    const arm = message.arm([numbers.record, numbers.variant, numbers.enum, numbers.interface]);
    const body = arm === 0 ? undefined : message.message(arm);
    if (body === undefined) throw malformed(`data type ${what} has no definition`);
    switch (arm) {
      case numbers.record:
        return { kind: 'record', fields: this.fields(body, what) };
      case numbers.variant:
        return { kind: 'variant', constructors: this.fields(body, what) };
      case numbers.interface:
        return { kind: 'interface' };
      default: {
        const { inline, names } = this.layout.enumConstructors;
        const interned = body.ints(names).map((index) => this.string(index));
        const constructors = interned.length === 0 && inline !== 0 ? body.strings(inline) : interned;
        for (const each of constructors) checked(each, NAME, 'constructor name');
        requireDistinct(constructors, what);
        return { kind: 'enum', constructors };
      }
    }
  }

  private synonym(module: string, message: WireMessage): TypeSynonym {
    const numbers = this.layout.synonym;
    const name = this.dottedName(message, numbers.name, numbers.inline);
    return {
      ref: this.ownRef(module, name),
      params: this.params(message.messages(numbers.params)),
      type: this.requiredType(message.message(numbers.type), `synonym ${module}:${name}`),
    };
  }

  private choice(message: WireMessage): Choice {
    const numbers = this.layout.choice;
    const name = this.name(message, numbers.name, numbers.inline);
    return {
      name,
      consuming: message.bool(numbers.consuming),
      argType: this.requiredType(
        message.message(numbers.argBinder)?.message(this.layout.named.value),
        `the argument of choice ${name}`,
      ),
      returnType: this.requiredType(message.message(numbers.returnType), `the result of choice ${name}`),
    };
  }

  private template(module: string, message: WireMessage): Template {
    const numbers = this.layout.template;
    const name = this.dottedName(message, numbers.name, numbers.inline);
    const key = message.message(numbers.key);
    return {
      ref: this.ownRef(module, name),
      choices: message.messages(numbers.choices).map((raw) => this.choice(raw)),
      keyType: key === undefined ? null : this.requiredType(key.message(1), `the key of ${module}:${name}`),
      implements: message.messages(numbers.implements).map((raw) => this.typeRef(raw.message(1))),
    };
  }

  private interface(module: string, message: WireMessage): Interface {
    const numbers = this.layout.interface;
    const view = message.message(numbers.view);
    return {
      ref: this.ownRef(module, this.dottedName(message, numbers.name, 0)),
      choices: message.messages(numbers.choices).map((raw) => this.choice(raw)),
      viewType: view === undefined ? null : this.type(view, 0, false),
      requires: message.messages(numbers.requires).map((raw) => this.typeRef(raw)),
    };
  }
}

function byName<T extends { readonly ref: TypeRef }>(items: readonly T[]): Map<string, T> {
  requireDistinct(
    items.map((item) => item.ref.name),
    'a module',
  );
  return new Map(items.map((item) => [item.ref.name, item]));
}

function requireDistinct(names: readonly string[], where: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw malformed(`${name} is defined twice in ${where}`);
    seen.add(name);
  }
}

function dotted(segments: readonly string[]): string {
  if (segments.length === 0) throw malformed('a dotted name is empty');
  for (const segment of segments) checked(segment, NAME, 'name');
  return segments.join('.');
}

function checked(text: string, grammar: RegExp, what: string): string {
  if (!grammar.test(text))
    throw malformed(`not a valid ${what}`, String(grammar), JSON.stringify(text.slice(0, 100)));
  return text;
}

function malformed(message: string, expected?: string, found?: string): AcsError {
  return new AcsError('DALF_MALFORMED', message, { expected, found });
}

function badIndex(what: string, index: number, count: number): AcsError {
  return malformed(`${what} index out of range`, `less than ${count}`, `${index}`);
}

function tooDeep(): AcsError {
  return new AcsError(
    'DALF_TOO_LARGE',
    'the types of the package are nested too deeply or repeated too often',
  );
}
