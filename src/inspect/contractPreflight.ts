/** What an import does with one contract, in both modes (contract-id spec, section 6). */
import { ContractView } from '../contract/contractView.js';
import { requireCreatedAt } from '../contract/creationTime.js';
import { isPackageId, synchronizerIdProblem } from '../contract/identifier.js';
import type { LfValue } from '../contract/value.js';
import { checkValue } from '../contract/valueCheck.js';
import { decodeValue } from '../contract/valueDecoder.js';
import {
  type PackageStore,
  type RepresentativePackageOverrides,
  selectRepresentativePackage,
} from '../dar/representativePackage.js';
import type { PackageSet } from '../dar/type.js';
import { authenticateWith } from '../hash/authenticate.js';
import { ContractHasher } from '../hash/contractHasher.js';
import { NO_PACKAGES } from '../hash/noPackages.js';
import type { Verdict } from '../hash/verdict.js';
import { AcsError } from '../io/error.js';
import type { RecordView } from '../snapshot/record.js';
import { Interner } from '../wire/interner.js';

export type ImportMode = 'validation' | 'accept';

/** In the order in which an import takes them. `file` is the container. */
export const STEP_ORDER = [
  'file',
  'decode',
  'package',
  'counter',
  'version',
  'authenticate',
  'id',
  'store',
] as const;
export type ImportStep = (typeof STEP_ORDER)[number];

export interface ContractOutcome {
  /** `dropped`: another synchronizer's, or excluded: left out without a word. `unknown`: cannot be judged offline. */
  readonly outcome: 'accept' | 'reject' | 'dropped' | 'unknown';
  readonly step?: ImportStep;
  readonly code?: string;
  readonly reason?: string;
}

export interface ContractPreflight {
  /** 0-based. */
  readonly record: number;
  /** Of the record, in the inflated stream. */
  readonly byteOffset: number;
  /** Lower-case hex; empty when unreadable. */
  readonly contractId: string;
  validation: ContractOutcome;
  accept: ContractOutcome;
  /** Codes of remarks: `UNHOSTED`, `PACKAGE_CHANGED`, `OVERRIDE_UNKNOWN_PACKAGE`, and those of `authenticate`. */
  readonly notes: readonly string[];
  /** The package the import would use. */
  readonly representativePackageId?: string;
  /** True when that package is not known to exist, or only by its id. */
  readonly packageAssumed: boolean;
  /** The other synchronizer whose record this is. */
  readonly droppedFor?: string;
  /** The id's bytes, of a contract that would reach the stores. Valid until the next record. */
  readonly fingerprintSource?: { readonly buf: Buffer; readonly start: number; readonly end: number };
}

export interface ContractPreflightOptions {
  readonly synchronizerId: string;
  readonly packages?: PackageSet;
  /** Absent: every package named by a contract is assumed to be there. */
  readonly store?: PackageStore;
  readonly overrides?: RepresentativePackageOverrides;
  readonly hostedParties?: ReadonlySet<string>;
  readonly excludedParties?: ReadonlySet<string>;
  readonly multiSynchronizer?: boolean;
  readonly line?: '3.4' | '3.5';
}

const ACCEPTED: ContractOutcome = { outcome: 'accept' };
const DROPPED: ContractOutcome = { outcome: 'dropped', code: 'OTHER_SYNCHRONIZER' };
const EXCLUDED: ContractOutcome = { outcome: 'dropped', code: 'EXCLUDED' };
const ASSUME_ALL: PackageStore = { has: () => true, highest: () => undefined };

