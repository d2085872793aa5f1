/** The packages of a set of DAR and DALF files, by id and by name. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AcsError } from '../io/error.js';
import { fileError } from '../io/input.js';
import { decodeDalf, openDalf } from './dalf.js';
import { DAR_LIMITS, type DarLimits, isZip, readDar } from './dar.js';
import type { DarManifest } from './darManifest.js';
import { defaultCacheDir, PackageCache } from './packageCache.js';
import { STABLE_PACKAGES } from './stablePackages.js';
import type { Package, PackageSet } from './type.js';
import { comparePackages } from './version.js';

/** One file as read. A bare DALF has no manifest and is its own main package. */
export interface LoadedDar {
  readonly file: string;
  readonly manifest: DarManifest | null;
  readonly mainPackageId: string;
  /** In the order of the manifest, the ones that could not be decoded included. */
  readonly packageIds: readonly string[];
}

export type CatalogFindingCode =
  /** A package in a Daml-LF version that cannot be read; it was skipped. */
  | 'PACKAGE_UNSUPPORTED'
  /** Different packages of the same name and version. */
  | 'PACKAGE_COLLISION'
  /** A package that the main package of a DAR needs is in none of the files. */
  | 'DEPENDENCY_MISSING'
  /** A package in a DAR (LF 2.2 or later) that its main package does not need. A strict participant refuses both. */
  | 'DEPENDENCY_EXTRA';

export interface CatalogFinding {
  readonly code: CatalogFindingCode;
  readonly message: string;
  readonly file?: string;
  readonly packageIds: readonly string[];
}

export interface DarCatalog extends PackageSet {
  readonly dars: readonly LoadedDar[];
  readonly findings: readonly CatalogFinding[];
}

export interface LoadDarsOptions {
  /** Folder of the package cache; `false` switches it off. Default: {@link defaultCacheDir}. */
  readonly cacheDir?: string | false;
  readonly limits?: DarLimits;
}

/** A set of packages that are already in memory. */
export function packageSet(packages: Iterable<Package>): PackageSet {
  const byId = new Map<string, Package>();
  for (const each of packages) byId.set(each.packageId, each);
  const names = new Map<string, Package[]>();
  for (const each of byId.values()) {
    if (each.name === null) continue;
    const sameName = names.get(each.name);
    if (sameName === undefined) names.set(each.name, [each]);
    else sameName.push(each);
  }
  for (const sameName of names.values()) sameName.sort(comparePackages);
  const ids = [...byId.keys()].sort();
  return {
    get: (packageId) => byId.get(packageId),
    byName: (name) => names.get(name) ?? [],
    ids: () => ids,
  };
}

/**
 * Reads DAR and DALF files. A folder stands for the `.dar` and `.dalf` files directly in it, by name. Files are told
 * apart by content. A package that occurs in several files is decoded once.
 * Errors: those of `readDar` and `decodeDalf`, with the file named; an unsupported LF version is a finding instead.
 */
export async function loadDars(paths: readonly string[], options: LoadDarsOptions = {}): Promise<DarCatalog> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const loader = new Loader(
    cacheDir === false ? undefined : new PackageCache(cacheDir),
    options.limits ?? DAR_LIMITS,
  );
  for (const path of paths) {
    for (const file of await filesOf(path)) await loader.file(file);
  }
  return loader.finish();
}

async function filesOf(path: string): Promise<string[]> {
  const info = await stat(path).catch((cause) => {
    throw fileError(path, cause);
  });
  if (!info.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => /\.(dar|dalf)$/.test(name)).sort();
  if (names.length === 0) {
    throw new AcsError('DAR_NOT_FOUND', 'the folder has no .dar or .dalf file', { file: path, exitCode: 2 });
  }
  return names.map((name) => join(path, name));
}

/** A bare file that is no DALF is most likely something else altogether: says what is wanted. */
function neitherDarNorDalf(error: unknown): unknown {
  if (!(error instanceof AcsError) || error.code !== 'DALF_MALFORMED') return error;
  return new AcsError('DALF_MALFORMED', `the file is neither a DAR (a zip) nor a DALF: ${error.message}`, {
    ...error.place,
    expected: error.expected,
    found: error.found,
    hint: 'give a .dar or .dalf file, or a folder of them',
    cause: error,
  });
}

class Loader {
  private readonly cache: PackageCache | undefined;
  private readonly limits: DarLimits;
  private readonly packages = new Map<string, Package>();
  private readonly unsupported = new Map<string, CatalogFinding>();
  private readonly dars: LoadedDar[] = [];

  constructor(cache: PackageCache | undefined, limits: DarLimits) {
    this.cache = cache;
    this.limits = limits;
  }

