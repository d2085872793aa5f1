/** The checks of `acs verify` that look at single records, made for a stretch of records. One checker per thread. */
import { fingerprintInto } from '../contract/idTable.js';
import { soundRecords } from '../contract/usual/soundRecords.js';
import { AcsError } from '../io/error.js';
import { RecordView } from '../snapshot/record.js';
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
  const sound = soundRecords();
  const checker = recordChecker(
    report,
    (blob) => {
      makeRoom(2);
      fingerprintInto(blob.buf, blob.contractIdStart, blob.contractIdEnd, ids, idWords);
      idWords += 2;
    },
    sound,
    { sample, ...(judge === undefined ? {} : { extraCheck: judge.check }) },
  );
  const view = new RecordView();
  /** The blob of what passes is looked at, so it must be one whose blob is to be looked at. */
  const passing = sample >= 1;
  let passed = 0;

  function makeRoom(words: number): void {
    if (idWords + words <= ids.length) return;
    const grown = new Uint32Array(2 * (idWords + words));
    grown.set(ids);
    ids = grown;
  }

  /** Passes sound records from `at` on; returns where the first one starts that has to be looked at. */
  function pass(at: number, end: number): number {
    const stop = sound.pass(at, end);
    const { fingerprints } = sound;
    makeRoom(fingerprints.length);
    ids.set(fingerprints, idWords);
    idWords += fingerprints.length;
    passed += sound.passed;
    return stop;
  }

  return {
    check({ bytes, end, offset, first }) {
      findings = [];
      idWords = 0;
      let index = first;
      const chunk = Buffer.from(bytes, 0, end);

      /** Hands the record at `at` on; returns where the next one starts. */
      function look(at: number, visit: (record: RecordView) => void): number {
        const bodyStart = bodyOf(chunk, at);
        const next = bodyStart + bodyBytes;
        try {
          visit(view.parse(chunk, at, bodyStart, next, offset + at, index++));
        } catch (error) {
          if (!(error instanceof AcsError)) throw error;
          report(fromError(view.locate(error) as AcsError, 'messages'));
        }
        return next;
      }

      // Copying fetches in order what another thread wrote; what is parsed right after, here and there, is then near.
      sound.hold(chunk);
      let at = 0;
      while (at < end) {
        if (passing) {
          const stop = pass(at, end);
          if (judge === undefined) index += sound.passed;
          else for (let start = at; start < stop; ) start = look(start, checker.visitSound);
          at = stop;
        }
        if (at < end) at = look(at, checker.visit);
      }
      return { findings, ids: ids.slice(0, idWords) };
    },
    totals: () => ({
      contracts: passed + checker.contracts(),
      checkedBlobs: passed + checker.checkedBlobs(),
      inFlight: checker.inFlight(),
      digest: sound.digest.hex(),
      ...(judge === undefined ? {} : { authenticity: judge.counts }),
    }),
  };
}

/** Length of the body that {@link bodyOf} found last. */
let bodyBytes = 0;

/** Where the body of the frame at `at` begins. A stretch holds whole frames: their lengths were judged when it was made. */
function bodyOf(chunk: Buffer, at: number): number {
  let pos = at;
  let scale = 1;
  bodyBytes = 0;
  for (;;) {
    const b = chunk[pos++];
    bodyBytes += (b & 0x7f) * scale;
    if (b < 0x80) return pos;
    scale *= 128;
  }
}
