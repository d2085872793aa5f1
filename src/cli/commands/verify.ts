/** `acs verify` */
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { NO_PACKAGES } from '../../hash/noPackages.js';
import type { AuthenticityReport } from '../../inspect/authenticity.js';
import type { Finding } from '../../inspect/finding.js';
import { type VerifyReport, verifySnapshot } from '../../inspect/verify.js';
import { AcsError, describePlace, usageError } from '../../io/error.js';
import { allowedCodes, warnOfUnusedCodes } from '../allowedCodes.js';
import { defineCommand, EXIT } from '../command.js';
import { darOptions, loadDarArgs } from '../darOptions.js';
import { inputFiles } from '../inputFiles.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { groupDigits } from '../table.js';
import { visibleLine } from '../visibleText.js';

export const verifyCommand = defineCommand({
  command: 'verify <files..>',
  describe: 'check that snapshot files are whole and consistent',
  details:
    'Checks in levels: gzip (members, checksum, length) → frames → messages → blob against event →\n' +
    'cross-record (duplicates, one contract on two synchronizers, empty records of in-flight contracts).\n' +
    'A finding line names the level, the code and the place. Duplicates are found by 8 bytes per\n' +
    'contract and confirmed in a second pass.\n' +
    'With --dar every contract id is recomputed from the content, and the content is checked against its\n' +
    'type: VALID, MISMATCH, MALFORMED_ID, UNSUPPORTED_VERSION, NO_AUTHENTICATION_DATA, NEEDS_PACKAGE or\n' +
    'ILL_TYPED; everything but VALID is a finding. Ids of version ca10 and ca11 need no DAR for that\n' +
    '(--authenticate), ids of version ca12 do.',
  examples: [
    ['acs verify export.acs.gz', 'all structure levels'],
    ['acs verify --dar dars/ export.acs.gz', 'contract ids and types too'],
    ['acs verify --sample 1% huge.acs.gz', 'look into every hundredth blob only'],
    ['acs verify --json a.acs.gz b.acs.gz', 'one JSON report per file, findings included'],
    ['acs verify --allow IN_FLIGHT_RECORD export.acs.gz', 'do not fail for in-flight contracts'],
  ],
  exitStatus: {
    0: 'no finding',
    1: 'there are findings (codes given with --allow do not count)',
    4: 'a file could not be read; the others were looked at',
  },
  options: (y) =>
    darOptions(
      readOptions(
        y.positional('files', {
          type: 'string',
          array: true,
          demandOption: true,
          describe: 'snapshot files, globs, or -',
        }),
        'all',
      ),
    )
      .option('authenticate', {
        type: 'boolean',
        default: false,
        describe: 'check contract ids even without --dar',
      })
      .option('threads', {
        type: 'number',
        describe: 'further threads; default up to 3 for files above 8 MB, else 0',
      })
      .option('sample', {
        type: 'string',
        default: '100%',
        describe: 'share of the blobs to look into, e.g. 1%',
      })
      .option('allow', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'codes that are no reason to fail',
      })
      .option('max-findings', {
        type: 'number',
        default: 100,
        describe: 'finding lines per file; all are counted',
      }),
  async run(args, context) {
    let status: number = EXIT.ok;
    let refused = false;
    const allowed = allowedCodes(args.allow);
    const found = new Set<string>();
    const sample = parseShare(args.sample);
    const packages = args.dar.length > 0 ? await loadDarArgs(args, context) : undefined;
    for (const file of await inputFiles(args.files)) {
      const listed: Finding[] = [];
      const progress = context.progress(`verify ${file}`, 'records', { files: [file] });
      const report = await verifySnapshot(file, {
        ...scanOptions(args),
        sample,
        ...(args.dar.length > 0 || args.authenticate ? { authenticate: packages ?? NO_PACKAGES } : {}),
        threads: args.threads ?? (await usefulThreads(file)),
        onProgress: (records) => progress.update(records),
        onFinding: (finding) => {
          if (listed.length < args['max-findings']) listed.push(finding);
        },
      }).catch((error) => {
        if (error instanceof AcsError) return error;
        throw error;
      });
      progress.finish();
      if (report instanceof AcsError) {
        // The other files are looked at all the same.
        context.error(report);
        status = Math.max(status, report.exitCode);
        continue;
      }
      for (const code of Object.keys(report.findings)) {
        found.add(code);
        if (allowed.has(code)) continue;
        status = Math.max(status, EXIT.findings);
        refused = true;
      }
      const { findings: findingCounts, authenticity, ...rest } = report;
      await context.result(
        {
          ...rest,
          findingCounts,
          ...(authenticity === undefined ? {} : { authenticity }),
          findings: listed,
        },
        () => describeReport(report, listed, authenticity),
      );
    }
    if (refused) warnOfUnusedCodes(allowed, found, context);
    return status;
  },
});

