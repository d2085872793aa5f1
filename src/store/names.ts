/**
 * Parties, synchronizers and contracts as users name them: the full id, or a prefix that fits exactly one the store
 * knows.
 */
import { AcsError } from '../io/error.js';
import { idHash } from './idHash.js';
import type { Db } from './open.js';

const CANDIDATES = 10;

/**
 * The full id. A prefix that fits several is `NAME_AMBIGUOUS`, one that fits none `NAME_NOT_FOUND`; a text that looks like
 * a full id (`hint::namespace`) is taken as it is, since a store need not know every party.
 */
export function fullName(db: Db, kind: 'party' | 'synchronizer', text: string): string {
  const column = kind === 'party' ? 'party' : 'sync_id';
  const found = db
    .prepare(
      `SELECT ${column} FROM ${kind} WHERE ${column} >= ? AND ${column} < ? ORDER BY 1 LIMIT ${CANDIDATES + 1}`,
    )
    .pluck()
    .all(text, `${text}\u{10ffff}`) as string[];
  if (found[0] === text || found.length === 1) return found[0] as string;
  if (found.length > 1) throw ambiguous(text, kind, found);
  if (/.::./.test(text)) return text;
  throw new AcsError('NAME_NOT_FOUND', `no ${kind} in the store begins with "${text}"`, {
    expected: `the id of a ${kind}, or a prefix of it`,
    hint: '`acs store info` lists the synchronizers, `acs store sql DB "SELECT DISTINCT party FROM parties"` the parties',
    exitCode: 2,
  });
}

/** Digits of a contract id below which a prefix is more likely a mistake. */
const CONTRACT_DIGITS = 8;

/** The row number of a contract, by its id in hex. A prefix is looked for in every contract. */
export function contractNamed(db: Db, text: string): number {
  const digits = text.toLowerCase();
  if (!/^[0-9a-f]+$/.test(digits) || digits.length < CONTRACT_DIGITS) {
    throw new AcsError('CONTRACT_ID', 'not a contract id', {
      expected: `hexadecimal digits, ${CONTRACT_DIGITS} of them at least`,
      found: text,
      exitCode: 2,
    });
  }
  const odd = digits.length % 2;
  const id = Buffer.from(`${digits}${'0'.repeat(odd)}`, 'hex');
  const exact = db.prepare('SELECT contract_pk FROM contract WHERE id_hash = ? AND contract_id = ?').pluck();
  const pk = odd === 1 ? undefined : (exact.get(idHash(id), id) as number | undefined);
  if (pk !== undefined) return pk;
  // No id is as long as what follows the prefix here.
  const last = Buffer.from(digits.padEnd(digits.length + odd + 1024, 'f'), 'hex');
  const found = db
    .prepare(
      `SELECT contract_pk, lower(hex(contract_id)) FROM contract WHERE contract_id BETWEEN ? AND ?
       ORDER BY contract_id LIMIT ${CANDIDATES + 1}`,
    )
    .raw()
    .all(id, last) as [number, string][];
  if (found.length > 1)
    throw ambiguous(
      text,
      'contract id',
      found.map(([, name]) => name),
    );
  if (found[0] !== undefined) return found[0][0];
  throw new AcsError('CONTRACT_UNKNOWN', 'the store does not know this contract', { contractId: text });
}

/** `found`: one more than is shown, when there are more. */
function ambiguous(text: string, kind: string, found: readonly string[]): AcsError {
  return new AcsError('NAME_AMBIGUOUS', `"${text}" is the beginning of more than one ${kind}`, {
    expected: 'a longer prefix, or the full id',
    found: found.slice(0, CANDIDATES).join(', ') + (found.length > CANDIDATES ? ', …' : ''),
    exitCode: 2,
  });
}
