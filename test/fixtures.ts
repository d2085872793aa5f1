/** Paths and readers of test data. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A file under `fixtures/`. */
export function fixture(path: string): string {
  return `${root}fixtures/${path}`;
}

/** A file of the shared corpus, or undefined where the corpus is not at hand. */
export function shared(path: string): string | undefined {
  const file = `${root}../shared/${path}`;
  return existsSync(file) ? file : undefined;
}

/** The lines of a JSON-lines file, gzip or not. */
export function jsonLines<T>(file: string): T[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
