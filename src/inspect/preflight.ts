/**
 * `acs preflight`: what an import of a file into a participant would do, before it does it (contract-id spec, section
 * 6; running-nodes spec). Both import modes are judged at once, contract by contract and for the whole file. What
 * depends on the participant's state is named, never guessed.
 */
import { open, stat } from 'node:fs/promises';
import { synchronizerIdProblem } from '../contract/identifier.js';
import { ContractIdTable } from '../contract/idTable.js';
import { packageStore } from '../dar/packageStore.js';
import type { RepresentativePackageOverrides } from '../dar/representativePackage.js';
import type { PackageSet } from '../dar/type.js';
import { NO_PACKAGES } from '../hash/noPackages.js';
import { AcsError, usageError } from '../io/error.js';
import { type ByteInput, inputName } from '../io/input.js';
import type { RecordView } from '../snapshot/record.js';
import { type ScanOptions, type SnapshotFacts, scanSnapshot } from '../snapshot/scan.js';
import {
  type ContractOutcome,
  type ContractPreflight,
  contractPreflight,
  type ImportMode,
  type ImportStep,
  STEP_ORDER,
} from './contractPreflight.js';
import type { Finding } from './finding.js';

export interface PreflightOptions extends Pick<ScanOptions, 'maxRecordBytes' | 'maxRatio'> {
  /** Logical id of the synchronizer the import names. */
  readonly synchronizerId: string;
  /** Packages of the DARs at hand. */
  readonly packages?: PackageSet;
  /** Ids of the packages the participant has; the DARs' count too. Without it the participant is assumed to have all. */
  readonly knownPackages?: ReadonlySet<string>;
  readonly overrides?: RepresentativePackageOverrides;
  /** Parties the participant hosts; without it hosting is not judged. */
  readonly hostedParties?: ReadonlySet<string>;
  /** Contracts with one of these stakeholders are left out by the import. */
  readonly excludedParties?: ReadonlySet<string>;
  /** `enable-all-ledger-api-reassignments` of the participant; default false. */
  readonly multiSynchronizer?: boolean;
  /** Line of the participant; default 3.5. */
  readonly line?: '3.4' | '3.5';
  /** Called for every contract with something to say; all contracts are counted. */
  readonly onContract?: (contract: ContractPreflight) => void;
  readonly onProgress?: (records: number) => void;
}

/** What happens to the whole file in one mode: an import is all or nothing. */
export interface FileOutcome {
  /** `unknown`: nothing refuses it, but something could not be judged offline. */
  readonly outcome: 'imported' | 'refused' | 'unknown';
  /** Contracts that would be added if none of them is there already. */
  readonly contracts: number;
  readonly step?: ImportStep;
  readonly code?: string;
  readonly reason?: string;
  readonly record?: number;
  readonly contractId?: string;
}

export interface PreflightReport {
  file: string;
  synchronizerId: string;
  line: '3.4' | '3.5';
  /** Records the participant would read. */
  records: number;
  validation: FileOutcome;
  accept: FileOutcome;
  /** Contracts by outcome. */
  counts: Record<ImportMode, Record<ContractOutcome['outcome'], number>>;
  /** Problems and remarks per code, over both modes. */
  codes: Record<string, number>;
  /** Records per other synchronizer, dropped without a word. */
  otherSynchronizers: Record<string, number>;
  /** Findings about the file as a whole. */
  findings: Finding[];
  /** Packages an import would use, by representative package id. */
  packages: { packageId: string; contracts: number; given: boolean }[];
  /** What cannot be known offline, in words. */
  notKnown: string[];
}

/** Contracts the server decides on at once; a fault in an earlier batch is met first. */
const BATCH = 1000;
const MODES: readonly ImportMode[] = ['validation', 'accept'];

/** Errors: `USAGE` for a synchronizer id that is none, `FILE_UNREADABLE`. Damage of the file is part of the report. */
export async function preflightSnapshot(
  input: ByteInput,
  options: PreflightOptions,
): Promise<PreflightReport> {
  const idProblem = synchronizerIdProblem(options.synchronizerId);
  if (idProblem !== undefined) {
    throw usageError(
      `not a logical synchronizer id: ${options.synchronizerId} (${idProblem})`,
      'the import request is refused with such an id; give name::fingerprint',
    );
  }
  const run = new PreflightRun(options, inputName(input));
  await run.read(input);
  await run.lookBehindFirstMember(input);
  return run.report();
}

