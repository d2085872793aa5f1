/**
 * One contract as some ledger wrote it down, with holes where that form says nothing: the common model of every reader
 * (legacy-import spec, section 1.1; snapshot-format spec, section 9).
 */
import type { ContractInstance } from '../contract/contractInstance.js';
import type { LfValue } from '../contract/value.js';
import type { TemplateId } from '../snapshot/eventValues.js';

/** Every form that can be read. The letters are those of the snapshot-format spec. */
export const SOURCE_FORMATS = [
  'A',
  'B',
  'C',
  'D',
  'E',
  'ledger-api-v1',
  'ledger-api-v1-json',
  'ledger-api-v2',
  'ledger-api-v2-json',
  'json-api-v1',
  'json-api-v1-stream',
  'json-ledger-api-v2',
  'scan-snapshot',
  'scan-events',
] as const;

export type SourceFormat = (typeof SOURCE_FORMATS)[number];

export const SOURCE_FORMAT_NAMES: Readonly<Record<SourceFormat, string>> = {
  A: 'A, current snapshot (Canton 3.3 and later)',
  B: 'B, old snapshot (Canton 3.0 to 3.4, ExportAcsOld)',
  C: 'C, snapshot of Canton 2.8 to 2.10 (repair.export_acs)',
  D: 'D, text dump of Canton 2.7 to 2.10 (repair.download)',
  E: 'E, text dump of Canton 2.5 to 2.6 (repair.download)',
  'ledger-api-v1': 'Ledger API v1 GetActiveContracts responses (length-delimited protobuf)',
  'ledger-api-v1-json': 'Ledger API v1 GetActiveContracts responses (JSON of the protobuf)',
  'ledger-api-v2': 'Ledger API v2 GetActiveContracts responses (length-delimited protobuf)',
  'ledger-api-v2-json': 'Ledger API v2 GetActiveContracts responses (JSON of the protobuf)',
  'json-api-v1': 'JSON API v1 /v1/query answer',
  'json-api-v1-stream': 'JSON API v1 /v1/stream/query documents',
  'json-ledger-api-v2': 'JSON Ledger API v2 /v2/state/active-contracts answer',
  'scan-snapshot': 'Scan answer with a base64 snapshot (acs_snapshot)',
  'scan-events': 'Scan created events (pages of /v0/state/acs, or bulk JSON lines)',
};

/** A value as the source has it. */
export type SourceValue =
  | { readonly form: 'value'; readonly value: LfValue }
  /** The serialized LF value of the 3.x line, verbatim. */
  | { readonly form: 'bytes'; readonly bytes: Buffer }
  /** JSON without types: needs the package to become a value. `dialect` says whose rules (daml-lf spec, 3.3). */
  | { readonly form: 'json'; readonly text: string; readonly dialect: 'canton3' | 'daml2' };

export interface SourceKey {
  readonly value: SourceValue;
  /** Unknown in the JSON forms and in the Ledger API. */
  readonly maintainers?: readonly string[];
  /** 32 bytes, when the source has it. */
  readonly hash?: Buffer;
}

export interface SourceContract {
  readonly format: SourceFormat;
  /** As written: lower-case hex on Canton, anything (`#12:0`) before. */
  readonly contractId: string;
  /** The package id may be `#name` or, in old JSON, empty. */
  readonly templateId: TemplateId;
  readonly packageName?: string;
  readonly argument: SourceValue;
  readonly key?: SourceKey;
  /** Key maintainers included. */
  readonly signatories: readonly string[];
  /** Stakeholders that are not signatories. */
  readonly observers: readonly string[];
  readonly witnesses?: readonly string[];
  /** Microseconds since the epoch. */
  readonly createdAt?: bigint;
  /** As a 3.x blob holds it (snapshot-format spec, 5.6). */
  readonly authenticationData?: Buffer;
  /** A 2.x salt (32 bytes); it authenticates nothing on 3.x. */
  readonly legacySalt?: Buffer;
  /** `created_event_blob` of the 3.x line; authoritative where present. */
  readonly blob?: Buffer;
  /** The blob, decoded; present exactly when `blob` is. */
  readonly instance?: ContractInstance;
  /** The serialized Ledger API v2 `CreatedEvent`, verbatim, where the source has it. */
  readonly event?: Buffer;
  readonly synchronizerId?: string;
  readonly reassignmentCounter?: bigint;
  readonly offset?: bigint;
  readonly nodeId?: number;
  readonly representativePackageId?: string;
  /** The Daml-LF line of the payload: `1` cannot be imported into Canton 3. */
  readonly lfLine?: '1' | '2';
}

/** Where a contract stands in its input. */
export interface SourcePlace {
  readonly file: string;
  /** 0-based number of the contract in the input. */
  readonly record: number;
  /** 1-based, text forms only. */
  readonly line?: number;
}

/** Contract ids named with a finding; the count is exact, the list is cut. */
export const FINDING_EXAMPLES = 10;

export type SourceFindingCode =
  /** The number of contracts is exactly a console or server limit: the dump was probably cut. */
  | 'SUSPICIOUS_COUNT'
  /** Created events without blob. */
  | 'NO_BLOB'
  /** Created and archived again inside the input, or not part of the active set: left out. */
  | 'TRANSIENT'
  /** Several reads that are not of one moment. */
  | 'NO_COMMON_CUT'
  /** Unassigned but not yet assigned: not in the result. */
  | 'IN_FLIGHT'
  /** An answer that says it is not complete. */
  | 'INCOMPLETE_ANSWER'
  /** The same contract twice in one input. */
  | 'DUPLICATE'
  /** Types were given by a DAR whose package is not that of the contract. */
  | 'SALVAGED_TYPES';

export interface SourceFinding {
  readonly code: SourceFindingCode;
  readonly message: string;
  readonly count: number;
  /** The first few contract ids. */
  readonly examples: readonly string[];
}
