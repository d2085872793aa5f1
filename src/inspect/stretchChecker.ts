/** The checks of `acs verify` that look at single records, made for a stretch of records. One checker per thread. */
import { fingerprintInto } from '../contract/idTable.js';
import { AcsError } from '../io/error.js';
import { RecordView } from '../snapshot/record.js';
import { frameSplitter } from '../wire/frames.js';
import type { AuthenticityJudge } from './authenticity.js';
import { type Finding, fromError } from './finding.js';
import type { AuthenticityCounts } from './judgeContract.js';
import { recordChecker } from './recordChecker.js';
import type { Stretch } from './stretch.js';

export interface StretchResult {
  /** In file order. */
  findings: Finding[];
  /** Fingerprints of the contract ids, lower and upper half of each. */
  ids: Uint32Array;
}

/** What a checker has counted in all its stretches. */
export interface CheckTotals {
  contracts: number;
  /** Contracts whose blob was looked at. */
  checkedBlobs: number;
  /** Empty records of contracts in flight. */
  inFlight: number;
  /** Content digest of the contracts. */
  digest: string;
  authenticity?: AuthenticityCounts;
}

export interface StretchChecker {
  check(stretch: Stretch): StretchResult;
  totals(): CheckTotals;
}

/** `sample` is the share of the records whose blob is looked into; `judge` checks the contract ids besides. */
export function stretchChecker(sample: number, judge?: AuthenticityJudge): StretchChecker {
  let findings: Finding[] = [];
  let ids = new Uint32Array(2048);
  let idWords = 0;
  const report = (finding: Finding): void => {
    findings.push(finding);
  };
  const checker = recordChecker(
    report,
    (blob) => {
      if (idWords === ids.length) {
        const grown = new Uint32Array(2 * ids.length);
        grown.set(ids);
        ids = grown;
      }
      fingerprintInto(blob.buf, blob.contractIdStart, blob.contractIdEnd, ids, idWords);
      idWords += 2;
    },
    { sample, ...(judge === undefined ? {} : { extraCheck: judge.check }) },
  );
  const view = new RecordView();
  /** How long a record may be was decided when the stretch was made. */
  const splitter = frameSplitter(Number.MAX_SAFE_INTEGER);
  return {
    check({ bytes, end, offset, first }) {
      findings = [];
      idWords = 0;
      let index = first;
      const chunk = Buffer.from(bytes, 0, end);
      // Copying fetches in order what another thread wrote; what is parsed right after, here and there, is then near.
      checker.hold(chunk);
      splitter.push(chunk, (buf, start, bodyStart, frameEnd) => {
        try {
          checker.visit(view.parse(buf, start, bodyStart, frameEnd, offset + start, index++));
        } catch (error) {
          if (!(error instanceof AcsError)) throw error;
          report(fromError(view.locate(error) as AcsError, 'messages'));
        }
      });
      return { findings, ids: ids.slice(0, idWords) };
    },
    totals: () => ({
      contracts: checker.contracts(),
      checkedBlobs: checker.checkedBlobs(),
      inFlight: checker.inFlight(),
      digest: checker.digestHex(),
      ...(judge === undefined ? {} : { authenticity: judge.counts }),
    }),
  };
}
