/**
 * Who hosts which party, for placing contracts: a hosting map (JSON, see `commitment/hostingMap`) or a party map with a
 * participant column.
 */
import { type HostingMap, parseHostingMap } from '../commitment/hostingMap.js';
import { AcsError } from '../io/error.js';
import { readText } from '../io/input.js';
import { parseEntries } from './partyMap.js';

export interface PartyHosting {
  /** The synchronizer it is about; undefined: every one. */
  readonly synchronizerId: string | undefined;
  /** Short names, sorted. */
  readonly participants: readonly string[];
  /** Participants that host a party, by short name. */
  readonly hosts: ReadonlyMap<string, readonly string[]>;
}

/** Reads one hosting file of either kind. Errors: `HOSTING_*`, `PARTY_MAP_*`, `CSV_MALFORMED`. */
export async function readPartyHosting(path: string): Promise<PartyHosting> {
  const text = await readText(path);
  try {
    return text.trimStart().startsWith('{') ? ofHostingMap(parseHostingMap(text)) : ofPartyMap(text);
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ file: path }) : error;
  }
}

function ofHostingMap(map: HostingMap): PartyHosting {
  const names = new Map<string, string>();
  for (const { name, uid } of map.participants) names.set(uid, name);
  const hosts = new Map<string, string[]>();
  for (const [party, of] of map.parties) {
    hosts.set(party, [...new Set(of.map(({ participant }) => names.get(participant) ?? participant))].sort());
  }
  return { synchronizerId: map.synchronizerId, participants: [...names.values()].sort(), hosts };
}

function ofPartyMap(text: string): PartyHosting {
  const hosts = new Map<string, Set<string>>();
  const participants = new Set<string>();
  for (const entry of parseEntries(text)) {
    if (entry.participant === undefined) {
      throw new AcsError('HOSTING_MALFORMED', 'the party map does not say who hosts a party', {
        expected: 'a column participant',
        found: entry.new,
      });
    }
    participants.add(entry.participant);
    const known = hosts.get(entry.new);
    if (known === undefined) hosts.set(entry.new, new Set([entry.participant]));
    else known.add(entry.participant);
  }
  return {
    synchronizerId: undefined,
    participants: [...participants].sort(),
    hosts: new Map([...hosts].map(([party, of]) => [party, [...of].sort()])),
  };
}

/** Error `HOSTING_AMBIGUOUS`: of two maps for one synchronizer only one would be used. */
export function refuseTwoHostings(hostings: readonly PartyHosting[]): void {
  const seen = new Set<string | undefined>();
  for (const { synchronizerId } of hostings) {
    if (seen.has(synchronizerId)) {
      throw new AcsError('HOSTING_AMBIGUOUS', 'two hosting maps are about the same synchronizer', {
        expected: 'one per synchronizer, with all participants in it',
        found: synchronizerId ?? 'two that name no synchronizer',
        hint: 'put them together into one',
        exitCode: 2,
      });
    }
    seen.add(synchronizerId);
  }
}

/** The hosting of a synchronizer: the one that names it, else the one that names none. */
export function hostingOf(
  hostings: readonly PartyHosting[],
  synchronizerId: string,
): PartyHosting | undefined {
  return (
    hostings.find((hosting) => hosting.synchronizerId === synchronizerId) ??
    hostings.find((hosting) => hosting.synchronizerId === undefined)
  );
}
