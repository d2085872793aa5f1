/** `acs store load` */
import { type LoadResult, loadBase } from '../../store/load.js';
import { defineCommand, EXIT } from '../command.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { loadJson } from '../storeJson.js';
import { dbPositional, requiredOffset } from '../storeOptions.js';
import { groupDigits } from '../table.js';

export const storeLoadCommand = defineCommand({
  command: 'load <db> <file>',
  describe: 'take a snapshot as the base of a source',
  details:
    'Makes the store when there is none. FILE is a snapshot file, or recorded GetActiveContracts responses\n' +
    '(length-delimited protobuf or JSON lines, gzip or plain); those also name the contracts in flight.\n' +
    'Every batch is durable: an interrupted load goes on when the same command is run again, and until\n' +
    'then the source answers nothing. With --party only contracts of these stakeholders are taken, and\n' +
    'the store remembers that it knows no others.',
  examples: [
    [
      'acs store load acs.db --source p1 --offset 1042 fixtures/snapshots/multi/participant1.acs.gz',
      'participant p1 as it was at offset 1042',
    ],
    ['acs store load acs.db --source p2 --offset 77 --party alice::1220ab… p2.acs.gz', 'one party only'],
  ],
  exitStatus: {
    0: 'loaded, or loaded before',
    1: 'loaded, with findings',
  },
  options: (y) =>
    readOptions(
      dbPositional(y)
        .positional('file', { type: 'string', demandOption: true, describe: 'snapshot, or -' })
        .option('source', { type: 'string', demandOption: true, describe: 'name of the participant' })
        .option('offset', {
          type: 'string',
          demandOption: true,
          describe: 'ledger offset of the snapshot',
        })
        .option('party', {
          type: 'string',
          array: true,
          describe: 'take only contracts of this stakeholder (full id)',
        })
        .option('restart', {
          type: 'boolean',
          default: false,
          describe: 'throw away an interrupted load of this source first',
        })
        .option('strict', { type: 'boolean', default: false, describe: 'a warning refuses the load' })
        .option('lenient', {
          type: 'boolean',
          default: false,
          describe: 'record contradictions between contracts as findings',
        }),
    ),
  async run(args, context) {
    const progress = context.progress(`load ${args.file}`, 'records', { files: [args.file], passes: 2 });
    const result = await loadBase(args.db, args.file, {
      source: args.source,
      offset: requiredOffset(args.offset, '--offset'),
      parties: args.party,
      restart: args.restart,
      strict: args.strict,
      lenient: args.lenient,
      scan: scanOptions(args),
      onCommit: (records) => progress.update(records),
    });
    progress.finish();
    await context.result(loadJson(result), () => describe(result));
    // Not a failure: a party may have its first contract later.
    if (args.party !== undefined && result.contracts === 0) {
      context.warn({
        code: 'NOTHING_KEPT',
        message: `no contract of the file has ${args.party.join(' or ')} as a stakeholder (--party takes full ids); the source will know no others`,
        source: result.source,
      });
    }
    return Object.keys(result.findings).length > 0 ? EXIT.findings : EXIT.ok;
  },
});

function describe(r: LoadResult): string {
  const lines = [
    r.status === 'already-loaded'
      ? `${r.source}: already loaded at offset ${r.offset}`
      : `${r.source}: ${groupDigits(r.contracts)} contracts at offset ${r.offset}`,
  ];
  if (r.resumedAt > 0 && r.status === 'loaded')
    lines.push(`  went on behind record ${groupDigits(r.resumedAt)} of an interrupted load`);
  if (r.skipped > 0) lines.push(`  outside the parties given: ${groupDigits(r.skipped)}`);
  if (r.inFlight.named > 0) lines.push(`  in flight: ${r.inFlight.named}`);
  if (r.inFlight.unnamed > 0)
    lines.push(`  in flight and not named by the file: ${r.inFlight.unnamed} (empty records)`);
  for (const [code, n] of Object.entries(r.findings)) lines.push(`  finding ${code}: ${groupDigits(n)}`);
  return lines.join('\n');
}
