/** `acs place` */

import { type PlaceResult, placeContracts } from '../../place/placeContracts.js';
import { readPartyHosting } from '../../remap/hosting.js';
import { defineCommand, EXIT } from '../command.js';
import { inputFiles } from '../inputFiles.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { groupDigits, renderTable } from '../table.js';
import { snapshotFileOptions, writeOptions } from '../writeOptions.js';

export const placeCommand = defineCommand({
  command: 'place <files..>',
  describe: 'one import file per participant and synchronizer, by who hosts the stakeholders',
  details:
    'A participant gets every contract with a stakeholder that it hosts: signatories and observers, not mere\n' +
    'witnesses. OUTPUT becomes a folder with PARTICIPANT.SYNCHRONIZER.acs.gz files and placement.csv, which names\n' +
    'every contract, participant and reason; `acs count --expect` proves the files with it. Records are copied\n' +
    'byte for byte. A contract that nobody hosts is an error, and nothing is written.',
  examples: [
    ['acs place new.acs.gz --hosting hosting.json -o import/', 'one file per participant'],
    [
      'acs place new.acs.gz --hosting party-map.csv -o import/',
      'the participant column of a party map will do',
    ],
  ],
  exitStatus: { 0: 'placed', 1: 'placed, with findings', 3: 'placed, but contracts were left out' },
  options: (y) =>
    writeOptions(
      readOptions(
        y.positional('files', {
          type: 'string',
          array: true,
          demandOption: true,
          describe: 'snapshot files, globs',
        }),
      ),
    )
      .option('hosting', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'hosting map (JSON) or party map with a participant column; one per synchronizer',
      })
      .option('include-witnesses', {
        type: 'boolean',
        default: false,
        describe: 'also list, in witnesses.csv, contracts that a participant only witnessed',
      })
      .option('allow-unplaced', {
        type: 'boolean',
        default: false,
        describe: 'leave out contracts that nobody hosts',
      }),
  async run(args, context) {
    const files = await inputFiles(args.files);
    const progress = context.progress('place', 'records', { files, passes: 2 });
    const result = await placeContracts(files, {
      hostings: await Promise.all(args.hosting.map(readPartyHosting)),
      output: args.output,
      includeWitnesses: args['include-witnesses'],
      allowUnplaced: args['allow-unplaced'],
      scan: scanOptions(args),
      file: snapshotFileOptions(args),
      onProgress: (records) => progress.update(records),
    });
    progress.finish();
    for (const { code, message, count, examples } of result.findings) {
      const some = examples.length > 0 ? ` (e.g. ${examples.slice(0, 3).join('; ')})` : '';
      context.warn({ code, message: `${count}: ${message}${some}`, count, examples });
    }
    await context.result(result, () => describe(result));
    if (result.unplaced > 0 || result.findings.some(({ code }) => code === 'IN_FLIGHT')) return EXIT.loss;
    return result.findings.length > 0 ? EXIT.findings : EXIT.ok;
  },
});

function describe(result: PlaceResult): string {
  const lines = [
    `${groupDigits(result.contracts)} contracts, ${groupDigits(result.placements)} placements, ${groupDigits(result.unplaced)} unplaced` +
      (result.duplicates > 0 ? `, ${groupDigits(result.duplicates)} were in several inputs` : ''),
    renderTable(
      ['contracts', 'participant', 'file', 'templates'],
      result.files.map((file) => [
        groupDigits(file.contracts),
        file.participant,
        file.file,
        Object.entries(file.byTemplate)
          .map(([template, count]) => `${template} ${count}`)
          .join(', '),
      ]),
      { right: [0] },
    ),
    `reasons: ${result.placementFile}`,
  ];
  if (result.witnessesFile !== null) {
    lines.push(`witnessed only, not imported: ${groupDigits(result.witnesses)} in ${result.witnessesFile}`);
  }
  return lines.join('\n');
}
