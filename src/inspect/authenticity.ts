/** Authenticity of the contracts of a file: the part of `acs verify` that needs hashes and types. */
import type { BlobView } from '../contract/blob.js';
import type { ContractView } from '../contract/contractView.js';
import type { PackageSet } from '../dar/type.js';
import type { VerdictCode } from '../hash/authenticate.js';
import { ContractHasher } from '../hash/contractHasher.js';
import { NO_PACKAGES } from '../hash/noPackages.js';
import { type AuthenticityThreads, startAuthenticityThreads } from './authenticityThreads.js';
import type { Finding } from './finding.js';
import { type AuthenticityCounts, emptyCounts, judgeContract, type RecordPlace } from './judgeContract.js';

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
  /** Checks one contract. What is wrong with it is reported, at once or by {@link finish}. */
  check(view: ContractView, report: (finding: Finding) => void): void;
  /** Waits for the other threads, if there are any, and reports what they found, by record. */
  finish(report: (finding: Finding) => void): Promise<void>;
  /** Complete after {@link finish}. */
  summary(): AuthenticityReport;
}

/** `threads` is the number of further threads; with 0 everything is done on this one. */
export function authenticityCheck(packages: PackageSet = NO_PACKAGES, threads = 0): AuthenticityCheck {
  const counts = emptyCounts();
  const hasher = new ContractHasher(packages);
  const judge = (blob: BlobView, representative: string, place: RecordPlace): Finding | undefined =>
    judgeContract(hasher, counts, blob, representative, place);
  const others: AuthenticityThreads | undefined =
    threads > 0 ? startAuthenticityThreads(packages, threads, counts, judge) : undefined;
  return {
    check(view, report) {
      const { record, blob } = view;
      if (others !== undefined) {
        others.check(record, blob);
        return;
      }
      const finding = judge(blob, record.representativePackageId, {
        record: record.index,
        byteOffset: record.offset,
      });
      if (finding !== undefined) report(finding);
    },
    async finish(report) {
      await others?.finish(report);
    },
    summary: () => summarize(counts),
  };
}

function summarize(counts: AuthenticityCounts): AuthenticityReport {
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
