/** Positionals that name files: paths, `-`, and globs that the shell did not expand. */

import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { usageError } from '../io/error.js';

/** The files meant, in the order given; what a glob finds is sorted. `-` may stand once. */
export async function inputFiles(patterns: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const pattern of patterns) {
    if (pattern === '-' || !/[*?[\]{}]/.test(pattern) || existsSync(pattern)) {
      files.push(pattern);
      continue;
    }
    const { glob } = await import('tinyglobby');
    const found = (
      await glob(pattern, {
        absolute: isAbsolute(pattern),
        expandDirectories: false,
      })
    ).sort();
    if (found.length === 0)
      throw usageError(`no file matches ${pattern}`, 'check the pattern and the folder');
    files.push(...found);
  }
  if (files.filter((file) => file === '-').length > 1)
    throw usageError('standard input can be read only once');
  return files;
}
