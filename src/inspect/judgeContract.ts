/** The verdict on one contract as a finding, and counts of many verdicts. */
import type { BlobView } from '../contract/blob.js';
import { creationTimeFault } from '../contract/creationTime.js';
import { authenticateWith } from '../hash/authenticate.js';
import type { ContractHasher } from '../hash/contractHasher.js';
import { VERDICT_CODES, type Verdict, type VerdictCode } from '../hash/verdict.js';
import { AcsError } from '../io/error.js';
import type { Finding } from './finding.js';

/** Counts of many verdicts; those of several threads can be added up. */
export interface AuthenticityCounts {
  verdicts: Record<VerdictCode, number>;
  versions: Map<string, number>;
  remarks: Map<string, number>;
  missing: Map<string, number>;
}

const MESSAGES: Readonly<Record<Exclude<VerdictCode, 'VALID'>, string>> = {
  MISMATCH: 'the contract id does not belong to the content',
  MALFORMED_ID: 'not the id of a committed contract',
  UNSUPPORTED_VERSION: 'the contract id is of Canton 2.x',
  NO_AUTHENTICATION_DATA: 'the contract id cannot be checked',
  NEEDS_PACKAGE: 'the contract id cannot be checked',
  ILL_TYPED: 'the content does not have the type of its template',
};

/** Distinct packages that are remembered as missing. */
const MAX_MISSING = 10_000;

export function emptyCounts(): AuthenticityCounts {
  return {
    verdicts: Object.fromEntries(VERDICT_CODES.map((code) => [code, 0])) as Record<VerdictCode, number>,
    versions: new Map(),
    remarks: new Map(),
    missing: new Map(),
  };
}

export function addCounts(sum: AuthenticityCounts, more: AuthenticityCounts): void {
  for (const code of VERDICT_CODES) sum.verdicts[code] += more.verdicts[code];
  for (const kind of ['versions', 'remarks', 'missing'] as const) {
    for (const [key, n] of more[kind]) add(sum[kind], key, n);
  }
}

/** Where a contract is; the parts of a finding's place that the blob does not know. */
export interface RecordPlace {
  readonly record: number;
  /** Of the record, in the inflated stream. */
  readonly byteOffset: number;
}

/** The verdict on one contract, counted, as a finding unless there is nothing to find. */
export function judgeContract(
  hasher: ContractHasher,
  counts: AuthenticityCounts,
  blob: BlobView,
  representativePackageId: string,
  place: RecordPlace,
): Finding | undefined {
  // Reported by the checks of the blob's form.
  if (creationTimeFault(blob) !== undefined) return undefined;
  let verdict: Verdict;
  try {
    verdict = authenticateWith(hasher, blob, representativePackageId);
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
    const { code, message, expected, found } = error;
    return {
      ...placeOf(blob, place),
      level: 'blob',
      severity: 'error',
      code,
      message,
      ...(expected === undefined ? {} : { expected }),
      ...(found === undefined ? {} : { found }),
    };
  }
  counts.verdicts[verdict.code]++;
  add(counts.versions, verdict.version, 1);
  for (const remark of verdict.remarks) add(counts.remarks, remark, 1);
  const { packageId } = verdict;
  if (packageId !== undefined && (counts.missing.has(packageId) || counts.missing.size < MAX_MISSING)) {
    add(counts.missing, packageId, 1);
  }
  if (verdict.code !== 'VALID') return findingOf(verdict, verdict.code, blob, place);
  if (!verdict.remarks.includes('ENCODING_NOT_CANONICAL')) return undefined;
  return {
    ...placeOf(blob, place),
    severity: 'warning',
    code: 'ENCODING_NOT_CANONICAL',
    message: 'the argument’s bytes are not those Canton writes for its value; the id holds all the same',
  };
}

function add(map: Map<string, number>, key: string, n: number): void {
  map.set(key, (map.get(key) ?? 0) + n);
}

function placeOf(
  blob: BlobView,
  place: RecordPlace,
): Pick<Finding, 'level' | 'record' | 'byteOffset' | 'stream' | 'contractId'> {
  return { level: 'authenticity', ...place, stream: 'inflated', contractId: blob.contractId };
}

function findingOf(
  verdict: Verdict,
  code: Exclude<VerdictCode, 'VALID'>,
  blob: BlobView,
  place: RecordPlace,
): Finding {
  const finding: Finding = {
    ...placeOf(blob, place),
    severity: 'error',
    code,
    message: verdict.reason === undefined ? MESSAGES[code] : `${MESSAGES[code]}: ${verdict.reason}`,
  };
  if (verdict.path !== undefined) finding.path = verdict.path;
  const expected = verdict.expected ?? verdict.packageId ?? verdict.expectedType;
  if (expected !== undefined) finding.expected = expected;
  const found =
    verdict.path === 'key' && code === 'MISMATCH' ? blob.keyHash.toString('hex') : verdict.foundType;
  if (found !== undefined) finding.found = found;
  return finding;
}
