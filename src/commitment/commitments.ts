/** The commitments of a participant at a tick: what it exchanges with each counter-participant. */
import type { GroupStates } from './groups.js';
import { type HostingMap, participantUid } from './hostingMap.js';
import { commitmentOf } from './lthash16.js';
import type { CounterParticipantDigest } from './scheme.js';

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
  return states.scheme
    .digests(states, hosting, participantUid(hosting, participant))
    .map((pair) => ({ ...pair, commitment: commitmentOf(pair.digest) }));
}
