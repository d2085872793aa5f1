/**
 * Is a contract what its id says? The verdict of an offline authenticator (contract-id spec, section 6): the id is
 * recomputed from the content, and where the package is at hand the content is checked against its type, as an import
 * in mode VALIDATION does.
 */
import { type BlobView, CREATED_AT_NOW } from '../contract/blob.js';
import {
  type ContractIdVersion,
  classifyContractId,
  contractIdLabel,
  V1_CANTON_BYTES,
  V2_LOCAL_BYTES,
} from '../contract/contractId.js';
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../contract/value.js';
import { checkValue } from '../contract/valueCheck.js';
import type { PackageSet } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import { sameBytes } from '../wire/sameBytes.js';
import { readSalt, readV2AuthenticationData } from './authenticationData.js';
import { hasherFor } from './computeContractId.js';
import type { ContractHasher } from './contractHasher.js';
import { METHOD_OF_VERSION } from './contractHasher.js';
import { NO_PACKAGES } from './noPackages.js';
import type { ScalarCopier } from './storedScalars.js';
import type { TemplateBinding, TemplateTypes } from './templateBinding.js';
import { v2TimePrefix } from './unicum.js';

export type VerdictCode =
  /** The id belongs to the content, and the content to its type as far as that could be checked (see the remarks). */
  | 'VALID'
  /** The id belongs to other content. */
  | 'MISMATCH'
  /** No id of a committed contract. */
  | 'MALFORMED_ID'
  /** An id of Canton 2.x. */
  | 'UNSUPPORTED_VERSION'
  /** The salt is missing or damaged, so that the id can never be checked. */
  | 'NO_AUTHENTICATION_DATA'
  /** A package is needed to tell. Never to be counted as valid. */
  | 'NEEDS_PACKAGE'
  /** The content does not have the type of its template in the representative package. */
  | 'ILL_TYPED';

export const VERDICT_CODES: readonly VerdictCode[] = [
  'VALID',
  'MISMATCH',
  'MALFORMED_ID',
  'UNSUPPORTED_VERSION',
  'NO_AUTHENTICATION_DATA',
  'NEEDS_PACKAGE',
  'ILL_TYPED',
];

export type RemarkCode =
  /**
   * On every valid contract: what only the Daml engine can tell was not checked, that is, the template's `ensure`, and
   * whether signatories, observers and key are those the template computes. It matters for contracts whose id was
   * recomputed; one with its original id had to pass when it was created.
   */
  | 'NOT_CHECKABLE_OFFLINE'
  /**
   * With MISMATCH: the id is that of the content, but the stored key hash is not that of the key. When the hash is wrong,
   * an import takes the contract, which then cannot be found by its key; when the key was changed, the engine refuses it.
   * Which of the two it is cannot be told offline.
   */
  | 'KEY_HASH_MISMATCH'
  /** No package at hand to compute the key hash. */
  | 'KEY_HASH_NOT_CHECKED'
  /** No package at hand to check the argument's type; the id alone is confirmed. */
  | 'TYPES_NOT_CHECKED'
  /** The representative package is not at hand; the types are those of another package of the same name. */
  | 'TYPES_OF_OTHER_PACKAGE'
  /** `ca11` does not bind in which field of a record a map is (spec, section 4.3). */
  | 'MAP_FIELD_NOT_BOUND'
  /** A signatory, observer or maintainer does not occur in the argument. Possible, but unusual. */
  | 'SUSPICIOUS_PARTY'
  /** The argument's bytes are not Canton's for its value. The id holds, but a participant that knows it refuses the copy. */
  | 'ENCODING_NOT_CANONICAL'
  /** Version V2 ids cannot be imported by Canton 3.4 or 3.5. */
  | 'VERSION_NOT_IMPORTABLE';

export interface Verdict {
  readonly code: VerdictCode;
  /** `V10`, `V11`, `V12`, `V2_0`, `ca02`, `local`, `malformed`, … */
  readonly version: string;
  /** In words; absent for valid contracts. */
  readonly reason?: string;
  /** MISMATCH: the id that the content has, lower-case hex; with `path` = `key` the key hash. */
  readonly expected?: string;
  /** Where in the argument (`amount`, `observers[2]`), in the key (`key`, `key.number`), or `package_name`. */
  readonly path?: string;
  /** ILL_TYPED: what the type asks for and what is there. */
  readonly expectedType?: string;
  readonly foundType?: string;
  /** NEEDS_PACKAGE: the package to give. */
  readonly packageId?: string;
  readonly remarks: readonly RemarkCode[];
}

