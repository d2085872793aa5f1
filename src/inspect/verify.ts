/**
 * `acs verify`: is a snapshot file whole and consistent? Levels: gzip → frames → messages → blob against event →
 * cross-record, and the authenticity of the contract ids.
 */
import { stat } from 'node:fs/promises';
import { addDigests } from '../contract/contentDigest.js';
import { readManifest } from '../contract/manifest.js';
import type { Package, PackageSet } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import { type ScanOptions, type SnapshotFacts, scanFrames } from '../snapshot/scan.js';
import type { AuthenticityReport } from './authenticity.js';
import { startCheckThreads } from './checkThreads.js';
import { duplicateSearch } from './duplicates.js';
import { type Finding, fromError, type Level } from './finding.js';
import { manifestDifferences } from './manifestDifferences.js';
import { stretchCollector } from './stretch.js';
import { type CheckTotals, stretchChecker } from './stretchChecker.js';

export interface VerifyOptions extends Omit<ScanOptions, 'afterChunk' | 'onBadRecord'> {
  /** Share of records whose blob is checked, 0 < share ≤ 1; the same records every time. Default 1. */
  sample?: number;
  /** Recompute the contract ids too, with these packages (none: only ids that need no package can be). */
  authenticate?: PackageSet;
  /** Further threads. Default 0. */
  threads?: number;
  /** Called for every finding, in file order except for those of the whole file, which come last. */
  onFinding?: (finding: Finding) => void;
  onProgress?: (records: number) => void;
}

export interface VerifyReport {
  file: string;
  records: number;
  contracts: number;
  /** Contracts whose blob was looked at (all of them unless sampled). */
  checkedBlobs: number;
  inFlight: number;
  gzipMembers: number;
  contentDigest: string;
  /** Findings per code. */
  findings: Record<string, number>;
  errors: number;
  warnings: number;
  /** What the manifest said: `none`, `agrees`, or the reason why not. */
  manifest: string;
  /** Checks that were not made, in words; never empty without reason. */
  notChecked: string[];
  /** With {@link VerifyOptions.authenticate}. */
  authenticity?: AuthenticityReport;
}

/** Verifies one file. Damage is a finding, not an exception; only an unreadable file throws. */
export async function verifySnapshot(input: ByteInput, options: VerifyOptions = {}): Promise<VerifyReport> {
  const counts = new Map<string, number>();
  let errors = 0;
  let warnings = 0;
  const report = (finding: Finding): void => {
    counts.set(finding.code, (counts.get(finding.code) ?? 0) + 1);
    if (finding.severity === 'error') errors++;
    else warnings++;
    options.onFinding?.(finding);
  };
  const { sample = 1, threads = 0, authenticate } = options;
  // The other threads need memory too, and do not let the reader be the one that is waited for. In a damaged file how much
  // comes before the damage depends on it: a second pass reads alike.
  const scan = { ...options, readBytes: options.readBytes ?? 1 << 20 };
  const authenticity = authenticate === undefined ? undefined : await import('./authenticity.js');
  const duplicates = duplicateSearch(report);
  const checks = startCheckThreads(
    threads,
    { sample, ...(authenticate === undefined ? {} : { packages: packagesOf(authenticate) }) },
    stretchChecker(sample, authenticity?.authenticityJudge(authenticate)),
    ({ findings, ids }) => {
      for (const finding of findings) report(finding);
      duplicates.add(ids);
    },
  );
  let facts: SnapshotFacts | undefined;
  let damage: AcsError | undefined;
  let totals: CheckTotals[];
  try {
    const collector = stretchCollector(checks.check, checks.buffer);
    try {
      await scanFrames(input, collector.take, {
        ...scan,
        members: options.members ?? 'all',
        onFacts: (f) => {
          facts = f;
          options.onFacts?.(f);
        },
        afterChunk: () => {
          collector.endChunk();
          options.onProgress?.(facts?.records ?? 0);
          return checks.rest();
        },
      });
    } catch (error) {
      if (!(error instanceof AcsError) || error.code === 'FILE_UNREADABLE') throw error;
      damage = error;
    }
    collector.finish();
    totals = await checks.finish();
  } finally {
    await checks.close();
  }
  if (facts === undefined) throw new AcsError('INTERNAL', 'the scan gave no facts');
  if (damage !== undefined) report(fromError(damage, levelOf(damage.code)));
  facts.inFlight = sum(totals, 'inFlight');
  reportContainer(facts, report);
  const contracts = sum(totals, 'contracts');
  const checkedBlobs = sum(totals, 'checkedBlobs');
  const contentDigest = addDigests(totals.map((part) => part.digest));
  const notChecked: string[] = [];
  if (checkedBlobs < contracts)
    notChecked.push(`the blobs of ${contracts - checkedBlobs} contracts (sampled or unreadable)`);
  if (authenticate === undefined) notChecked.push('authenticity of the contract ids');
  if (options.members === 'first') notChecked.push('what follows the first gzip member');
  const complete = damage === undefined;
  if (!complete) notChecked.push('everything behind the damage');
  notChecked.push(...(await duplicates.confirm(input, complete, scan)));
  const manifest = complete
    ? await manifestVerdict(input, facts, contracts, contentDigest, report)
    : 'not compared: the file is damaged';
  if (manifest === AGREES) notChecked.push('the SHA-256 digests and the counts by group of the manifest');
  return {
    file: facts.name,
    records: facts.records,
    contracts,
    checkedBlobs,
    inFlight: facts.inFlight,
    gzipMembers: facts.gzip.members.length,
    contentDigest,
    findings: Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
    errors,
    warnings,
    manifest,
    notChecked,
    ...(authenticity === undefined
      ? {}
      : {
          authenticity: authenticity.authenticityReport(
            totals.flatMap((part) => (part.authenticity === undefined ? [] : [part.authenticity])),
          ),
        }),
  };
}

