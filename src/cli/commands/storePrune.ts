/** `acs store prune` */
import { pruneBefore } from '../../store/prune.js';
import { defineCommand, EXIT } from '../command.js';
import { dbPositional, requiredOffset, sourceOption } from '../storeOptions.js';
import { groupDigits } from '../table.js';

export const storePruneCommand = defineCommand({
  command: 'prune <db>',
  describe: 'forget what ended before an offset; active contracts stay',
  details:
    'The offset becomes the base of the source: earlier ones can no longer be asked for. A dry run unless\n' +
    '--apply is given. Space is reused; --vacuum gives it back to the file system (needs as much again).',
  examples: [
    ['acs store prune acs.db --source p1 --before 1042', 'what would be forgotten'],
    ['acs store prune acs.db --source p1 --before 1042 --apply --vacuum', 'do it'],
  ],
  exitStatus: { 0: 'done, or shown' },
  options: (y) =>
    sourceOption(dbPositional(y))
      .option('before', { type: 'string', demandOption: true, describe: 'the new base offset' })
      .option('apply', { type: 'boolean', default: false, describe: 'change the store' })
      .option('vacuum', { type: 'boolean', default: false, describe: 'shrink the file afterwards' }),
  async run(args, context) {
    const r = await pruneBefore(args.db, {
      source: args.source,
      before: requiredOffset(args.before, '--before'),
      apply: args.apply,
      vacuum: args.vacuum,
    });
    await context.result(
      r,
      () =>
        `${r.source}: ${groupDigits(r.intervals)} closed intervals, ${groupDigits(r.events)} events and ${groupDigits(r.updates)} updates ${r.done ? 'forgotten' : 'would be forgotten'}${r.done ? `, ${groupDigits(r.contracts)} contracts with them` : '\nnothing was changed; --apply does it'}`,
    );
    return EXIT.ok;
  },
});
