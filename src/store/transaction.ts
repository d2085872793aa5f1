/** Transactions of their own, and what is written down after one had to be given up. */
import { FindingError } from './findings.js';
import { idHash } from './idHash.js';
import { type Db, storeError } from './open.js';

export function nowMicros(): bigint {
  return BigInt(Date.now()) * 1000n;
}

/** Runs `body` in a write transaction of its own. */
export function inTransaction<T>(db: Db, body: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = body();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Writes down an E finding after its batch has been rolled back; then the error goes on. */
export function recordRefusal(db: Db, path: string, source: number, error: unknown): unknown {
  if (!(error instanceof FindingError)) return storeError(error, path);
  const { code, offset, detail, contractId } = error.finding;
  inTransaction(db, () => {
    const contract =
      contractId === undefined
        ? null
        : ((db
            .prepare('SELECT contract_pk FROM contract WHERE id_hash = ? AND contract_id = ?')
            .pluck()
            .get(idHash(Buffer.from(contractId, 'hex')), Buffer.from(contractId, 'hex')) as
            | number
            | undefined) ?? null);
    db.prepare(
      "INSERT INTO finding(source_pk, code, level, off, contract_pk, detail) VALUES (?, ?, 'E', ?, ?, ?)",
    ).run(source, code, offset, contract, detail);
  });
  return error;
}
