/**
 * Decodes the Package message of a DALF into the model of `type.ts` (daml-lf spec, sections 2.1 to 2.5). Only types,
 * templates and interfaces are read; values and expressions are skipped as bytes.
 */
import type { LfLayout } from './lfLayout.js';
import { checked, malformed } from './malformedPackage.js';
import { packageNames, simpleName } from './packageNames.js';
import type {
  Choice,
  DataCons,
  DataType,
  Field,
  Interface,
  Module,
  Package,
  Template,
  TypeParam,
  TypeRef,
  TypeSynonym,
} from './type.js';
import { typeDecoder } from './typeDecoder.js';
import type { WireMessage } from './wireMessage.js';

const PACKAGE_NAME = /^[A-Za-z0-9_-]{1,255}$/;
const PACKAGE_VERSION = /^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$/;

/** Throws `DALF_MALFORMED` and `DALF_TOO_LARGE`. */
export function decodePackage(
  message: WireMessage,
  layout: LfLayout,
  packageId: string,
  languageVersion: string,
): Package {
  const names = packageNames(message, layout, packageId);
  const types = typeDecoder(message, layout, names);

  function ownRef(module: string, name: string): TypeRef {
    return { packageId, module, name };
  }

  function decodeModule(message: WireMessage): Module {
    const name = names.dottedName(message, layout.module.name, layout.module.inline);
    return {
      name,
      dataTypes: byName(message.messages(layout.module.dataTypes).map((raw) => decodeDataType(name, raw))),
      synonyms: byName(message.messages(layout.module.synonyms).map((raw) => decodeSynonym(name, raw))),
      templates: byName(message.messages(layout.module.templates).map((raw) => decodeTemplate(name, raw))),
      interfaces: byName(message.messages(layout.module.interfaces).map((raw) => decodeInterface(name, raw))),
    };
  }

  function decodeParams(messages: readonly WireMessage[]): TypeParam[] {
    const { named } = layout;
    return messages.map((raw) => {
      const kind = raw.message(named.value);
      if (kind === undefined) throw malformed('a type parameter has no kind');
      return { name: names.name(raw, named.name, named.inline), kind: types.kind(kind) };
    });
  }

  function decodeFields(message: WireMessage, what: string): Field[] {
    const { named } = layout;
    const fields = message.messages(1).map((raw) => ({
      name: names.name(raw, named.name, named.inline),
      type: types.type(raw.message(named.value), `a field of ${what}`),
    }));
    requireDistinct(
      fields.map((field) => field.name),
      what,
    );
    return fields;
  }

  function decodeDataType(module: string, message: WireMessage): DataType {
    const numbers = layout.dataType;
    const name = names.dottedName(message, numbers.name, numbers.inline);
    return {
      ref: ownRef(module, name),
      params: decodeParams(message.messages(numbers.params)),
      serializable: message.bool(numbers.serializable),
      cons: dataCons(message, `${module}:${name}`),
    };
  }

  function dataCons(message: WireMessage, what: string): DataCons {
    const numbers = layout.dataType;
    const arm = message.arm([numbers.record, numbers.variant, numbers.enum, numbers.interface]);
    const body = arm === 0 ? undefined : message.message(arm);
    if (body === undefined) throw malformed(`data type ${what} has no definition`);
    switch (arm) {
      case numbers.record:
        return { kind: 'record', fields: decodeFields(body, what) };
      case numbers.variant:
        return { kind: 'variant', constructors: decodeFields(body, what) };
      case numbers.interface:
        return { kind: 'interface' };
      default: {
        const { inline, names: indices } = layout.enumConstructors;
        const interned = body.ints(indices).map((index) => names.string(index));
        const constructors = interned.length === 0 && inline !== 0 ? body.strings(inline) : interned;
        for (const each of constructors) simpleName(each, 'constructor name');
        requireDistinct(constructors, what);
        return { kind: 'enum', constructors };
      }
    }
  }

  function decodeSynonym(module: string, message: WireMessage): TypeSynonym {
    const numbers = layout.synonym;
    const name = names.dottedName(message, numbers.name, numbers.inline);
    return {
      ref: ownRef(module, name),
      params: decodeParams(message.messages(numbers.params)),
      type: types.type(message.message(numbers.type), `synonym ${module}:${name}`),
    };
  }

  function decodeChoice(message: WireMessage): Choice {
    const numbers = layout.choice;
    const name = names.name(message, numbers.name, numbers.inline);
    return {
      name,
      consuming: message.bool(numbers.consuming),
      argType: types.type(
        message.message(numbers.argBinder)?.message(layout.named.value),
        `the argument of choice ${name}`,
      ),
      returnType: types.type(message.message(numbers.returnType), `the result of choice ${name}`),
    };
  }

  function decodeTemplate(module: string, message: WireMessage): Template {
    const numbers = layout.template;
    const name = names.dottedName(message, numbers.name, numbers.inline);
    const key = message.message(numbers.key);
    return {
      ref: ownRef(module, name),
      choices: message.messages(numbers.choices).map((raw) => decodeChoice(raw)),
      keyType: key === undefined ? null : types.type(key.message(1), `the key of ${module}:${name}`),
      implements: message.messages(numbers.implements).map((raw) => names.typeRef(raw.message(1))),
    };
  }

  function decodeInterface(module: string, message: WireMessage): Interface {
    const numbers = layout.interface;
    const view = message.message(numbers.view);
    return {
      ref: ownRef(module, names.dottedName(message, numbers.name, 0)),
      choices: message.messages(numbers.choices).map((raw) => decodeChoice(raw)),
      viewType: view === undefined ? null : types.type(view, 'a view'),
      requires: message.messages(numbers.requires).map((raw) => names.typeRef(raw)),
    };
  }

  const metadata = message.message(4);
  if (metadata === undefined && layout.major === 2) throw malformed('the package has no metadata');
  const modules = new Map<string, Module>();
  for (const raw of message.messages(1)) {
    const module = decodeModule(raw);
    if (modules.has(module.name)) throw malformed(`module ${module.name} occurs twice`);
    modules.set(module.name, module);
  }
  const upgraded = metadata?.message(3);
  return {
    packageId,
    languageVersion,
    name:
      metadata === undefined ? null : checked(names.string(metadata.int(1)), PACKAGE_NAME, 'package name'),
    version:
      metadata === undefined
        ? null
        : checked(names.string(metadata.int(2)), PACKAGE_VERSION, 'package version'),
    upgradedPackageId: upgraded === undefined ? null : names.packageId(names.string(upgraded.int(1))),
    dependencies: [...names.referenced].sort(),
    listsImports: layout.major === 2 && (message.has(8) || message.has(9)),
    modules,
  };
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