export interface AuthenticateOptions {
  /** Of the record; empty or absent means the creation package. */
  readonly representativePackageId?: string;
  readonly packages?: PackageSet;
}

/**
 * The verdict on one contract. Repeated calls with the same `packages` object share what was compiled.
 * Throws the decoding errors of the contract's parts (`WIRE_*`, `VALUE_*`, `BLOB_*`), with offsets in `view.buf`, and
 * `RECORD_BAD_PACKAGE_ID`.
 */
export function authenticate(view: BlobView, options: AuthenticateOptions = {}): Verdict {
  return authenticateWith(
    hasherFor(options.packages ?? NO_PACKAGES),
    view,
    options.representativePackageId ?? '',
  );
}

/** {@link authenticate} with a hasher of the caller's own. */
export function authenticateWith(hasher: ContractHasher, view: BlobView, representative: string): Verdict {
  const id = classifyContractId(view.buf, view.contractIdStart, view.contractIdEnd);
  const binding = hasher.binder.bind(view, representative);
  requireCreatedAt(view);
  if (view.hasKey) checkValue(view.buf, view.keyValueStart, view.keyValueEnd);
  if (id.kind !== 'canton') {
    checkArgument(view);
    const version = contractIdLabel(id);
    if (id.kind === 'legacy') {
      return bad('UNSUPPORTED_VERSION', version, `an id of Canton 2.x (${id.prefix}); 3.x cannot import it`);
    }
    const reason =
      id.kind === 'malformed'
        ? id.reason
        : id.kind === 'local'
          ? 'the id has no suffix: the contract was never committed'
          : 'the id has a relative suffix: the contract was never committed';
    return bad('MALFORMED_ID', version, reason);
  }
  const damage = saltProblem(view, id.version);
  if (damage !== undefined) {
    checkArgument(view);
    return bad('NO_AUTHENTICATION_DATA', id.version, damage);
  }
  return METHOD_OF_VERSION[id.version] === 'typed'
    ? typedVerdict(hasher, view, binding, id.version)
    : untypedVerdict(hasher, view, binding, id.version);
}

/** Throws `BLOB_CREATED_AT` unless the creation time is set and in range. */
export function requireCreatedAt(view: BlobView): void {
  // What a double holds exactly is in range.
  if (!Number.isNaN(view.createdAtNumber)) return;
  const { createdAt } = view;
  if (createdAt >= MIN_TIMESTAMP && createdAt <= MAX_TIMESTAMP) return;
  throw new AcsError('BLOB_CREATED_AT', 'the creation time of the contract is out of range', {
    expected: 'years 1 to 9999, in microseconds since 1970',
    found: createdAt === CREATED_AT_NOW ? 'not set' : `${createdAt}`,
  });
}

/** For contracts that are not hashed: their argument must be decodable all the same. */
function checkArgument(view: BlobView): void {
  checkValue(view.buf, view.argumentStart, view.argumentEnd);
}

function saltProblem(view: BlobView, version: ContractIdVersion): string | undefined {
  try {
    if (version !== 'V2_0') readSalt(view.buf, view.authenticationStart, view.authenticationEnd);
    else {
      const data = readV2AuthenticationData(view.buf, view.authenticationStart, view.authenticationEnd);
      if (data.updateIdStart < 0) return 'the authentication data lacks the creating update id';
    }
    return undefined;
  } catch (error) {
    if (error instanceof AcsError && error.code === 'AUTHENTICATION_DATA') return error.message;
    throw error;
  }
}