function packagesOf(packages: PackageSet): Package[] {
  return packages.ids().flatMap((id) => packages.get(id) ?? []);
}

function sum(totals: readonly CheckTotals[], what: 'contracts' | 'checkedBlobs' | 'inFlight'): number {
  return totals.reduce((n, part) => n + part[what], 0);
}

function levelOf(code: string): Level {
  if (code.startsWith('GZIP')) return 'gzip';
  if (code.startsWith('FRAME')) return 'frames';
  return 'messages';
}

function reportContainer(facts: SnapshotFacts, report: (finding: Finding) => void): void {
  const [first, ...further] = facts.gzip.members;
  if (further.length > 0) {
    report({
      level: 'gzip',
      severity: 'error',
      code: 'GZIP_SECOND_MEMBER',
      message: `the file has ${further.length + 1} gzip members; Canton 3.4 and later read the first only, without a word`,
      expected: 'exactly one member',
      found: `${facts.gzip.inflatedBytes - first.inflatedBytes} inflated bytes would be ignored`,
      byteOffset: first.end,
      file: facts.name,
    });
  }
  if (facts.gzip.trailingBytes > 0) {
    report({
      level: 'gzip',
      severity: 'warning',
      code: facts.gzip.trailingZeros ? 'GZIP_ZERO_PADDING' : 'GZIP_TRAILING_BYTES',
      message: `${facts.gzip.trailingBytes} bytes behind the last gzip member; Canton ignores them`,
      byteOffset: facts.gzip.compressedBytes,
      file: facts.name,
    });
  }
}

const AGREES = 'agrees';

async function manifestVerdict(
  input: ByteInput,
  facts: SnapshotFacts,
  contracts: number,
  digest: string,
  report: (finding: Finding) => void,
): Promise<string> {
  if (typeof input !== 'string' || input === '-') return 'none';
  const isFile = await stat(input).then(
    (s) => s.isFile(),
    () => false,
  );
  if (!isFile) return 'none';
  try {
    const manifest = await readManifest(input);
    if (manifest === undefined) return 'none';
    const [difference] = manifestDifferences(manifest, facts, contracts, digest);
    if (difference === undefined) return AGREES;
    throw new AcsError('MANIFEST_STALE', 'the manifest describes other content', {
      file: input,
      ...difference,
    });
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
    report({ ...fromError(error, 'cross-record'), severity: 'warning' });
    return error.message;
  }
}
