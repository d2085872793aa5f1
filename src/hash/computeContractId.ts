/** Ids for contracts whose content was changed or made offline (contract-id spec, sections 3 and 7). */
import { BlobView } from '../contract/blob.js';
import { type ContractIdVersion, classifyContractId } from '../contract/contractId.js';
import { type ContractInstance, encodeBlob } from '../contract/contractInstance.js';
import type { PackageSet } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import { ContractHasher, METHOD_OF_VERSION } from './contractHasher.js';
import { NO_PACKAGES } from './noPackages.js';

export interface ContractIdOptions {
  /** Needed for `ca12` and V2 ids, and for keys. */
  readonly packages?: PackageSet;
  /** Package whose types are used; default: the creation package, else one of the same name. */
  readonly representativePackageId?: string;
  /** Version of the new id; default: that of the id at hand. */
  readonly version?: ContractIdVersion;
}

export interface ContractIdParts {
  /** Lower-case hex. */
  readonly contractId: string;
  readonly version: ContractIdVersion;
  /** 32 bytes. */
  readonly contractHash: Buffer;
  /** The typed key hash (32 bytes), computed anew; present for keyed contracts. */
  readonly keyHash?: Buffer;
}

const hashers = new WeakMap<PackageSet, ContractHasher>();
const view = new BlobView();

/** The hasher of a package set; one per set, so that types are compiled once. */
export function hasherFor(packages: PackageSet = NO_PACKAGES): ContractHasher {
  let hasher = hashers.get(packages);
  if (hasher === undefined) {
    hasher = new ContractHasher(packages);
    hashers.set(packages, hasher);
  }
  return hasher;
}

/**
 * The id that belongs to a contract's content. Discriminator (or local part), salt and creation time are taken from the
 * instance; the suffix of its id is ignored but for the version. The key hash is computed, not taken from the instance.
 * Errors: `CONTRACT_ID_VERSION` (no version known and none given), `PACKAGE_MISSING`, `AUTHENTICATION_DATA`, the typing
 * errors of `checkValue`, the decoding errors of blob and value.
 */
export function contractIdParts(
  instance: ContractInstance,
  options: ContractIdOptions = {},
): ContractIdParts {
  const hasher = hasherFor(options.packages);
  view.parse(encodeBlob(instance.key === undefined ? instance : withSomeKeyHash(instance)));
  const version = options.version ?? versionOf(view);
  const method = METHOD_OF_VERSION[version];
  const binding = hasher.binder.bind(view, options.representativePackageId ?? '');
  if (binding.problem !== null && (method === 'typed' || view.hasKey)) throw binding.problem;
  const contractHash = hasher.contractHash(view, binding, method);
  const keyHash = view.hasKey ? hasher.keyHash(view, binding) : undefined;
  const contractId = hasher.contractId(view, version, contractHash, keyHash).toString('hex');
  return keyHash === undefined
    ? { contractId, version, contractHash }
    : { contractId, version, contractHash, keyHash };
}

/** {@link contractIdParts}, the id alone: lower-case hex. */
export function computeContractId(instance: ContractInstance, options: ContractIdOptions = {}): string {
  return contractIdParts(instance, options).contractId;
}

/** The hash of a contract's key, or undefined when no package at hand has the types of its template. Errors: of typing. */
export function keyHashOf(instance: ContractInstance, packages: PackageSet): Buffer | undefined {
  const hasher = hasherFor(packages);
  view.parse(encodeBlob(withSomeKeyHash(instance)));
  const binding = hasher.binder.bind(view, '');
  if (binding.problem !== null) throw binding.problem;
  return binding.types === null ? undefined : hasher.keyHash(view, binding);
}

/** The instance under the id (and with the key hash) that belongs to its content. Errors as {@link contractIdParts}. */
export function withComputedId(
  instance: ContractInstance,
  options: ContractIdOptions = {},
): ContractInstance {
  const parts = contractIdParts(instance, options);
  const renewed: ContractInstance = { ...instance, contractId: parts.contractId };
  if (instance.key !== undefined && parts.keyHash !== undefined) {
    renewed.key = { ...instance.key, hash: parts.keyHash };
  }
  return renewed;
}

/** An instance under construction need not have its key hash yet; the blob's form demands one. */
function withSomeKeyHash(instance: ContractInstance): ContractInstance {
  const { key, serializationVersion } = instance;
  if (key === undefined || key.hash.length === 32) return instance;
  if (serializationVersion === '2.1') {
    throw new AcsError('BLOB_BAD_KEY_HASH', 'a contract with a key needs serialization version 2', {
      expected: '2',
      found: serializationVersion,
    });
  }
  return { ...instance, key: { ...key, hash: Buffer.alloc(32) } };
}

function versionOf(blob: BlobView): ContractIdVersion {
  const id = classifyContractId(blob.buf, blob.contractIdStart, blob.contractIdEnd);
  if (id.kind === 'canton') return id.version;
  throw new AcsError(
    'CONTRACT_ID_VERSION',
    'the contract id does not say which version the new one shall have',
    {
      contractId: blob.contractId,
      expected: 'an id with suffix ca10, ca11 or ca12, or a version given by the caller',
    },
  );
}