/** A judge for one record after another. */
export function contractPreflight(
  options: ContractPreflightOptions,
): (record: RecordView) => ContractPreflight {
  const view = new ContractView();
  const packages = options.packages ?? NO_PACKAGES;
  const hasher = new ContractHasher(packages);
  const store = options.store ?? ASSUME_ALL;
  const wanted = Buffer.from(options.synchronizerId, 'utf8');
  const synchronizers = new Interner(10_000);
  const problems: (string | undefined)[] = [];
  const synchronizerProblem = (record: RecordView): string | undefined => {
    const id = synchronizers.id(record.buf, record.synchronizerStart, record.synchronizerEnd);
    if (id < 0) return synchronizerIdProblem(record.synchronizerId);
    if (id === problems.length) problems.push(synchronizerIdProblem(record.synchronizerId));
    return problems[id];
  };
  const line = options.line ?? '3.5';

  return (record) => {
    let contractId = '';
    const result = (
      validation: ContractOutcome,
      accept: ContractOutcome,
      more: Partial<ContractPreflight> = {},
    ): ContractPreflight => ({
      record: record.index,
      byteOffset: record.offset,
      contractId,
      validation,
      accept,
      notes: [],
      packageAssumed: false,
      ...more,
    });
    const refuse = (step: ImportStep, code: string, reason: string): ContractPreflight => {
      const outcome: ContractOutcome = { outcome: 'reject', step, code, reason };
      return result(outcome, outcome);
    };
    if (record.inFlight) {
      return refuse('decode', 'IN_FLIGHT_RECORD', 'an empty record, of a contract in flight at the export');
    }
    view.of(record);
    let representative: string;
    let creation: string;
    try {
      const { blob } = view;
      contractId = blob.contractId;
      checkValue(blob.buf, blob.argumentStart, blob.argumentEnd);
      if (line === '3.4' && blob.serializationVersion === '2') {
        return refuse('decode', 'BLOB_UNSUPPORTED_VERSION', 'Canton 3.4 knows no contracts with keys');
      }
      representative = view.representativePackageId;
      if (representative !== '' && !isPackageId(representative)) {
        return refuse('decode', 'RECORD_BAD_PACKAGE_ID', 'the representative package id is not a package id');
      }
      const problem = synchronizerProblem(record);
      if (problem !== undefined) {
        return refuse('decode', 'SYNCHRONIZER_ID', `not a logical synchronizer id: ${problem}`);
      }
      if (blob.hasKey) checkValue(blob.buf, blob.keyValueStart, blob.keyValueEnd);
      requireCreatedAt(blob);
      creation = hasher.binder.bind(blob, '').template.packageId;
    } catch (error) {
      if (!(error instanceof AcsError)) throw error;
      return refuse('decode', error.code, error.message);
    }
    const { blob } = view;
    const selection = selectRepresentativePackage(
      {
        contractId,
        representativePackageId: representative,
        creationPackageId: creation,
        packageName: blob.packageName,
      },
      store,
      options.overrides,
    );
    const notes: string[] = [];
    if (selection.skippedOverrides.length > 0) notes.push('OVERRIDE_UNKNOWN_PACKAGE');
    if (selection.packageId === null) {
      return refuse(
        'package',
        'PACKAGE_MISSING',
        `the participant has neither package ${representative || creation} nor another named ${blob.packageName}`,
      );
    }
    const chosen = selection.packageId;
    const packageAssumed = packages.get(chosen) === undefined;
    if (selection.changed) notes.push('PACKAGE_CHANGED');
    const acceptPackage: ContractOutcome | undefined = selection.changed
      ? {
          outcome: 'reject',
          step: 'package',
          code: 'PACKAGE_CHANGED',
          reason: `mode ACCEPT refuses another package (${chosen}) than the exported one`,
        }
      : undefined;
    if (!record.counterIsZero && (line === '3.4' || options.multiSynchronizer !== true)) {
      const counter: ContractOutcome = {
        outcome: 'reject',
        step: 'counter',
        code: 'NON_ZERO_COUNTER',
        reason: `reassignment counter ${BigInt.asIntN(64, record.reassignmentCounter)}: refused unless the participant enables reassignments, even on another synchronizer`,
      };
      return result(counter, acceptPackage ?? counter, { notes, packageAssumed });
    }
    const foreign = !sameBytes(record.buf, record.synchronizerStart, record.synchronizerEnd, wanted);
    if (foreign && line === '3.5') {
      return result(DROPPED, acceptPackage ?? DROPPED, { notes, droppedFor: record.synchronizerId });
    }
    if (foreign) notes.push('OTHER_SYNCHRONIZER');
    if (hasStakeholder(view, options.excludedParties))
      return result(EXCLUDED, acceptPackage ?? EXCLUDED, { notes });
    if (options.hostedParties !== undefined && !hasStakeholder(view, options.hostedParties))
      notes.push('UNHOSTED');
    const verdict = authenticateWith(hasher, blob, chosen);
    for (const remark of verdict.remarks) if (remark !== 'NOT_CHECKABLE_OFFLINE') notes.push(remark);
    return result(validationOutcome(verdict, view), acceptPackage ?? acceptOutcome(verdict), {
      notes,
      representativePackageId: chosen,
      packageAssumed,
      fingerprintSource: { buf: blob.buf, start: blob.contractIdStart, end: blob.contractIdEnd },
    });
  };
}

