import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { BLOBS_PER_BATCH, blobBatch } from '../../src/store/blobBatch.js';

it('gives the blobs of any bytes and lengths in the order asked for', () => {
  const db = new Database(':memory:');
  db.exec('CREATE TABLE contract_blob(contract_pk INTEGER PRIMARY KEY, blob BLOB NOT NULL)');
  const insert = db.prepare('INSERT INTO contract_blob VALUES (?, ?)');
  const lengths = [0, 1, 700, 65_535, 65_536, 65_537, 200_000, 9000];
  const blobs = lengths.map((n, i) => Buffer.from(Array.from({ length: n }, (_, k) => (k * 31 + i) & 0xff)));
  blobs.push(Buffer.from('00ff00fe', 'hex'), Buffer.from('c328a0', 'hex'));
  blobs.forEach((blob, i) => {
    insert.run(i + 1, blob);
  });
  const asked = Array.from({ length: BLOBS_PER_BATCH }, (_, i) =>
    i % 7 === 3 ? null : ((i * 5) % (blobs.length + 1)) + 1,
  );
  const batch = blobBatch(db);
  for (let round = 0; round < 2; round++) {
    batch.read(asked);
    for (const pk of asked) {
      const blob = pk === null ? undefined : blobs[pk - 1];
      expect(batch.next()).toBe(blob !== undefined);
      if (blob !== undefined) expect(batch.buf.subarray(batch.start, batch.end).equals(blob)).toBe(true);
    }
  }
  db.close();
});
