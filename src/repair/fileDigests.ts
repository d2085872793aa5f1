/**
 * SHA-256 of the files of a plan, in lower-case hex. Those that follow from the plan are told in `plan.json`. All files of
 * a participant, requests and scripts included, stand in a list in the form of `sha256sum`: what an operator sends is
 * what was written. That list is no part of what operators agree on, as the bytes of a gzip file may differ between
 * releases of zlib.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { writeFileAtomic } from '../io/atomicFile.js';
import { AcsError } from '../io/error.js';
import { readChunks } from '../io/input.js';
import { emptyGzipFacts, inflateGzip } from '../wire/inflate.js';

/** Beside the files it lists. */
export const FILE_DIGESTS = 'files.sha256';

const CHUNK_BYTES = 1 << 16;

export async function sha256OfFile(path: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of readChunks(path, CHUNK_BYTES)) digest.update(chunk);
  return digest.digest('hex');
}

/** Of the inflated content of a snapshot file. */
export async function sha256OfInflated(path: string): Promise<string> {
  const digest = createHash('sha256');
  const options = { chunkBytes: CHUNK_BYTES };
  for await (const chunk of inflateGzip(readChunks(path, CHUNK_BYTES), emptyGzipFacts(), options)) {
    digest.update(chunk);
  }
  return digest.digest('hex');
}

/** Writes the list of every file in `folder` and below. */
export async function writeFileDigests(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .map((name) => name.split(sep).join('/'))
    .sort();
  const lines: string[] = [];
  for (const name of names) lines.push(`${await sha256OfFile(join(folder, name))}  ${name}\n`);
  await writeFileAtomic(join(folder, FILE_DIGESTS), lines.join(''));
}

/** Error `PLAN_CHANGED` when a file is not the one listed. Without a list there is nothing to compare with. */
export async function checkFileDigests(folder: string): Promise<void> {
  const text = await readFile(join(folder, FILE_DIGESTS), 'utf8').catch(() => '');
  for (const line of text.split('\n')) {
    const [, expected, name] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    if (expected === undefined || name === undefined) continue;
    const path = join(folder, name);
    requireDigest(path, expected, await sha256OfFile(path));
  }
}

/** Error `PLAN_CHANGED` unless the digests are the same. */
export function requireDigest(path: string, expected: string, found: string): void {
  if (found === expected) return;
  throw new AcsError('PLAN_CHANGED', 'a file of the plan was changed after the plan was made', {
    file: path,
    expected: `SHA-256 ${expected}`,
    found,
    hint: 'make the plan anew',
  });
}