/** `ca10`, `ca11`: the id first, which needs no package; then the type, as far as one is at hand. */
function untypedVerdict(
  hasher: ContractHasher,
  view: BlobView,
  binding: TemplateBinding,
  version: ContractIdVersion,
): Verdict {
  const contractHash = hasher.contractHash(view, binding, METHOD_OF_VERSION[version]);
  const remarks: RemarkCode[] = [];
  if (hasPartyOutside(view, hasher.untyped)) remarks.push('SUSPICIOUS_PARTY');
  if (hasher.untyped.irregular) remarks.push('ENCODING_NOT_CANONICAL');
  if (version === 'V11' && hasher.untyped.mapInRecord) remarks.push('MAP_FIELD_NOT_BOUND');
  const mismatch = idMismatch(hasher, view, version, contractHash);
  if (mismatch !== undefined) return mismatch;
  const { types, problem } = binding;
  if (problem !== null) return typeVerdict(version, problem);
  if (types === null || types.source === 'sameName') {
    remarks.push('TYPES_NOT_CHECKED');
    if (view.hasKey) remarks.push('KEY_HASH_NOT_CHECKED');
    return valid(version, remarks);
  }
  const fault =
    shapeFault(version, () => hasher.checkArgument(view, types, version === 'V10')) ??
    keyFault(hasher, view, binding, types, version);
  if (fault !== undefined) return fault;
  if (types.source === 'creation') remarks.push('TYPES_OF_OTHER_PACKAGE');
  return valid(version, remarks);
}

/** `ca12`, V2: the hash itself needs the type. */
function typedVerdict(
  hasher: ContractHasher,
  view: BlobView,
  binding: TemplateBinding,
  version: ContractIdVersion,
): Verdict {
  const { types, problem } = binding;
  if (problem !== null) {
    checkArgument(view);
    return typeVerdict(version, problem);
  }
  if (types === null) {
    checkArgument(view);
    return needsPackage(version, binding.representativePackageId);
  }
  const remarks: RemarkCode[] = [];
  let contractHash: Buffer | undefined;
  let fault = shapeFault(version, () => {
    contractHash = hasher.contractHash(view, binding, 'typed');
    if (hasher.typed.irregular) remarks.push('ENCODING_NOT_CANONICAL');
    if (hasPartyOutside(view, hasher.typed)) remarks.push('SUSPICIOUS_PARTY');
  });
  if (contractHash !== undefined) {
    fault =
      idMismatch(hasher, view, version, contractHash) ?? keyFault(hasher, view, binding, types, version);
  }
  // The id covers the stored key hash, not the key: see KEY_HASH_MISMATCH.
  // The types of a package that merely has the same name may confirm an id, not refute it.
  if (fault !== undefined) {
    return types.source === 'sameName' ? needsPackage(version, binding.representativePackageId) : fault;
  }
  if (types.source !== 'representative') remarks.push('TYPES_OF_OTHER_PACKAGE');
  if (version === 'V2_0') remarks.push('VERSION_NOT_IMPORTABLE');
  return valid(version, remarks);
}

/** Runs a typed walk. Decoding errors pass; typing errors become a verdict. */
function shapeFault(version: ContractIdVersion, walk: () => void): Verdict | undefined {
  try {
    walk();
    return undefined;
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
    if (error.code === 'PACKAGE_MISSING' || error.code.startsWith('TYPE_'))
      return typeVerdict(version, error);
    throw error;
  }
}

function typeVerdict(version: ContractIdVersion, error: AcsError): Verdict {
  return error.code === 'PACKAGE_MISSING'
    ? needsPackage(version, error.expected ?? '')
    : illTyped(version, error);
}

function keyFault(
  hasher: ContractHasher,
  view: BlobView,
  binding: TemplateBinding,
  types: TemplateTypes,
  version: ContractIdVersion,
): Verdict | undefined {
  const expectsKey = types.plan.key !== null;
  if (!view.hasKey && !expectsKey) return undefined;
  if (view.hasKey !== expectsKey) {
    return {
      ...bad('ILL_TYPED', version, expectsKey ? 'the contract lacks its key' : 'the template has no key'),
      path: 'key',
      expectedType: expectsKey ? 'a key' : 'no key',
      foundType: view.hasKey ? 'a key' : 'no key',
    };
  }
  if (view.serializationVersion === '2.1') {
    return {
      ...bad('ILL_TYPED', version, 'serialization version 2.1 has no room for a key hash'),
      path: 'key',
      expectedType: 'serialization version 2',
      foundType: '2.1',
    };
  }
  let keyHash: Buffer | undefined;
  const fault = shapeFault(version, () => {
    const hash = hasher.keyHash(view, binding, types);
    if (!hash.equals(view.keyHash)) keyHash = hash;
  });
  if (fault !== undefined || keyHash === undefined) return fault;
  return {
    code: 'MISMATCH',
    version,
    reason: 'the stored key hash is not that of the key',
    path: 'key',
    expected: keyHash.toString('hex'),
    remarks: KEY_HASH_REMARKS,
  };
}

