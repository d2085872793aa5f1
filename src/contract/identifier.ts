/** Grammars of identifiers (snapshot-format spec, section 7). Each check returns the reason of a refusal or undefined. */
import { wordsOf } from '../wire/sameBytes.js';

/** The characters that identifiers are made of. */
export const PARTY_CHARACTER = /[A-Za-z0-9:\-_ ]/;
export const NAME_CHARACTER = /[A-Za-z0-9$_]/;
export const PACKAGE_ID_CHARACTER = /[A-Za-z0-9\-_ ]/;
export const PACKAGE_NAME_CHARACTER = /[A-Za-z0-9\-_]/;

const PARTY_BYTE = charTable(PARTY_CHARACTER);
const NAME_BYTE = charTable(NAME_CHARACTER);
const NAME_START = charTable(/[A-Za-z$_]/);

/** By two neighbouring bytes at once: party ids are looked at more often than anything else. */
const PARTY_PAIR = pairTable(PARTY_BYTE);

export const MAX_PARTY_BYTES = 255;
export const MAX_NAME_BYTES = 1000;
export const MAX_PACKAGE_NAME_BYTES = 255;
export const MAX_PACKAGE_ID_BYTES = 64;

function charTable(pattern: RegExp): Uint8Array {
  const table = new Uint8Array(256);
  for (let i = 0; i < 128; i++) if (pattern.test(String.fromCharCode(i))) table[i] = 1;
  return table;
}

function pairTable(single: Uint8Array): Uint8Array {
  const table = new Uint8Array(1 << 16);
  for (let first = 0; first < 256; first++) if (single[first] === 1) table.set(single, first << 8);
  return table;
}

/** A Daml-LF party inside values and party lists, as bytes: no object is made for a good one. */
export function partyProblem(buf: Uint8Array, start: number, end: number): string | undefined {
  const n = end - start;
  if (n === 0) return 'a party id is empty';
  if (n > MAX_PARTY_BYTES) return `a party id has ${n} characters, more than ${MAX_PARTY_BYTES}`;
  const pairs = wordsOf(buf);
  let i = start;
  for (const last = end - 2; i <= last; i += 2) if (PARTY_PAIR[pairs.getUint16(i)] === 0) break;
  for (; i < end; i++) {
    if (PARTY_BYTE[buf[i]] === 0) return `a party id contains the character 0x${buf[i].toString(16)}`;
  }
  return undefined;
}

/** A module or type segment, a constructor or a field label, as bytes. */
export function nameProblem(buf: Uint8Array, start: number, end: number): string | undefined {
  const n = end - start;
  if (n === 0) return 'a name is empty';
  if (n > MAX_NAME_BYTES) return `a name has ${n} characters, more than ${MAX_NAME_BYTES}`;
  if (NAME_START[buf[start]] === 0) return `a name starts with the character 0x${buf[start].toString(16)}`;
  for (let i = start + 1; i < end; i++) {
    if (NAME_BYTE[buf[i]] === 0) return `a name contains the character 0x${buf[i].toString(16)}`;
  }
  return undefined;
}

const PARTY = new RegExp(`^${PARTY_CHARACTER.source}{1,${MAX_PARTY_BYTES}}$`);
const UID_PART = new RegExp(`^${PARTY_CHARACTER.source}+$`);
const PACKAGE_ID = new RegExp(`^${PACKAGE_ID_CHARACTER.source}{1,${MAX_PACKAGE_ID_BYTES}}$`);
const PACKAGE_NAME = new RegExp(`^${PACKAGE_NAME_CHARACTER.source}{1,${MAX_PACKAGE_NAME_BYTES}}$`);
const NAME = new RegExp(`^[A-Za-z$_]${NAME_CHARACTER.source}*$`);

export function isParty(text: string): boolean {
  return PARTY.test(text);
}

export function isPackageId(text: string): boolean {
  return PACKAGE_ID.test(text);
}

export function isPackageName(text: string): boolean {
  return PACKAGE_NAME.test(text);
}

export function isDottedName(text: string): boolean {
  return text.length <= MAX_NAME_BYTES && text.split('.').every((segment) => NAME.test(segment));
}

/** A unique identifier `hint::namespace`: party id, participant uid or logical synchronizer id. */
export interface Uid {
  hint: string;
  namespace: string;
}

/** Splits at the first `::`. Returns the reason of a refusal as a string. */
export function parseUid(text: string): Uid | string {
  const at = text.indexOf('::');
  if (at < 0) return 'it has no "::" between hint and namespace';
  const hint = text.slice(0, at);
  const namespace = text.slice(at + 2);
  if (hint === '') return 'its hint is empty';
  if (namespace === '') return 'its namespace is empty';
  if (namespace.includes('::')) return 'it has more than one "::"';
  if (hint.length > 185) return `its hint has ${hint.length} characters, more than 185`;
  if (namespace.length > 68) return `its namespace has ${namespace.length} characters, more than 68`;
  if (!UID_PART.test(hint) || !UID_PART.test(namespace)) return 'it contains a character that is not allowed';
  return { hint, namespace };
}

/** Why `text` is no logical synchronizer id, or undefined when it is one. */
export function synchronizerIdProblem(text: string): string | undefined {
  const uid = parseUid(text);
  if (typeof uid !== 'string') return undefined;
  if (/::(\d+|dev)-\d+$/.test(text)) {
    return 'it is a physical synchronizer id (with protocol version and serial); a logical one is needed';
  }
  return uid;
}
