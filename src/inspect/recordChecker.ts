/** The checks of single records that `acs verify` makes: message, blob, event against blob. */
import type { BlobView } from '../contract/blob.js';
import { checkPackageName, representativeProblem, soundTemplateId } from '../contract/blobNames.js';
import { classifyContractId } from '../contract/contractId.js';
import { ContractView } from '../contract/contractView.js';
import { creationTimeFault } from '../contract/creationTime.js';
import { eventComparer } from '../contract/eventAgainstBlob.js';
import { synchronizerIdProblem } from '../contract/identifier.js';
import type { SoundRecords } from '../contract/usual/soundRecords.js';
import { checkValue } from '../contract/valueCheck.js';
import { AcsError } from '../io/error.js';
import type { RecordView } from '../snapshot/record.js';
import { ENVELOPE_VERSION, EVENT } from '../snapshot/recordBorders.js';
import { type Finding, fromError, type Level } from './finding.js';
import { type Judgement, judgedOnce } from './judgedOnce.js';

/** Different names remembered of each kind; a well-behaved file has few. */
const MAX_NAMES = 100_000;

export interface RecordCheckOptions {
  /** Share of records whose blob is checked, 0 < share ≤ 1; the same records every time. Default 1. */
  sample?: number;
  /** A further check of each sound contract, e.g. authenticity. It reports through `report`. */
  extraCheck?: (view: ContractView, report: (finding: Finding) => void) => void;
}

export interface RecordChecker {
  visit(record: RecordView): void;
  /** Makes only the further check, of a record that is known to be sound and counted elsewhere. */
  visitSound(record: RecordView): void;
  contracts(): number;
  /** Contracts whose blob was looked at. */
  checkedBlobs(): number;
  /** Empty records of contracts in flight. */
  inFlight(): number;
}

/**
 * Checks records one by one, in file order. `report` takes the findings, `seen` the blob of each contract before it is
 * looked at; `sound` gets to know what may come again, and its digest takes the contracts.
 */
