/**
 * The alpha scheme (commitments spec, section 2.8): the digest of participants P and Q sums one element per active
 * contract, stakeholder a hosted at P and stakeholder b hosted at Q, in the order of the two participants' uids; only
 * fully onboarded hosts count. The states kept here are per ordered pair of parties, so they do not depend on hosting.
 */

import type { CommitmentScheme, CounterParticipantDigest } from './commitmentScheme.js';
import { compareText } from './compareText.js';
import { appendParties } from './contractElement.js';
import { hostsOfParties } from './hostingMap.js';
import { isEmptyState } from './lthash16.js';

export const blake3Pairs: CommitmentScheme = {
  name: 'blake3-pairs',
  expansion: 'blake3',
  statesOf: (stakeholders) => stakeholders.flatMap((a) => stakeholders.map((b) => [a, b])),
  finishElement: (into, length, parties) => appendParties(into, length, parties[0]!, parties[1]!),
  digests(rows, hosting, participant, engine) {
    const pairs = new Map<string, { slot: number; elements: number }>();
    for (const pairState of rows) {
      const [first, second] = pairState.parties as readonly [string, string];
      const firstHosts = hostsOfParties(hosting, [first], { onboarded: true });
      const secondHosts = hostsOfParties(hosting, [second], { onboarded: true });
      // The participant with the smaller uid hosts the first party.
      const counterParticipants: string[] = [];
      if (firstHosts.has(participant)) {
        for (const other of secondHosts) if (participant < other) counterParticipants.push(other);
      }
      if (secondHosts.has(participant)) {
        for (const other of firstHosts) if (other < participant) counterParticipants.push(other);
      }
      if (counterParticipants.length === 0) continue;
      for (const counterParticipant of counterParticipants) {
        let pair = pairs.get(counterParticipant);
        if (pair === undefined) {
          pair = { slot: engine.open(), elements: 0 };
          pairs.set(counterParticipant, pair);
        }
        engine.combine(pair.slot, pairState.state, 1);
        pair.elements += pairState.contracts;
      }
    }
    const out: CounterParticipantDigest[] = [];
    for (const [counterParticipant, { slot, elements }] of pairs) {
      const digest = engine.read(slot);
      engine.close(slot);
      if (!isEmptyState(digest)) out.push({ counterParticipant, elements, contracts: undefined, digest });
    }
    return out.sort((a, b) => compareText(a.counterParticipant, b.counterParticipant));
  },
};
