/** The new id of a contract whose content is final, and whether its old one belonged to the old content. */
import type { BlobView } from '../contract/blob.js';
import type { ContractIdVersion } from '../contract/contractId.js';
import { requireCreatedAt } from '../contract/creationTime.js';
import { authenticateWith } from '../hash/authenticate.js';
import { type ContractHasher, METHOD_OF_VERSION } from '../hash/contractHasher.js';
import { AcsError } from '../io/error.js';
import { type RemapState, sourceIdOf } from './remapState.js';

/**
 * The id of the content `blob` under `version`. `view` is used up; `name` tells what errors call the contract. Errors: those
 * of the hasher.
 */
export function newContractId(
  hasher: ContractHasher,
  view: BlobView,
  blob: Buffer,
  version: ContractIdVersion,
  representativePackageId: string,
  name: () => string,
): Buffer {
  try {
    view.parse(blob);
    requireCreatedAt(view);
    const binding = hasher.binder.bind(view, representativePackageId);
    const method = METHOD_OF_VERSION[version];
    if (binding.problem !== null && (method === 'typed' || view.hasKey)) throw binding.problem;
    const contractHash = hasher.contractHash(view, binding, method);
    const keyHash = view.hasKey ? hasher.keyHash(view, binding) : undefined;
    return hasher.contractId(view, version, contractHash, keyHash);
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ stream: 'blob', contractId: name() }) : error;
  }
}

/** Computes the id of contract `number` from its final blob and puts it into the table. */
export function computeNewId(
  state: RemapState,
  number: number,
  blob: Buffer,
  version: ContractIdVersion | undefined,
  representativePackageId: string,
): void {
  if (version === undefined) throw new AcsError('CONTRACT_ID_VERSION', 'the contract id has no version');
  const { hasher, table, view } = state;
  const name = (): string => sourceIdOf(state, number);
  table.setNewId(number, newContractId(hasher, view, blob, version, representativePackageId, name));
}

/**
 * Why a contract is not genuine, or undefined: a new id must not launder it. `old` is the blob as the source has it;
 * `representative` is the package its types come from, `missing` the one to name when no package is there.
 * Error: `PACKAGE_MISSING`.
 */
export function authenticityFault(
  hasher: ContractHasher,
  old: BlobView,
  representative: string,
  missing: string,
): string | undefined {
  const verdict = authenticateWith(hasher, old, representative);
  if (verdict.code === 'VALID') return undefined;
  if (verdict.code === 'NEEDS_PACKAGE') {
    throw new AcsError('PACKAGE_MISSING', 'the package of the contract is not among the given DARs', {
      expected: verdict.packageId ?? missing,
      hint: 'give the DAR that contains it with --dar',
    });
  }
  return verdict.reason === undefined ? verdict.code : `${verdict.code}: ${verdict.reason}`;
}
