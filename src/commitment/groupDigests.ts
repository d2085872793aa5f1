/**
 * Narrowing a mismatch without showing contracts (commitments spec, section 5.3): per stakeholder group that two
 * participants share, a salted hash of the stakeholders, the number of contracts and a hash of the group's state. Each
 * operator makes such a list for the other participant; comparing the two lists tells which groups differ.
 */
import { createHash } from 'node:crypto';
import { AcsError, usageError } from '../io/error.js';
import { readChunks, readText } from '../io/input.js';
import type { CommitmentScheme, GroupRow } from './commitmentScheme.js';
import { compareText } from './compareText.js';
import { type HostingMap, hostsOfParties, participantUid } from './hostingMap.js';

const HEX_SHA256 = /^[0-9a-f]{64}$/;

export interface GroupDigest {
  /** SHA-256 of the salt and the sorted stakeholders, hexadecimal: names the group without naming parties. */
  group: string;
  contracts: number;
  /** SHA-256 of the group's 2048-byte state, hexadecimal. */
  digest: string;
}

export interface GroupDigestList {
  format: 'acs-group-digests/1';
  scheme: string;
  /** Logical synchronizer id. */
  synchronizerId: string;
  /** Uid of the participant whose contracts these are. */
  participant: string;
  /** Uid of the participant they are shared with. */
  counterParticipant: string;
  /** Tells whether two lists were made with the same salt; not the salt itself. */
  saltCheck: string;
  /** Sorted by `group`. */
  groups: GroupDigest[];
}

export interface GroupDigestOptions {
  hosting: HostingMap;
  /** Name, uid or id of the participant whose states these are. */
  participant: string;
  counterParticipant: string;
  /** Logical synchronizer id. */
  synchronizer: string;
  /**
   * A secret the two operators agreed on. Without it the group names can be guessed by anyone who knows the party ids
   * and obtains the list; both lists must be made with the same.
   */
  salt?: string;
}

/** The list for one counter-participant, only for groups the two share; the states' rows in any order. */
export function groupDigests(
  scheme: CommitmentScheme,
  rows: Iterable<GroupRow>,
  options: GroupDigestOptions,
): GroupDigestList {
  const participant = participantUid(options.hosting, options.participant);
  const counterParticipant = participantUid(options.hosting, options.counterParticipant);
  const salt = options.salt ?? '';
  const groups: GroupDigest[] = [];
  for (const group of rows) {
    const hosts = hostsOfParties(options.hosting, group.parties);
    if (!hosts.has(participant) || !hosts.has(counterParticipant)) continue;
    groups.push({
      group: groupName(group.parties, salt),
      contracts: group.contracts,
      digest: createHash('sha256').update(group.state).digest('hex'),
    });
  }
  return {
    format: 'acs-group-digests/1',
    scheme: scheme.name,
    synchronizerId: options.synchronizer,
    participant,
    counterParticipant,
    saltCheck: saltedHash('salt', salt, []).slice(0, 16),
    groups: groups.sort((a, b) => compareText(a.group, b.group)),
  };
}

/** The name of a group in a list: with it an operator finds the stakeholders of a differing group at home. */
export function groupName(parties: readonly string[], salt = ''): string {
  return saltedHash('group', salt, parties);
}

