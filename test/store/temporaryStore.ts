import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll } from 'vitest';

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A path for a store that does not exist yet, in a folder of its own that is removed at the end. */
export function storePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'acs-store-'));
  folders.push(folder);
  return join(folder, 'test.db');
}

export function fixture(name: string): string {
  return new URL(`../../fixtures/${name}`, import.meta.url).pathname;
}

/** The inflated bytes of a gzip file. */
export function inflated(path: string): Buffer {
  return gunzipSync(readFileSync(path));
}
