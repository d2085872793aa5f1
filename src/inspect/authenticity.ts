/** Authenticity of the contracts of a file: the part of `acs verify` that needs hashes and types. */
import type { ContractView } from '../contract/contractView.js';
import type { PackageSet } from '../dar/type.js';
import { ContractHasher } from '../hash/contractHasher.js';
import { NO_PACKAGES } from '../hash/noPackages.js';
import type { VerdictCode } from '../hash/verdict.js';
import type { Finding } from './finding.js';
import { type AuthenticityCounts, addCounts, emptyCounts, judgeContract } from './judgeContract.js';

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

/** Checks the contract ids of one thread's contracts. */
export interface AuthenticityJudge {
  /** Checks one contract; what is wrong with it is reported. */
  check(view: ContractView, report: (finding: Finding) => void): void;
  readonly counts: AuthenticityCounts;
}

export function authenticityJudge(packages: PackageSet = NO_PACKAGES): AuthenticityJudge {
  const counts = emptyCounts();
  const hasher = new ContractHasher(packages);
  return {
    check(view, report) {
      const { record, blob } = view;
      const finding = judgeContract(hasher, counts, blob, record.representativePackageId, {
        record: record.index,
        byteOffset: record.offset,
      });
      if (finding !== undefined) report(finding);
    },
    counts,
  };
}

/** The counts of all threads together. */
export function authenticityReport(parts: readonly AuthenticityCounts[]): AuthenticityReport {
  const counts = emptyCounts();
  for (const part of parts) addCounts(counts, part);
  const { verdicts } = counts;
  const notChecked: string[] = [];
  if (verdicts.VALID > 0) {
    notChecked.push(
      'the templates’ own conditions and the stakeholders and keys they compute (only the Daml engine can)',
    );
  }
  const untyped = counts.remarks.get('TYPES_NOT_CHECKED') ?? 0;
  if (untyped > 0)
    notChecked.push(`the types of ${untyped} contracts whose package is not given (the ids are)`);
  return {
    verdicts: { ...verdicts },
    versions: sorted(counts.versions),
    remarks: sorted(new Map([...counts.remarks].filter(([remark]) => remark !== 'NOT_CHECKABLE_OFFLINE'))),
    missingPackages: [...counts.missing]
      .map(([packageId, contracts]) => ({ packageId, contracts }))
      .sort((a, b) => b.contracts - a.contracts || (a.packageId < b.packageId ? -1 : 1)),
    notChecked,
  };
}

function sorted(map: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
