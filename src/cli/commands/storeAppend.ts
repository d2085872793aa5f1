/** `acs store append` */
import { type AppendResult, appendUpdates } from '../../store/append.js';
import { defineCommand, EXIT } from '../command.js';
import { inputFiles } from '../inputFiles.js';
import { appendJson } from '../storeJson.js';
import { dbPositional, parseOffset } from '../storeOptions.js';
import { groupDigits } from '../table.js';

export const storeAppendCommand = defineCommand({
  command: 'append <db> <updates..>',
  describe: 'add recorded updates to a source',
  details:
    'Reads GetUpdates responses (length-delimited protobuf or JSON lines, gzip or plain), of the shape\n' +
    'ACS_DELTA or LEDGER_EFFECTS, with reassignments. Updates the store has are recognised and skipped, so\n' +
    'the same files may be given again. An offset that comes again with other content means that the\n' +
    'participant was restored from a backup: it is refused. What does not fit is recorded as a finding\n' +
    '(docs/STORE.md has the table); errors stop before the batch they are in.',
  examples: [
    [
      'acs store append acs.db --source p1 fixtures/live/p1.updates.acs-delta.bin.gz --begin 0',
      'from the ledger’s beginning',
    ],
    [
      'acs store append acs.db --source p1 updates-*.bin.gz --until 2000',
      'the stream was complete up to 2000',
    ],
  ],
  exitStatus: { 0: 'appended', 1: 'appended, with warnings' },
  options: (y) =>
    dbPositional(y)
      .positional('updates', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'files, globs, or -',
      })
      .option('source', { type: 'string', demandOption: true, describe: 'name of the participant' })
      .option('begin', {
        type: 'string',
        describe:
          'a source without base: its history starts behind this offset with nothing active (0: the beginning)',
      })
      .option('until', {
        type: 'string',
        describe: 'the updates are complete up to this offset',
      })
      .option('strict', { type: 'boolean', default: false, describe: 'warnings are errors' })
      .option('lenient', {
        type: 'boolean',
        default: false,
        describe: 'some errors are warnings (docs/STORE.md)',
      }),
  async run(args, context) {
    const files = await inputFiles(args.updates);
    const progress = context.progress(`append to ${args.source}`, 'events', { files });
    const result = await appendUpdates(args.db, files, {
      source: args.source,
      begin: parseOffset(args.begin, '--begin'),
      until: parseOffset(args.until, '--until'),
      strict: args.strict,
      lenient: args.lenient,
      onCommit: ({ events }) => progress.update(events),
    });
    progress.finish();
    await context.result(appendJson(result), () => describe(result));
    return result.warnings > 0 ? EXIT.findings : EXIT.ok;
  },
});

function describe(r: AppendResult): string {
  const lines = [
    `${r.source}: ${groupDigits(r.updates)} updates, ${groupDigits(r.events)} events, now at offset ${r.head}`,
  ];
  if (r.replayed > 0) lines.push(`  known already: ${groupDigits(r.replayed)} updates`);
  if (r.beforeBase > 0) lines.push(`  at or before the base: ${groupDigits(r.beforeBase)} updates`);
  if (r.outsideFilter > 0)
    lines.push(`  outside the parties of the base: ${groupDigits(r.outsideFilter)} events`);
  for (const [code, n] of Object.entries(r.findings)) lines.push(`  finding ${code}: ${groupDigits(n)}`);
  return lines.join('\n');
}
