/** Which parties a participant hosts, and which of them an input was not made for. */
import type { HostingMap } from './hostingMap.js';

/** The parties that a participant (uid) hosts, in the order of the map. */
export function partiesHostedBy(hosting: HostingMap, participant: string): string[] {
  const parties: string[] = [];
  for (const [party, list] of hosting.parties)
    if (list.some((host) => host.participant === participant)) parties.push(party);
  return parties;
}

/**
 * Parties that the participant of an input hosts and that the input was not made for (a store or an export of some
 * parties): of contracts with no other stakeholder there it shows nothing. Ascending; a participant's admin party, which
 * exports mostly leave out, is not among them.
 */
export function partiesLeftOut(
  hosting: HostingMap,
  source: {
    readonly participant?: string | undefined;
    readonly parties?: readonly string[] | undefined;
  },
): string[] {
  const { participant, parties } = source;
  if (participant === undefined || parties === undefined || parties.length === 0) return [];
  return partiesHostedBy(hosting, participant)
    .filter((party) => party !== participant && !parties.includes(party))
    .sort();
}
