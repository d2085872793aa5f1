/** `acs filter` */
import { parseMicros } from '../../contract/time.js';
import { usageError } from '../../io/error.js';
import type { FilterConditions } from '../../reshape/conditions.js';
import { contractIdList, readContractIds } from '../../reshape/contractIdList.js';
import { type FilterResult, filterSnapshot } from '../../reshape/filter.js';
import { defineCommand, EXIT } from '../command.js';
import type { CliContext } from '../context.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { warnOfStaleManifest } from '../staleManifest.js';
import { groupDigits, humanBytes } from '../table.js';
import { watchTrailingBytes } from '../trailingBytes.js';
import { snapshotFileOptions, writeOptions } from '../writeOptions.js';

export const filterCommand = defineCommand({
  command: 'filter <file>',
  describe: 'write a snapshot with only the contracts that meet conditions',
  details:
    'All conditions given must hold. Kept records are copied byte for byte into one gzip member; the\n' +
    'output appears whole or not at all. Parties and synchronizers are named by their full id or by a\n' +
    'prefix that fits exactly one of the file (=ID names exactly ID). Where the event and the blob of\n' +
    'a record disagree the blob decides, because it is what an import uses.\n\n' +
    'A real import refuses a file with the empty records that an export writes for contracts in\n' +
    'flight. With any condition they are dropped and counted; without one the file is copied as it\n' +
    'is, these records included, unless --in-flight drop is given.',
  examples: [
    ['acs filter all.acs.gz -o alice.acs.gz --party alice::', 'the contracts with alice as a stakeholder'],
    [
      "acs filter all.acs.gz -o iou.acs.gz --template 'acme-iou:*:Iou' --synchronizer acme",
      'one template on one synchronizer',
    ],
    [
      'acs filter all.acs.gz -o rest.acs.gz --party bank:: --exclude-stakeholder alice::',
      'what ExportAcs gives for bank excluding alice',
    ],
    ['acs filter all.acs.gz -o some.acs.gz --contracts ids.txt --manifest', 'the contracts of a list'],
  ],
  exitStatus: {
    0: 'written',
    1: 'written, but no contract was kept, or a listed contract id, a full party id or a template is not in the file',
  },
  options: (y) =>
    writeOptions(
      readOptions(
        y.positional('file', { type: 'string', demandOption: true, describe: 'snapshot file, or -' }),
      ),
    )
      .option('party', { ...NAMES, describe: 'stakeholder (signatory or observer)' })
      .option('signatory', { ...NAMES, describe: 'signatory' })
      .option('observer', { ...NAMES, describe: 'observer (stakeholder, not signatory)' })
      .option('match', {
        choices: ['any', 'all'] as const,
        default: 'any' as const,
        describe: 'whether one of several --party (--signatory, --observer) suffices',
      })
      .option('template', {
        ...NAMES,
        describe: 'ENTITY, MODULE:ENTITY or PACKAGE:MODULE:ENTITY, with * and ?',
      })
      .option('package', { ...NAMES, describe: 'package id or name, with * and ?' })
      .option('synchronizer', { ...NAMES, describe: 'logical synchronizer id' })
      .option('contract', { ...NAMES, describe: 'contract id' })
      .option('contracts', {
        type: 'string',
        requiresArg: true,
        describe: 'file with one contract id per line',
      })
      .option('created-from', {
        type: 'string',
        requiresArg: true,
        describe: 'created at this time or later',
      })
      .option('created-before', { type: 'string', requiresArg: true, describe: 'created before this time' })
      .option('counter', {
        type: 'string',
        requiresArg: true,
        describe: 'reassignment counter: N, N.., ..M or N..M',
      })
      .option('exclude-stakeholder', { ...NAMES, describe: 'drop contracts with this stakeholder' })
      .option('invert', { type: 'boolean', default: false, describe: 'keep what would be dropped' })
      .option('in-flight', {
        choices: ['keep', 'drop'] as const,
        describe: 'the empty records of contracts in flight',
      }),
  async run(args, context) {
    const conditions: FilterConditions = {
      ...(args.party === undefined ? {} : { parties: args.party }),
      ...(args.signatory === undefined ? {} : { signatories: args.signatory }),
      ...(args.observer === undefined ? {} : { observers: args.observer }),
      ...(args.template === undefined ? {} : { templates: args.template }),
      ...(args.package === undefined ? {} : { packages: args.package }),
      ...(args.synchronizer === undefined ? {} : { synchronizers: args.synchronizer }),
      ...(args['exclude-stakeholder'] === undefined
        ? {}
        : { excludedStakeholders: args['exclude-stakeholder'] }),
      ...(args['created-from'] === undefined ? {} : { createdFrom: parseMicros(args['created-from']) }),
      ...(args['created-before'] === undefined ? {} : { createdBefore: parseMicros(args['created-before']) }),
      ...(args.counter === undefined ? {} : counterRange(args.counter)),
      match: args.match,
      invert: args.invert,
    };
    if (args.file === '-' && args.contracts === '-') throw usageError('standard input can be read only once');
    if (args.contract !== undefined || args.contracts !== undefined) {
      const listed = args.contracts === undefined ? [] : await readContractIds(args.contracts);
      conditions.contractIds = contractIdList([...(args.contract ?? []), ...listed]);
    }
    const trailing = watchTrailingBytes();
    const progress = context.progress(`filter ${args.file}`, 'records', { files: [args.file] });
    const result = await filterSnapshot(args.file, args.output, conditions, {
      read: {
        ...scanOptions(args),
        onFacts: trailing.onFacts,
        onProgress: (records) => progress.update(records),
      },
      write: snapshotFileOptions(args),
      ...(args['in-flight'] === undefined ? {} : { inFlight: args['in-flight'] }),
    });
    progress.finish();
    trailing.warn(context);
    warnAbout(result, context);
    await warnOfStaleManifest(args, context);
    if (args.output !== '-') await context.result(result, () => describeResult(result));
    const findings =
      (result.kept === 0 && result.contracts > 0) ||
      result.missingContractIds.count > 0 ||
      result.unmatched.length > 0;
    return findings ? EXIT.findings : EXIT.ok;
  },
});