export function recordChecker(
  report: (finding: Finding) => void,
  seen: (blob: BlobView) => void,
  sound: SoundRecords,
  options: RecordCheckOptions,
): RecordChecker {
  const view = new ContractView();
  const compare = eventComparer();
  const { digest } = sound;
  const synchronizerFault = judgedOnce(MAX_NAMES, (buf, start, end) =>
    synchronizerIdProblem(buf.toString('utf8', start, end)),
  );
  const representativeFault = judgedOnce(MAX_NAMES, (buf, start, end) =>
    representativeProblem(buf.toString('utf8', start, end)),
  );
  const isSoundName = judgedOnce(MAX_NAMES, passes(checkPackageName));
  const isSoundTemplate = judgedOnce(MAX_NAMES, passes(soundTemplateId));
  const sample = options.sample ?? 1;
  let contracts = 0;
  let checkedBlobs = 0;
  let inFlight = 0;

  function finding(
    record: RecordView,
    level: Level,
    severity: Finding['severity'],
    code: string,
    message: string,
  ): Finding {
    const result: Finding = {
      level,
      severity,
      code,
      message,
      record: record.index,
      byteOffset: record.offset,
      stream: 'inflated',
    };
    try {
      result.contractId = view.contractId;
    } catch {
      // The id itself is unreadable; the place is known all the same.
    }
    return result;
  }

  function checkMessage(record: RecordView): void {
    if (record.version !== ENVELOPE_VERSION) {
      report({
        ...finding(
          record,
          'messages',
          'warning',
          'ENVELOPE_VERSION',
          'unknown envelope version; Canton reads it as version 30',
        ),
        expected: '30',
        found: `${record.version}`,
      });
    }
    if (record.unknownFields > 0) {
      report(
        finding(
          record,
          'messages',
          'warning',
          'UNKNOWN_FIELDS',
          `${record.unknownFields} unknown fields outside the blob; Canton ignores them`,
        ),
      );
    }
    if (!record.counterIsZero && BigInt.asIntN(64, record.reassignmentCounter) < 0n) {
      report({
        ...finding(
          record,
          'messages',
          'error',
          'COUNTER_NEGATIVE',
          'a reassignment counter that Canton reads as negative',
        ),
        expected: '0 … 2^63 - 1',
        found: `${record.reassignmentCounter}`,
      });
    }
    const problem = synchronizerFault(record.buf, record.synchronizerStart, record.synchronizerEnd);
    if (problem === undefined)
      sound.knowSynchronizer(record.buf.subarray(record.synchronizerStart, record.synchronizerEnd));
    else {
      report({
        ...finding(
          record,
          'messages',
          'error',
          'SYNCHRONIZER_ID',
          `not a logical synchronizer id: ${problem}`,
        ),
        found: record.synchronizerId,
      });
    }
  }

  function checkRepresentative(record: RecordView): void {
    const { buf, eventFields } = record;
    const start = eventFields[2 * EVENT.representativePackageId];
    if (start < 0) return;
    const problem = representativeFault(buf, start, eventFields[2 * EVENT.representativePackageId + 1]);
    if (problem === undefined) return;
    report({
      ...finding(
        record,
        'messages',
        'error',
        problem.code,
        `${problem.message}; Canton refuses the whole file`,
      ),
      expected: problem.expected as string,
      found: problem.found as string,
    });
  }

  function checkNames({ buf, packageNameStart, packageNameEnd, templateStart, templateEnd }: BlobView): void {
    // What is not sound is looked at again for the place of the fault.
    if (!isSoundName(buf, packageNameStart, packageNameEnd))
      checkPackageName(buf, packageNameStart, packageNameEnd);
    if (!isSoundTemplate(buf, templateStart, templateEnd)) soundTemplateId(buf, templateStart, templateEnd);
  }

  function checkCreatedAt(record: RecordView, blob: BlobView): void {
    const fault = creationTimeFault(blob);
    if (fault === undefined) return;
    if (fault === 'not set') {
      report(
        finding(
          record,
          'blob',
          'error',
          'CREATED_AT_NOW',
          'the creation time is not set; Canton refuses the import',
        ),
      );
    } else {
      report(finding(record, 'blob', 'error', 'CREATED_AT_RANGE', 'the creation time is out of range'));
    }
  }

  function checkBlob(record: RecordView): void {
    checkedBlobs++;
    const { blob } = view;
    checkNames(blob);
    checkValue(blob.buf, blob.argumentStart, blob.argumentEnd);
    if (blob.hasKey) checkValue(blob.buf, blob.keyValueStart, blob.keyValueEnd);
    checkCreatedAt(record, blob);
    const id = classifyContractId(blob.buf, blob.contractIdStart, blob.contractIdEnd);
    if (id.kind !== 'canton') {
      const detail =
        id.kind === 'malformed'
          ? id.reason
          : id.kind === 'legacy'
            ? `a 2.x id (${id.prefix})`
            : `a ${id.kind} id`;
      report(
        finding(record, 'blob', 'error', 'CONTRACT_ID', `the contract id cannot be imported: ${detail}`),
      );
    } else if (id.version === 'V2_0') {
      report(
        finding(
          record,
          'blob',
          'warning',
          'CONTRACT_ID_V2',
          'a contract id of version V2: up to protocol version 35 VALIDATION refuses it, and what ACCEPT imports cannot be used',
        ),
      );
    }
    const differences = compare(view);
    const ofEvent = record.bytesField(EVENT.templateId);
    if (ofEvent !== undefined && !differences.some((d) => d.field === 'templateId'))
      sound.knowTemplate(ofEvent, blob.buf.subarray(blob.templateStart, blob.templateEnd));
    for (const d of differences) {
      // Of values only the place of the difference is known.
      const placeOnly = d.blob === d.event;
      report({
        ...finding(
          record,
          'blob',
          'warning',
          'EVENT_DIFFERS',
          `${d.field} of the event is not that of the blob, which an import uses${placeOnly ? `: ${d.blob}` : ''}`,
        ),
        path: d.field,
        ...(placeOnly ? {} : { expected: d.blob, found: d.event }),
      });
    }
  }

  /** What a check throws is a finding too. */
  function attempt(record: RecordView, check: () => void): void {
    try {
      check();
    } catch (error) {
      if (!(error instanceof AcsError)) throw error;
      record.locate(error);
      const place = finding(record, 'blob', 'error', error.code, error.message);
      report({
        ...fromError(error, 'blob'),
        ...(place.contractId === undefined ? {} : { contractId: place.contractId }),
      });
    }
  }

  return {
    visit(record) {
      if (record.inFlight) {
        inFlight++;
        report({
          level: 'cross-record',
          severity: 'error',
          code: 'IN_FLIGHT_RECORD',
          message:
            'an empty record: a contract in flight at the export is missing, and Canton refuses the whole file',
          record: record.index,
          byteOffset: record.offset,
          stream: 'inflated',
        });
        return;
      }
      contracts++;
      view.of(record);
      digest.add(record);
      checkMessage(record);
      checkRepresentative(record);
      attempt(record, () => {
        const { blob } = view;
        seen(blob);
        if (sample >= 1 || sampled(record.index, sample)) {
          checkBlob(record);
          options.extraCheck?.(view, report);
        }
      });
    },
    visitSound(record) {
      view.of(record);
      attempt(record, () => options.extraCheck?.(view, report));
    },
    contracts: () => contracts,
    checkedBlobs: () => checkedBlobs,
    inFlight: () => inFlight,
  };
}

/** Whether `check` throws no {@link AcsError}. */
function passes(check: Judgement<unknown>): Judgement<boolean> {
  return (buf, start, end) => {
    try {
      check(buf, start, end);
      return true;
    } catch (error) {
      if (!(error instanceof AcsError)) throw error;
      return false;
    }
  };
}

/** Picks the same share of record numbers every time, spread evenly. */
function sampled(index: number, share: number): boolean {
  return Math.floor((index + 1) * share) !== Math.floor(index * share);
}
