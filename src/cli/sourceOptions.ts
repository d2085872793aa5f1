/** Options of the commands that read sources of any form. */
import type { Argv } from 'yargs';
import type { SourceFacts } from '../convert/readSource.js';
import { SOURCE_FORMATS, type SourceFormat } from '../convert/sourceContract.js';
import type { ReadSourceOptions } from '../convert/sourceReading.js';
import type { CliContext } from './context.js';
import { type ReadArgs, readOptions, scanOptions } from './readOptions.js';

export interface SourceArgs extends ReadArgs {
  format: SourceFormat | undefined;
  expectLimit: number;
}

export function sourceOptions<T>(y: Argv<T>): Argv<T & SourceArgs> {
  return readOptions(y)
    .option('format', {
      choices: SOURCE_FORMATS,
      describe: 'the form of the inputs; without it, it is recognised',
    })
    .option('expect-limit', {
      type: 'number',
      default: 1000,
      describe: 'a count of exactly so many contracts is reported as a cut dump; 0 switches it off',
    }) as unknown as Argv<T & SourceArgs>;
}

export function readSourceOptions(args: SourceArgs): ReadSourceOptions {
  const options: ReadSourceOptions = { ...scanOptions(args), expectLimit: args.expectLimit };
  if (args.format !== undefined) options.format = args.format;
  return options;
}

/** Says what was found in the inputs; returns how many findings there are. */
export function warnAboutSources(inputs: readonly SourceFacts[], context: CliContext): number {
  let count = 0;
  for (const { file, findings } of inputs) {
    for (const { code, message, count: times, examples } of findings) {
      count++;
      const some =
        examples.length > 0 ? ` (${times}: ${examples.slice(0, 3).join(', ')}${times > 3 ? ', …' : ''})` : '';
      context.warn({ code, message: `${file}: ${message}${some}`, file, count: times, examples });
    }
  }
  return count;
}
