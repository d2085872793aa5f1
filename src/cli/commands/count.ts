/** `acs count` */
import { usageError } from '../../io/error.js';
import { type CountReport, countContracts, countsAgree } from '../../place/countContracts.js';
import { type FileOwner, filesNotGiven, placedFiles } from '../../place/placedFiles.js';
import { readPlacement } from '../../place/placement.js';
import { defineCommand, EXIT } from '../command.js';
import { inputFiles } from '../inputFiles.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { parseOffset } from '../storeOptions.js';
import { groupDigits, renderTable } from '../table.js';

export const countCommand = defineCommand({
  command: 'count <files..>',
  describe: 'contracts per template and party; with --expect, proved against a placement',
  details:
    'With --expect, the contracts of each file must be exactly those that placement.csv gives its participant:\n' +
    'every id, every template and every party is compared. Participant and synchronizer are taken from the name of\n' +
    'the file as `acs place` writes it; NAME=FILE (an export of the participant after the import, say) is compared\n' +
    'with all that the participant gets, on whichever synchronizer. Import files that were not given are named.',
  examples: [
    ['acs count export.acs.gz', 'counts per template and party'],
    ["acs count --expect import/placement.csv 'import/*.acs.gz'", 'the import files hold what was planned'],
    [
      'acs count --expect import/placement.csv participant1=export-after-import.acs.gz',
      'the participant has it',
    ],
    ['acs count --expect import/placement.csv participant1=acs.db', 'and so has a store'],
  ],
  exitStatus: { 0: 'counted; with --expect: equal', 1: 'the contracts are not those of the placement' },
  options: (y) =>
    readOptions(
      y.positional('files', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'snapshot files or stores, globs, or PARTICIPANT=FILE',
      }),
    )
      .option('expect', { type: 'string', describe: 'placement.csv of `acs place`' })
      .option('source', { type: 'string', describe: 'of a store: the participant, when it holds several' })
      .option('offset', { type: 'string', describe: 'of a store: the ledger offset (default its head)' })
      .option('synchronizer', {
        type: 'string',
        describe: 'compare with the placements of this synchronizer only',
      }),
  async run(args, context) {
    const { synchronizer } = args;
    if (synchronizer !== undefined && args.expect === undefined)
      throw usageError('--synchronizer needs a placement to compare with', 'give --expect');
    const placement = args.expect === undefined ? undefined : await readPlacement(args.expect);
    const placed = placement === undefined ? undefined : placedFiles(placement);
    const wanted = placed?.files.filter(
      ({ synchronizerId }) => synchronizer === undefined || synchronizerId === synchronizer,
    );
    if (synchronizer !== undefined && wanted?.length === 0)
      throw usageError(`the placement has nothing on ${synchronizer}`, 'check the synchronizer id');
    const owners: FileOwner[] = [];
    let status: number = EXIT.ok;
    for (const input of await namedFiles(args.files, placement !== undefined)) {
      const owner: FileOwner | undefined =
        input.participant === undefined ? placed?.ownerOf(input.file) : { participant: input.participant };
      const expect =
        placement === undefined || owner === undefined
          ? undefined
          : {
              participant: owner.participant,
              placement,
              synchronizerId: synchronizer,
              placedOn: owner.synchronizerId,
            };
      if (owner !== undefined) owners.push(owner);
      const progress = context.progress(`count ${input.file}`, 'bytes', { files: [input.file] });
      const report = await countContracts(input.file, expect, {
        scan: scanOptions(args),
        source: args.source,
        offset: parseOffset(args.offset, '--offset'),
      });
      progress.finish();
      if (!countsAgree(report)) status = EXIT.findings;
      await context.result(report, () => describe(report));
    }
    const names = filesNotGiven(wanted ?? [], owners).map(({ name }) => name);
    if (names.length > 0) {
      const some = `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`;
      context.warn({
        code: 'NOT_COUNTED',
        message: `no file was given for ${names.length} import files of the placement: ${some}`,
        examples: names,
      });
    }
    return status;
  },
});

/** `NAME=FILE`, only where a placement is given: otherwise a name may hold `=`. */
async function namedFiles(
  args: readonly string[],
  named: boolean,
): Promise<{ file: string; participant?: string }[]> {
  const files: { file: string; participant?: string }[] = [];
  for (const arg of args) {
    const match = named ? /^([^=/\\]+)=(.+)$/.exec(arg) : null;
    for (const file of await inputFiles([match === null ? arg : match[2]])) {
      files.push(match === null ? { file } : { file, participant: match[1] });
    }
  }
  return files;
}

function describe(report: CountReport): string {
  const lines = [`${report.file}: ${groupDigits(report.contracts)} contracts`];
  if (report.inFlight > 0) lines.push(`  and ${report.inFlight} empty records of contracts in flight`);
  if (report.participant !== undefined) {
    lines[0] += ` of ${groupDigits(report.expected ?? 0)} expected on ${report.participant}: ${countsAgree(report) ? 'EQUAL' : 'DIFFERENT'}`;
  }
  for (const id of (report.missing ?? []).slice(0, 20)) lines.push(`  missing     ${id}`);
  for (const id of (report.unexpected ?? []).slice(0, 20)) lines.push(`  unexpected  ${id}`);
  const rest =
    Math.max(0, (report.missing?.length ?? 0) - 20) + Math.max(0, (report.unexpected?.length ?? 0) - 20);
  if (rest > 0) lines.push(`  … and ${rest} more (--json lists all)`);
  for (const { what, name, expected, found } of report.differences ?? []) {
    lines.push(`  ${what} ${name}: ${expected} expected, ${found} found`);
  }
  const table = (what: string, counts: Record<string, number>): void => {
    lines.push(
      renderTable(
        ['contracts', what],
        Object.entries(counts).map(([name, count]) => [groupDigits(count), name]),
        {
          right: [0],
        },
      ),
    );
  };
  table('template', report.byTemplate);
  table('stakeholder', report.byParty);
  return lines.join('\n');
}
