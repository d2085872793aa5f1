/**
 * The indices over hashes of ids and over stakeholder sets. While an empty store gets its first base or its first updates
 * they are left out: building them at the end is many times cheaper than inserting a million hashes in random order.
 */
import type { Db } from './open.js';

const CONTRACT_INDICES = ['contract_by_id ON contract(id_hash)', 'contract_by_set ON contract(set_pk)'];
const UPDATE_INDICES = ['update_by_id ON update_tx(id_hash)'];

const present = new WeakMap<Db, Set<string>>();

/** Builds what is missing. Cheap when nothing is. */
export function requireContractIndices(db: Db): void {
  for (const index of CONTRACT_INDICES) requireIndex(db, index);
}

export function requireUpdateIndices(db: Db): void {
  for (const index of UPDATE_INDICES) requireIndex(db, index);
}

export function requireIndices(db: Db): void {
  requireContractIndices(db);
  requireUpdateIndices(db);
}

/** After a rollback: builds what an unfinished first load or append left out. */
export function restoreIndices(db: Db): void {
  present.delete(db);
  requireIndices(db);
}

/** Outside a transaction: drops the indices of the tables that have no rows, and builds the others where missing. */
export function deferIndices(db: Db): void {
  if (isEmpty(db, 'contract')) drop(db, CONTRACT_INDICES);
  else requireContractIndices(db);
  if (isEmpty(db, 'update_tx')) drop(db, UPDATE_INDICES);
  else requireUpdateIndices(db);
}

/** Inside a transaction: the indices of contracts, when there are none yet. */
export function dropContractIndices(db: Db): void {
  if (isEmpty(db, 'contract')) drop(db, CONTRACT_INDICES);
}

function requireIndex(db: Db, index: string): void {
  let known = present.get(db);
  if (known === undefined) {
    known = new Set();
    present.set(db, known);
  }
  if (known.has(index)) return;
  if (db.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get(index.split(' ')[0]) === undefined)
    build(db, index);
  known.add(index);
}

/**
 * SQLite sorts as much at once as it has for pages: what the cache of one core of the processor holds is sorted in three
 * quarters of the time that four times as much takes.
 */
const SORT_KIB = 1024;

function build(db: Db, index: string): void {
  const pages = db.pragma('cache_size', { simple: true });
  db.pragma(`cache_size = -${SORT_KIB}`);
  try {
    db.exec(`CREATE INDEX IF NOT EXISTS ${index}`);
  } finally {
    db.pragma(`cache_size = ${pages}`);
  }
}

function isEmpty(db: Db, table: string): boolean {
  return db.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get() === undefined;
}

function drop(db: Db, indices: readonly string[]): void {
  for (const index of indices) {
    db.exec(`DROP INDEX IF EXISTS ${index.split(' ')[0]}`);
    present.get(db)?.delete(index);
  }
}
