/** `acs preflight` */
import type { ContractOutcome, ContractPreflight } from '../../inspect/contractPreflight.js';
import { type FileOutcome, type PreflightReport, preflightSnapshot } from '../../inspect/preflight.js';
import { allowedCodes, warnOfUnusedCodes } from '../allowedCodes.js';
import { defineCommand, EXIT } from '../command.js';
import { darOptions, loadDarArgs } from '../darOptions.js';
import { listOption } from '../listOption.js';
import { knownPackages, packageOptions, packageOverrides } from '../packageOptions.js';
import { groupDigits } from '../table.js';
import { describeFinding } from './verify.js';

export const preflightCommand = defineCommand({
  command: 'preflight <file>',
  describe: 'tell what an import of a snapshot into a participant would do, before it does it',
  details:
    'Judges every contract and the whole file in both import modes, VALIDATION and ACCEPT, as Canton\n' +
    'does: empty records of in-flight contracts, records of other synchronizers (dropped without a word),\n' +
    'reassignment counters, packages, id versions, authenticity and types, duplicates, stakeholders that\n' +
    'are not hosted, a second gzip member (never read). An import is all or nothing: one refused contract\n' +
    'refuses the file. What depends on the participant’s state or on the Daml engine is named as not known.\n' +
    'Mode ACCEPT takes contracts whose id does not belong to their content; they cannot be used afterwards.',
  examples: [
    ['acs preflight export.acs.gz --synchronizer acme-sync::1220… --dar dars/', 'both modes'],
    [
      'acs preflight export.acs.gz --synchronizer acme-sync::1220… --dar dars/ --known ids.txt --hosted @parties.txt',
      'with the packages and parties of the participant',
    ],
    [
      'acs preflight export.acs.gz --synchronizer acme-sync::1220… --multi-synchronizer',
      'a participant that enables reassignments',
    ],
  ],
  exitStatus: {
    0: 'mode VALIDATION imports the file and there is no finding',
    1: 'the file is refused, something cannot be judged, or there are findings (codes given with --allow do not count)',
  },
  options: (y) =>
    packageOptions(
      darOptions(
        y.positional('file', { type: 'string', demandOption: true, describe: 'snapshot file or -' }),
      ),
    )
      .option('synchronizer', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'logical id of the synchronizer named in the import request',
      })
      .option('hosted', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'party the participant hosts, or @file with one per line; may be repeated',
      })
      .option('exclude-party', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'excluded stakeholder of the import request, or @file; may be repeated',
      })
      .option('multi-synchronizer', {
        type: 'boolean',
        default: false,
        describe: 'the participant has enable-all-ledger-api-reassignments',
      })
      .option('line', {
        choices: ['3.4', '3.5'] as const,
        default: '3.5' as const,
        describe: 'line of the participant',
      })
      .option('allow', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'codes that are no reason to fail',
      })
      .option('max-listed', {
        type: 'number',
        default: 100,
        describe: 'contracts listed with their problems; all are counted',
      }),
  async run(args, context) {
    const packages = args.dar.length > 0 ? await loadDarArgs(args, context) : undefined;
    const known = await knownPackages(args);
    const overrides = await packageOverrides(args);
    const listed: ContractPreflight[] = [];
    let more = 0;
    const progress = context.progress(`preflight ${args.file}`, 'records', { files: [args.file] });
    const report = await preflightSnapshot(args.file, {
      synchronizerId: args.synchronizer,
      multiSynchronizer: args['multi-synchronizer'],
      line: args.line,
      ...(packages === undefined ? {} : { packages }),
      ...(known === undefined ? {} : { knownPackages: known }),
      ...(overrides === undefined ? {} : { overrides }),
      ...(args.hosted === undefined ? {} : { hostedParties: new Set(await listOption(args.hosted)) }),
      ...(args['exclude-party'] === undefined
        ? {}
        : { excludedParties: new Set(await listOption(args['exclude-party'])) }),
      onContract: (contract) => {
        if (listed.length < args['max-listed']) listed.push(contract);
        else more++;
      },
      onProgress: (records) => progress.update(records),
    });
    progress.finish();
    await context.result({ ...report, listed: listed.map(contractJson) }, () =>
      describe(report, listed, more),
    );
    const allowed = allowedCodes(args.allow);
    const clean =
      (report.validation.outcome === 'imported' || allowed.has(report.validation.code ?? '')) &&
      Object.keys(report.codes).every((code) => allowed.has(code));
    if (clean) return EXIT.ok;
    const { code } = report.validation;
    const found = new Set([...Object.keys(report.codes), ...(code === undefined ? [] : [code])]);
    warnOfUnusedCodes(allowed, found, context);
    return EXIT.findings;
  },
});

function contractJson(contract: ContractPreflight): object {
  const { record, byteOffset, contractId, validation, accept, notes, representativePackageId } = contract;
  return { record, byteOffset, contractId, validation, accept, notes, representativePackageId };
}

function describe(report: PreflightReport, listed: readonly ContractPreflight[], more: number): string {
  const lines = report.findings.map(describeFinding);
  for (const contract of listed) lines.push(describeContract(contract));
  if (more > 0) lines.push(`… and ${groupDigits(more)} more contracts (--max-listed)`);
  lines.push(
    `${report.file}: ${groupDigits(report.records)} records, import into ${report.synchronizerId} (${report.line})`,
    `VALIDATION: ${describeOutcome(report.validation)}  [${describeCounts(report.counts.validation)}]`,
    `ACCEPT:     ${describeOutcome(report.accept)}  [${describeCounts(report.counts.accept)}]`,
  );
  for (const [code, n] of Object.entries(report.codes)) lines.push(`  ${code}  ${groupDigits(n)}`);
  for (const [id, n] of Object.entries(report.otherSynchronizers)) {
    lines.push(`  dropped without a word: ${groupDigits(n)} records of ${id}`);
  }
  for (const { packageId, contracts, given } of report.packages) {
    lines.push(
      `  package ${packageId}  ${groupDigits(contracts)} contracts${given ? '' : ' (no DAR given)'}`,
    );
  }
  for (const what of report.notKnown) lines.push(`  not known: ${what}`);
  return lines.join('\n');
}

function describeContract(contract: ContractPreflight): string {
  const { validation, accept, notes } = contract;
  const one = (outcome: ContractOutcome): string =>
    outcome.code === undefined ? outcome.outcome : `${outcome.outcome} ${outcome.code}`;
  const reasons = [...new Set([validation.reason, accept.reason])].filter((r) => r !== undefined);
  return [
    `record ${contract.record}${contract.contractId === '' ? '' : ` ${contract.contractId}`}`,
    `VALIDATION ${one(validation)} · ACCEPT ${one(accept)}`,
    ...(notes.length > 0 ? [notes.join(' ')] : []),
    ...reasons,
  ].join(' — ');
}

function describeOutcome(outcome: FileOutcome): string {
  if (outcome.outcome === 'imported') return `imports ${groupDigits(outcome.contracts)} contracts`;
  const where = outcome.record === undefined ? '' : ` at record ${outcome.record}`;
  const verb = outcome.outcome === 'refused' ? 'refuses the whole file' : 'cannot be told';
  return `${verb}${where}: ${outcome.reason ?? ''} [${outcome.code ?? ''}]`;
}

function describeCounts(counts: PreflightReport['counts']['validation']): string {
  return Object.entries(counts)
    .map(([outcome, n]) => `${outcome} ${groupDigits(n)}`)
    .join(' · ');
}
