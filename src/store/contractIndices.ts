/**
 * The two indices on contracts. While the first base of an empty store is loaded they are left out: building them at the
 * end is many times cheaper than inserting a million hashes in random order.
 */
import type { Db } from './open.js';

const INDICES = ['contract_by_id ON contract(id_hash)', 'contract_by_set ON contract(set_pk)'];

const present = new WeakSet<Db>();

/** Builds what is missing. Cheap when nothing is. */
export function requireContractIndices(db: Db): void {
  if (present.has(db)) return;
  for (const index of INDICES) db.exec(`CREATE INDEX IF NOT EXISTS ${index}`);
  present.add(db);
}

/** Inside a transaction, on a store without contracts. */
export function dropContractIndices(db: Db): void {
  for (const index of INDICES) db.exec(`DROP INDEX IF EXISTS ${index.split(' ')[0]}`);
  present.delete(db);
}
