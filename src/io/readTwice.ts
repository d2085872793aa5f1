/** Inputs that are read twice: they must be files, and hold the same the second time. */
import { stat } from 'node:fs/promises';
import { AcsError, type Place, usageError } from './error.js';

/** False for standard input, pipes (`<(…)`) and other inputs that give their bytes once. */
export async function canReadTwice(path: string): Promise<boolean> {
  if (path === '-') return false;
  const status = await stat(path).catch(() => undefined);
  // What is missing is reported by whoever opens it.
  return status === undefined || status.isFile() || status.isDirectory();
}

/** A usage error unless every input can be read twice. */
export async function refuseReadOnce(inputs: readonly string[]): Promise<void> {
  for (const input of inputs) {
    if (await canReadTwice(input)) continue;
    throw usageError(
      `${input === '-' ? 'standard input' : `${input} is a pipe: it`} cannot be read twice`,
      'save it to a file first',
    );
  }
}

/** Error `INPUT_CHANGED`. */
export function inputChanged(place: Place): AcsError {
  return new AcsError('INPUT_CHANGED', 'the input changed while it was read', place);
}
