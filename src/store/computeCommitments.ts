/** The commitments of a participant from a snapshot file or from a store, whichever is given. */
import type { CommitmentScheme, GroupRow } from '../commitment/commitmentScheme.js';
import type { CounterParticipantCommitment } from '../commitment/commitments.js';
import type { HostingMap } from '../commitment/hostingMap.js';
import { commitmentsOfSnapshot } from '../commitment/snapshotStates.js';
import { formatMicros } from '../contract/time.js';
import { usageError } from '../io/error.js';
import type { ScanOptions } from '../snapshot/scan.js';
import { commitmentsOfStore, ownRow, storeStates } from './commitments.js';
import { isDatabaseFile, withStore } from './open.js';

export interface ComputedCommitments {
  file: string;
  synchronizer: string;
  contracts: number;
  /** Contracts on other synchronizers; 0 for a store, which is asked for one. */
  elsewhere: number;
  inFlight: number;
  commitments: CounterParticipantCommitment[];
  /** The group states, each group once. */
  rows(): Iterable<GroupRow>;
  store?: {
    source: string;
    offset: string;
    /** Updates up to the tick asked for may be missing. */
    behind: boolean;
    lastRecordTime: string | null;
    /** Activations and deactivations hashed for this answer. */
    changes: number;
    incremental: boolean;
  };
}

export interface ComputeOptions {
  hosting: HostingMap;
  participant: string;
  scheme: CommitmentScheme;
  scan: ScanOptions;
  synchronizer?: string | undefined;
  threads?: number | undefined;
  /** The rest is for a store. */
  source?: string | undefined;
  /** Ledger offset, inclusive; default the last one known. */
  offset?: bigint | undefined;
  /** Instead of an offset: a tick, in microseconds. */
  at?: bigint | undefined;
  /** Keep the running states for the next question. */
  keep?: boolean | undefined;
}

/**
 * Throws what {@link commitmentsOfSnapshot} and {@link storeStates} throw, and `USAGE` for an option of a store with a file.
 */
export async function computeCommitments(
  file: string,
  options: ComputeOptions,
): Promise<ComputedCommitments> {
  const { hosting, participant, scheme } = options;
  if (file !== '-' && isDatabaseFile(file)) return ofStore(file, options);
  for (const name of ['source', 'offset', 'at', 'keep'] as const) {
    if (options[name] !== undefined && options[name] !== false)
      throw usageError(`--${name} is for a store`, `${file} is no store`);
  }
  const found = await commitmentsOfSnapshot(file, {
    hosting,
    participant,
    scheme,
    scan: options.scan,
    ...(options.synchronizer === undefined ? {} : { synchronizer: options.synchronizer }),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  });
  return {
    file: found.facts.name,
    synchronizer: found.synchronizer,
    contracts: found.contracts,
    elsewhere: found.elsewhere,
    inFlight: found.facts.inFlight,
    commitments: found.commitments,
    rows: () => found.states.rows(),
  };
}

async function ofStore(file: string, options: ComputeOptions): Promise<ComputedCommitments> {
  const { hosting, participant, scheme } = options;
  if (options.offset !== undefined && options.at !== undefined) {
    throw usageError('--offset and --at exclude each other', 'give one of them');
  }
  return withStore(file, { write: options.keep === true }, ({ db }) => {
    const states = storeStates(db, {
      source: options.source,
      synchronizer: options.synchronizer ?? hosting.synchronizerId,
      offset: options.offset,
      at: options.at,
      scheme,
      keep: options.keep === true,
    });
    // The store is closed when this returns: the rows are read now.
    const rows: GroupRow[] = [];
    for (const row of states.rows()) rows.push(ownRow(row));
    return {
      file,
      synchronizer: states.synchronizer,
      contracts: states.contracts,
      elsewhere: 0,
      inFlight: 0,
      commitments: commitmentsOfStore({ ...states, rows: () => rows }, scheme, hosting, participant),
      rows: () => rows,
      store: {
        source: states.source,
        offset: states.offset.toString(),
        behind: states.behind,
        lastRecordTime: states.lastRecordTime === undefined ? null : formatMicros(states.lastRecordTime),
        changes: states.changes,
        incremental: states.incremental,
      },
    };
  });
}
