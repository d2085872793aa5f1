/**
 * What can be compared: a snapshot file, an opened commitment, or anything else that can show its contracts to a
 * {@link DiffSink}, such as a store at an offset.
 */
import { createHash } from 'node:crypto';
import { readOpenCommitment } from '../commitment/openCommitment.js';
import { readManifest } from '../contract/manifest.js';
import { readChunks } from '../io/input.js';
import type { RecordView } from '../snapshot/record.js';
import { type ScanOptions, scanSnapshot } from '../snapshot/scan.js';

export type DiffSourceKind = 'snapshot' | 'store' | 'opened-commitment';

/** Takes what an input shows. Every contract may come once per synchronizer, in any order. */
export interface DiffSink {
  /** A record of a snapshot file; in-flight records without content are ignored. */
  record(view: RecordView): void;
  /** A contract of which only id and counter are known. */
  opened(contractId: string, reassignmentCounter: bigint): void;
  /** A contract with its blob. */
  contract(contract: DiffContract): void;
}

export interface DiffContract {
  createdEventBlob: Buffer;
  synchronizerId: string;
  reassignmentCounter: bigint;
  /** Empty: the package of its creation. */
  representativePackageId: string;
  /** Unassigned and not yet assigned; the counter is that of the unassignment. */
  inFlight?: boolean;
}

/** Why a contract is not active, as a store may know it. */
export interface InactiveStatus {
  state: 'archived' | 'purged';
  /** Record time in microseconds, when known. */
  at?: bigint;
}

export interface DiffSourceFacts {
  contracts: number;
  /** Contracts in flight of which the input does not even show the id. */
  inFlightUnknown: number;
  /** Per synchronizer the record time (microseconds) at which the input was cut, where known. */
  recordTimes: ReadonlyMap<string, bigint>;
  /**
   * Per synchronizer the last record time a store has seen up to its offset, when nobody chose one: its contracts may have
   * stood like this for longer.
   */
  seenTimes?: ReadonlyMap<string, bigint>;
  /** A store that was last seen (microseconds) before the record time it is to answer for: updates up to it may be missing. */
  behind?: { synchronizer: string; lastSeen: bigint; recordTime: bigint };
}

export interface DiffSource {
  /** How the input is called in results. */
  readonly name: string;
  readonly kind: DiffSourceKind;
  /** Uid of the participant whose view this is, when known. */
  readonly participant?: string | undefined;
  /** The parties the input was exported for, when known. */
  readonly parties?: readonly string[] | undefined;
  /** Path under which it can be opened again, when it has one. */
  readonly path?: string | undefined;
  /**
   * Where the contracts lie, when all that is shown are the records of a snapshot file: then another thread can read them.
   */
  readonly records?:
    | { path: string; scan: ScanOptions; recordTimes: ReadonlyMap<string, bigint> }
    | undefined;
  /**
   * Shows every contract. Can be called again and shows the same. `afterChunk` is awaited now and then with the number
   * of contracts shown so far.
   */
  read(sink: DiffSink, afterChunk?: (contracts: number) => Promise<void> | void): Promise<DiffSourceFacts>;
  /** SHA-256 (hex) that stands for all the input shows. */
  digest?(): Promise<string>;
  /** What is known of contracts (lower-case hex) that are not active here. Ids nothing is known of are left out. */
  inactive?(contractIds: readonly string[]): Promise<ReadonlyMap<string, InactiveStatus>>;
}

export interface FileSourceOptions {
  /** Default: the path. */
  name?: string | undefined;
  /** Participant uid. */
  participant?: string | undefined;
  /** Record time of the export per synchronizer, microseconds. */
  recordTimes?: ReadonlyMap<string, bigint> | undefined;
  scan?: ScanOptions | undefined;
}

/** A snapshot file. Participant and parties are taken from its manifest when there is one. */
export async function snapshotSource(path: string, options: FileSourceOptions = {}): Promise<DiffSource> {
  const manifest = await readManifest(path);
  const recordTimes = options.recordTimes ?? new Map<string, bigint>();
  return {
    name: options.name ?? path,
    kind: 'snapshot',
    participant: options.participant ?? manifest?.participant,
    path,
    parties: manifest?.parties,
    records: { path, scan: options.scan ?? {}, recordTimes },
    async read(sink, afterChunk) {
      let records = 0;
      const facts = await scanSnapshot(
        path,
        (record) => {
          records++;
          sink.record(record);
        },
        { ...options.scan, afterChunk: () => afterChunk?.(records) },
      );
      return {
        contracts: facts.records - facts.inFlight,
        inFlightUnknown: facts.inFlight,
        recordTimes,
      };
    },
    digest: () => fileDigest(path),
  };
}

async function fileDigest(path: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of readChunks(path)) digest.update(chunk);
  return digest.digest('hex');
}

/** An opened commitment: ids and counters of the contracts shared with one counter-participant. */
export function openedCommitmentSource(path: string, options: FileSourceOptions = {}): DiffSource {
  return {
    name: options.name ?? path,
    kind: 'opened-commitment',
    participant: options.participant,
    path,
    digest: () => fileDigest(path),
    async read(sink, afterChunk) {
      let contracts = 0;
      for await (const batch of readOpenCommitment(path)) {
        for (const { contractId, reassignmentCounter } of batch) sink.opened(contractId, reassignmentCounter);
        contracts += batch.length;
        await afterChunk?.(contracts);
      }
      return { contracts, inFlightUnknown: 0, recordTimes: options.recordTimes ?? new Map() };
    },
  };
}