  async file(file: string): Promise<void> {
    if (!(await isZip(file))) {
      const { size } = await stat(file);
      if (size > this.limits.entryBytes) {
        throw new AcsError('DAR_TOO_LARGE', 'the file is too large for a DALF', {
          file,
          expected: `at most ${this.limits.entryBytes} bytes`,
          found: `${size}`,
        });
      }
      const bytes = await readFile(file).catch((cause) => {
        throw fileError(file, cause);
      });
      const packageId = await this.dalf(file, null, bytes).catch((error) => {
        throw neitherDarNorDalf(error);
      });
      this.dars.push({ file, manifest: null, mainPackageId: packageId, packageIds: [packageId] });
      return;
    }
    const ids = new Map<string, string>();
    const manifest = await readDar(
      file,
      async (entry, bytes) => {
        ids.set(entry, await this.dalf(file, entry, bytes));
      },
      this.limits,
    );
    const packageIds = manifest.dalfs.map((entry) => ids.get(entry) ?? '');
    this.dars.push({ file, manifest, mainPackageId: ids.get(manifest.main) ?? '', packageIds });
  }

  /** Decodes one package unless it is known, and returns its id. */
  private async dalf(file: string, entry: string | null, bytes: Buffer): Promise<string> {
    try {
      const archive = openDalf(bytes);
      const { packageId } = archive;
      if (this.packages.has(packageId) || this.unsupported.has(packageId)) return packageId;
      const cached = await this.cache?.get(packageId);
      if (cached !== undefined) {
        this.packages.set(packageId, cached);
        return packageId;
      }
      try {
        const decoded = decodeDalf(archive);
        this.packages.set(packageId, decoded);
        await this.cache?.put(decoded);
      } catch (error) {
        if (!(error instanceof AcsError) || error.code !== 'DALF_UNSUPPORTED_VERSION') throw error;
        const message = `package ${packageId} skipped: ${error.message}`;
        this.unsupported.set(packageId, {
          code: 'PACKAGE_UNSUPPORTED',
          message,
          file,
          packageIds: [packageId],
        });
      }
      return packageId;
    } catch (error) {
      if (error instanceof AcsError) {
        error.locate({ file, stream: 'dar', ...(entry === null ? {} : { path: entry }) });
      }
      throw error;
    }
  }

  finish(): DarCatalog {
    const set = packageSet(this.packages.values());
    const findings = [
      ...this.unsupported.values(),
      ...collisions(this.packages.values()),
      ...this.dars.flatMap((dar) => this.closureFindings(dar)),
    ];
    return { ...set, dars: this.dars, findings };
  }

  /**
   * A package that does not list its imports (before LF 2.2) is known to need at least what its types mention: then only
   * missing packages can be told, not extra ones.
   */
  private closureFindings(dar: LoadedDar): CatalogFinding[] {
    const main = this.packages.get(dar.mainPackageId);
    if (main === undefined) return [];
    const reached = new Set<string>();
    const missing = new Set<string>();
    const pending = [main];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (reached.has(next.packageId)) continue;
      reached.add(next.packageId);
      for (const id of next.dependencies) {
        const dependency = this.packages.get(id);
        if (dependency !== undefined) pending.push(dependency);
        else if (!this.unsupported.has(id) && !STABLE_PACKAGES.has(id)) missing.add(id);
      }
    }
    const { file } = dar;
    const findings: CatalogFinding[] = [...missing].sort().map((id) => ({
      code: 'DEPENDENCY_MISSING',
      message: `package ${id}, which ${main.name ?? main.packageId} needs, is not among the given files`,
      file,
      packageIds: [id],
    }));
    const exact = [...reached].every(
      (id) => STABLE_PACKAGES.has(id) || this.packages.get(id)?.listsImports === true,
    );
    if (dar.manifest === null || !exact) return findings;
    for (const id of dar.packageIds) {
      if (reached.has(id) || STABLE_PACKAGES.has(id)) continue;
      findings.push({
        code: 'DEPENDENCY_EXTRA',
        message: `package ${id} is in the DAR but ${main.name ?? main.packageId} does not need it`,
        file,
        packageIds: [id],
      });
    }
    return findings;
  }
}

function collisions(packages: Iterable<Package>): CatalogFinding[] {
  const groups = new Map<string, string[]>();
  for (const each of packages) {
    if (each.name === null || each.version === null) continue;
    const key = `${each.name} ${each.version}`;
    groups.set(key, [...(groups.get(key) ?? []), each.packageId]);
  }
  return [...groups]
    .filter(([, ids]) => ids.length > 1)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, ids]) => ({
      code: 'PACKAGE_COLLISION',
      message: `${ids.length} different packages are ${key}; a participant can vet only one of them`,
      packageIds: [...ids].sort(),
    }));
}
