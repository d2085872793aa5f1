/**
 * The hosting map: which participants of a synchronizer host which parties at one moment (commitments spec, sections
 * 2.3 and 5.1). Read from JSON:
 *
 *     { "synchronizer_id": "name::fingerprint",
 *       "participants": { "participant1": {
 *         "participant_uid": "participant1::1220…",
 *         "hosts": ["alice::1220…", {"party": "bob::1220…", "permission": "Observation", "onboarding": true}] } } }
 *
 * A party given as plain text is hosted with permission Submission, fully onboarded. Other keys beside
 * `synchronizer_id` and `participants` are left alone; inside a participant or a host every key must be known.
 */
import { duplicateKey } from '../io/duplicateKey.js';
import { AcsError } from '../io/error.js';
import { readText } from '../io/input.js';
import { compareText } from './compareText.js';

export type HostingPermission = 'Submission' | 'Confirmation' | 'Observation';

export interface Host {
  /** Participant uid, `name::fingerprint`. */
  participant: string;
  permission: HostingPermission;
  /** Whether the participant is still importing the party's contracts. */
  onboarding: boolean;
}

export interface HostingParticipant {
  /** The key in the map, a short name. */
  name: string;
  /** `name::fingerprint`, without `PAR::`. */
  uid: string;
}

export interface HostingMap {
  /** Logical synchronizer id, when the map names one. */
  synchronizerId: string | undefined;
  physicalSynchronizerId: string | undefined;
  /** Every participant with a trust certificate, sorted by uid. */
  participants: readonly HostingParticipant[];
  /** Hosts per party, sorted by participant uid. A party that is not here is hosted nowhere. */
  parties: ReadonlyMap<string, readonly Host[]>;
}

const PERMISSIONS: readonly HostingPermission[] = ['Submission', 'Confirmation', 'Observation'];
const UID = /^[A-Za-z0-9:\-_ ]{1,185}::[A-Za-z0-9:\-_ ]{1,68}$/;
const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_]*$/;

function malformed(path: string, message: string, expected: string, found: unknown): never {
  throw new AcsError('HOSTING_MALFORMED', `the hosting map is malformed: ${message}`, {
    path,
    expected,
    found: describe(found),
  });
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function member(path: string, key: string): string {
  const step = PLAIN_KEY.test(key) ? key : `[${JSON.stringify(key)}]`;
  return path === '' || step.startsWith('[') ? path + step : `${path}.${step}`;
}

function asObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    malformed(path, 'not an object', 'an object', value);
  }
  return value as Record<string, unknown>;
}

function asIdentifier(value: unknown, path: string, what: string): string {
  if (typeof value !== 'string' || !UID.test(value)) {
    malformed(path, `not a ${what}`, `${what} as name::fingerprint`, value);
  }
  return value;
}

function asParticipantUid(value: unknown, path: string): string {
  if (typeof value === 'string' && value.startsWith('PAR::')) {
    malformed(path, 'a participant uid has no PAR:: in front', 'name::fingerprint', value);
  }
  return asIdentifier(value, path, 'participant uid');
}

function checkKeys(object: Record<string, unknown>, path: string, known: readonly string[]): void {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) malformed(member(path, key), 'unknown key', known.join(', '), object[key]);
  }
}

function parseHost(value: unknown, path: string): { party: string } & Omit<Host, 'participant'> {
  if (typeof value === 'string') {
    return { party: asIdentifier(value, path, 'party id'), permission: 'Submission', onboarding: false };
  }
  const object = asObject(value, path);
  checkKeys(object, path, ['party', 'permission', 'onboarding']);
  const party = asIdentifier(object.party, member(path, 'party'), 'party id');
  const permission = object.permission ?? 'Submission';
  if (!PERMISSIONS.includes(permission as HostingPermission)) {
    malformed(member(path, 'permission'), 'unknown permission', PERMISSIONS.join(', '), permission);
  }
  const onboarding = object.onboarding ?? false;
  if (typeof onboarding !== 'boolean') {
    malformed(member(path, 'onboarding'), 'not true or false', 'true or false', onboarding);
  }
  return { party, permission: permission as HostingPermission, onboarding };
}

function optionalText(object: Record<string, unknown>, key: string): string | undefined {
  const value = object[key];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !value.includes('::')) {
    malformed(key, 'not a synchronizer id', 'name::fingerprint', value);
  }
  return value;
}

