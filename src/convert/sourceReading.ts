/** What the readers of one input share: options, where contracts and findings go. */
import type { RecordView } from '../snapshot/record.js';
import type { InflateOptions } from '../wire/inflate.js';
import type { FindingCollector } from './findingCollector.js';
import type { ResponseItem } from './ledgerApiV2.js';
import type { SourceContract, SourceFindingCode, SourceFormat } from './sourceContract.js';

export interface ReadSourceOptions extends InflateOptions {
  /** Reads the input as this form; without it the form is recognised. */
  format?: SourceFormat;
  /** Counts that look like a limit. Default 1000, the default of the 2.x console. */
  expectLimit?: number;
  maxRecordBytes?: number;
  /**
   * Called first for every contract of a format-A snapshot; true means that it is dealt with and no source contract is
   * made of it. Who takes a copy for later may `revisit` it then: this is what would have been done for false. `ordinal`
   * counts the contracts of the input.
   */
  onRecord?: (record: RecordView, ordinal: number, revisit: Revisit) => boolean;
  /** The same for the bodies of format-B frames. */
  onOldRecord?: (buf: Buffer, start: number, end: number) => boolean;
  /** Awaited after every chunk: back-pressure. */
  afterChunk?: () => Promise<void> | void;
  /** Awaited after the last record, and before an error of the reading is thrown: what came before it comes first. */
  beforeEnd?: () => Promise<void>;
}

export type Revisit = (record: RecordView, ordinal: number) => void;

/** State shared by the readers of one input. */
export interface Reading {
  name: string;
  /** `revisited`: the number of a contract that was counted before. */
  visit: (contract: SourceContract, line?: number, revisited?: number) => void;
  /** Counts a contract without created_event_blob. */
  noBlob: (contractId: string) => void;
  /** Counts a contract that needs no visit, or none now. */
  handled: () => void;
  /** Contracts so far. */
  contracts: () => number;
  findings: FindingCollector<SourceFindingCode>;
  /** Moments the input names. */
  offsets: Set<string>;
  options: ReadSourceOptions;
}

/** Takes chunks, then `undefined` for the end. */
export type Push = (chunk: Buffer | undefined) => void;

export function takeItem(found: ResponseItem, reading: Reading): void {
  if (found.kind === 'contract') reading.visit(found.contract);
  else if (found.kind === 'in-flight') inFlight(reading, found.contractId);
  else if (found.offset !== undefined) reading.offsets.add(found.offset);
}

export function inFlight(reading: Reading, contractId: string | undefined): void {
  reading.findings.add(
    'IN_FLIGHT',
    'contracts were in flight between synchronizers: they are not part of the result',
    contractId,
  );
}
