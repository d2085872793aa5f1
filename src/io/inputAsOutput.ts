/**
 * An output that is also an input would replace the only copy of the original: refused. Every function that is given
 * both as paths asks this before it writes; the command line asks it also for the files it reads for them (maps, lists).
 */
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { usageError } from './error.js';
import type { ByteInput } from './input.js';

/** Error `USAGE`. Links are followed. */
export async function refuseInputAsOutput(inputs: readonly ByteInput[], output: string): Promise<void> {
  if (output === '-') return;
  const target = await real(output);
  for (const input of inputs) {
    if (typeof input === 'string' && input !== '-' && (await real(input)) === target) {
      throw usageError(
        `the output ${output} is an input too`,
        'write to another file and rename it when you are content',
      );
    }
  }
}

async function real(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}
