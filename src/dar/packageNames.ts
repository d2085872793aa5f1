/**
 * The names in a Package message: interned strings and dotted names, references to packages and types (daml-lf spec,
 * sections 2.2, 2.3 and 2.5).
 */
import type { LfLayout } from './lfLayout.js';
import { badIndex, checked, malformed } from './malformedPackage.js';
import type { TypeRef } from './type.js';
import type { WireMessage } from './wireMessage.js';

const NAME = /^[A-Za-z$_][A-Za-z0-9$_]*$/;
const PACKAGE_ID = /^[A-Za-z0-9\-_ ]{1,64}$/;

/** All throw `DALF_MALFORMED`. The numbers are fields: `interned` of an index, `inline` of the text itself (0: none). */
export interface PackageNames {
  /** Of the table of interned strings. */
  string(index: number): string;
  /** A simple name: interned, or inline as a string. */
  name(message: WireMessage, interned: number, inline: number): string;
  /** A dotted name: interned, or inline as a DottedName message. */
  dottedName(message: WireMessage, interned: number, inline: number): string;
  /** A package id, noted as one that is referred to. */
  packageId(id: string): string;
  typeRef(message: WireMessage | undefined): TypeRef;
  /** The package ids seen so far. */
  readonly referenced: ReadonlySet<string>;
}

export function packageNames(message: WireMessage, layout: LfLayout, ownId: string): PackageNames {
  const strings = message.strings(2);
  const dottedNames = message.messages(3).map((each) => each.ints(1));
  const nameTexts = new Map<number, string>();
  const imports = layout.major === 2 ? (message.message(9)?.strings(1) ?? []) : [];
  const referenced = new Set<string>();
  for (const id of imports) packageId(id);

  function string(index: number): string {
    const text = strings[index];
    if (text === undefined) throw badIndex('interned string', index, strings.length);
    return text;
  }

  function packageId(id: string): string {
    checked(id, PACKAGE_ID, 'package id');
    referenced.add(id);
    return id;
  }

  function internedName(index: number): string {
    let text = nameTexts.get(index);
    if (text === undefined) {
      const segments = dottedNames[index];
      if (segments === undefined) throw badIndex('interned dotted name', index, dottedNames.length);
      text = dotted(segments.map((segment) => string(segment)));
      nameTexts.set(index, text);
    }
    return text;
  }

  /** A dotted name: interned, or inline as a DottedName message. */
  function dottedName(message: WireMessage, interned: number, inline: number): string {
    const index = message.optionalInt(interned);
    if (index !== undefined) return internedName(index);
    const text = inline === 0 ? undefined : message.message(inline);
    if (text !== undefined) return dotted(text.strings(1));
    if (layout.indexZeroOmitted) return internedName(0);
    throw malformed('a definition has no name');
  }

  /** A simple name: interned, or inline as a string. */
  function name(message: WireMessage, interned: number, inline: number): string {
    const index = message.optionalInt(interned);
    if (index !== undefined) return simpleName(string(index));
    const text = inline === 0 ? undefined : message.string(inline);
    if (text !== undefined) return simpleName(text);
    if (layout.indexZeroOmitted) return simpleName(string(0));
    throw malformed('a field, parameter or choice has no name');
  }

  function packageRef(message: WireMessage | undefined): string {
    const { self, inline, interned, importIndex } = layout.packageRef;
    const arm = message?.arm([self, inline, interned, importIndex].filter((field) => field !== 0)) ?? 0;
    if (message === undefined || arm === 0) throw malformed('a reference names no package');
    if (arm === self) return ownId;
    if (arm === interned) return packageId(string(message.int(interned)));
    if (arm === inline) return packageId(message.string(inline) ?? '');
    const id = imports[message.int(importIndex)];
    if (id === undefined) throw badIndex('package import', message.int(importIndex), imports.length);
    return id;
  }

  function typeRef(message: WireMessage | undefined): TypeRef {
    if (message === undefined) throw malformed('a type reference is empty');
    const { typeRef, moduleRef } = layout;
    const module = message.message(typeRef.module);
    if (module === undefined) throw malformed('a type reference names no module');
    return {
      packageId: packageRef(module.message(moduleRef.package)),
      module: dottedName(module, moduleRef.name, moduleRef.inline),
      name: dottedName(message, typeRef.name, typeRef.inline),
    };
  }

  return { string, name, dottedName, packageId, typeRef, referenced };
}

/** The text when it is a simple name, else `DALF_MALFORMED`. */
export function simpleName(text: string, what = 'name'): string {
  return checked(text, NAME, what);
}

function dotted(segments: readonly string[]): string {
  if (segments.length === 0) throw malformed('a dotted name is empty');
  for (const segment of segments) simpleName(segment);
  return segments.join('.');
}
