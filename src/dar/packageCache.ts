/**
 * Decoded packages kept on disk by package id, so that a DALF is decoded once. An entry that cannot be read, is damaged
 * or belongs to another version of the cache counts as absent and is written anew.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomic } from '../io/atomicFile.js';
import { AcsError } from '../io/error.js';
import { PACKAGE_TEXT_VERSION, packageFromText, packageToText } from './packageText.js';
import type { Package } from './type.js';

/** `$XDG_CACHE_HOME/acskit` or `~/.cache/acskit`. */
export function defaultCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CACHE_HOME;
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'acskit');
}

export class PackageCache {
  private readonly folder: string;
  private writable = true;

  constructor(cacheDir: string) {
    this.folder = join(cacheDir, `packages-v${PACKAGE_TEXT_VERSION}`);
  }

  private path(packageId: string): string {
    return join(this.folder, `${packageId}.txt`);
  }

  async get(packageId: string): Promise<Package | undefined> {
    const text = await readFile(this.path(packageId), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      return packageFromText(text, packageId);
    } catch {
      // Its checksum holds but its content does not: written by something else. Decoded anew like any damaged entry.
      return undefined;
    }
  }

  /** A cache that cannot be written (full or read-only disk) is left alone from then on: it only saves time. */
  async put(lfPackage: Package): Promise<void> {
    if (!this.writable) return;
    try {
      await writeFileAtomic(this.path(lfPackage.packageId), packageToText(lfPackage));
    } catch (error) {
      if (!(error instanceof AcsError)) throw error;
      this.writable = false;
    }
  }
}
