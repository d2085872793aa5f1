/** Which package's names a contract is shown with, when the best one may be absent (daml-lf spec, section 4.5). */
import type { Package, PackageSet } from './type.js';
import { comparePackages } from './version.js';

export interface ContractPackages {
  /** Package id inside the contract's template id. */
  readonly creation: string;
  /** Representative package id of the record; empty or absent means the creation package. */
  readonly representative?: string;
  readonly packageName: string;
}

/**
 * Packages to try, best first: representative, creation, then those of the same name with a version of at least the
 * creation package's (lowest first), then the other ones (highest first). When the creation package is unknown, those
 * of the same name come highest first.
 */
export function packagesToTry(packages: PackageSet, contract: ContractPackages): Package[] {
  const tried = new Set<string>();
  const order: Package[] = [];
  const add = (each: Package | undefined): void => {
    if (each === undefined || tried.has(each.packageId)) return;
    tried.add(each.packageId);
    order.push(each);
  };
  const creation = packages.get(contract.creation);
  if (contract.representative !== undefined && contract.representative !== '') {
    add(packages.get(contract.representative));
  }
  add(creation);
  const sameName = packages.byName(contract.packageName);
  if (creation !== undefined) {
    for (const each of sameName) if (comparePackages(each, creation) >= 0) add(each);
  }
  for (const each of [...sameName].reverse()) add(each);
  return order;
}
