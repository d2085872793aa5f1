/** An output that is also an input would replace the only copy of the original: refused. */
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { usageError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';

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
