/** `acs commitment open` */
import { readHostingMap } from '../../commitment/hostingMap.js';
import { writeOpenCommitment } from '../../commitment/writeOpenCommitment.js';
import { usageError } from '../../io/error.js';
import { defineCommand, EXIT } from '../command.js';
import { warnOfOtherSynchronizer } from '../hostingSynchronizer.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { groupDigits } from '../table.js';

export const commitmentOpenCommand = defineCommand({
  command: 'open <file>',
  describe: 'write the contracts that two participants share, as an opened commitment',
  details:
    'What the OpenCommitment call of a node returns, taken from a snapshot: contract ids and\n' +
    'reassignment counters, no payloads. The other operator compares it with `acs commitment diff`.',
  examples: [
    [
      'acs commitment open p1.acs.gz --hosting hosting.json --participant participant1 --with participant2 -o mine.jsonl',
      'one JSON object per line',
    ],
  ],
  exitStatus: { 0: 'written' },
  options: (y) =>
    readOptions(y.positional('file', { type: 'string', demandOption: true, describe: 'snapshot file, or -' }))
      .option('hosting', { type: 'string', demandOption: true, describe: 'hosting map (JSON)' })
      .option('participant', {
        type: 'string',
        demandOption: true,
        describe: 'the participant the file is from',
      })
      .option('with', { type: 'string', demandOption: true, describe: 'the other participant' })
      .option('synchronizer', { type: 'string', describe: 'synchronizer id; default: the hosting map’s' })
      .option('form', {
        choices: ['console', 'node'] as const,
        default: 'console' as const,
        describe: 'JSON lines as the console writes, or the bytes a node streams',
      })
      .option('output', {
        type: 'string',
        alias: 'o',
        demandOption: true,
        describe: 'file to write, or - for standard output',
      }),
  async run(args, context) {
    const hosting = await readHostingMap(args.hosting);
    warnOfOtherSynchronizer(context, hosting, args.synchronizer);
    const synchronizer = args.synchronizer ?? hosting.synchronizerId;
    if (synchronizer === undefined) {
      throw usageError(
        'the hosting map names no synchronizer',
        'add --synchronizer, or synchronizer_id to the map',
      );
    }
    const progress = context.progress(`open ${args.file}`, 'bytes', { files: [args.file] });
    const contracts = await writeOpenCommitment(args.file, args.output, args.form, {
      hosting,
      participant: args.participant,
      counterParticipant: args.with,
      synchronizer,
      scan: scanOptions(args),
    });
    progress.finish();
    if (args.output !== '-') {
      await context.result(
        { input: args.file, output: args.output, synchronizerId: synchronizer, contracts },
        () => `${args.output}: ${groupDigits(contracts)} shared contracts`,
      );
    }
    return EXIT.ok;
  },
});
