/** `acs remap` */
import { readFile } from 'node:fs/promises';
import { isPackageId, synchronizerIdProblem } from '../../contract/identifier.js';
import { parseMicros } from '../../contract/time.js';
import { usageError } from '../../io/error.js';
import { fileError } from '../../io/input.js';
import { mint } from '../../remap/mint.js';
import { readPartyMap, unchangedParties } from '../../remap/partyMap.js';
import { remapContracts } from '../../remap/remap.js';
import { NOTICES, REFUSED_BY_DEFAULT, REMAP_CODES, type RemapCode } from '../../remap/remapFindings.js';
import type { RemapOptions } from '../../remap/remapOptions.js';
import type { RemapResult } from '../../remap/remapResult.js';
import { PlanCompiler } from '../../typed/typePlan.js';
import { defineCommand, EXIT } from '../command.js';
import { darOptions, loadDarArgs } from '../darOptions.js';
import { inputFiles } from '../inputFiles.js';
import { checkedSynchronizer, parseRenames } from '../renameOptions.js';
import { readSourceOptions, sourceOptions, warnAboutSources } from '../sourceOptions.js';
import { groupDigits, renderTable } from '../table.js';
import { snapshotFileOptions, writeOptions } from '../writeOptions.js';

export const remapCommand = defineCommand({
  command: 'remap <inputs..>',
  describe: 'give contracts new parties, packages or synchronizers, and the contract ids that follow',
  details:
    'Changes parties in every typed position: stakeholders, witnesses, arguments at any depth, map keys, contract\n' +
    'keys and maintainers. Contract ids are hashes of the content: they are computed anew over all inputs at once,\n' +
    'in the order of the references between the contracts, and OUTPUT.id-map.csv says which became which. Inputs\n' +
    'may be of any form that `acs convert` reads. Contracts whose source has no salt (JSON, sandbox, Canton 2.x)\n' +
    'get newly minted ids, derived from --seed and the old id: the same seed gives the same ids everywhere.\n\n' +
    `Refused unless allowed with --allow CODE (nothing is written then):\n${REFUSED_BY_DEFAULT.map(
      (code) => `  ${code.padEnd(19)} ${REMAP_CODES[code]}`,
    ).join('\n')}`,
  examples: [
    ['acs remap --map map.csv --dar model.dar old.acs.gz -o new.acs.gz', 'new parties, new ids'],
    [
      'acs remap --map map.csv --dar model.dar --rename-synchronizer old::12..=new::12.. p1.gz p2.gz -o out/',
      'two exports of one ledger: one file each, with the same new ids',
    ],
    [
      'acs remap --map map.csv --dar model.dar --seed-file seed.txt --created-at 2026-01-01T00:00:00Z --synchronizer new::12.. query.json -o new.acs.gz',
      'a JSON dump: ids are minted',
    ],
    [
      'acs remap --rename-synchronizer a::12..=b::12.. --keep-ids old.acs.gz -o new.acs.gz',
      'content and ids stay',
    ],
  ],
  exitStatus: {
    0: 'written; nothing but what every remap brings (new signatories, minted ids)',
    1: 'written; there are findings',
    3: 'written, but contracts were left out or cannot be imported into Canton 3',
  },
  options: (y) =>
    writeOptions(
      darOptions(
        sourceOptions(
          y.positional('inputs', {
            type: 'string',
            array: true,
            demandOption: true,
            describe: 'snapshot files or dumps of any form, globs',
          }),
        ),
      ),
    )
      .option('map', {
        type: 'string',
        describe: 'party map: CSV old,new[,participant[,permission]] or JSON',
      })
      .option('id-map', {
        type: 'string',
        describe: 'where the old → new ids go (default OUTPUT.id-map.csv)',
      })
      .option('package-map', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'OLD=NEW package id; may be repeated',
      })
      .option('rename-synchronizer', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'OLD=NEW synchronizer id; may be repeated',
      })
      .option('synchronizer', { type: 'string', describe: 'synchronizer id for sources that name none' })
      .option('created-at', {
        type: 'string',
        describe: 'creation time for sources that have none (ISO 8601)',
      })
      .option('seed', {
        type: 'string',
        describe: 'secret from which ids and salts are minted (16 bytes or more)',
      })
      .option('seed-file', {
        type: 'string',
        describe: 'file with the seed, so that it is not seen in the process list',
      })
      .option('allow', {
        type: 'string',
        array: true,
        default: [] as string[],
        choices: REFUSED_BY_DEFAULT as readonly string[],
        describe: 'go on in spite of this finding; may be repeated',
      })
      .option('threads', {
        type: 'number',
        describe:
          'further threads for contract ids; default one per further processor (at most 3), for large inputs',
      })
      .option('keep-ids', {
        type: 'boolean',
        default: false,
        describe: 'fail when any contract id would change',
      }),
  async run(args, context) {
    const seed = await readSeed(args.seed, args['seed-file']);
    const inputs = await inputFiles(args.inputs);
    const progress = context.progress('remap', 'contracts', { files: inputs, passes: 2 });
    let drafted = 0;
    const options: RemapOptions = {
      map: args.map === undefined ? unchangedParties() : await readPartyMap(args.map),
      output: args.output,
      compiler: args.dar.length > 0 ? new PlanCompiler(await loadDarArgs(args, context)) : undefined,
      mint: seed === undefined ? undefined : mint(seed),
      packageMap: parseRenames(args['package-map'], '--package-map', packageProblem),
      synchronizerMap: parseRenames(
        args['rename-synchronizer'],
        '--rename-synchronizer',
        synchronizerIdProblem,
      ),
      synchronizerId: checkedSynchronizer(args.synchronizer),
      createdAt: args['created-at'] === undefined ? undefined : parseMicros(args['created-at']),
      allow: new Set(args.allow as RemapCode[]),
      keepIds: args['keep-ids'],
      read: readSourceOptions(args),
      file: snapshotFileOptions(args),
      onProgress: (pass, contracts) => {
        if (pass === 1) drafted = contracts;
        // Each pass is half of a contract's work.
        progress.update(Math.floor((pass === 1 ? contracts : drafted + contracts) / 2));
      },
      ...(args.threads === undefined ? {} : { threads: args.threads }),
      ...(args['id-map'] === undefined ? {} : { idMap: args['id-map'] }),
    };
    const result = await remapContracts(inputs, options);
    progress.finish();
    let findings = warnAboutSources(result.inputs, context);
    for (const { code, message, count, examples } of [...result.sourceFindings, ...result.findings]) {
      if (!NOTICES.includes(code as RemapCode)) findings++;
      const some = examples.length > 0 ? ` (e.g. ${examples.slice(0, 3).join('; ')})` : '';
      context.warn({ code, message: `${count}: ${message}${some}`, count, examples });
    }
    if (args.output !== '-') await context.result(result, () => describe(result));
    if (result.refused.length > 0) return EXIT.failed;
    const lost =
      result.idVersions.some((version) => !version.validation) ||
      result.findings.some(({ code }) => code === 'IN_FLIGHT' || code === 'LF1_PAYLOAD');
    return lost ? EXIT.loss : findings > 0 ? EXIT.findings : EXIT.ok;
  },
});

