/**
 * `acs verify`: is a snapshot file whole and consistent? Levels: gzip → frames → messages → blob against event →
 * cross-record. Authenticity of contract ids is added through {@link RecordCheckOptions.extraCheck}.
 */
import { stat } from 'node:fs/promises';
import { readManifest } from '../contract/manifest.js';
import { AcsError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import { type ScanOptions, type SnapshotFacts, scanSnapshot } from '../snapshot/scan.js';
import { duplicateSearch } from './duplicates.js';
import { type Finding, fromError, type Level } from './finding.js';
import { type RecordCheckOptions, recordChecker } from './recordChecker.js';

export interface VerifyOptions extends ScanOptions, RecordCheckOptions {
  /** Called for every finding, in file order except for those of the whole file, which come last. */
  onFinding?: (finding: Finding) => void;
  /** Awaited after the last record: the place to report what {@link extraCheck} found on other threads. */
  extraFinish?: (report: (finding: Finding) => void) => Promise<void>;
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
  const duplicates = duplicateSearch(report);
  const check = recordChecker(report, duplicates.add, options);
  let facts: SnapshotFacts | undefined;
  let complete = false;
  try {
    await scanSnapshot(input, check.visit, {
      ...options,
      members: options.members ?? 'all',
      onFacts: (f) => {
        facts = f;
        options.onFacts?.(f);
      },
      onBadRecord: (error) => report(fromError(error, 'messages')),
      afterChunk: () => {
        options.onProgress?.(facts?.records ?? 0);
        return options.afterChunk?.();
      },
    });
    complete = true;
  } catch (error) {
    if (!(error instanceof AcsError) || error.code === 'FILE_UNREADABLE') throw error;
    report(fromError(error, levelOf(error.code)));
  }
  if (facts === undefined) throw new AcsError('INTERNAL', 'the scan gave no facts');
  await options.extraFinish?.(report);
  reportContainer(facts, report);
  const notChecked = [...check.notChecked()];
  if (!complete) notChecked.push('everything behind the damage');
  notChecked.push(...(await duplicates.confirm(input, complete, options)));
  const manifest = complete
    ? await manifestVerdict(input, facts, check.digestHex(), report)
    : 'not compared: the file is damaged';
  return {
    file: facts.name,
    records: facts.records,
    contracts: check.contracts(),
    checkedBlobs: check.checkedBlobs(),
    inFlight: facts.inFlight,
    gzipMembers: facts.gzip.members.length,
    contentDigest: check.digestHex(),
    findings: Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
    errors,
    warnings,
    manifest,
    notChecked,
  };
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

async function manifestVerdict(
  input: ByteInput,
  facts: SnapshotFacts,
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
    if (manifest.inflated.bytes === facts.gzip.inflatedBytes && manifest.contentDigest === digest)
      return 'agrees';
    throw new AcsError('MANIFEST_STALE', 'the manifest describes other content', {
      file: input,
      expected: `${manifest.inflated.bytes} inflated bytes, content digest ${manifest.contentDigest}`,
      found: `${facts.gzip.inflatedBytes} inflated bytes, content digest ${digest}`,
    });
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
    report({ ...fromError(error, 'cross-record'), severity: 'warning' });
    return error.message;
  }
}