/** Step 8: ids are parsed in mode ACCEPT too. */
function acceptOutcome(verdict: Verdict): ContractOutcome {
  if (verdict.code !== 'MALFORMED_ID' && verdict.code !== 'UNSUPPORTED_VERSION') return ACCEPTED;
  return {
    outcome: 'reject',
    step: 'id',
    code: verdict.code,
    reason: verdict.reason ?? 'malformed contract id',
  };
}

function validationOutcome(verdict: Verdict, view: ContractView): ContractOutcome {
  const reason = verdict.reason ?? '';
  const rejected = (step: ImportStep): ContractOutcome => ({
    outcome: 'reject',
    step,
    code: verdict.code,
    reason,
  });
  if (verdict.version === 'V2_0') {
    return {
      outcome: 'reject',
      step: 'version',
      code: 'VERSION_NOT_IMPORTABLE',
      reason: 'the id’s version is above what a synchronizer supports (V12)',
    };
  }
  switch (verdict.code) {
    case 'MALFORMED_ID':
    case 'UNSUPPORTED_VERSION':
      return rejected('version');
    case 'NEEDS_PACKAGE':
      return {
        outcome: 'unknown',
        step: 'authenticate',
        code: 'NEEDS_PACKAGE',
        reason: `package ${verdict.packageId ?? ''} is needed to tell: give its DAR`,
      };
    case 'MISMATCH':
      if (verdict.remarks.includes('KEY_HASH_MISMATCH')) return keyOutcome(view);
      return rejected('authenticate');
    case 'VALID':
      if (
        verdict.remarks.includes('TYPES_NOT_CHECKED') ||
        verdict.remarks.includes('TYPES_OF_OTHER_PACKAGE')
      ) {
        return {
          outcome: 'unknown',
          step: 'authenticate',
          code: 'TYPES_NOT_CHECKED',
          reason: 'the id holds, but the type check needs the DAR of the package that the import uses',
        };
      }
      return ACCEPTED;
    default:
      return rejected('authenticate');
  }
}

/**
 * The stored key hash is not that of the key. The engine never looks at the hash, but compares the key with the one the
 * template computes. Templates take keys from their argument: a key made of other values was changed.
 */
function keyOutcome(view: ContractView): ContractOutcome {
  const { blob } = view;
  const inside = new Set<string>();
  eachScalar(decodeValue(blob.buf, blob.argumentStart, blob.argumentEnd), (leaf) => inside.add(leaf));
  let changed = false;
  eachScalar(decodeValue(blob.buf, blob.keyValueStart, blob.keyValueEnd), (leaf) => {
    if (!inside.has(leaf)) changed = true;
  });
  return changed
    ? {
        outcome: 'reject',
        step: 'authenticate',
        code: 'KEY_CHANGED',
        reason: 'the key holds values that are not in the argument, and its hash is another key’s (inferred)',
      }
    : {
        outcome: 'accept',
        code: 'KEY_HASH_MISMATCH',
        reason: 'imported, but not to be found by its key (inferred)',
      };
}

function eachScalar(value: LfValue, use: (leaf: string) => void): void {
  switch (value.kind) {
    case 'record':
      for (const field of value.fields) eachScalar(field, use);
      return;
    case 'list':
      for (const item of value.items) eachScalar(item, use);
      return;
    case 'genMap':
      for (const [key, item] of value.entries) {
        eachScalar(key, use);
        eachScalar(item, use);
      }
      return;
    case 'textMap':
      for (const [key, item] of value.entries) {
        use(`text ${key}`);
        eachScalar(item, use);
      }
      return;
    case 'optional':
      if (value.value !== null) eachScalar(value.value, use);
      return;
    case 'variant':
      eachScalar(value.value, use);
      return;
    case 'unit':
      return;
    case 'enum':
      use(`enum ${value.tag}`);
      return;
    default:
      use(`${value.kind} ${value.value}`);
  }
}

function sameBytes(buf: Buffer, start: number, end: number, other: Buffer): boolean {
  if (end - start !== other.length) return false;
  for (let i = 0; i < other.length; i++) if (buf[start + i] !== other[i]) return false;
  return true;
}

function hasStakeholder(view: ContractView, parties: ReadonlySet<string> | undefined): boolean {
  if (parties === undefined || parties.size === 0) return false;
  const { blob } = view;
  for (const borders of [blob.signatoryBorders, blob.maintainerBorders, blob.observerBorders]) {
    for (let i = 0; i < borders.length; i += 2) {
      if (parties.has(blob.buf.toString('latin1', borders[i], borders[i + 1]))) return true;
    }
  }
  return false;
}
