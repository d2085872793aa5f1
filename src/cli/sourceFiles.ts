/** How much there is to read of the inputs of a comparison, for its ETA. */
import type { DiffSource } from '../diff/diffSource.js';
import type { FilesToRead } from './progress.js';

/** Undefined when an input is no file that is read from end to end: a store, standard input. */
export function sourceFiles(sources: readonly DiffSource[], passes = 1): FilesToRead | undefined {
  const files = sources.flatMap(({ kind, path }) => (kind === 'store' || path === undefined ? [] : [path]));
  return files.length === sources.length ? { files, passes } : undefined;
}
