/**
 * The scheme of protocol versions up to 35 (commitments spec, sections 2.1 to 2.3): one state per stakeholder group; the
 * digest of a pair sums the expansions of the 2048-byte states of the groups the two share. Every hosting counts,
 * whatever its permission, onboarding or not.
 */

import type { CommitmentScheme, CounterParticipantDigest } from './commitmentScheme.js';
import { compareText } from './compareText.js';
import { hostsOfParties } from './hostingMap.js';
import { emptyState, isEmptyState } from './lthash16.js';

export const blake2xbGroups: CommitmentScheme = {
  name: 'blake2xb-groups',
  expansion: 'blake2xb',
  statesOf: (stakeholders) => [stakeholders],
  finishElement: (_into, length) => length,
  digests(rows, hosting, participant, engine) {
    const pairs = new Map<string, { slot: number; elements: number; contracts: number }>();
    const expansion = emptyState();
    for (const group of rows) {
      const hosts = hostsOfParties(hosting, group.parties);
      if (!hosts.delete(participant) || hosts.size === 0) continue;
      if (isEmptyState(group.state)) continue;
      engine.expand(group.state, expansion);
      for (const counterParticipant of hosts) {
        let pair = pairs.get(counterParticipant);
        if (pair === undefined) {
          pair = { slot: engine.open(), elements: 0, contracts: 0 };
          pairs.set(counterParticipant, pair);
        }
        engine.combine(pair.slot, expansion, 1);
        pair.elements++;
        pair.contracts += group.contracts;
      }
    }
    const out: CounterParticipantDigest[] = [];
    for (const [counterParticipant, { slot, elements, contracts }] of pairs) {
      const digest = engine.read(slot);
      engine.close(slot);
      if (!isEmptyState(digest)) out.push({ counterParticipant, elements, contracts, digest });
    }
    return out.sort((a, b) => compareText(a.counterParticipant, b.counterParticipant));
  },
};
