/** The commitments of a participant at a tick: what it exchanges with each counter-participant. */

import type { CommitmentScheme, CounterParticipantDigest, GroupRow } from './commitmentScheme.js';
import type { GroupStates } from './groups.js';
import { type HostingMap, participantUid } from './hostingMap.js';
import type { LtHashEngine } from './ltHashEngine.js';
import { commitmentOf } from './lthash16.js';
import { openEngine } from './openEngine.js';

export interface CounterParticipantCommitment extends CounterParticipantDigest {
  /** The 34-byte multihash that is sent, stored and returned by a node. */
  commitment: Buffer;
}

/**
 * The commitments that `participant` (name, uid or id) exchanges, sorted by counter-participant uid, from its running
 * states and the hosting at the tick. A participant without shared contracts is left out: a node sends it nothing.
 * Throws `HOSTING_UNKNOWN_PARTICIPANT`, `COMMITMENT_SET_VIOLATED`.
 */
export function commitmentsOf(
  states: GroupStates,
  hosting: HostingMap,
  participant: string,
): CounterParticipantCommitment[] {
  return commitmentsOfRows(states.scheme, states.rows(), hosting, participant, states.engine);
}

/** The same from states that lie elsewhere, read one after the other in any order, each group once. */
export function commitmentsOfRows(
  scheme: CommitmentScheme,
  rows: Iterable<GroupRow>,
  hosting: HostingMap,
  participant: string,
  engine: LtHashEngine = openEngine(scheme.expansion),
): CounterParticipantCommitment[] {
  return scheme
    .digests(rows, hosting, participantUid(hosting, participant), engine)
    .map((pair) => ({ ...pair, commitment: commitmentOf(pair.digest) }));
}