/** Every part goes in after its length, so no two lists of parts give the same bytes. */
function saltedHash(purpose: string, salt: string, parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of [`acs-group-digests/1 ${purpose}`, salt, ...parts]) {
    const bytes = Buffer.from(part, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest('hex');
}

export interface GroupDigestDifference {
  kind: 'only-local' | 'only-remote' | 'differs';
  group: string;
  /** Contracts on each side; 0 where the group is missing. */
  localContracts: number;
  remoteContracts: number;
}

/**
 * The groups in which two lists differ, sorted by group. The lists must have been made by the two participants for each
 * other: same synchronizer, scheme and salt, else `GROUP_DIGESTS_UNRELATED`.
 */
export function diffGroupDigests(local: GroupDigestList, remote: GroupDigestList): GroupDigestDifference[] {
  const checks: [string, string, string][] = [
    ['scheme', local.scheme, remote.scheme],
    ['synchronizer', local.synchronizerId, remote.synchronizerId],
    ['participant', local.counterParticipant, remote.participant],
    ['counter-participant', local.participant, remote.counterParticipant],
    ['salt', local.saltCheck, remote.saltCheck],
  ];
  for (const [what, expected, found] of checks) {
    if (expected !== found) {
      throw new AcsError('GROUP_DIGESTS_UNRELATED', `the two lists cannot be compared: the ${what} differs`, {
        expected,
        found,
        hint: 'each operator makes a list for the other participant, with the same synchronizer, scheme and salt',
      });
    }
  }
  const theirs = new Map(remote.groups.map((g) => [g.group, g]));
  const differences: GroupDigestDifference[] = [];
  for (const mine of local.groups) {
    const other = theirs.get(mine.group);
    theirs.delete(mine.group);
    if (other !== undefined && other.digest === mine.digest) continue;
    differences.push({
      kind: other === undefined ? 'only-local' : 'differs',
      group: mine.group,
      localContracts: mine.contracts,
      remoteContracts: other?.contracts ?? 0,
    });
  }
  for (const other of theirs.values()) {
    differences.push({
      kind: 'only-remote',
      group: other.group,
      localContracts: 0,
      remoteContracts: other.contracts,
    });
  }
  return differences.sort((a, b) => compareText(a.group, b.group));
}

/** Reads a list from JSON text. Throws `GROUP_DIGESTS_MALFORMED` with the path of the fault. */
export function parseGroupDigests(text: string): GroupDigestList {
  const bad = (path: string, expected: string, cause?: unknown): never => {
    throw new AcsError('GROUP_DIGESTS_MALFORMED', 'not a list of group digests', { path, expected, cause });
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    bad('', 'JSON', cause);
  }
  if (typeof json !== 'object' || json === null) bad('', 'an object');
  const list = json as Record<keyof GroupDigestList, unknown>;
  if (list.format !== 'acs-group-digests/1') bad('format', 'acs-group-digests/1');
  for (const key of ['scheme', 'synchronizerId', 'participant', 'counterParticipant', 'saltCheck'] as const) {
    if (typeof list[key] !== 'string') bad(key, 'text');
  }
  if (!Array.isArray(list.groups)) return bad('groups', 'a list');
  const seen = new Set<string>();
  for (const [index, item] of (list.groups as unknown[]).entries()) {
    const path = `groups[${index}]`;
    if (typeof item !== 'object' || item === null) return bad(path, 'an object');
    const { group, contracts, digest } = item as Record<keyof GroupDigest, unknown>;
    if (typeof group !== 'string' || !HEX_SHA256.test(group)) return bad(`${path}.group`, 'a SHA-256');
    if (seen.has(group)) bad(`${path}.group`, 'each group once');
    seen.add(group);
    if (!Number.isSafeInteger(contracts) || (contracts as number) < 1) {
      bad(`${path}.contracts`, 'a number from 1 on');
    }
    if (typeof digest !== 'string' || !HEX_SHA256.test(digest)) bad(`${path}.digest`, 'a SHA-256');
  }
  return json as GroupDigestList;
}

/** Two million groups. */
const MAX_LIST_BYTES = 400 << 20;

/** How a list starts, whatever the spacing. */
const LIST_START = /^\s*\{\s*"format"\s*:\s*"acs-group-digests\//;

/** Whether a file looks like a list of group digests. */
export async function isGroupDigests(path: string): Promise<boolean> {
  for await (const chunk of readChunks(path, 4096)) return LIST_START.test(chunk.toString('utf8'));
  return false;
}

/** {@link parseGroupDigests} of a file; errors name it. */
export async function readGroupDigests(path: string): Promise<GroupDigestList> {
  const text = await readText(path, MAX_LIST_BYTES);
  try {
    return parseGroupDigests(text);
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ file: path }) : error;
  }
}

/** The secret that two operators share, from a file. Error `USAGE` when there is none in it. */
export async function readSalt(path: string): Promise<string> {
  const salt = (await readText(path)).trim();
  if (salt === '')
    throw usageError(`${path} is empty`, 'write a long random text into it, the same on both sides');
  return salt;
}
