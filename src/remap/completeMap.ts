/** `acs parties map`: a party map completed for everything in a dump, and the plan to allocate the new parties. */
import { readFile } from 'node:fs/promises';
import { isParty } from '../contract/identifier.js';
import { AcsError } from '../io/error.js';
import { fileError } from '../io/input.js';
import { csvLine, parseCsv } from './csv.js';
import { partyIdProblem } from './partyMap.js';

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

/** The map, sorted by old party. Error `PARTY_MAP_AMBIGUOUS` when two old parties would get the same new id. */
export function completeMap(parties: readonly string[], options: CompleteMapOptions): CompletedMap {
  const given = new Map(options.partial.map((entry) => [entry.old, entry]));
  const result: CompletedMap = { entries: [], unmapped: [], unused: [], allocation: {} };
  const allocation = new Map<string, { hint: string; party: string }[]>();
  const occurring = new Set(parties);
  result.unused = [...given.keys()].filter((party) => !occurring.has(party)).sort();
  const byNew = new Map<string, string>();
  for (const party of [...occurring].sort()) {
    const entry: PartialEntry = { ...(given.get(party) ?? { old: party }) };
    if (entry.participant === undefined && options.defaultParticipant !== undefined) {
      entry.participant = options.defaultParticipant;
    }
    const fresh = entry.new ?? newId(party, entry.participant, options);
    if (typeof fresh !== 'string') {
      result.unmapped.push({ party, reason: fresh.reason });
      continue;
    }
    const other = byNew.get(fresh);
    if (other !== undefined) {
      throw new AcsError('PARTY_MAP_AMBIGUOUS', 'two old parties would become the same new one', {
        found: `${other} and ${party} → ${fresh}`,
        hint: 'give one of them another new id in the partial map',
      });
    }
    byNew.set(fresh, party);
    result.entries.push({ ...entry, new: fresh });
    if (entry.participant !== undefined) {
      const plan = allocation.get(entry.participant) ?? [];
      plan.push({ hint: fresh.split('::')[0], party: fresh });
      allocation.set(entry.participant, plan);
    }
  }
  result.allocation = Object.fromEntries([...allocation].sort(([a], [b]) => (a < b ? -1 : 1)));
  return result;
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
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw fileError(path, cause);
  });
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
