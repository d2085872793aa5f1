/** Authenticity of the contracts of a file: the part of `acs verify` that needs hashes and types. */

import { CREATED_AT_NOW } from '../contract/blob.js';
import type { ContractView } from '../contract/contractView.js';
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../contract/valueCodec.js';
import type { PackageSet } from '../dar/type.js';
import {
  authenticateWith,
  type RemarkCode,
  VERDICT_CODES,
  type Verdict,
  type VerdictCode,
} from '../hash/authenticate.js';
import { ContractHasher } from '../hash/contractHasher.js';
import { NO_PACKAGES } from '../hash/noPackages.js';
import type { Finding } from './finding.js';

export interface AuthenticityReport {
  /** Contracts per verdict; every verdict is listed. */
  verdicts: Record<VerdictCode, number>;
  /** Contracts per version of their id. */
  versions: Record<string, number>;
  /** Contracts per remark. What is remarked on every valid contract is in `notChecked`. */
  remarks: Record<string, number>;
  /** Packages to give with `--dar`, with the number of contracts that wait for them; most wanted first. */
  missingPackages: { packageId: string; contracts: number }[];
  /** In words. */
  notChecked: string[];
}

export interface AuthenticityCheck {
  /** Checks one contract. Throws the decoding errors of its blob; everything else is reported. */
  check(view: ContractView, report: (finding: Finding) => void): Verdict | undefined;
  summary(): AuthenticityReport;
}

const MESSAGES: Readonly<Record<Exclude<VerdictCode, 'VALID'>, string>> = {
  MISMATCH: 'the contract id does not belong to the content',
  MALFORMED_ID: 'not the id of a committed contract',
  UNSUPPORTED_VERSION: 'the contract id is of Canton 2.x',
  NO_AUTHENTICATION_DATA: 'the contract id cannot be checked',
  NEEDS_PACKAGE: 'the contract id cannot be checked without the package',
  ILL_TYPED: 'the content does not have the type of its template',
};

/** Distinct packages that are remembered as missing. */
const MAX_MISSING = 10_000;

export function authenticityCheck(packages: PackageSet = NO_PACKAGES): AuthenticityCheck {
  const hasher = new ContractHasher(packages);
  const verdicts = Object.fromEntries(VERDICT_CODES.map((code) => [code, 0])) as Record<VerdictCode, number>;
  const versions = new Map<string, number>();
  const remarks = new Map<RemarkCode, number>();
  const missing = new Map<string, number>();
  const add = <K>(map: Map<K, number>, key: K): void => {
    map.set(key, (map.get(key) ?? 0) + 1);
  };

  return {
    check(view, report) {
      const { blob } = view;
      const { createdAt } = blob;
      // Reported by the checks of the blob's form.
      if (createdAt === CREATED_AT_NOW || createdAt < MIN_TIMESTAMP || createdAt > MAX_TIMESTAMP)
        return undefined;
      const verdict = authenticateWith(hasher, blob, view.representativePackageId);
      verdicts[verdict.code]++;
      add(versions, verdict.version);
      for (const remark of verdict.remarks) add(remarks, remark);
      if (verdict.code !== 'VALID') report(findingOf(verdict, view));
      else if (verdict.remarks.includes('ENCODING_NOT_CANONICAL')) {
        report({
          ...place(view),
          severity: 'warning',
          code: 'ENCODING_NOT_CANONICAL',
          message:
            'the argument’s bytes are not those Canton writes for its value; the id holds all the same',
        });
      }
      if (verdict.packageId !== undefined && (missing.has(verdict.packageId) || missing.size < MAX_MISSING)) {
        add(missing, verdict.packageId);
      }
      return verdict;
    },
    summary() {
      const notChecked: string[] = [];
      if (verdicts.VALID > 0) {
        notChecked.push(
          'the templates’ own conditions and the stakeholders and keys they compute (only the Daml engine can)',
        );
      }
      const untyped = remarks.get('TYPES_NOT_CHECKED') ?? 0;
      if (untyped > 0)
        notChecked.push(`the types of ${untyped} contracts whose package is not given (the ids are)`);
      remarks.delete('NOT_CHECKABLE_OFFLINE');
      return {
        verdicts: { ...verdicts },
        versions: Object.fromEntries([...versions].sort(([a], [b]) => (a < b ? -1 : 1))),
        remarks: Object.fromEntries([...remarks].sort(([a], [b]) => (a < b ? -1 : 1))),
        missingPackages: [...missing]
          .map(([packageId, contracts]) => ({ packageId, contracts }))
          .sort((a, b) => b.contracts - a.contracts || (a.packageId < b.packageId ? -1 : 1)),
        notChecked,
      };
    },
  };
}

function place(
  view: ContractView,
): Pick<Finding, 'level' | 'record' | 'byteOffset' | 'stream' | 'contractId'> {
  const { record } = view;
  return {
    level: 'authenticity',
    record: record.index,
    byteOffset: record.offset,
    stream: 'inflated',
    contractId: view.blob.contractId,
  };
}

function findingOf(verdict: Verdict, view: ContractView): Finding {
  const code = verdict.code as Exclude<VerdictCode, 'VALID'>;
  const finding: Finding = {
    ...place(view),
    severity: 'error',
    code,
    message: verdict.reason === undefined ? MESSAGES[code] : `${MESSAGES[code]}: ${verdict.reason}`,
  };
  if (verdict.path !== undefined) finding.path = verdict.path;
  const expected = verdict.expected ?? verdict.packageId ?? verdict.expectedType;
  if (expected !== undefined) finding.expected = expected;
  const found =
    verdict.path === 'key' && code === 'MISMATCH' ? view.blob.keyHash.toString('hex') : verdict.foundType;
  if (found !== undefined) finding.found = found;
  return finding;
}
