/** Package stores for {@link selectRepresentativePackage}: DARs at hand, and ids that a participant is known to have. */
import type { PackageStore } from './representativePackage.js';
import type { PackageSet } from './type.js';

/**
 * The packages of a set together with ids known to be in the participant's store. Names and versions of ids that are in
 * no DAR are unknown: the rule by highest version sees only the set, and is exact only if the set equals the store.
 */
export function packageStore(packages: PackageSet, knownIds: Iterable<string> = []): PackageStore {
  const known = new Set(knownIds);
  return {
    has: (packageId) => packages.get(packageId) !== undefined || known.has(packageId),
    highest: (packageName) => packages.byName(packageName).at(-1)?.packageId,
  };
}