/** Checks and reads a hosting map that is parsed JSON. Throws `HOSTING_MALFORMED` with the path of the fault. */
export function hostingMapOf(json: unknown): HostingMap {
  const root = asObject(json, '');
  const synchronizerId = optionalText(root, 'synchronizer_id');
  const physicalSynchronizerId = optionalText(root, 'physical_synchronizer_id');
  const entries = asObject(root.participants, 'participants');
  const participants: HostingParticipant[] = [];
  const seen = new Map<string, string>();
  const hosts = new Map<string, Host[]>();
  for (const [name, value] of Object.entries(entries)) {
    const path = member('participants', name);
    const entry = asObject(value, path);
    checkKeys(entry, path, ['participant_uid', 'participant_id', 'hosts']);
    const uid = asParticipantUid(entry.participant_uid, member(path, 'participant_uid'));
    if (entry.participant_id !== undefined && entry.participant_id !== `PAR::${uid}`) {
      malformed(
        member(path, 'participant_id'),
        'does not fit participant_uid',
        `PAR::${uid}`,
        entry.participant_id,
      );
    }
    const other = seen.get(uid);
    if (other !== undefined) {
      malformed(
        member(path, 'participant_uid'),
        `the participant is named twice, first as ${other}`,
        'one entry each',
        uid,
      );
    }
    seen.set(uid, name);
    participants.push({ name, uid });
    if (!Array.isArray(entry.hosts))
      malformed(member(path, 'hosts'), 'not a list', 'a list of parties', entry.hosts);
    const here = new Set<string>();
    entry.hosts.forEach((item: unknown, index) => {
      const at = `${member(path, 'hosts')}[${index}]`;
      const { party, permission, onboarding } = parseHost(item, at);
      if (here.has(party))
        malformed(at, 'the party is listed twice for this participant', 'each party once', party);
      here.add(party);
      const list = hosts.get(party);
      const host = { participant: uid, permission, onboarding };
      if (list === undefined) hosts.set(party, [host]);
      else list.push(host);
    });
  }
  if (participants.length === 0) {
    malformed('participants', 'no participant', 'at least one participant', root.participants);
  }
  // A participant's admin party has the participant's uid: that participant hosts it, whatever a mapping says.
  for (const { uid } of participants) {
    hosts.set(uid, [{ participant: uid, permission: 'Submission', onboarding: false }]);
  }
  for (const list of hosts.values()) list.sort((a, b) => compareText(a.participant, b.participant));
  participants.sort((a, b) => compareText(a.uid, b.uid));
  return { synchronizerId, physicalSynchronizerId, participants, parties: hosts };
}

/** Reads a hosting map from JSON text. Throws `HOSTING_NOT_JSON` and `HOSTING_MALFORMED`. */
export function parseHostingMap(text: string): HostingMap {
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text;
  let json: unknown;
  try {
    json = JSON.parse(plain);
  } catch (cause) {
    throw new AcsError('HOSTING_NOT_JSON', 'the hosting map is not JSON', {
      found: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
  const twice = duplicateKey(plain);
  if (twice !== undefined) {
    const path = twice.reduce<string>(
      (at, step) => (typeof step === 'number' ? `${at}[${step}]` : member(at, step)),
      '',
    );
    malformed(path, 'the key stands twice', 'each key once', twice[twice.length - 1]);
  }
  return hostingMapOf(json);
}

/** Reads a hosting map file. Throws `FILE_UNREADABLE`, `HOSTING_NOT_JSON`, `HOSTING_MALFORMED`, with the file's name. */
export async function readHostingMap(path: string): Promise<HostingMap> {
  const text = await readText(path);
  try {
    return parseHostingMap(text);
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ file: path }) : error;
  }
}

/** The participants that host at least one of the parties; with `onboarded`, those still importing do not count. */
export function hostsOfParties(
  hosting: HostingMap,
  parties: readonly string[],
  options: { onboarded?: boolean } = {},
): Set<string> {
  const found = new Set<string>();
  for (const party of parties) {
    for (const host of hosting.parties.get(party) ?? []) {
      if (!(options.onboarded === true && host.onboarding)) found.add(host.participant);
    }
  }
  return found;
}

/**
 * The uid of the participant the user means: its short name in the map, its uid, or its id (`PAR::…`).
 * Throws `HOSTING_UNKNOWN_PARTICIPANT`.
 */
export function participantUid(hosting: HostingMap, text: string): string {
  const wanted = text.startsWith('PAR::') ? text.slice(5) : text;
  const found =
    hosting.participants.find((p) => p.uid === wanted) ?? hosting.participants.find((p) => p.name === wanted);
  if (found === undefined) {
    throw new AcsError('HOSTING_UNKNOWN_PARTICIPANT', 'the participant is not in the hosting map', {
      expected: hosting.participants.map((p) => p.name).join(', '),
      found: text,
      exitCode: 2,
    });
  }
  return found.uid;
}
