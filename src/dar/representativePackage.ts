/**
 * Which package a participant picks for a contract at import (daml-lf spec, section 4.2). Each candidate counts only if
 * it is in the participant's package store; otherwise the next one is tried.
 */

/** Field 5 of the import request. Keys and values as on the wire. */
export interface RepresentativePackageOverrides {
  /** Contract id (lower-case hex) to package id. */
  readonly contract?: ReadonlyMap<string, string>;
  /** Package id to package id; looked up with the exported representative id, then with the creation id. */
  readonly packageId?: ReadonlyMap<string, string>;
  /** Package name to package id; acts only when neither exported nor creation package is in the store. */
  readonly packageName?: ReadonlyMap<string, string>;
}

export interface ContractPackageFacts {
  readonly contractId: string;
  /** As exported. Empty means the creation package. */
  readonly representativePackageId: string;
  /** Package id of the template id in the blob. */
  readonly creationPackageId: string;
  /** Package name in the blob. */
  readonly packageName: string;
}

/** The packages of a participant: all of its store, dependencies included, vetted or not. */
export interface PackageStore {
  has(packageId: string): boolean;
  /** The highest package of a name, by version, then by package id. */
  highest(packageName: string): string | undefined;
}

export type RepresentativeRule =
  | 'contract-override'
  | 'override-of-exported'
  | 'override-of-creation'
  | 'exported'
  | 'creation'
  | 'package-name-override'
  | 'highest-version';

export interface SkippedOverride {
  readonly rule: RepresentativeRule;
  readonly packageId: string;
}

export interface RepresentativeSelection {
  /** `null`: no candidate is in the store, and the whole import fails. */
  readonly packageId: string | null;
  readonly rule: RepresentativeRule | null;
  /** Whether the choice differs from the exported id: mode ACCEPT then fails the import. */
  readonly changed: boolean;
  /** Overrides that named a package the store lacks. They are passed over in silence by the participant. */
  readonly skippedOverrides: readonly SkippedOverride[];
}

const NONE_SKIPPED: readonly SkippedOverride[] = [];

export function selectRepresentativePackage(
  contract: ContractPackageFacts,
  store: PackageStore,
  overrides: RepresentativePackageOverrides = {},
): RepresentativeSelection {
  const { contractId, creationPackageId, packageName } = contract;
  const exported =
    contract.representativePackageId === '' ? creationPackageId : contract.representativePackageId;
  let skipped: SkippedOverride[] | undefined;
  const select = (rule: RepresentativeRule, packageId: string): RepresentativeSelection => ({
    packageId,
    rule,
    changed: packageId !== exported,
    skippedOverrides: skipped ?? NONE_SKIPPED,
  });
  const overridden = (
    rule: RepresentativeRule,
    packageId: string | undefined,
  ): RepresentativeSelection | undefined => {
    if (packageId === undefined) return undefined;
    if (store.has(packageId)) return select(rule, packageId);
    skipped ??= [];
    skipped.push({ rule, packageId });
    return undefined;
  };
  const first =
    overridden('contract-override', overrides.contract?.get(contractId)) ??
    overridden('override-of-exported', overrides.packageId?.get(exported)) ??
    overridden('override-of-creation', overrides.packageId?.get(creationPackageId));
  if (first !== undefined) return first;
  if (store.has(exported)) return select('exported', exported);
  if (store.has(creationPackageId)) return select('creation', creationPackageId);
  const byName = overridden('package-name-override', overrides.packageName?.get(packageName));
  if (byName !== undefined) return byName;
  const highest = store.highest(packageName);
  if (highest !== undefined) return select('highest-version', highest);
  return { packageId: null, rule: null, changed: true, skippedOverrides: skipped ?? NONE_SKIPPED };
}
