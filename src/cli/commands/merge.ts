/** `acs merge` */
import { describePlace } from '../../io/error.js';
import { type MergeResult, mergeSnapshots } from '../../reshape/merge.js';
import { defineCommand, EXIT } from '../command.js';
import { inputFiles } from '../inputFiles.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { warnOfStaleManifest } from '../staleManifest.js';
import { groupDigits, humanBytes, renderTable } from '../table.js';
import { watchTrailingBytes } from '../trailingBytes.js';
import { snapshotFileOptions, writeOptions } from '../writeOptions.js';

export const mergeCommand = defineCommand({
  command: 'merge <files..>',
  describe: 'put snapshots together, each contract once',
  details:
    'Records keep their order, file after file. A contract that was met before on the same\n' +
    'synchronizer with the same content (blob, representative package, counter) is dropped and\n' +
    'counted; with another content it is an error that names both records. A contract active on two\n' +
    'synchronizers keeps both records and is pointed out. Files with several gzip members are read\n' +
    'whole and become one member. The empty records of contracts in flight are dropped and counted.\n' +
    'Memory: about 31 to 46 bytes per contract.',
  examples: [
    ['acs merge alice.acs.gz bob.acs.gz -o both.acs.gz', 'two exports by party in one import file'],
    ["acs merge 'parts/*.acs.gz' -o all.acs.gz --manifest", 'undo a split'],
    ['acs merge two-members.acs.gz -o one-member.acs.gz', 'repair a file made with cat a.gz b.gz'],
  ],
  exitStatus: { 0: 'written', 1: 'written; some contracts are active on more than one synchronizer' },
  options: (y) =>
    writeOptions(
      readOptions(
        y.positional('files', {
          type: 'string',
          array: true,
          demandOption: true,
          describe: 'snapshot files, globs, or -',
        }),
        'all',
      ),
    ),
  async run(args, context) {
    const files = await inputFiles(args.files);
    const trailing = watchTrailingBytes();
    const progress = context.progress('merge', 'records', { files });
    let before = 0;
    let last = 0;
    const result = await mergeSnapshots(files, args.output, {
      read: {
        ...scanOptions(args),
        onFacts: trailing.onFacts,
        onProgress: (records) => {
          // Counts start anew with each file.
          if (records < last) before += last;
          last = records;
          progress.update(before + records);
        },
      },
      write: snapshotFileOptions(args),
    });
    progress.finish();
    trailing.warn(context);
    if (result.inFlight > 0) {
      context.warn({
        code: 'IN_FLIGHT_DROPPED',
        message: `${result.inFlight} empty records of contracts in flight were dropped: these contracts are missing from the exports`,
        count: result.inFlight,
      });
    }
    const several = result.severalSynchronizers;
    if (several.count > 0) {
      const { contractId, places } = several.first[0];
      context.warn({
        code: 'SEVERAL_SYNCHRONIZERS',
        message: `${several.count} contracts are active on more than one synchronizer, the first is ${contractId} (${places.map(describePlace).join('; ')})`,
        contractId,
        count: several.count,
      });
    }
    await warnOfStaleManifest(args, context);
    if (args.output !== '-') await context.result(result, () => describeResult(result));
    return several.count > 0 ? EXIT.findings : EXIT.ok;
  },
});

function describeResult(result: MergeResult): string {
  const rows = result.inputs.map((input) => [
    groupDigits(input.contracts),
    groupDigits(input.duplicates),
    input.gzipMembers,
    input.file,
  ]);
  return [
    `${result.output}: ${groupDigits(result.contracts)} contracts, ${groupDigits(result.duplicates)} duplicates dropped, ${humanBytes(result.compressedBytes)}`,
    renderTable(['contracts', 'duplicates', 'members', 'file'], rows, { right: [0, 1, 2] }),
  ].join('\n');
}
