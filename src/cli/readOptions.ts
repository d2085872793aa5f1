/** Options of every command that reads snapshot files. */
import type { Argv } from 'yargs';
import type { ScanOptions } from '../snapshot/scan.js';

export interface ReadArgs {
  members: 'refuse' | 'first' | 'all';
  maxRecordBytes: number | undefined;
  maxRatio: number | undefined;
}

/** `members` is what the command does with a second gzip member unless told otherwise. */
export function readOptions<T>(y: Argv<T>, members: ReadArgs['members'] = 'refuse'): Argv<T & ReadArgs> {
  return y
    .option('members', {
      choices: ['refuse', 'first', 'all'] as const,
      default: members,
      describe: 'a second gzip member: refuse it, read the first only (as Canton does), or read all',
    })
    .option('max-record-bytes', { type: 'number', describe: 'longest record accepted (default 64 MiB)' })
    .option('max-ratio', {
      type: 'number',
      describe: 'largest inflation accepted (default 300)',
    }) as unknown as Argv<T & ReadArgs>;
}

export function scanOptions(args: ReadArgs): ScanOptions {
  const options: ScanOptions = { members: args.members };
  if (args.maxRecordBytes !== undefined) options.maxRecordBytes = args.maxRecordBytes;
  if (args.maxRatio !== undefined) options.maxRatio = args.maxRatio;
  return options;
}
