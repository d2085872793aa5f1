/** Blobs wait apart from the rows of their contracts, which a full window writes at once. */
import { expect, it } from 'vitest';
import { WINDOW } from '../../src/store/contractNumber.js';
import { contractRows } from '../../src/store/contractRows.js';
import { idHash } from '../../src/store/idHash.js';
import { openStore } from '../../src/store/open.js';
import { ROWS_PER_STATEMENT, storeRows } from '../../src/store/storeRows.js';
import { storePath } from './temporaryStore.js';

it('the blob of the contract that fills a window is found before it is written', () => {
  const store = openStore(storePath(), { create: true });
  const { db } = store;
  db.exec('BEGIN IMMEDIATE');
  const rows = storeRows(db, ROWS_PER_STATEMENT);
  const contracts = contractRows(db, rows);
  const id = Buffer.alloc(33);
  const blob = Buffer.alloc(20);
  // The first has no blob, so that the last blobs of the window are not a whole statement.
  for (let n = 0; n < WINDOW; n++) {
    id.writeUInt32BE(n, 4);
    blob.writeUInt32BE(n, 4);
    const pk = contracts.add(id, 0, id.length, 1, 1 + (n % 5), 0, idHash(id));
    if (n > 0) contracts.addBlob(pk, blob, 0, blob.length);
  }
  expect(rows.contracts.size).toBe(0);
  expect(rows.blobs.size).toBeGreaterThan(0);
  const [pk] = contracts.find(id, 0, id.length, idHash(id)) ?? [0];
  expect(contracts.blob(pk)).toEqual(blob);
  rows.flush();
  db.exec('COMMIT');
  store.close();
});
