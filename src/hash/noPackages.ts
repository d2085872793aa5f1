import type { PackageSet } from '../dar/type.js';

/** The empty package set. */
export const NO_PACKAGES: PackageSet = {
  get: () => undefined,
  byName: () => [],
  ids: () => [],
};
