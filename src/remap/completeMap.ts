/** `acs parties map`: a party map completed for everything in a dump, and the plan to allocate the new parties. */
import { isParty } from '../contract/identifier.js';
import { AcsError } from '../io/error.js';
import { readText } from '../io/input.js';
import { csvLine, parseCsv } from './csv.js';
import { noParty, partyIdProblem } from './partyMap.js';

/** A row of a map that may still lack things. */
export interface PartialEntry {
  old: string;
  new?: string;
  participant?: string;
  permission?: string;
}

export interface CompleteMapOptions {
  readonly partial: readonly PartialEntry[];
  /** Fingerprint of the namespace that new ids get, by participant; '' is the default for all. */
  readonly namespaces: ReadonlyMap<string, string>;
  /** For parties whose row names none. */
  readonly defaultParticipant?: string | undefined;
  /** New ids are the hints alone (back to a ledger without fingerprints). */
  readonly strip?: boolean;
}

export interface CompletedMap {
  entries: (PartialEntry & { new: string })[];
  /** Parties for which no new id could be made, with the reason. */
  unmapped: { party: string; reason: string }[];
  /** Rows of the given map whose old party occurs nowhere. */
  unused: string[];
  /** New parties per participant, by the hint to allocate them with. */
  allocation: Record<string, { hint: string; party: string }[]>;
}

/**
 * The map, sorted by old party. A party with several rows (one per participant that hosts it) keeps them all.
 * Errors: `PARTY_MAP_AMBIGUOUS` when two old parties would get the same new id, or one two; `PARTY_MAP_BAD_PARTY`;
 * `NAMESPACE_UNUSED`.
 */
export function completeMap(parties: readonly string[], options: CompleteMapOptions): CompletedMap {
  const given = rowsByParty(options.partial);
  refuseUnusedNamespaces(options);
  const result: CompletedMap = { entries: [], unmapped: [], unused: [], allocation: {} };
  const allocation = new Map<string, { hint: string; party: string }[]>();
  const occurring = new Set(parties);
  result.unused = [...given.keys()].filter((party) => !occurring.has(party)).sort();
  const byNew = new Map<string, string>();
  for (const party of [...occurring].sort()) {
    const rows = (given.get(party) ?? [{ old: party }]).map((row): PartialEntry => {
      const participant = row.participant ?? options.defaultParticipant;
      return participant === undefined ? row : { ...row, participant };
    });
    const fresh =
      rows.find((row) => row.new !== undefined)?.new ?? newId(party, rows[0].participant, options);
    if (typeof fresh !== 'string') {
      result.unmapped.push({ party, reason: fresh.reason });
      continue;
    }
    if (!isParty(fresh)) throw noParty(fresh);
    const other = byNew.get(fresh);
    if (other !== undefined) {
      throw new AcsError('PARTY_MAP_AMBIGUOUS', 'two old parties would become the same new one', {
        found: `${other} and ${party} → ${fresh}`,
        hint: 'give one of them another new id in the partial map',
      });
    }
    byNew.set(fresh, party);
    for (const row of rows) {
      result.entries.push({ ...row, new: fresh });
      if (row.participant === undefined) continue;
      const plan = allocation.get(row.participant) ?? [];
      plan.push({ hint: fresh.split('::')[0], party: fresh });
      allocation.set(row.participant, plan);
    }
  }
  result.allocation = Object.fromEntries([...allocation].sort(([a], [b]) => (a < b ? -1 : 1)));
  return result;
}

/** A mistyped participant: its parties would get the fingerprint of all the others. */
function refuseUnusedNamespaces({ namespaces, partial, defaultParticipant }: CompleteMapOptions): void {
  const named = new Set([defaultParticipant, ...partial.map(({ participant }) => participant)]);
  for (const participant of namespaces.keys()) {
    if (participant === '' || named.has(participant)) continue;
    throw new AcsError(
      'NAMESPACE_UNUSED',
      'a fingerprint is given for a participant that no row of the map names',
      {
        expected:
          [...named]
            .filter((name) => name !== undefined)
            .sort()
            .join(', ') || 'a map with a participant column',
        found: participant,
        exitCode: 2,
      },
    );
  }
}

/** Rows that say the same are one. */
function rowsByParty(rows: readonly PartialEntry[]): Map<string, PartialEntry[]> {
  const byParty = new Map<string, PartialEntry[]>();
  for (const row of rows) {
    const others = byParty.get(row.old);
    if (others === undefined) {
      byParty.set(row.old, [row]);
      continue;
    }
    const another = others.find(({ new: fresh }) => fresh !== undefined && fresh !== row.new);
    if (row.new !== undefined && another !== undefined) {
      throw new AcsError('PARTY_MAP_AMBIGUOUS', 'the party map gives one party two new ids', {
        found: `${row.old} → ${another.new} and ${row.new}`,
      });
    }
    const same = others.findIndex(
      ({ participant, permission }) => participant === row.participant && permission === row.permission,
    );
    if (same < 0) others.push(row);
    else if (row.new !== undefined) others[same] = row;
  }
  return byParty;
}

function newId(
  party: string,
  participant: string | undefined,
  options: CompleteMapOptions,
): string | { reason: string } {
  const hint = party.split('::')[0];
  if (options.strip === true) return hint;
  const namespace =
    (participant === undefined ? undefined : options.namespaces.get(participant)) ??
    options.namespaces.get('');
  if (namespace === undefined) {
    return {
      reason:
        participant === undefined
          ? 'no participant is named for it, and no fingerprint for all'
          : `no fingerprint is given for ${participant}`,
    };
  }
  const fresh = `${hint}::${namespace}`;
  const problem = isParty(fresh) ? partyIdProblem(fresh) : 'it holds a character that is not allowed';
  return problem === undefined ? fresh : { reason: `${fresh} is no party id: ${problem}` };
}

/** Reads `old[,new[,participant[,permission]]]`; cells may be empty. */
export async function readPartialMap(path: string): Promise<PartialEntry[]> {
  const text = await readText(path);
  try {
    const rows = parseCsv(text.replace(/^\ufeff/, ''));
    let columns = ['old', 'new', 'participant', 'permission'];
    if (rows.length > 0 && rows[0].cells.includes('old')) {
      columns = rows[0].cells;
      rows.shift();
    }
    return rows.map(({ line, cells }) => {
      const cell = (name: string): string | undefined => cells[columns.indexOf(name)] || undefined;
      const old = cell('old');
      if (old === undefined) {
        throw new AcsError('PARTY_MAP_INCOMPLETE', 'a row of the party map lacks the old party', { line });
      }
      const entry: PartialEntry = { old };
      const fresh = cell('new');
      const participant = cell('participant');
      const permission = cell('permission');
      if (fresh !== undefined) entry.new = fresh;
      if (participant !== undefined) entry.participant = participant;
      if (permission !== undefined) entry.permission = permission;
      return entry;
    });
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ file: path }) : error;
  }
}

/** The map as `acs remap --map` and `acs place --hosting` read it. */
export function mapCsv(entries: CompletedMap['entries']): string {
  const withPermission = entries.some((entry) => entry.permission !== undefined);
  const head = ['old', 'new', 'participant', ...(withPermission ? ['permission'] : [])];
  return [
    csvLine(head),
    ...entries.map((entry) =>
      csvLine([
        entry.old,
        entry.new,
        entry.participant ?? '',
        ...(withPermission ? [entry.permission ?? ''] : []),
      ]),
    ),
  ].join('');
}
