/** Commitments of whatever `acs commitment` is given: a snapshot file or a store. */

import type { CommitmentScheme, GroupRow } from '../commitment/commitmentScheme.js';
import type { CounterParticipantCommitment } from '../commitment/commitments.js';
import { type HostingMap, participantUid } from '../commitment/hostingMap.js';
import { commitmentsOfSnapshot } from '../commitment/snapshotStates.js';
import { readManifest } from '../contract/manifest.js';
import { formatMicros, parseMicros } from '../contract/time.js';
import { partiesLeftOut } from '../diff/scope.js';
import { AcsError, usageError } from '../io/error.js';
import type { ScanOptions } from '../snapshot/scan.js';
import { commitmentsOfStore, ownRow, storeStates } from '../store/commitments.js';
import { isDatabaseFile, withStore } from '../store/open.js';
import { parseOffset } from './storeOptions.js';

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
  with?: string | undefined;
  source?: string | undefined;
  offset?: string | undefined;
  at?: string | undefined;
  keep?: boolean | undefined;
}

export async function computeCommitments(
  file: string,
  options: ComputeOptions,
): Promise<ComputedCommitments> {
  const { hosting, participant, scheme } = options;
  if (file !== '-' && isDatabaseFile(file)) return ofStore(file, options);
  for (const name of ['source', 'offset', 'at', 'keep'] as const) {
    if (options[name]) throw usageError(`--${name} is for a store`, `${file} is no store`);
  }
  await refusePartial(file, hosting, participant);
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

/** A file of some parties gives another hash than the participant's, which must not be taken for it. */
async function refusePartial(file: string, hosting: HostingMap, participant: string): Promise<void> {
  if (file === '-') return;
  const parties = (await readManifest(file))?.parties;
  const uid = participantUid(hosting, participant);
  const leftOut = partiesLeftOut(hosting, { participant: uid, parties });
  if (leftOut.length === 0) return;
  throw new AcsError('COMMITMENT_PARTIAL', 'a commitment needs every contract the participant sees', {
    file,
    expected: 'the contracts of every party it hosts',
    found: `by the manifest, nothing of ${leftOut.join(', ')} alone`,
    hint: 'export without a filter, or for every party the participant hosts',
  });
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
      offset: parseOffset(options.offset, '--offset'),
      at: options.at === undefined ? undefined : parseMicros(options.at),
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
        lastRecordTime: states.lastRecordTime === undefined ? null : formatMicros(states.lastRecordTime),
        changes: states.changes,
        incremental: states.incremental,
      },
    };
  });
}
