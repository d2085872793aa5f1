/** `acs store reset-to` */
import { resetTo } from '../../store/rewind.js';
import { defineCommand, EXIT } from '../command.js';
import { dbPositional, requiredOffset, sourceOption } from '../storeOptions.js';
import { groupDigits } from '../table.js';

export const storeResetToCommand = defineCommand({
  command: 'reset-to <db>',
  describe: 'forget the updates of a source behind an offset',
  details:
    'For a participant that was restored from a backup and gives its offsets anew. A dry run unless --apply\n' +
    'is given; then everything happens in one transaction.',
  examples: [
    ['acs store reset-to acs.db --source p1 --offset 1042', 'what would be forgotten'],
    ['acs store reset-to acs.db --source p1 --offset 1042 --apply', 'do it'],
  ],
  exitStatus: { 0: 'done, or shown' },
  options: (y) =>
    sourceOption(dbPositional(y))
      .option('offset', { type: 'string', demandOption: true, describe: 'the last offset to keep' })
      .option('apply', { type: 'boolean', default: false, describe: 'change the store' }),
  async run(args, context) {
    const r = await resetTo(args.db, {
      source: args.source,
      offset: requiredOffset(args.offset, '--offset'),
      apply: args.apply,
    });
    await context.result(
      r,
      () =>
        `${r.source}: ${r.done ? 'back' : 'would go back'} from ${r.from} to ${r.to}: ${groupDigits(r.updates)} updates, ${groupDigits(r.events)} events forgotten, ${groupDigits(r.reopened)} contracts active again${r.done ? '' : '\nnothing was changed; --apply does it'}`,
    );
    return EXIT.ok;
  },
});
