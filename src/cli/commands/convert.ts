/** `acs convert` */
import { type ConvertResult, convertSources } from '../../convert/convert.js';
import { SOURCE_FORMAT_NAMES } from '../../convert/sourceContract.js';
import { PlanCompiler } from '../../typed/typePlan.js';
import { defineCommand, EXIT } from '../command.js';
import { darOptions, loadDarArgs } from '../darOptions.js';
import { inputFiles } from '../inputFiles.js';
import { checkedSynchronizer } from '../renameOptions.js';
import { readSourceOptions, sourceOptions, warnAboutSources } from '../sourceOptions.js';
import { groupDigits } from '../table.js';
import { snapshotFileOptions, writeOptions } from '../writeOptions.js';

export const convertCommand = defineCommand({
  command: 'convert <inputs..>',
  describe: 'turn dumps of other forms into one snapshot file, or into JSON lines',
  details:
    `Reads, and recognises:\n${Object.entries(SOURCE_FORMAT_NAMES)
      .map(([id, name]) => `  ${id.padEnd(20)} ${name}`)
      .join('\n')}\n` +
    'Nothing is made up: what a source lacks (salt, types, creation time, …) is counted by name, and no snapshot\n' +
    'is written unless --allow-incomplete leaves those contracts out. `acs remap --seed` gives such contracts new\n' +
    'ids. JSON without types needs the DAR. Contracts of Canton 2.x are written with a warning that Canton 3\n' +
    'does not import them. With --to jsonl every contract becomes a line that loses nothing.',
  examples: [
    [
      'acs convert old-export.gz -o new.acs.gz',
      'format B (Canton 3.0 to 3.4) to the current format, lossless',
    ],
    ['acs convert active-contracts.bin -o acs.gz', 'recorded Ledger API responses to a snapshot file'],
    [
      'acs convert --dar model.dar query.json --to jsonl -o dump.jsonl',
      'a JSON API answer to neutral JSON lines',
    ],
  ],
  exitStatus: {
    0: 'everything is in the output',
    1: 'everything is in the output, but the inputs have findings',
    3: 'contracts were left out, or the output holds contracts that Canton 3 does not import',
  },
  options: (y) =>
    writeOptions(
      darOptions(
        sourceOptions(
          y.positional('inputs', {
            type: 'string',
            array: true,
            demandOption: true,
            describe: 'files of any form, globs, or -',
          }),
        ),
      ),
    )
      .option('to', {
        choices: ['snapshot', 'jsonl'] as const,
        default: 'snapshot' as const,
        describe: 'a snapshot file of format A, or neutral JSON lines',
      })
      .option('synchronizer', { type: 'string', describe: 'synchronizer id for sources that name none' })
      .option('allow-incomplete', {
        type: 'boolean',
        default: false,
        describe: 'leave out contracts that cannot become records',
      }),
  async run(args, context) {
    const compiler = args.dar.length > 0 ? new PlanCompiler(await loadDarArgs(args, context)) : undefined;
    const inputs = await inputFiles(args.inputs);
    const progress = context.progress('convert', 'contracts', { files: inputs });
    const result = await convertSources(inputs, {
      ...readSourceOptions(args),
      output: args.output,
      to: args.to,
      file: snapshotFileOptions(args),
      allowIncomplete: args['allow-incomplete'],
      compiler,
      synchronizerId: checkedSynchronizer(args.synchronizer),
      onProgress: (contracts) => progress.update(contracts),
    });
    progress.finish();
    let findings = warnAboutSources(result.inputs, context);
    const missing = result.missing.map(({ code, ...finding }) => ({ part: code, ...finding }));
    const notImportable = result.notImportable.map(({ code, ...finding }) => ({ label: code, ...finding }));
    for (const finding of [
      ...result.findings,
      ...missing.map((each) => ({ code: 'CONTRACT_INCOMPLETE', ...each })),
      ...notImportable.map((each) => ({ code: 'NOT_IMPORTABLE', ...each })),
    ]) {
      findings++;
      context.warn({ ...finding, message: `${finding.count}: ${finding.message}` });
    }
    const json = { ...result, missing, notImportable };
    if (args.output !== '-') await context.result(json, () => describe(result));
    const lost =
      result.notImportable.length > 0 ||
      (result.to === 'snapshot' && result.missing.length > 0) ||
      result.inputs.some((input) => input.findings.some(({ code }) => code === 'IN_FLIGHT'));
    return lost ? EXIT.loss : findings > 0 ? EXIT.findings : EXIT.ok;
  },
});

function describe(result: ConvertResult): string {
  const lines = result.inputs.map(
    (input) =>
      `${input.file}: ${groupDigits(input.contracts)} contracts, form ${input.format} (${input.container})`,
  );
  lines.push(
    `${result.output}: ${groupDigits(result.written)} of ${groupDigits(result.contracts)} contracts written` +
      (result.duplicates > 0 ? `, ${groupDigits(result.duplicates)} came more than once` : ''),
  );
  if (result.notImportable.length > 0) {
    lines.push('NOT IMPORTABLE into Canton 3:');
    for (const { code, count, message } of result.notImportable)
      lines.push(`  ${groupDigits(count)} ${code}: ${message}`);
  }
  return lines.join('\n');
}
