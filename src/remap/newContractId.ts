/** The new id of a contract whose content is final, and whether its old one belonged to the old content. */
import type { BlobView } from '../contract/blob.js';
import type { ContractIdVersion } from '../contract/contractId.js';
import { authenticateWith } from '../hash/authenticate.js';
import { METHOD_OF_VERSION } from '../hash/contractHasher.js';
import { AcsError } from '../io/error.js';
import { addFinding, type RemapState, sourceIdOf } from './remapState.js';

/** Computes the id of contract `number` from its final blob and puts it into the table. */
export function computeNewId(
  state: RemapState,
  number: number,
  blob: Buffer,
  version: ContractIdVersion | undefined,
  representativePackageId: string,
): void {
  if (version === undefined) throw new AcsError('CONTRACT_ID_VERSION', 'the contract id has no version');
  const { hasher, table } = state;
  try {
    const view = state.view.parse(blob);
    const binding = hasher.binder.bind(view, representativePackageId);
    const method = METHOD_OF_VERSION[version];
    if (binding.problem !== null && (method === 'typed' || view.hasKey)) throw binding.problem;
    const contractHash = hasher.contractHash(view, binding, method);
    const keyHash = view.hasKey ? hasher.keyHash(view, binding) : undefined;
    table.setNewId(number, hasher.contractId(view, version, contractHash, keyHash));
  } catch (error) {
    throw error instanceof AcsError
      ? error.locate({ stream: 'blob', contractId: sourceIdOf(state, number) })
      : error;
  }
}

/**
 * A new id must not launder a contract that was not genuine. `old` is the blob as the source has it; `representative`
 * is the package its types come from, `missing` the one to name when no package is there.
 */
export function checkAuthentic(
  state: RemapState,
  old: BlobView,
  representative: string,
  missing: string,
): void {
  const verdict = authenticateWith(state.hasher, old, representative);
  if (verdict.code === 'VALID') return;
  if (verdict.code === 'NEEDS_PACKAGE') {
    throw new AcsError('PACKAGE_MISSING', 'the package of the contract is not among the given DARs', {
      expected: verdict.packageId ?? missing,
      hint: 'give the DAR that contains it with --dar',
    });
  }
  const why = verdict.reason === undefined ? '' : `: ${verdict.reason}`;
  const wanted = state.findings.wants('NOT_AUTHENTIC');
  addFinding(state, 'NOT_AUTHENTIC', wanted ? `${old.contractId} ${verdict.code}${why}` : undefined);
}