const NAMES = { type: 'string', array: true, requiresArg: true } as const;

function counterRange(text: string): Pick<FilterConditions, 'counterFrom' | 'counterTo'> {
  const single = /^\d+$/.test(text) ? BigInt(text) : undefined;
  if (single !== undefined) return { counterFrom: single, counterTo: single };
  const range = /^(\d*)\.\.(\d*)$/.exec(text);
  if (range === null || (range[1] === '' && range[2] === '')) {
    throw usageError(`--counter ${text} is no range`, 'write N, N.., ..M or N..M');
  }
  if (range[1] !== '' && range[2] !== '' && BigInt(range[1]!) > BigInt(range[2]!))
    throw usageError(`--counter ${text}: the range ends before it begins`);
  return {
    ...(range[1] === '' ? {} : { counterFrom: BigInt(range[1]) }),
    ...(range[2] === '' ? {} : { counterTo: BigInt(range[2]) }),
  };
}

function warnAbout(result: FilterResult, context: CliContext): void {
  const { inFlight, inFlightKept, inFlightRecords, missingContractIds } = result;
  const file = result.input;
  if (inFlightKept > 0) {
    context.warn({
      code: 'IN_FLIGHT_KEPT',
      message: `${inFlightKept} empty records of contracts in flight were copied; Canton refuses to import such a file (--in-flight drop)`,
      file,
      count: inFlight,
      records: inFlightRecords,
    });
  } else if (inFlight > 0) {
    context.warn({
      code: 'IN_FLIGHT_DROPPED',
      message: `${inFlight} empty records of contracts in flight were dropped: these contracts are missing from the export`,
      file,
      count: inFlight,
      records: inFlightRecords,
    });
  }
  if (missingContractIds.count > 0) {
    context.warn({
      code: 'CONTRACTS_NOT_FOUND',
      message: `${missingContractIds.count} listed contracts are not in the file, the first is ${missingContractIds.first[0]}`,
      file,
      count: missingContractIds.count,
      examples: missingContractIds.first,
    });
  }
  for (const id of result.unmatched) {
    context.warn({ code: 'NAME_NOT_FOUND', message: `${id} occurs nowhere in the file`, file, id });
  }
  if (result.kept === 0 && result.contracts > 0)
    context.warn({ code: 'NOTHING_KEPT', message: 'no contract was kept', file });
}

function describeResult(result: FilterResult): string {
  const lines = [
    `${result.output}: ${groupDigits(result.kept)} of ${groupDigits(result.contracts)} contracts, ${humanBytes(result.compressedBytes)}`,
  ];
  for (const [prefix, id] of Object.entries(result.resolved)) lines.push(`  ${prefix} is ${id}`);
  return lines.join('\n');
}
