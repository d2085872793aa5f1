/** Parties and synchronizers as users name them: the full id, or a prefix that fits exactly one the store knows. */
import { AcsError } from '../io/error.js';
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
  if (found.length > 1) {
    throw new AcsError('NAME_AMBIGUOUS', `"${text}" is the beginning of more than one ${kind}`, {
      expected: 'a longer prefix, or the full id',
      found: found.slice(0, CANDIDATES).join(', ') + (found.length > CANDIDATES ? ', …' : ''),
      exitCode: 2,
    });
  }
  if (/.::./.test(text)) return text;
  throw new AcsError('NAME_NOT_FOUND', `no ${kind} in the store begins with "${text}"`, {
    expected: `the id of a ${kind}, or a prefix of it`,
    hint: '`acs store info` lists the synchronizers, `acs store sql DB "SELECT party FROM parties"` the parties',
    exitCode: 2,
  });
}
