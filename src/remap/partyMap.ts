/** The map from old to new party ids (legacy-import spec, section 1.2). */
import { isParty, parseUid } from '../contract/identifier.js';
import { duplicateKey } from '../io/duplicateKey.js';
import { AcsError } from '../io/error.js';
import { readText } from '../io/input.js';
import { parseCsv } from './csv.js';

export interface PartyMapEntry {
  readonly old: string;
  readonly new: string;
  /** The participant that hosts the new party, where the map says so. */
  readonly participant?: string;
  readonly permission?: string;
}

export interface PartyMap {
  readonly entries: readonly PartyMapEntry[];
  /** The new id, or undefined when the map does not have the party. */
  get(old: string): string | undefined;
  /** New ids that several old ones become, with those. */
  readonly merged: ReadonlyMap<string, readonly string[]>;
}

/** Builds a map. Errors: `PARTY_MAP_*`. */
export function partyMap(entries: readonly PartyMapEntry[]): PartyMap {
  const byOld = new Map<string, string>();
  const byNew = new Map<string, string[]>();
  for (const entry of entries) {
    for (const party of [entry.old, entry.new]) {
      if (!isParty(party)) throw noParty(party);
    }
    const known = byOld.get(entry.old);
    if (known !== undefined && known !== entry.new) {
      throw new AcsError('PARTY_MAP_AMBIGUOUS', 'the party map gives one party two new ids', {
        found: `${entry.old} → ${known} and ${entry.new}`,
      });
    }
    if (known !== undefined) continue;
    byOld.set(entry.old, entry.new);
    const olds = byNew.get(entry.new);
    if (olds === undefined) byNew.set(entry.new, [entry.old]);
    else olds.push(entry.old);
  }
  return {
    entries,
    get: (old) => byOld.get(old),
    merged: new Map([...byNew].filter(([, olds]) => olds.length > 1)),
  };
}

export function noParty(text: string): AcsError {
  return new AcsError('PARTY_MAP_BAD_PARTY', 'the party map holds something that is no party id', {
    expected: '1 to 255 of A-Z a-z 0-9 : - _ space',
    found: JSON.stringify(text),
  });
}

/** Leaves every party as it is. */
export function unchangedParties(): PartyMap {
  return { entries: [], get: (old) => old, merged: new Map() };
}

/** Reads `old,new[,participant[,permission]]` rows (a header line is recognised), or JSON: an object or an array. */
export async function readPartyMap(path: string): Promise<PartyMap> {
  const text = await readText(path);
  try {
    return partyMap(parseEntries(text.replace(/^\ufeff/, '')));
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ file: path }) : error;
  }
}

export function parseEntries(text: string): PartyMapEntry[] {
  const first = text.trimStart()[0];
  if (first === '{' || first === '[') return jsonEntries(text);
  return csvEntries(text);
}

const COLUMNS = ['old', 'new', 'participant', 'permission'] as const;

function csvEntries(text: string): PartyMapEntry[] {
  const rows = parseCsv(text);
  let columns: readonly string[] = COLUMNS;
  if (rows.length > 0 && rows[0].cells.includes('old') && rows[0].cells.includes('new')) {
    columns = rows[0].cells;
    rows.shift();
  }
  return rows.map(({ line, cells }) => {
    const cell = (name: string): string => cells[columns.indexOf(name)] ?? '';
    const entry = { old: cell('old'), new: cell('new') };
    if (entry.old === '' || entry.new === '') {
      throw new AcsError('PARTY_MAP_INCOMPLETE', 'a row of the party map lacks the old or the new party', {
        line,
        expected: 'old,new[,participant[,permission]]',
        found: cells.join(','),
        hint: '`acs parties map` completes a partial map',
      });
    }
    return withHosting(entry, cell('participant'), cell('permission'));
  });
}

function jsonEntries(text: string): PartyMapEntry[] {
  let json: unknown;
  try {
    json = JSON.parse(text.trim());
  } catch (cause) {
    throw new AcsError('JSON_SYNTAX', `the party map is malformed JSON (${(cause as Error).message})`, {
      cause,
    });
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) {
    throw new AcsError('PARTY_MAP_AMBIGUOUS', 'the party map has a key twice', {
      path: twice.slice(0, -1).join('.'),
      found: `${twice[twice.length - 1]}`,
    });
  }
  const rows: unknown[] = Array.isArray(json)
    ? json
    : Object.entries(json as object).map(([old, value]) => ({ old, new: value as unknown }));
  return rows.map((row, i) => {
    const { old, new: renamed, participant, permission } = (row ?? {}) as Record<string, unknown>;
    if (typeof old !== 'string' || typeof renamed !== 'string') {
      throw new AcsError('PARTY_MAP_INCOMPLETE', 'an entry of the party map lacks the old or the new party', {
        expected: '{"old":"…","new":"…","participant"?:"…"} or {"old id":"new id"}',
        path: `[${i}]`,
        found: JSON.stringify(row),
      });
    }
    return withHosting(
      { old, new: renamed },
      typeof participant === 'string' ? participant : '',
      typeof permission === 'string' ? permission : '',
    );
  });
}

function withHosting(
  entry: { old: string; new: string },
  participant: string,
  permission: string,
): PartyMapEntry {
  return {
    ...entry,
    ...(participant === '' ? {} : { participant }),
    ...(permission === '' ? {} : { permission }),
  };
}

/** Why an id is no full Canton party id (`hint::fingerprint`), or undefined. */
export function partyIdProblem(party: string): string | undefined {
  const uid = parseUid(party);
  return typeof uid === 'string' ? uid : undefined;
}
