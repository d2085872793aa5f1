/** `acs store check` */
import { usageError } from '../../io/error.js';
import { type CheckResult, checkStore } from '../../store/check.js';
import { defineCommand, EXIT } from '../command.js';
import { checkJson } from '../storeJson.js';
import { dbPositional, parseOffset, sourceOption } from '../storeOptions.js';
import { groupDigits } from '../table.js';

export const storeCheckCommand = defineCommand({
  command: 'check <db>',
  describe: 'is the store sound, and does it agree with another snapshot',
  details:
    'Checks the file, every contract against its blob, and the intervals against a replay of the event log;\n' +
    'lists reassignments that stay open and contracts active twice. With --against, the answer at --offset is\n' +
    'compared with a second snapshot (or recorded GetActiveContracts) of the same participant.',
  examples: [
    ['acs store check acs.db', 'the whole store'],
    ['acs store check acs.db --source p1 --against later.acs.gz --offset 1100', 'replay against a snapshot'],
  ],
  exitStatus: { 0: 'sound', 1: 'sound, with findings about the ledger', 3: 'not sound' },
  options: (y) =>
    sourceOption(dbPositional(y))
      .option('full', {
        type: 'boolean',
        default: false,
        describe: 'also a full integrity check of the file',
      })
      .option('against', { type: 'string', describe: 'a second snapshot of the source' })
      .option('offset', { type: 'string', describe: 'the offset of that snapshot' })
      .option('limit', { type: 'number', default: 20, describe: 'problems listed per code' }),
  async run(args, context) {
    if (args.offset !== undefined && args.against === undefined)
      throw usageError('--offset is that of a snapshot', 'give the snapshot with --against');
    const result = await checkStore(args.db, {
      source: args.source,
      full: args.full,
      against: args.against,
      offset: parseOffset(args.offset, '--offset'),
      limit: args.limit,
    });
    await context.result(checkJson(result), () => describe(result));
    if (result.problems.some((p) => p.level === 'E')) return EXIT.loss;
    return result.problems.some((p) => p.level === 'W') ? EXIT.findings : EXIT.ok;
  },
});

function describe(r: CheckResult): string {
  const lines = [`${groupDigits(r.events)} events and ${groupDigits(r.contracts)} contracts checked`];
  for (const p of r.problems)
    lines.push(
      `${p.level} ${p.code}${p.source === undefined ? '' : ` ${p.source}`}: ${p.contractId === undefined ? '' : `${p.contractId} `}${p.detail}`,
    );
  for (const [code, n] of Object.entries(r.more)) lines.push(`… and ${groupDigits(n)} more ${code}`);
  for (const [source, digest] of Object.entries(r.digests)) lines.push(`state of ${source}: ${digest}`);
  return lines.join('\n');
}
