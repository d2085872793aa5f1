/** `acs parties` */

import { writeFileAtomic } from '../../io/atomicFile.js';
import { usageError } from '../../io/error.js';
import { completeMap, mapCsv, readPartialMap } from '../../remap/completeMap.js';
import { readPartyHosting } from '../../remap/hosting.js';
import { listParties, type PartiesResult } from '../../remap/listParties.js';
import { PlanCompiler } from '../../typed/typePlan.js';
import { defineCommand, EXIT } from '../command.js';
import { darOptions, loadDarArgs } from '../darOptions.js';
import { inputFiles } from '../inputFiles.js';
import { readSourceOptions, sourceOptions, warnAboutSources } from '../sourceOptions.js';
import { groupDigits, renderTable } from '../table.js';

const FILES = {
  type: 'string',
  array: true,
  describe: 'snapshot files or dumps of any form, globs',
} as const;

const mapCommand = defineCommand({
  command: 'map <files..>',
  describe: 'complete a party map for everything in the files, and plan the allocation of the new parties',
  details:
    'Every party of the files gets a new id: the one the partial map gives, else its hint with the fingerprint of\n' +
    'its participant (--namespace participant=1220…), or of all (--namespace 1220…). --strip makes plain names\n' +
    'instead. Parties that only occur inside arguments count too; JSON without types needs --dar to see them.',
  examples: [
    [
      'acs parties map dump.json --dar model.dar --map start.csv --namespace participant1=1220ab.. -o party-map.csv',
      'start.csv holds old,new,participant with empty new ids',
    ],
    ['acs parties map old.acs.gz --strip -o plain.csv', 'names without fingerprints'],
  ],
  exitStatus: { 0: 'every party has a new id', 1: 'some parties could not be mapped; they are listed' },
  options: (y) =>
    darOptions(sourceOptions(y.positional('files', { ...FILES, demandOption: true })))
      .option('output', {
        alias: 'o',
        type: 'string',
        demandOption: true,
        describe: 'the completed map (CSV)',
      })
      .option('map', { type: 'string', describe: 'partial map: CSV old[,new[,participant[,permission]]]' })
      .option('namespace', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'fingerprint for new ids, for all or as PARTICIPANT=FINGERPRINT; may be repeated',
      })
      .option('default-participant', {
        type: 'string',
        describe: 'participant of parties whose row names none',
      })
      .option('strip', { type: 'boolean', default: false, describe: 'new ids are the hints alone' })
      .option('plan', { type: 'string', describe: 'write the allocation plan here (JSON)' }),
  async run(args, context) {
    const result = await listParties(await inputFiles(args.files), {
      read: readSourceOptions(args),
      compiler: args.dar.length > 0 ? new PlanCompiler(await loadDarArgs(args, context)) : undefined,
    });
    warnAboutSources(result.inputs, context);
    warnUntyped(result, context);
    const completed = completeMap(
      result.parties.map(({ party }) => party),
      {
        partial: args.map === undefined ? [] : await readPartialMap(args.map),
        namespaces: namespaces(args.namespace),
        defaultParticipant: args['default-participant'],
        strip: args.strip,
      },
    );
    await writeFileAtomic(args.output, mapCsv(completed.entries));
    if (args.plan !== undefined)
      await writeFileAtomic(args.plan, `${JSON.stringify(completed.allocation, undefined, 2)}\n`);
    await context.result({ output: args.output, ...completed }, () => {
      const lines = [`${args.output}: ${groupDigits(completed.entries.length)} parties`];
      for (const [participant, plan] of Object.entries(completed.allocation)) {
        lines.push(`  allocate on ${participant}: ${plan.map(({ hint }) => hint).join(', ')}`);
      }
      for (const { party, reason } of completed.unmapped) lines.push(`  NOT MAPPED ${party}: ${reason}`);
      for (const party of completed.unused) lines.push(`  in the map, but in no contract: ${party}`);
      return lines.join('\n');
    });
    return completed.unmapped.length > 0 || result.untyped > 0 ? EXIT.findings : EXIT.ok;
  },
});

export const partiesCommand = defineCommand({
  command: 'parties [files..]',
  describe: 'who appears in snapshots and dumps, in which role, on which templates',
  details:
    'Counts contracts per party: as signatory, observer, key maintainer, witness, and named in arguments. With\n' +
    '--hosting it says who hosts the party; `-` means nobody. Subcommand `map` completes a party map.',
  examples: [
    ['acs parties export.acs.gz', 'every party with its roles'],
    ['acs parties --hosting hosting.json --json export.acs.gz', 'with templates and hosts, as JSON'],
    ['acs parties map --help', 'making party maps'],
  ],
  exitStatus: {
    0: 'read',
    1: 'arguments without types could not be looked into, or the inputs have findings',
  },
  subcommands: [mapCommand],
  options: (y) =>
    darOptions(sourceOptions(y.positional('files', FILES))).option('hosting', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'hosting map (JSON) or party map with a participant column; one per synchronizer',
    }),
  async run(args, context) {
    if (args.files === undefined || args.files.length === 0) throw usageError('name at least one file');
    const files = await inputFiles(args.files);
    const progress = context.progress('parties', 'contracts', { files });
    const result = await listParties(files, {
      read: readSourceOptions(args),
      compiler: args.dar.length > 0 ? new PlanCompiler(await loadDarArgs(args, context)) : undefined,
      hostings: await Promise.all(args.hosting.map(readPartyHosting)),
      onProgress: (contracts) => progress.update(contracts),
    });
    progress.finish();
    const findings = warnAboutSources(result.inputs, context);
    warnUntyped(result, context);
    await context.result(result, () => describe(result));
    return findings > 0 || result.untyped > 0 ? EXIT.findings : EXIT.ok;
  },
});

function warnUntyped(
  result: PartiesResult,
  context: { warn(w: { code: string; message: string; count: number }): void },
): void {
  if (result.untyped === 0) return;
  context.warn({
    code: 'TYPES_MISSING',
    message: `${result.untyped} contracts have JSON arguments without types: parties inside them are not counted (give --dar)`,
    count: result.untyped,
  });
}

function namespaces(options: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const option of options) {
    const at = option.indexOf('=');
    found.set(at < 0 ? '' : option.slice(0, at), option.slice(at + 1));
  }
  return found;
}

function describe(result: PartiesResult): string {
  const hosted = result.parties.some((party) => party.hosts !== undefined);
  const rows = result.parties.map((p) => [
    groupDigits(p.signatory),
    groupDigits(p.observer),
    groupDigits(p.maintainer),
    groupDigits(p.witness),
    groupDigits(p.named),
    p.party,
    ...(hosted ? [p.hosts !== undefined && p.hosts.length > 0 ? p.hosts.join(' ') : '-'] : []),
    Object.entries(p.templates)
      .map(([template, count]) => `${template} ${count}`)
      .join(', '),
  ]);
  const head = [
    'signatory',
    'observer',
    'maintainer',
    'witness',
    'named',
    'party',
    ...(hosted ? ['hosted by'] : []),
    'stakeholder of',
  ];
  return `${groupDigits(result.parties.length)} parties on ${groupDigits(result.contracts)} contracts\n${renderTable(head, rows, { right: [0, 1, 2, 3, 4] })}`;
}
