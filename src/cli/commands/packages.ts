/** `acs packages` */
import { listPackages, type PackagesReport } from '../../inspect/packages.js';
import { writeFileAtomic } from '../../io/atomicFile.js';
import { defineCommand, EXIT } from '../command.js';
import { darOptions, loadDarArgs } from '../darOptions.js';
import { knownPackages, packageOptions, packageOverrides } from '../packageOptions.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { groupDigits, renderTable } from '../table.js';

export const packagesCommand = defineCommand({
  command: 'packages <file>',
  describe: 'list the packages a snapshot needs, what is missing, and what an import would use',
  details:
    'Lists the packages of creation, the representative packages of the records, and (with --dar) the\n' +
    'packages of the types in arguments and keys. A participant has the packages of the DARs given and\n' +
    'those listed with --known. For each group of contracts it shows the package an import would use:\n' +
    'the first of contract override, override of the exported id, override of the creation id, exported\n' +
    'package, creation package, override of the package name, highest version of the name that the\n' +
    'participant has. --write-overrides writes these choices as the override map of an import request.',
  examples: [
    ['acs packages export.acs.gz', 'what the file names'],
    ['acs packages --dar dars/ --known ids.txt export.acs.gz', 'what a participant lacks'],
    ['acs packages --dar dars/ --write-overrides map.json export.acs.gz', 'a map for the import'],
  ],
  exitStatus: { 0: 'every package needed is present', 1: 'packages are missing' },
  options: (y) =>
    packageOptions(
      darOptions(
        readOptions(
          y.positional('file', { type: 'string', demandOption: true, describe: 'snapshot file or -' }),
          'first',
        ),
      ),
    ).option('write-overrides', {
      type: 'string',
      requiresArg: true,
      describe: 'write the override map to this file',
    }),
  async run(args, context) {
    const packages = args.dar.length > 0 ? await loadDarArgs(args, context) : undefined;
    const known = await knownPackages(args);
    const overrides = await packageOverrides(args);
    const progress = context.progress(`packages ${args.file}`, 'records', { files: [args.file] });
    const report = await listPackages(args.file, {
      ...scanOptions(args),
      ...(packages === undefined ? {} : { packages }),
      ...(known === undefined ? {} : { knownPackages: known }),
      ...(overrides === undefined ? {} : { overrides }),
      onProgress: (records) => progress.update(records),
    });
    progress.finish();
    if (args['write-overrides'] !== undefined) {
      await writeFileAtomic(args['write-overrides'], `${JSON.stringify(report.overrides, null, 2)}\n`);
      context.note(`wrote ${args['write-overrides']}`);
    }
    await context.result(report, () => describe(report, args.dar.length === 0 && args.known === undefined));
    return report.missing.length === 0 ? EXIT.ok : EXIT.findings;
  },
});

/** `nothingKnown`: neither DARs nor ids were given, so that a package that is not there says nothing of the participant. */
function describe(report: PackagesReport, nothingKnown: boolean): string {
  const lines = [`${report.file}: ${groupDigits(report.contracts)} contracts`, ''];
  lines.push(
    renderTable(
      ['package', 'name', 'version', 'needed as', 'contracts', ''],
      report.packages.map((p) => [
        p.packageId,
        p.name ?? '?',
        p.version ?? '?',
        p.roles.join(' '),
        groupDigits(p.contracts),
        p.present
          ? p.inDars
            ? ''
            : 'known'
          : p.roles.join() === 'creation'
            ? 'absent'
            : nothingKnown
              ? 'not given'
              : 'MISSING',
      ]),
      { right: [4] },
    ),
    '',
    'an import would use',
    renderTable(
      ['exported', 'created with', 'name', 'contracts', 'uses', 'because of'],
      report.selections.map((s) => [
        s.representativePackageId,
        s.creationPackageId === s.representativePackageId ? 'same' : s.creationPackageId,
        s.packageName,
        groupDigits(s.contracts),
        s.selectedPackageId === null
          ? nothingKnown
            ? 'not known (--dar, --known)'
            : 'NONE: the import fails'
          : s.selectedPackageId === s.representativePackageId
            ? 'exported'
            : s.selectedPackageId,
        `${s.rule ?? ''}${s.refusedByAccept && s.selectedPackageId !== null ? ' (mode ACCEPT refuses)' : ''}`,
      ]),
      { right: [3] },
    ),
  );
  for (const id of report.unusedOverrides)
    lines.push(`override for a contract that is not in the file: ${id}`);
  for (const what of report.notKnown) lines.push(`not known: ${what}`);
  return lines.join('\n');
}