class PreflightRun {
  private readonly options: PreflightOptions;
  private readonly name: string;
  private readonly findings: Finding[] = [];
  private readonly others = new Map<string, number>();
  private readonly codes = new Map<string, number>();
  private readonly used = new Map<string, number>();
  private readonly counts = { validation: emptyCounts(), accept: emptyCounts() };
  private readonly worst: Record<ImportMode, FileOutcome | undefined> = {
    validation: undefined,
    accept: undefined,
  };
  private readonly ids = new ContractIdTable();
  private readonly judge: (record: RecordView) => ContractPreflight;
  private facts: SnapshotFacts | undefined;
  private records = 0;
  private assumed = false;

  constructor(options: PreflightOptions, name: string) {
    this.options = options;
    this.name = name;
    const { packages, knownPackages } = options;
    const store =
      knownPackages === undefined ? undefined : packageStore(packages ?? NO_PACKAGES, knownPackages);
    this.judge = contractPreflight({ ...options, ...(store === undefined ? {} : { store }) });
  }

  async read(input: ByteInput): Promise<void> {
    const { maxRecordBytes, maxRatio } = this.options;
    try {
      await scanSnapshot(input, (record) => this.visit(record), {
        members: 'first',
        ...(maxRecordBytes === undefined ? {} : { maxRecordBytes }),
        ...(maxRatio === undefined ? {} : { maxRatio }),
        onFacts: (facts) => {
          this.facts = facts;
        },
        onBadRecord: (error, record) => this.refuseRecord(error, record.index),
        afterChunk: () => this.options.onProgress?.(this.records),
      });
    } catch (error) {
      if (!(error instanceof AcsError) || error.code === 'FILE_UNREADABLE') throw error;
      this.refuseFile(error);
    }
  }

  private visit(record: RecordView): void {
    this.records++;
    const contract = this.judge(record);
    this.count(contract);
    for (const mode of MODES) {
      const result = contract[mode];
      this.counts[mode][result.outcome]++;
      if (result.outcome !== 'reject' && result.outcome !== 'unknown') continue;
      this.note(mode, {
        outcome: result.outcome === 'reject' ? 'refused' : 'unknown',
        contracts: 0,
        ...(result.step === undefined ? {} : { step: result.step }),
        ...(result.code === undefined ? {} : { code: result.code }),
        ...(result.reason === undefined ? {} : { reason: result.reason }),
        record: record.index,
        ...(contract.contractId === '' ? {} : { contractId: contract.contractId }),
      });
    }
    if (
      contract.notes.length > 0 ||
      contract.validation.outcome !== 'accept' ||
      contract.accept.outcome !== 'accept'
    ) {
      this.options.onContract?.(contract);
    }
  }

  /** Counts a contract, and refuses it when it is in the file already. */
  private count(contract: ContractPreflight): void {
    const { fingerprintSource } = contract;
    if (contract.droppedFor !== undefined) add(this.others, contract.droppedFor);
    if (contract.representativePackageId !== undefined) add(this.used, contract.representativePackageId);
    if (contract.packageAssumed) this.assumed = true;
    if (fingerprintSource !== undefined) {
      const { buf, start, end } = fingerprintSource;
      if (this.ids.add(buf, start, end)) {
        const duplicate: ContractOutcome = {
          outcome: 'reject',
          step: 'store',
          code: 'DUPLICATE_CONTRACT',
          reason: 'the contract is in the file twice (compared by 64 bits of its id)',
        };
        for (const mode of MODES) if (contract[mode].outcome !== 'reject') contract[mode] = duplicate;
      }
    }
    const codes = new Set<string>(contract.notes);
    for (const mode of MODES) {
      const { code } = contract[mode];
      if (code !== undefined) codes.add(code);
    }
    for (const code of codes) add(this.codes, code);
  }

  private refuseRecord(error: AcsError, record: number): void {
    this.records++;
    add(this.codes, error.code);
    const outcome: FileOutcome = {
      outcome: 'refused',
      contracts: 0,
      step: 'decode',
      code: error.code,
      reason: error.message,
      record,
    };
    for (const mode of MODES) {
      this.counts[mode].reject++;
      this.note(mode, outcome);
    }
    this.findings.push({
      ...error.place,
      level: 'messages',
      severity: 'error',
      code: error.code,
      message: error.message,
    });
  }

  /** The container is damaged: nothing is imported. */
  private refuseFile(error: AcsError): void {
    add(this.codes, error.code);
    const outcome: FileOutcome = {
      outcome: 'refused',
      contracts: 0,
      step: 'file',
      code: error.code,
      reason: error.message,
    };
    for (const mode of MODES) this.note(mode, outcome);
    this.findings.push({
      ...error.place,
      level: 'gzip',
      severity: 'error',
      code: error.code,
      message: error.message,
    });
  }

