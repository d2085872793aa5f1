/**
 * Contracts that occur more than once in a file. The pass over the file collects candidates by 64-bit fingerprint; a
 * second pass over the file, made only when there are any, compares whole ids.
 */
import { ContractView } from '../contract/contractView.js';
import { fingerprintText, repeatedIds } from '../contract/repeatedIds.js';
import { AcsError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import { canReadTwice } from '../io/readTwice.js';
import { type ScanOptions, scanSnapshot } from '../snapshot/scan.js';
import type { Finding } from './finding.js';

/** Candidates looked at in the second pass. */
const MAX_CANDIDATES = 1_000_000;

export interface DuplicateSearch {
  /** Takes the fingerprints of contract ids, as `fingerprintInto` writes them, in any order. */
  add(ids: Uint32Array): void;
  /**
   * Reports what occurs more than once. `complete` is false when the first pass ended early. Gives what was not checked,
   * in words.
   */
  confirm(input: ByteInput, complete: boolean, options: ScanOptions): Promise<string[]>;
}

export function duplicateSearch(report: (finding: Finding) => void): DuplicateSearch {
  const ids = repeatedIds();
  return {
    add: ids.add,
    async confirm(input, complete, options) {
      const candidates = ids.repeated(MAX_CANDIDATES + 1);
      if (candidates.size === 0) return [];
      if (typeof input !== 'string' || !(await canReadTwice(input))) {
        report({
          level: 'cross-record',
          severity: 'error',
          code: 'DUPLICATE_CONTRACT',
          message: `${candidates.size} contract ids occur more than once, on one synchronizer or on several (by 64-bit fingerprint: the input cannot be read a second time)`,
        });
        return [];
      }
      try {
        await confirmDuplicates(input, candidates, options, report);
      } catch (error) {
        // Reported in the first pass, which ended at the same place.
        if (complete || !(error instanceof AcsError) || error.code === 'FILE_UNREADABLE') throw error;
      }
      return candidates.size > MAX_CANDIDATES ? [`duplicates beyond the first ${MAX_CANDIDATES}`] : [];
    },
  };
}

/** A second pass over the file that looks at the candidates only and compares whole ids. */
async function confirmDuplicates(
  input: string,
  candidates: ReadonlySet<string>,
  options: ScanOptions,
  report: (finding: Finding) => void,
): Promise<void> {
  const view = new ContractView();
  const seen = new Map<string, { record: number; synchronizerId: string }[]>();
  await scanSnapshot(
    input,
    (record) => {
      if (record.inFlight) return;
      view.of(record);
      try {
        const { blob } = view;
        if (!candidates.has(fingerprintText(blob.buf, blob.contractIdStart, blob.contractIdEnd))) return;
        const id = blob.contractId;
        const before = seen.get(id) ?? [];
        const here = { record: record.index, synchronizerId: record.synchronizerId };
        const same = before.find((b) => b.synchronizerId === here.synchronizerId);
        const place = {
          record: record.index,
          byteOffset: record.offset,
          stream: 'inflated' as const,
          contractId: id,
        };
        if (same !== undefined) {
          report({
            level: 'cross-record',
            severity: 'error',
            code: 'DUPLICATE_CONTRACT',
            message: `the contract occurs twice on the same synchronizer, first in record ${same.record}`,
            ...place,
          });
        } else if (before.length > 0) {
          report({
            level: 'cross-record',
            severity: 'warning',
            code: 'CONTRACT_ON_TWO_SYNCHRONIZERS',
            message: `the contract is active on two synchronizers; on ${before[0].synchronizerId} in record ${before[0].record}`,
            found: here.synchronizerId,
            ...place,
          });
        }
        if (before.length < 16) seen.set(id, [...before, here]);
      } catch (error) {
        // Reported in the first pass.
        if (!(error instanceof AcsError)) throw error;
      }
    },
    { ...options, members: options.members ?? 'all', onBadRecord: () => undefined },
  );
}
