/** The contracts of a store: each is one row, found by its raw id, whatever number of events speak of it. */
import { contractMap } from './contractMap.js';
import { blobNumber, contractNumber, FIRST_NUMBER, nextArrival } from './contractNumber.js';
import { requireContractIndices } from './idIndices.js';
import type { Db } from './open.js';
import type { StoreRows } from './storeRows.js';

/** Template and set are null for a contract of which only the id is known. */
export type ContractRow = readonly [pk: number, template: number | null, set: number | null];

export interface ContractRows {
  /** By its raw id `buf[start, end)` and the hash of that ({@link idHash}). */
  find(buf: Buffer, start: number, end: number, hash: number): ContractRow | undefined;
  /** True when certainly no contract has an id of this hash. */
  isAbsent(hash: number): boolean;
  /** The number of the one contract that an id of this hash can be that of; 0: there may be none, or several. */
  only(hash: number): number;
  /** Adds a contract that {@link find} has not found; returns its number. */
  add(
    id: Buffer,
    start: number,
    end: number,
    template: number | null,
    set: number | null,
    createdAt: bigint | number | null,
    hash: number,
  ): number;
  /** Adds what was not known when the row was added. */
  complete(pk: number, template: number | null, set: number, createdAt: bigint | number | null): void;
  addBlob(pk: number, buf: Buffer, start: number, end: number): void;
  /** Undefined: none is stored. */
  blob(pk: number): Buffer | undefined;
}

export function contractRows(db: Db, rows: StoreRows): ContractRows {
  const byHash = db
    .prepare('SELECT contract_pk, template_pk, set_pk, contract_id = ? FROM contract WHERE id_hash = ?')
    .raw();
  const byPk = db
    .prepare(
      'SELECT contract_pk, template_pk, set_pk FROM contract WHERE contract_pk = ? AND contract_id = ?',
    )
    .raw();
  const blobOf = db.prepare('SELECT blob FROM contract_blob WHERE rowid = ?').pluck();
  const completeRow = db.prepare(
    'UPDATE contract SET template_pk = ?, set_pk = ?, created_at = ? WHERE contract_pk = ?',
  );
  let arrival = nextArrival(db);
  const map = contractMap(db, rows.flushContracts);

  /** The rows that wait are those of the last arrivals. */
  const isWaiting = (pk: number): boolean =>
    pk >= FIRST_NUMBER && blobNumber(pk) >= arrival - rows.contracts.size;

  return {
    find(buf, start, end, hash) {
      if (map.complete) {
        let pk = map.first(hash);
        if (pk === 0) return undefined;
        for (const id = buf.subarray(start, end); pk !== 0; pk = map.next()) {
          if (isWaiting(pk)) rows.flushContracts();
          const row = byPk.get(pk, id) as ContractRow | undefined;
          if (row !== undefined) return row;
        }
        return undefined;
      }
      if (rows.contracts.has(1, hash)) rows.flushContracts();
      requireContractIndices(db);
      const found = byHash.all(buf.subarray(start, end), hash) as [...ContractRow, same: number][];
      if (found.length === 0) map.missed();
      const row = found.find(([, , , same]) => same === 1);
      return row === undefined ? undefined : [row[0], row[1], row[2]];
    },
    isAbsent: (hash) => map.complete && map.first(hash) === 0,
    only(hash) {
      if (!map.complete) return 0;
      const pk = map.first(hash);
      return pk === 0 || map.next() !== 0 ? 0 : pk;
    },
    add(id, start, end, template, set, createdAt, hash) {
      const pk = contractNumber(arrival++, set);
      rows.contracts.add(pk, hash, rows.contracts.keep(id, start, end), template, set, createdAt);
      map.add(hash, pk);
      return pk;
    },
    complete(pk, template, set, createdAt) {
      completeRow.run(template, set, createdAt, pk);
    },
    addBlob(pk, buf, start, end) {
      rows.blobs.add(blobNumber(pk), rows.keepBlob(buf, start, end));
    },
    blob(pk) {
      const number = blobNumber(pk);
      // It may wait though its contract, with the rest of a full window, does not.
      if (rows.blobs.has(0, number)) rows.flushContracts();
      return blobOf.get(number) as Buffer | undefined;
    },
  };
}