  /** Keeps the fault that the server would meet first. */
  private note(mode: ImportMode, outcome: FileOutcome): void {
    const before = this.worst[mode];
    if (before === undefined || precedes(outcome, before)) this.worst[mode] = outcome;
  }

  /** Bytes behind the first gzip member: the participant ignores them without a word. */
  async lookBehindFirstMember(input: ByteInput): Promise<void> {
    const first = this.facts?.gzip.members[0];
    if (first === undefined || typeof input !== 'string' || input === '-') return;
    const { size } = await stat(input);
    if (size <= first.end) return;
    const head = Buffer.alloc(2);
    const file = await open(input);
    await file.read(head, 0, 2, first.end).finally(() => file.close());
    if (head[0] !== 0x1f || head[1] !== 0x8b) {
      add(this.codes, 'GZIP_TRAILING_BYTES');
      this.findings.push({
        level: 'gzip',
        severity: 'warning',
        code: 'GZIP_TRAILING_BYTES',
        message: `${size - first.end} bytes behind the gzip member; the import ignores them`,
        file: input,
        byteOffset: first.end,
      });
      return;
    }
    const lost = await this.recordsBehind(input, first.inflatedBytes);
    add(this.codes, 'GZIP_SECOND_MEMBER');
    this.findings.push({
      level: 'gzip',
      severity: 'error',
      code: 'GZIP_SECOND_MEMBER',
      message: `the import reads the first gzip member only: ${lost} records behind it are lost without a word`,
      file: input,
      byteOffset: first.end,
      expected: 'exactly one member',
    });
  }

  private async recordsBehind(input: string, inflatedBytes: number): Promise<string> {
    let lost = 0;
    try {
      await scanSnapshot(
        input,
        (record) => {
          if (record.offset >= inflatedBytes) lost++;
        },
        { members: 'all', onBadRecord: () => lost++ },
      );
      return `${lost}`;
    } catch (error) {
      if (!(error instanceof AcsError)) throw error;
      return `at least ${lost}`;
    }
  }

  report(): PreflightReport {
    const { options } = this;
    return {
      file: this.name,
      synchronizerId: options.synchronizerId,
      line: options.line ?? '3.5',
      records: this.records,
      validation: this.outcome('validation'),
      accept: this.outcome('accept'),
      counts: this.counts,
      codes: sorted(this.codes),
      otherSynchronizers: sorted(this.others),
      findings: this.findings,
      packages: [...this.used]
        .map(([packageId, contracts]) => ({
          packageId,
          contracts,
          given: options.packages?.get(packageId) !== undefined,
        }))
        .sort((a, b) => b.contracts - a.contracts || (a.packageId < b.packageId ? -1 : 1)),
      notKnown: this.notKnown(),
    };
  }

  private outcome(mode: ImportMode): FileOutcome {
    const worst = this.worst[mode];
    if (worst !== undefined)
      return { ...worst, contracts: worst.outcome === 'refused' ? 0 : this.counts[mode].accept };
    return { outcome: 'imported', contracts: this.counts[mode].accept };
  }

  private notKnown(): string[] {
    const { options } = this;
    const list = [
      'whether contracts are active, archived or reassigned away on the participant already, and whether its contract store holds other bytes under the same id',
      'whether the participant is disconnected from all synchronizers, as an import demands',
      'the templates’ own conditions, and whether stakeholders and keys are those the templates compute (they matter for contracts whose id was recomputed)',
    ];
    if (options.knownPackages === undefined) {
      list.push('which packages the participant has: all that the file names are assumed (--known)');
    } else if (this.assumed) list.push('the versions of known packages that are in no DAR given');
    if (options.hostedParties === undefined) list.push('which stakeholders the participant hosts (--hosted)');
    return list;
  }
}

function emptyCounts(): Record<ContractOutcome['outcome'], number> {
  return { accept: 0, reject: 0, dropped: 0, unknown: 0 };
}

/** Refusals before unknowns; earlier batches first, then earlier steps, then earlier records. */
function precedes(a: FileOutcome, b: FileOutcome): boolean {
  if (a.outcome !== b.outcome) return a.outcome === 'refused';
  const batch = (outcome: FileOutcome): number =>
    Math.floor((outcome.record ?? Number.MAX_SAFE_INTEGER) / BATCH);
  const step = (outcome: FileOutcome): number => STEP_ORDER.indexOf(outcome.step ?? 'file');
  return batch(a) !== batch(b) ? batch(a) < batch(b) : step(a) < step(b);
}

function add(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

function sorted(map: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