/** Starting a thread costs about as much as checking some ten thousand contracts. */
const THREAD_PAYS_BYTES = 8_000_000;

/** More would wait for the one thread that inflates. */
const MAX_THREADS = 3;

async function usefulThreads(file: string): Promise<number> {
  const threads = Math.min(availableParallelism() - 1, MAX_THREADS);
  if (file === '-') return threads;
  const size = await stat(file).then(
    (info) => info.size,
    () => 0,
  );
  return size > THREAD_PAYS_BYTES ? threads : 0;
}

/** `1%`, `0.01` or `100%` as a share of 1. */
export function parseShare(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const share = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (!(share > 0 && share <= 1))
    throw usageError(`not a share: ${text}`, 'give a percentage like 1%, or a number up to 1');
  return share;
}

function describeReport(
  report: VerifyReport,
  listed: readonly Finding[],
  authenticity: AuthenticityReport | undefined,
): string {
  const lines = listed.map(describeFinding);
  const total = report.errors + report.warnings;
  if (total > listed.length) lines.push(`… and ${total - listed.length} more findings (--max-findings)`);
  lines.push(
    `${report.file}: ${groupDigits(report.contracts)} contracts, ${report.errors} errors, ${report.warnings} warnings` +
      ` · blobs checked ${groupDigits(report.checkedBlobs)} · manifest ${report.manifest}`,
  );
  for (const [code, n] of Object.entries(report.findings)) lines.push(`  ${code}  ${groupDigits(n)}`);
  if (authenticity !== undefined) lines.push(...describeAuthenticity(authenticity));
  for (const what of report.notChecked) lines.push(`  not checked: ${what}`);
  return lines.join('\n');
}

function describeAuthenticity(authenticity: AuthenticityReport): string[] {
  const counted = (counts: Record<string, number>): string =>
    Object.entries(counts)
      .filter(([, n]) => n > 0)
      .map(([what, n]) => `${what} ${groupDigits(n)}`)
      .join(' · ');
  const lines = [
    `authenticity: ${counted(authenticity.verdicts) || 'no contract'}  (ids: ${counted(authenticity.versions) || 'none'})`,
  ];
  const remarks = counted(authenticity.remarks);
  if (remarks !== '') lines.push(`  remarks: ${remarks}`);
  for (const { packageId, contracts } of authenticity.missingPackages) {
    lines.push(`  missing package: ${packageId}  ${groupDigits(contracts)} contracts`);
  }
  for (const what of authenticity.notChecked) lines.push(`  not checked: ${what}`);
  return lines;
}

export function describeFinding(finding: Finding): string {
  const place = describePlace(finding);
  const detail = [
    finding.expected === undefined ? '' : `expected ${finding.expected}`,
    finding.found === undefined ? '' : `found ${finding.found}`,
  ].filter((part) => part !== '');
  const tail = detail.length === 0 ? '' : ` (${detail.join('; ')})`;
  return visibleLine(
    `${finding.severity} ${finding.level} ${finding.code}: ${finding.message}${tail}${place === '' ? '' : ` — ${place}`}`,
  );
}