function packageProblem(id: string): string | undefined {
  return isPackageId(id) ? undefined : 'it has a character that is not allowed';
}

async function readSeed(seed: string | undefined, file: string | undefined): Promise<Buffer | undefined> {
  if (seed !== undefined && file !== undefined) throw usageError('give --seed or --seed-file, not both');
  if (seed !== undefined) return Buffer.from(seed);
  if (file === undefined) return undefined;
  const bytes = await readFile(file).catch((cause) => {
    throw fileError(file, cause);
  });
  // A final newline is an editor's, not part of the secret.
  return Buffer.from(bytes.toString('latin1').replace(/\r?\n$/, ''), 'latin1');
}

function describe(result: RemapResult): string {
  const lines: string[] = [];
  if (result.refused.length > 0) {
    lines.push(
      'REFUSED; nothing was written.',
      ...result.refused.map((code) => `  ${code}: ${REMAP_CODES[code]} (--allow ${code} goes on)`),
    );
  }
  if (result.unmappedParties.length > 0) {
    lines.push('parties that the map does not have (`acs parties map` completes a map):');
    for (const party of result.unmappedParties.slice(0, 50)) lines.push(`  ${party}`);
    if (result.unmappedParties.length > 50)
      lines.push(`  … and ${result.unmappedParties.length - 50} more (--json lists all)`);
  }
  for (const { contractId, path, lost } of result.collisions.slice(0, 20)) {
    lines.push(`  map keys collide: contract ${contractId} at ${path}, ${lost} entries lost`);
  }
  if (result.collisions.length > 20)
    lines.push(`  … and ${result.collisions.length - 20} more (--json lists all)`);
  for (const { output, contracts, changed, duplicates } of result.outputs) {
    const twice = duplicates === 0 ? '' : `, ${groupDigits(duplicates)} that stood there twice left out`;
    lines.push(`${output}: ${groupDigits(contracts)} contracts, ${groupDigits(changed)} changed${twice}`);
  }
  lines.push(
    `${groupDigits(result.contracts)} different contracts, ${groupDigits(result.newIds)} new ids (${groupDigits(result.minted)} minted), ` +
      `${groupDigits(result.referring)} refer to others`,
  );
  if (result.idMap !== null) lines.push(`id map: ${result.idMap}`);
  lines.push(
    '',
    'what a participant (3.5) will do with the new ids:',
    renderTable(
      ['contracts', 'version', 'VALIDATION', 'ACCEPT', ''],
      result.idVersions.map((v) => [
        groupDigits(v.contracts),
        v.label,
        v.validation ? 'taken' : 'refused',
        v.accept,
        v.reason,
      ]),
      { right: [0] },
    ),
  );
  return lines.join('\n');
}
