/** Running states and commitments of a snapshot file, in one pass; memory grows with the stakeholder groups, and by 8 bytes per contract. */
import { availableParallelism } from 'node:os';
import { ContractView } from '../contract/contractView.js';
import { fingerprintInto } from '../contract/idTable.js';
import { readManifest } from '../contract/manifest.js';
import { type RepeatedIds, repeatedIds } from '../contract/repeatedIds.js';
import { AcsError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import type { RecordView } from '../snapshot/record.js';
import { type ScanOptions, type SnapshotFacts, scanSnapshot } from '../snapshot/scan.js';
import { Interner } from '../wire/interner.js';
import { decodeUtf8 } from '../wire/reader.js';
import type { CommitmentScheme } from './commitmentScheme.js';
import { type CounterParticipantCommitment, commitmentsOf } from './commitments.js';
import { type GroupState, GroupStates } from './groups.js';
import { partiesLeftOut } from './hostedParties.js';
import { type HostingMap, participantUid } from './hostingMap.js';
import type { EngineKind } from './ltHashEngine.js';

export interface SnapshotStatesOptions {
  scheme?: CommitmentScheme;
  engine?: EngineKind;
  /** Only contracts on this synchronizer (logical id); the others are counted, not hashed. */
  synchronizer?: string;
  scan?: ScanOptions;
  /** Threads to hash on beside this one; default: as many as pay off on this machine. Small files need none. */
  threads?: number;
}

/** Contracts from which on starting a thread pays off. */
const THREADS_FROM_CONTRACTS = 20_000;

/** Reading feeds about two hashing threads. */
function usefulThreads(): number {
  return Math.max(0, Math.min(2, availableParallelism() - 1));
}

export interface SnapshotStates {
  facts: SnapshotFacts;
  /** Contracts per synchronizer, in order of appearance, hashed or not. In-flight records belong to none. */
  contracts: Map<string, number>;
  /** The states per synchronizer; only the wanted one with {@link SnapshotStatesOptions.synchronizer}. */
  states: Map<string, GroupStates>;
  /** Contracts that seem to stand more than once in the file, by synchronizer; see `repeatedIds`. */
  repeated: Map<string, number>;
}

/** Contracts whose ids are kept at once. */
const ID_BATCH = 512;
/** So many repeated contracts are counted. */
const MAX_REPEATED = 1000;

interface SynchronizerTally {
  /** Bytes of the synchronizer id in the records. */
  id: Buffer;
  contracts: number;
  states: GroupStates | undefined;
  /** States per sequence of stakeholders as they stand in a record. */
  known: Map<string, readonly GroupState[]>;
  ids: RepeatedIds | undefined;
  /** Fingerprints of the ids on their way into the list. */
  fingerprints: Uint32Array;
  waiting: number;
}

function noteId(tally: SynchronizerTally, buf: Buffer, start: number, end: number): void {
  fingerprintInto(buf, start, end, tally.fingerprints, 2 * tally.waiting);
  if (++tally.waiting === ID_BATCH) flushIds(tally);
}

function flushIds(tally: SynchronizerTally): void {
  tally.ids?.add(tally.fingerprints.subarray(0, 2 * tally.waiting));
  tally.waiting = 0;
}

/**
 * Hashes every contract of a snapshot into the group states of its synchronizer. Where the blob and the event of a record
 * disagree the blob decides. A contract that stands twice in the
 * file is hashed twice; see {@link SnapshotStates.repeated}. Throws what {@link scanSnapshot} throws.
 */
export async function groupStatesOfSnapshot(
  input: ByteInput,
  options: SnapshotStatesOptions = {},
): Promise<SnapshotStates> {
  const contract = new ContractView();
  const parties = new Interner();
  const tallies: SynchronizerTally[] = [];
  let current: SynchronizerTally | undefined;

  const tallyOf = (record: RecordView): SynchronizerTally => {
    const { buf, synchronizerStart: start, synchronizerEnd: end } = record;
    const matches = (t: SynchronizerTally) => t.id.compare(buf, start, end) === 0;
    if (current !== undefined && matches(current)) return current;
    current = tallies.find(matches);
    if (current === undefined) {
      const id = record.synchronizerId;
      const wanted = options.synchronizer === undefined || options.synchronizer === id;
      current = {
        id: Buffer.from(id),
        contracts: 0,
        states: wanted
          ? new GroupStates({
              ...(options.scheme === undefined ? {} : { scheme: options.scheme }),
              ...(options.engine === undefined ? {} : { engine: options.engine }),
            })
          : undefined,
        known: new Map(),
        ids: wanted ? repeatedIds() : undefined,
        fingerprints: new Uint32Array(wanted ? 2 * ID_BATCH : 0),
        waiting: 0,
      };
      tallies.push(current);
    }
    return current;
  };

  let threads = options.threads ?? usefulThreads();
  let key = '';
  /** False when there are too many different parties to number them all: then the names are looked up. */
  let numbered = true;
  const take = (buf: Buffer, start: number, end: number): void => {
    const id = parties.id(buf, start, end);
    if (id < 0) numbered = false;
    else key += String.fromCharCode(id & 0x7fff, id >>> 15);
  };

  const visit = (record: RecordView): void => {
    if (record.inFlight) return;
    const tally = tallyOf(record);
    tally.contracts++;
    const states = tally.states;
    if (states === undefined) return;
    if (tally.contracts >= THREADS_FROM_CONTRACTS && threads > 0) {
      states.startThreads(threads);
      threads = 0;
    }
    contract.of(record);
    key = '';
    numbered = true;
    eachStakeholder(contract, take);
    let changed = numbered ? tally.known.get(key) : undefined;
    if (changed === undefined) {
      const names: string[] = [];
      eachStakeholder(contract, (buf, start, end) => names.push(decodeUtf8(buf, start, end)));
      if (names.length === 0) {
        throw new AcsError('COMMITMENT_NO_STAKEHOLDERS', 'a contract without stakeholders', {
          contractId: contract.contractId,
        });
      }
      changed = states.statesFor(names);
      if (numbered) tally.known.set(key, changed);
    }
    const counter = record.counterIsZero ? 0n : signedCounter(record);
    if (contract.hasBlob) {
      const { buf, contractIdStart, contractIdEnd } = contract.blob;
      states.changeStatesRaw(changed, buf, contractIdStart, contractIdEnd, counter, 1);
      noteId(tally, buf, contractIdStart, contractIdEnd);
    } else {
      states.changeStates(changed, contract.contractId, counter, 1);
      const id = Buffer.from(contract.contractId, 'hex');
      noteId(tally, id, 0, id.length);
    }
  };
  let facts: SnapshotFacts;
  try {
    facts = await scanSnapshot(input, visit, options.scan);
    for (const { states } of tallies) await states?.settle();
  } catch (error) {
    for (const { states } of tallies) await states?.abandon();
    throw error;
  }
  const found: SnapshotStates = { facts, contracts: new Map(), states: new Map(), repeated: new Map() };
  for (const tally of tallies) {
    const id = tally.id.toString();
    found.contracts.set(id, tally.contracts);
    if (tally.states !== undefined) found.states.set(id, tally.states);
    flushIds(tally);
    const repeated = tally.ids?.repeated(MAX_REPEATED).size ?? 0;
    if (repeated > 0) found.repeated.set(id, repeated);
  }
  return found;
}

/** The blob decides, because it is what a participant stores; only a record without blob is read from its event. */
function eachStakeholder(
  contract: ContractView,
  use: (buf: Buffer, start: number, end: number) => void,
): void {
  if (!contract.hasBlob) {
    contract.eachStakeholder(use);
    return;
  }
  const { buf, signatoryBorders, maintainerBorders, observerBorders } = contract.blob;
  for (const borders of [signatoryBorders, maintainerBorders, observerBorders]) {
    for (let i = 0; i < borders.length; i += 2) use(buf, borders[i]!, borders[i + 1]!);
  }
}

/** Canton reads the unsigned field as a signed number. */
function signedCounter(record: RecordView): bigint {
  return BigInt.asIntN(64, record.reassignmentCounter);
}

export interface SnapshotCommitmentOptions extends Omit<SnapshotStatesOptions, 'synchronizer'> {
  hosting: HostingMap;
  /** Name, uid or id of the participant whose snapshot this is. */
  participant: string;
  /** Logical synchronizer id; without it the hosting map's, else the only one in the file. */
  synchronizer?: string;
}

export interface SnapshotCommitments {
  facts: SnapshotFacts;
  /** The synchronizer the commitments are for. */
  synchronizer: string;
  /** Contracts hashed. */
  contracts: number;
  /** Contracts of other synchronizers, which do not count. */
  elsewhere: number;
  states: GroupStates;
  commitments: CounterParticipantCommitment[];
}

/**
 * The commitments that `participant` exchanges if the file holds its active contracts at the tick. They are those of the
 * node exactly when the file was exported for every party the participant hosts, nothing excluded, with the hosting of
 * the tick. Throws `COMMITMENT_WHICH_SYNCHRONIZER`, `COMMITMENT_DUPLICATE_CONTRACT`, `HOSTING_UNKNOWN_PARTICIPANT`, and
 * `COMMITMENT_PARTIAL` when the manifest of the file says that parties were left out.
 */
export async function commitmentsOfSnapshot(
  input: ByteInput,
  options: SnapshotCommitmentOptions,
): Promise<SnapshotCommitments> {
  const participant = participantUid(options.hosting, options.participant);
  await refusePartial(input, options.hosting, participant);
  const wanted = options.synchronizer ?? options.hosting.synchronizerId;
  const { facts, contracts, states, repeated } = await groupStatesOfSnapshot(input, {
    ...options,
    ...(wanted === undefined ? {} : { synchronizer: wanted }),
  });
  const synchronizer = wanted ?? [...contracts.keys()][0];
  if (synchronizer === undefined || (wanted === undefined && contracts.size > 1)) {
    throw new AcsError('COMMITMENT_WHICH_SYNCHRONIZER', 'it is not clear which synchronizer is meant', {
      file: facts.name,
      found: contracts.size === 0 ? 'no contract' : [...contracts.keys()].join(', '),
      hint: 'name the synchronizer, or put synchronizer_id into the hosting map',
      exitCode: 2,
    });
  }
  const twice = repeated.get(synchronizer);
  if (twice !== undefined) {
    throw new AcsError(
      'COMMITMENT_DUPLICATE_CONTRACT',
      'contracts stand more than once in the file: what it gives is no commitment of a participant',
      {
        file: facts.name,
        expected: 'every contract once per synchronizer',
        found:
          twice === MAX_REPEATED
            ? `${twice} or more that do not`
            : `${twice} that ${twice === 1 ? 'does' : 'do'} not`,
        hint: '`acs verify` names them, `acs merge` removes exact duplicates',
      },
    );
  }
  let elsewhere = 0;
  for (const [id, count] of contracts) if (id !== synchronizer) elsewhere += count;
  const own = states.get(synchronizer) ?? new GroupStates(options);
  return {
    facts,
    synchronizer,
    contracts: contracts.get(synchronizer) ?? 0,
    elsewhere,
    states: own,
    commitments: commitmentsOf(own, options.hosting, participant),
  };
}

/** A file of some parties gives another hash than the participant's, which must not be taken for it. */
async function refusePartial(input: ByteInput, hosting: HostingMap, participant: string): Promise<void> {
  if (typeof input !== 'string' || input === '-') return;
  const parties = (await readManifest(input))?.parties;
  const leftOut = partiesLeftOut(hosting, { participant, parties });
  if (leftOut.length === 0) return;
  throw new AcsError('COMMITMENT_PARTIAL', 'a commitment needs every contract the participant sees', {
    file: input,
    expected: 'the contracts of every party it hosts',
    found: `by the manifest, nothing of ${leftOut.join(', ')} alone`,
    hint: 'export without a filter, or for every party the participant hosts',
  });
}
