/** `acs split` */
import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { usageError } from '../../io/error.js';
import {
  MAX_PARTS,
  prefixOf,
  type SplitBy,
  type SplitPart,
  type SplitResult,
  splitSnapshot,
} from '../../reshape/split.js';
import { parseByteSize } from '../byteSize.js';
import { defineCommand, EXIT } from '../command.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { groupDigits, humanBytes, renderTable } from '../table.js';
import { watchTrailingBytes } from '../trailingBytes.js';
import { contentOptions, snapshotFileOptions } from '../writeOptions.js';

export const splitCommand = defineCommand({
  command: 'split <file>',
  describe: 'cut a snapshot into several by synchronizer, template, party, count or bytes',
  details:
    'Records are copied byte for byte and keep their order. Every contract goes to exactly one part,\n' +
    'except by party, where each stakeholder gets a part. By count and bytes a part holds at most\n' +
    '--size contracts or inflated bytes. Names depend on the content only: the same input gives the\n' +
    'same files. All parts appear together at the end, or none. The empty records of contracts in\n' +
    'flight belong to no part; they are counted.',
  examples: [
    ['acs split all.acs.gz --by synchronizer -d parts', 'one importable file per synchronizer'],
    [
      'acs split all.acs.gz --by count --size 50000 -d parts',
      'parts of 50 000 contracts for parallel imports',
    ],
    ['acs split all.acs.gz --by bytes --size 64MiB -d parts', 'parts of at most 64 MiB inflated'],
  ],
  exitStatus: { 0: 'all parts were written' },
  options: (y) =>
    contentOptions(
      readOptions(
        y.positional('file', { type: 'string', demandOption: true, describe: 'snapshot file, or -' }),
      ),
    )
      .option('by', {
        choices: ['synchronizer', 'template', 'party', 'count', 'bytes'] as const,
        demandOption: true,
        describe: 'what a part has in common',
      })
      .option('size', {
        type: 'string',
        requiresArg: true,
        describe: 'contracts (50k) or bytes (64MB, 64MiB)',
      })
      .option('directory', {
        alias: 'd',
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'folder for the parts',
      })
      .option('prefix', { type: 'string', requiresArg: true, describe: 'beginning of the names' })
      .option('max-parts', { type: 'number', default: MAX_PARTS, describe: 'refuse to make more files' }),
  async run(args, context) {
    const trailing = watchTrailingBytes();
    const progress = context.progress(`split ${args.file}`, 'records', { files: [args.file] });
    const result = await splitSnapshot(args.file, args.directory, howToSplit(args.by, args.size), {
      read: {
        ...scanOptions(args),
        onFacts: trailing.onFacts,
        onProgress: (records) => progress.update(records),
      },
      write: snapshotFileOptions(args),
      maxParts: args['max-parts'],
      ...(args.prefix === undefined ? {} : { prefix: args.prefix }),
    });
    progress.finish();
    trailing.warn(context);
    if (result.inFlight > 0) {
      context.warn({
        code: 'IN_FLIGHT_DROPPED',
        message: `${result.inFlight} empty records of contracts in flight were dropped: these contracts are missing from the export`,
        file: args.file,
      });
    }
    const others = await otherParts(args.directory, args.prefix ?? prefixOf(args.file), result.parts);
    if (others.length > 0) {
      context.warn({
        code: 'SPLIT_OTHER_PARTS',
        message: `${args.directory} holds ${others.length} files named like parts that are not of this split: ${others[0]}${others.length > 1 ? ', …' : ''}`,
        count: others.length,
        examples: others.slice(0, 5),
      });
    }
    await context.result(result, () => describeResult(result));
    return EXIT.ok;
  },
});

function howToSplit(by: SplitBy['by'], size: string | undefined): SplitBy {
  if (by === 'count' || by === 'bytes') {
    if (size === undefined) throw usageError(`--by ${by} needs --size`);
    return { by, size: parseByteSize(size, '--size') };
  }
  if (size !== undefined) throw usageError(`--size means nothing with --by ${by}`);
  return { by };
}

/** Files named as the parts are, of an earlier split with other parts: `PREFIX.*.acs.gz` would take them along. */
async function otherParts(folder: string, prefix: string, parts: readonly SplitPart[]): Promise<string[]> {
  const own = new Set(parts.map(({ file }) => basename(file)));
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.startsWith(`${prefix}.`) && name.endsWith('.acs.gz') && !own.has(name))
    .sort();
}

function describeResult(result: SplitResult): string {
  const rows = result.parts.map((part) => [
    groupDigits(part.contracts),
    humanBytes(part.compressedBytes),
    part.file,
    part.key,
  ]);
  return `${groupDigits(result.contracts)} contracts in ${result.parts.length} parts\n${renderTable(
    ['contracts', 'size', 'file', 'key'],
    rows,
    { right: [0, 1] },
  )}`;
}
