/**
 * Is a contract what its id says? The verdict of an offline authenticator (contract-id spec, section 6): the id is
 * recomputed from the content, and where the package is at hand the content is checked against its type, as an import
 * in mode VALIDATION does.
 */
import type { BlobView } from '../contract/blob.js';
import {
  type ContractIdVersion,
  classifyContractId,
  contractIdLabel,
  V1_CANTON_BYTES,
  V2_LOCAL_BYTES,
} from '../contract/contractId.js';
import { requireCreatedAt } from '../contract/creationTime.js';
import { checkValue } from '../contract/valueCheck.js';
import type { PackageSet } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import { hasPartyOutside } from './argumentParties.js';
import { readSalt, readV2AuthenticationData } from './authenticationData.js';
import { hasherFor } from './computeContractId.js';
import type { ContractHasher } from './contractHasher.js';
import { METHOD_OF_VERSION } from './contractHasher.js';
import { NO_PACKAGES } from './noPackages.js';
import type { TemplateBinding, TemplateTypes } from './templateBinding.js';
import { v2TimePrefix } from './unicum.js';
import { bad, needsPackage, type RemarkCode, typeVerdict, type Verdict, valid } from './verdict.js';

export interface AuthenticateOptions {
  /** Of the record; empty or absent means the creation package. */
  readonly representativePackageId?: string;
  readonly packages?: PackageSet;
}

const KEY_HASH_REMARKS: readonly RemarkCode[] = ['KEY_HASH_MISMATCH', 'NOT_CHECKABLE_OFFLINE'];

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
