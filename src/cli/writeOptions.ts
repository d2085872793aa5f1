/** Options of every command that writes a snapshot file. */
import type { Argv } from 'yargs';
import type { SnapshotFileOptions } from '../contract/snapshotFile.js';
import { usageError } from '../io/error.js';
import { DEFLATE_LEVEL } from '../wire/deflate.js';

/** What the written file is like. */
export interface ContentArgs {
  manifest: boolean;
  level: number;
  overwrite: boolean;
}

export interface WriteArgs extends ContentArgs {
  output: string;
}

export function writeOptions<T>(y: Argv<T>): Argv<T & WriteArgs> {
  return contentOptions(y).option('output', {
    alias: 'o',
    type: 'string',
    demandOption: true,
    requiresArg: true,
    describe: 'file to write, or -',
  }) as unknown as Argv<T & WriteArgs>;
}

export function contentOptions<T>(y: Argv<T>): Argv<T & ContentArgs> {
  return y
    .option('manifest', {
      type: 'boolean',
      default: false,
      describe: 'write OUTPUT.manifest.json too: counts, digests and a piece index for parallel reading',
    })
    .option('level', {
      type: 'number',
      default: DEFLATE_LEVEL,
      describe: 'deflate level, 1 (fast) to 9 (small)',
    })
    .option('overwrite', {
      type: 'boolean',
      default: true,
      describe: '--no-overwrite refuses to replace a file',
    }) as unknown as Argv<T & ContentArgs>;
}

export function snapshotFileOptions(args: ContentArgs & { output?: string }): SnapshotFileOptions {
  if (args.manifest && args.output === '-') {
    throw usageError('--manifest needs a file to lie beside', 'write to a file instead of standard output');
  }
  if (!Number.isInteger(args.level) || args.level < 1 || args.level > 9) {
    throw usageError(`--level ${args.level} is not between 1 and 9`);
  }
  return { manifest: args.manifest, level: args.level, overwrite: args.overwrite };
}