function idMismatch(
  hasher: ContractHasher,
  view: BlobView,
  version: ContractIdVersion,
  contractHash: Buffer,
): Verdict | undefined {
  const { buf, contractIdStart: start } = view;
  if (version !== 'V2_0') {
    const unicum = hasher.unicum(view, contractHash);
    if (endsWith(buf, start + V1_CANTON_BYTES, unicum)) return undefined;
  } else {
    const hash = hasher.v2SuffixHash(view, contractHash);
    const time = v2TimePrefix(view.createdAt);
    if (
      endsWith(buf, start + V2_LOCAL_BYTES + 1 + hash.length, hash) &&
      endsWith(buf, start + 1 + time.length, time)
    ) {
      return undefined;
    }
  }
  return {
    ...bad('MISMATCH', version, 'the id does not belong to the content'),
    expected: hasher.contractId(view, version, contractHash).toString('hex'),
  };
}

/** True when the bytes of `buf` that end at `end` are `tail`. */
function endsWith(buf: Buffer, end: number, tail: Buffer): boolean {
  for (let i = tail.length - 1, at = end - 1; i >= 0; i--, at--) if (buf[at] !== tail[i]) return false;
  return true;
}

/** A stakeholder that is no party of the argument just walked. */
function hasPartyOutside(view: BlobView, form: ScalarCopier): boolean {
  const found = form.partyBorders;
  const size = view.signatoryBorders.length + view.observerBorders.length + view.maintainerBorders.length;
  if (size * found.length > 16_384) {
    const inside = new Set<string>();
    for (let i = 0; i < found.length; i += 2) inside.add(form.buf.toString('latin1', found[i], found[i + 1]));
    const outside = (borders: readonly number[]): boolean => {
      for (let i = 0; i < borders.length; i += 2) {
        if (!inside.has(view.buf.toString('latin1', borders[i], borders[i + 1]))) return true;
      }
      return false;
    };
    return outside(view.signatoryBorders) || outside(view.observerBorders) || outside(view.maintainerBorders);
  }
  return (
    someOutside(view.buf, view.signatoryBorders, form) ||
    someOutside(view.buf, view.observerBorders, form) ||
    someOutside(view.buf, view.maintainerBorders, form)
  );
}

function someOutside(buf: Buffer, borders: readonly number[], form: ScalarCopier): boolean {
  const inside = form.partyBorders;
  const other = form.buf;
  for (let i = 0; i < borders.length; i += 2) {
    const start = borders[i];
    const n = borders[i + 1] - start;
    let known = false;
    for (let j = 0; j < inside.length && !known; j += 2) {
      const at = inside[j];
      known = inside[j + 1] - at === n && sameBytes(buf, start, start + n, other, at);
    }
    if (!known) return true;
  }
  return false;
}

const KEY_HASH_REMARKS: readonly RemarkCode[] = ['KEY_HASH_MISMATCH', 'NOT_CHECKABLE_OFFLINE'];
const NO_REMARKS: readonly RemarkCode[] = [];
const validVerdicts = new Map<string, Verdict>();

function valid(version: ContractIdVersion, remarks: readonly RemarkCode[]): Verdict {
  const key = remarks.length === 0 ? version : `${version} ${remarks.join(' ')}`;
  let verdict = validVerdicts.get(key);
  if (verdict === undefined) {
    verdict = { code: 'VALID', version, remarks: ['NOT_CHECKABLE_OFFLINE', ...remarks] };
    validVerdicts.set(key, verdict);
  }
  return verdict;
}

function bad(code: VerdictCode, version: string, reason: string): Verdict {
  return { code, version, reason, remarks: NO_REMARKS };
}

function needsPackage(version: string, packageId: string): Verdict {
  return { ...bad('NEEDS_PACKAGE', version, 'a package is not among the given DARs'), packageId };
}

function illTyped(version: string, error: AcsError): Verdict {
  return {
    ...bad('ILL_TYPED', version, error.message),
    path: error.place.path ?? '',
    ...(error.expected === undefined ? {} : { expectedType: error.expected }),
    ...(error.found === undefined ? {} : { foundType: error.found }),
  };
}
