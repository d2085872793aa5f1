/** `acs packages`: which packages a file needs, which are missing, and which an import would use. */
import { ContractView } from '../contract/contractView.js';
import { packageStore } from '../dar/packageStore.js';
import {
  type RepresentativePackageOverrides,
  type RepresentativeRule,
  selectRepresentativePackage,
} from '../dar/representativePackage.js';
import type { LfType, PackageSet, TypeRef } from '../dar/type.js';
import { NO_PACKAGES } from '../hash/noPackages.js';
import { AcsError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import { inputName } from '../io/input.js';
import { type ScanOptions, scanSnapshot } from '../snapshot/scan.js';

export interface PackagesOptions extends ScanOptions {
  /** Packages of the DARs at hand. */
  readonly packages?: PackageSet;
  /** Ids of the packages the participant has besides those of the DARs. Without it only the DARs count as there. */
  readonly knownPackages?: ReadonlySet<string>;
  readonly overrides?: RepresentativePackageOverrides;
  readonly onProgress?: (records: number) => void;
}

export type PackageRole =
  /** Template ids inside the blobs: named by contracts, not needed by an import that has another version. */
  | 'creation'
  /** Representative package of records. */
  | 'representative'
  /** Chosen by the import. */
  | 'selected'
  /** Holds types of the arguments. */
  | 'argument'
  /** Holds types of the keys. */
  | 'key';

export interface NeededPackage {
  packageId: string;
  /** Known for packages of the DARs; else the name that the contracts give. */
  name: string | null;
  version: string | null;
  roles: PackageRole[];
  /** Contracts that name it as creation, representative or selected package. */
  contracts: number;
  /** In one of the DARs. */
  inDars: boolean;
  /** In the DARs or among the known ids. */
  present: boolean;
}

/** Contracts that fare alike. */
export interface PackageSelection {
  creationPackageId: string;
  /** As exported; the creation package's when the record names none. */
  representativePackageId: string;
  packageName: string;
  contracts: number;
  /** What the import would use; null: nothing fits, and the import fails. */
  selectedPackageId: string | null;
  rule: RepresentativeRule | null;
  /** Mode ACCEPT refuses a package other than the exported one. */
  refusedByAccept: boolean;
}

export interface PackagesReport {
  file: string;
  contracts: number;
  /** By id. */
  packages: NeededPackage[];
  /** Representative, selected, argument and key packages that are not present. */
  missing: string[];
  /** Most contracts first. */
  selections: PackageSelection[];
  /** Ready for the import request: what the participant would choose, written down. Empty when it uses what was exported. */
  overrides: OverrideMap;
  /** Contract ids of overrides that no contract of the file has. */
  unusedOverrides: string[];
  notKnown: string[];
}

/** `RepresentativePackageIdOverride` of the import request, as JSON. */
export interface OverrideMap {
  contractOverride: Record<string, string>;
  packageIdOverride: Record<string, string>;
  packageNameOverride: Record<string, string>;
}

/** Distinct packages in a file that are followed; no real file comes near. */
const MAX_GROUPS = 100_000;

/** Errors: those of `scanSnapshot`; `TOO_MANY_PACKAGES`. In-flight records are passed over. */
export async function listPackages(input: ByteInput, options: PackagesOptions = {}): Promise<PackagesReport> {
  const packages = options.packages ?? NO_PACKAGES;
  const store = packageStore(packages, options.knownPackages ?? []);
  const view = new ContractView();
  const groups = new Map<string, PackageSelection & { templates: Map<string, TypeRef> }>();
  const pending = new Set(options.overrides?.contract?.keys() ?? []);
  let contracts = 0;
  await scanSnapshot(
    input,
    (record) => {
      if (record.inFlight) return;
      contracts++;
      const { blob } = view.of(record);
      const { contractId, templateId, packageName } = blob;
      const creation = templateId.packageId;
      const representative = view.representativePackageId || creation;
      const overridden = pending.size > 0 && options.overrides?.contract?.has(contractId) === true;
      if (overridden) pending.delete(contractId);
      const key = `${creation} ${representative} ${packageName}${overridden ? ` ${contractId}` : ''}`;
      let group = groups.get(key);
      if (group === undefined) {
        if (groups.size >= MAX_GROUPS) {
          throw new AcsError('TOO_MANY_PACKAGES', 'the file names too many packages to follow', {
            expected: `at most ${MAX_GROUPS}`,
          });
        }
        const selection = selectRepresentativePackage(
          { contractId, representativePackageId: representative, creationPackageId: creation, packageName },
          store,
          options.overrides,
        );
        group = {
          creationPackageId: creation,
          representativePackageId: representative,
          packageName,
          contracts: 0,
          selectedPackageId: selection.packageId,
          rule: selection.rule,
          refusedByAccept: selection.changed,
          templates: new Map(),
        };
        groups.set(key, group);
      }
      group.contracts++;
      const name = `${templateId.moduleName}:${templateId.entityName}`;
      if (!group.templates.has(name) && group.templates.size < MAX_GROUPS) {
        const { moduleName: module, entityName } = templateId;
        group.templates.set(name, { packageId: creation, module, name: entityName });
      }
    },
    { ...options, afterChunk: () => options.onProgress?.(contracts) },
  );
  return report(inputName(input), contracts, [...groups.values()], packages, store.has, options, [
    ...pending,
  ]);
}

type Group = PackageSelection & { templates: Map<string, TypeRef> };

function report(
  file: string,
  contracts: number,
  groups: readonly Group[],
  packages: PackageSet,
  present: (packageId: string) => boolean,
  options: PackagesOptions,
  unused: string[],
): PackagesReport {
  const needed = new Map<string, NeededPackage>();
  const need = (packageId: string, role: PackageRole, count: number, name: string | null): void => {
    let entry = needed.get(packageId);
    if (entry === undefined) {
      const found = packages.get(packageId);
      entry = {
        packageId,
        name: found?.name ?? name,
        version: found?.version ?? null,
        roles: [],
        contracts: 0,
        inDars: found !== undefined,
        present: present(packageId),
      };
      needed.set(packageId, entry);
    }
    entry.name ??= name;
    if (!entry.roles.includes(role)) entry.roles.push(role);
    entry.contracts += count;
  };
  const followed = new Set<string>();
  for (const group of groups) {
    const { packageName } = group;
    const creation = group.creationPackageId;
    const representative = group.representativePackageId;
    const selected = group.selectedPackageId;
    need(creation, 'creation', group.contracts, packageName);
    need(representative, 'representative', representative === creation ? 0 : group.contracts, packageName);
    if (selected !== null) {
      const again = selected === creation || selected === representative;
      need(selected, 'selected', again ? 0 : group.contracts, packageName);
    }
    for (const template of group.templates.values()) {
      const root = selected ?? representative;
      const key = `${root}:${template.module}:${template.name}`;
      if (followed.has(key)) continue;
      followed.add(key);
      const types = typePackages(packages, { ...template, packageId: root });
      for (const id of types.argument) if (id !== root) need(id, 'argument', 0, null);
      for (const id of types.key) if (id !== root) need(id, 'key', 0, null);
    }
  }
  const list = [...needed.values()].sort((a, b) => (a.packageId < b.packageId ? -1 : 1));
  return {
    file,
    contracts,
    packages: list,
    missing: list
      .filter((p) => !p.present && p.roles.some((role) => role !== 'creation'))
      .map((p) => p.packageId),
    selections: groups
      .map(({ templates: _templates, ...selection }) => selection)
      .sort(
        (a, b) =>
          b.contracts - a.contracts || (a.representativePackageId < b.representativePackageId ? -1 : 1),
      ),
    overrides: overrideMap(groups),
    unusedOverrides: unused.sort(),
    notKnown: notKnown(list, options),
  };
}

function notKnown(list: readonly NeededPackage[], options: PackagesOptions): string[] {
  const lines: string[] = [];
  if (options.knownPackages === undefined) {
    lines.push('which packages the participant has: only those of the DARs count as there (--known)');
  }
  const blind = list.filter((p) => !p.inDars && p.roles.some((role) => role !== 'creation')).length;
  if (blind > 0) lines.push(`the packages that ${blind} packages without a DAR depend on`);
  if (list.some((p) => p.present && !p.inDars)) {
    lines.push(
      'names and versions of known packages without a DAR, on which the choice of the highest version rests',
    );
  }
  return lines;
}

/** Every choice that differs from the exported package, as an override that forces it. */
function overrideMap(groups: readonly Group[]): OverrideMap {
  const packageId = new Map<string, string>();
  for (const { representativePackageId: representative, selectedPackageId: selected, rule } of groups) {
    if (selected === null || selected === representative || rule === 'contract-override') continue;
    packageId.set(representative, selected);
  }
  return { contractOverride: {}, packageIdOverride: sortedRecord(packageId), packageNameOverride: {} };
}

function sortedRecord(map: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Packages whose data types occur in a template's argument and in its key, the template's own included. What lies behind
 * a package that is not in the set stays unknown; its id is listed.
 */
export function typePackages(
  packages: PackageSet,
  template: TypeRef,
): { argument: Set<string>; key: Set<string> } {
  const argument = new Set<string>();
  const key = new Set<string>();
  const found = packages.get(template.packageId)?.modules.get(template.module)?.templates.get(template.name);
  follow(packages, { kind: 'con', ref: template, args: [] }, argument);
  if (found !== undefined && found.keyType !== null) follow(packages, found.keyType, key);
  return { argument, key };
}

function follow(packages: PackageSet, root: LfType, ids: Set<string>): void {
  const seenTypes = new Set<LfType>();
  const seenNames = new Set<string>();
  const stack: LfType[] = [root];
  for (let type = stack.pop(); type !== undefined; type = stack.pop()) {
    if (seenTypes.has(type) || type.kind === 'nat' || type.kind === 'opaque') continue;
    seenTypes.add(type);
    // The argument of a ContractId only informs: no value of it is in the contract.
    if (type.kind === 'builtin' && type.builtin === 'contractId') continue;
    stack.push(...type.args);
    if (type.kind !== 'con' && type.kind !== 'synonym') continue;
    const { packageId, module, name } = type.ref;
    ids.add(packageId);
    const label = `${type.kind} ${packageId}:${module}:${name}`;
    if (seenNames.has(label)) continue;
    seenNames.add(label);
    const definitions = packages.get(packageId)?.modules.get(module);
    if (type.kind === 'synonym') {
      const synonym = definitions?.synonyms.get(name);
      if (synonym !== undefined) stack.push(synonym.type);
      continue;
    }
    const cons = definitions?.dataTypes.get(name)?.cons;
    if (cons?.kind === 'record') for (const field of cons.fields) stack.push(field.type);
    else if (cons?.kind === 'variant') for (const each of cons.constructors) stack.push(each.type);
  }
}

/**
 * Reads an override map: the JSON that {@link PackagesReport.overrides} has, or the request's own field names in snake
 * case. Errors: `OVERRIDES_MALFORMED`.
 */
export function parseOverrides(text: string): RepresentativePackageOverrides {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw malformed(`no JSON: ${(cause as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw malformed('not an object');
  const maps: Record<string, Map<string, string>> = {};
  for (const [field, value] of Object.entries(json)) {
    const name = field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (!OVERRIDE_FIELDS.includes(name)) throw malformed(`unknown field ${field}`);
    if (typeof value !== 'object' || value === null) throw malformed(`${field} is not an object`);
    const map = new Map<string, string>();
    for (const [from, to] of Object.entries(value)) {
      if (typeof to !== 'string') throw malformed(`${field}.${from} is not a string`);
      map.set(from, to);
    }
    maps[name] = map;
  }
  return {
    contract: maps.contractOverride ?? new Map(),
    packageId: maps.packageIdOverride ?? new Map(),
    packageName: maps.packageNameOverride ?? new Map(),
  };
}

const OVERRIDE_FIELDS = ['contractOverride', 'packageIdOverride', 'packageNameOverride'];

function malformed(found: string): AcsError {
  return new AcsError('OVERRIDES_MALFORMED', 'the override map is malformed', {
    expected: `an object with ${OVERRIDE_FIELDS.join(', ')}, each mapping text to a package id`,
    found,
    exitCode: 2,
  });
}
