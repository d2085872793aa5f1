/** The contract hash and the key hash (contract-id spec, sections 4 and 5). */

import type { TypeRef } from '../dar/type.js';
import type { TypePlan } from '../typed/typePlan.js';
import { HashBuffer } from './hashBuffer.js';
import { TypedForm, type TypedFormOptions, writeQualifiedName } from './typedForm.js';
import { UntypedForm } from './untypedForm.js';

export type HashMethod = 'legacy' | 'upgradeFriendly' | 'typed';

/** First byte of a contract hash's pre-image. */
const ENCODING = { legacy: 0, upgradeFriendly: 1, typed: 3 } as const;
const PURPOSE_CONTRACT = 5;
const PURPOSE_LEGACY_KEY = 2;
const PURPOSE_TYPED_KEY = 9;

/** What precedes the argument in the pre-image of a contract hash. The typed one leaves the package id out. */
export function contractHashHeader(method: HashMethod, packageName: string, template: TypeRef): Buffer {
  const out = new HashBuffer(256).u8(ENCODING[method]).u8(PURPOSE_CONTRACT).text(packageName);
  if (method !== 'typed') out.text(template.packageId);
  writeQualifiedName(out, template);
  return Buffer.from(out.view());
}

/** What precedes the argument of a 2.x contract: like the legacy header, without a package name. */
export function lf1ContractHashHeader(template: TypeRef): Buffer {
  const out = new HashBuffer(256).u8(ENCODING.legacy).u8(PURPOSE_CONTRACT).text(template.packageId);
  writeQualifiedName(out, template);
  return Buffer.from(out.view());
}

/** What precedes the key value in the pre-image of a typed key hash. */
export function keyHashHeader(packageName: string, template: TypeRef): Buffer {
  const out = new HashBuffer(256).u8(ENCODING.typed).u8(PURPOSE_TYPED_KEY).u8(1).text(packageName);
  writeQualifiedName(out, template);
  return Buffer.from(out.view());
}

const KEY_RULES: TypedFormOptions = { forbidContractIds: true };

/**
 * SHA-256 of a template's key, as Canton 3.5 stores it. `value` is the serialized key, `plan` the template's key type.
 * Errors: those of {@link TypedForm.write}.
 */
export function typedKeyHash(packageName: string, template: TypeRef, plan: TypePlan, value: Buffer): Buffer {
  const out = new HashBuffer().raw(keyHashHeader(packageName, template));
  new TypedForm().write(out, plan, value, 0, value.length, KEY_RULES);
  return out.sha256();
}

/** The key hash of Canton 3.3 and 3.4, and of keys in contracts of serialization version 2.1. */
export function untypedKeyHash(packageName: string, template: TypeRef, value: Buffer): Buffer {
  const out = new HashBuffer().u8(ENCODING.upgradeFriendly).u8(PURPOSE_LEGACY_KEY);
  writeQualifiedName(out, template);
  out.text(packageName);
  new UntypedForm().write(out, 'upgradeFriendly', value);
  return out.sha256();
}

/** The contract hash under `ca10` or `ca11`; `argument` is the serialized create argument. */
export function untypedContractHash(
  method: 'legacy' | 'upgradeFriendly',
  packageName: string,
  template: TypeRef,
  argument: Buffer,
): Buffer {
  const out = new HashBuffer().raw(contractHashHeader(method, packageName, template));
  new UntypedForm().write(out, method, argument);
  return out.sha256();
}

/** The contract hash under `ca12` and V2 ids. Errors: those of {@link TypedForm.write}. */
export function typedContractHash(
  packageName: string,
  template: TypeRef,
  plan: TypePlan,
  argument: Buffer,
): Buffer {
  const out = new HashBuffer().raw(contractHashHeader('typed', packageName, template));
  new TypedForm().write(out, plan, argument);
  return out.sha256();
}

/** The contract hash of a 2.x contract (section 4.5). */
export function lf1ContractHash(template: TypeRef, argument: Buffer): Buffer {
  const out = new HashBuffer().raw(lf1ContractHashHeader(template));
  new UntypedForm().write(out, 'legacy', argument);
  return out.sha256();
}

/** The key hash of a 2.x contract: with a package name upgrade friendly, without it legacy (section 5). */
export function lf1KeyHash(packageName: string | undefined, template: TypeRef, value: Buffer): Buffer {
  const out = new HashBuffer();
  if (packageName === undefined) {
    out.u8(ENCODING.legacy).u8(PURPOSE_LEGACY_KEY).text(template.packageId);
    writeQualifiedName(out, template);
    new UntypedForm().write(out, 'legacy', value);
  } else {
    out.u8(ENCODING.upgradeFriendly).u8(PURPOSE_LEGACY_KEY).text(`#${packageName}`);
    writeQualifiedName(out, template);
    new UntypedForm().write(out, 'upgradeFriendly', value);
  }
  return out.sha256();
}
