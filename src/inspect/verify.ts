/**
 * `acs verify`: is a snapshot file whole and consistent? Levels: gzip → frames → messages → blob against event →
 * cross-record. Authenticity of contract ids is added through {@link VerifyOptions.extraCheck}.
 */
import { stat } from 'node:fs/promises';
import { type BlobView, CREATED_AT_NOW } from '../contract/blob.js';
import { contentDigest } from '../contract/contentDigest.js';
import { classifyContractId } from '../contract/contractId.js';
import { ContractView } from '../contract/contractView.js';
import { eventComparer } from '../contract/eventAgainstBlob.js';
import { synchronizerIdProblem } from '../contract/identifier.js';
import { ContractIdTable, fingerprint } from '../contract/idTable.js';
import { readManifest } from '../contract/manifest.js';
import { checkValue } from '../contract/valueCheck.js';
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../contract/valueCodec.js';
import { AcsError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import { ENVELOPE_VERSION, type RecordView } from '../snapshot/record.js';
import { type ScanOptions, type SnapshotFacts, scanSnapshot } from '../snapshot/scan.js';
import { Interner } from '../wire/interner.js';
import type { Finding, Level } from './finding.js';

export interface VerifyOptions extends ScanOptions {
  /** Share of records whose blob is checked, 0 < share ≤ 1; the same records every time. Default 1. */
  sample?: number;
  /** Called for every finding, in file order except for those of the whole file, which come last. */
  onFinding?: (finding: Finding) => void;
  /** A further check of each sound contract, e.g. authenticity. It reports through `report`. */
  extraCheck?: (view: ContractView, report: (finding: Finding) => void) => void;
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

/** Microseconds on either side of 1970 that {@link MIN_TIMESTAMP} and {@link MAX_TIMESTAMP} admit for certain. */
const SURELY_IN_RANGE = 2 ** 53;
/** Candidates for duplicates looked at in the second pass. */
const MAX_CANDIDATES = 1_000_000;

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
  const check = recordChecker(report, options);
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
  await check.duplicates(input, complete, notChecked);
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

/** An {@link AcsError} as a finding. */
export function fromError(error: AcsError, level: Level): Finding {
  const finding: Finding = {
    level,
    severity: 'error',
    code: error.code,
    message: error.message,
    ...error.place,
  };
  if (error.expected !== undefined) finding.expected = error.expected;
  if (error.found !== undefined) finding.found = error.found;
  return finding;
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

interface RecordChecker {
  visit(record: RecordView): void;
  contracts(): number;
  checkedBlobs(): number;
  digestHex(): string;
  notChecked(): string[];
  duplicates(input: ByteInput, complete: boolean, notChecked: string[]): Promise<void>;
}

function recordChecker(report: (finding: Finding) => void, options: VerifyOptions): RecordChecker {
  const view = new ContractView();
  const compare = eventComparer();
  const digest = contentDigest();
  const ids = new ContractIdTable();
  const candidates = new Set<string>();
  let candidatesDropped = false;
  const synchronizers = new Interner(100_000);
  const synchronizerProblems: (string | undefined)[] = [];
  let lastSynchronizer = -1;
  const sample = options.sample ?? 1;
  let contracts = 0;
  let checkedBlobs = 0;

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
    const id = synchronizers.id(
      record.buf,
      record.synchronizerStart,
      record.synchronizerEnd,
      lastSynchronizer,
    );
    lastSynchronizer = id;
    let problem: string | undefined;
    if (id < 0) problem = synchronizerIdProblem(record.synchronizerId);
    else {
      if (id === synchronizerProblems.length)
        synchronizerProblems.push(synchronizerIdProblem(record.synchronizerId));
      problem = synchronizerProblems[id];
    }
    if (problem !== undefined) {
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

  function checkCreatedAt(record: RecordView, blob: BlobView): void {
    const micros = blob.createdAtNumber;
    if (Math.abs(micros) < SURELY_IN_RANGE) return;
    const exact = blob.createdAt;
    if (exact === CREATED_AT_NOW) {
      report(
        finding(
          record,
          'blob',
          'error',
          'CREATED_AT_NOW',
          'the creation time is not set; Canton refuses the import',
        ),
      );
    } else if (exact < MIN_TIMESTAMP || exact > MAX_TIMESTAMP) {
      report(finding(record, 'blob', 'error', 'CREATED_AT_RANGE', 'the creation time is out of range'));
    }
  }

  function checkBlob(record: RecordView): void {
    checkedBlobs++;
    const { blob } = view;
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
    }
    for (const d of compare(view)) {
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

  return {
    visit(record) {
      if (record.inFlight) {
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
      try {
        const { blob } = view;
        if (ids.add(blob.buf, blob.contractIdStart, blob.contractIdEnd)) {
          if (candidates.size < MAX_CANDIDATES) candidates.add(fingerprintText(blob));
          else candidatesDropped = true;
        }
        if (sample >= 1 || sampled(record.index, sample)) {
          checkBlob(record);
          options.extraCheck?.(view, report);
        }
      } catch (error) {
        if (!(error instanceof AcsError)) throw error;
        record.locate(error);
        const place = finding(record, 'blob', 'error', error.code, error.message);
        report({
          ...fromError(error, 'blob'),
          ...(place.contractId === undefined ? {} : { contractId: place.contractId }),
        });
      }
    },
    contracts: () => contracts,
    checkedBlobs: () => checkedBlobs,
    digestHex: () => digest.hex(),
    notChecked() {
      const list: string[] = [];
      if (checkedBlobs < contracts)
        list.push(`the blobs of ${contracts - checkedBlobs} contracts (sampled or unreadable)`);
      if (options.extraCheck === undefined) list.push('authenticity of the contract ids');
      return list;
    },
    async duplicates(input, complete, notChecked) {
      if (candidates.size === 0) return;
      if (typeof input !== 'string' || input === '-' || !complete) {
        report({
          level: 'cross-record',
          severity: 'error',
          code: 'DUPLICATE_CONTRACT',
          message: `${candidates.size} contract ids occur more than once (by 64-bit fingerprint: the input cannot be read a second time)`,
        });
        return;
      }
      if (candidatesDropped) notChecked.push(`duplicates beyond the first ${MAX_CANDIDATES}`);
      await confirmDuplicates(input, candidates, options, report);
    },
  };
}

/** A second pass over the file that looks at the candidates only and compares whole ids. */
async function confirmDuplicates(
  input: string,
  candidates: ReadonlySet<string>,
  options: VerifyOptions,
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
        if (!candidates.has(fingerprintText(blob))) return;
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

function fingerprintText({ buf, contractIdStart, contractIdEnd }: BlobView): string {
  return fingerprint(buf, contractIdStart, contractIdEnd).join('.');
}

/** Picks the same share of record numbers every time, spread evenly. */
function sampled(index: number, share: number): boolean {
  return Math.floor((index + 1) * share) !== Math.floor(index * share);
}
