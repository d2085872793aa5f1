/** Whether a source answers at an offset what a snapshot taken there says: a snapshot file, or recorded active contracts. */
import { readLedgerStream } from '../ledger/ledgerStream.js';
import { RecordView } from '../snapshot/record.js';
import { scanSnapshot } from '../snapshot/scan.js';
import { inFlightAt, type Question, questionSql, unnamedInFlight } from './ask.js';
import { openBase } from './baseFormat.js';
import { blobNumberSql } from './contractNumber.js';
import { idHash } from './idHash.js';
import { storeInterner } from './intern.js';
import type { Db } from './open.js';
import { pendingReassignments } from './pendingReassignments.js';

/**
 * Tells `disagree` every contract that is active, or in flight, on one side only or differently. A snapshot file names no
 * contract in flight: there the numbers are compared. Of a filtered source only what its base could hold is looked at.
 */
export async function checkAgainst(
  db: Db,
  q: Question,
  file: string,
  disagree: (detail: string, contractId?: string) => void,
): Promise<void> {
  const find = db
    .prepare(
      `SELECT c.contract_pk, a.counter, b.blob FROM contract c LEFT JOIN contract_blob b ON b.rowid = ${blobNumberSql('c.contract_pk')}
         LEFT JOIN activation a ON a.contract_pk = c.contract_pk
         AND a.source_pk = :s AND a.sync_pk = :y AND a.act_off <= :o AND (a.deact_off IS NULL OR a.deact_off > :o)
       WHERE c.id_hash = :h AND c.contract_id = :id`,
    )
    .raw()
    .safeIntegers();
  const parties = q.source.filter === undefined ? undefined : new Set(q.source.filter);
  const isOutside = (record: RecordView): boolean =>
    parties !== undefined &&
    !record.signatories.some((p) => parties.has(p)) &&
    !record.observers.some((p) => parties.has(p));
  db.exec(
    'CREATE TEMP TABLE seen(contract_pk INTEGER, sync_pk INTEGER, PRIMARY KEY(contract_pk, sync_pk)) WITHOUT ROWID',
  );
  const base = await openBase(file);
  try {
    const see = db.prepare('INSERT OR IGNORE INTO seen VALUES (?, ?)');
    const syncPk = db.prepare('SELECT sync_pk FROM synchronizer WHERE sync_id = ?').pluck();
    const compare = (record: RecordView): void => {
      if (isOutside(record)) return;
      const id = record.contractId;
      const sync = syncPk.get(record.synchronizerId) as number | undefined;
      const bytes = Buffer.from(id, 'hex');
      const row = find.get({ s: q.source.pk, y: sync ?? 0, o: q.offset, h: idHash(bytes), id: bytes }) as
        | [bigint, bigint | null, Buffer | null]
        | undefined;
      if (row === undefined || row[1] === null || sync === undefined) {
        disagree(`only in the snapshot, on ${record.synchronizerId}`, id);
        return;
      }
      see.run(row[0], sync);
      if (row[1] !== record.reassignmentCounter)
        disagree(`counter ${row[1]} in the store, ${record.reassignmentCounter} in the snapshot`, id);
      const blob = record.createdEventBlob;
      if (row[2] !== null && blob !== undefined && !row[2].equals(blob))
        disagree('another contract in the snapshot', id);
    };
    if (base.format === 'snapshot') {
      const { inFlight } = await scanSnapshot(
        base.input,
        (record) => {
          if (!record.inFlight) compare(record);
        },
        { name: file },
      );
      const known = inFlightAt(db, q).filter((r) => r.kind === 'unassigned').length;
      // Whose they are an empty record does not say, nor how many of those a base counted are still in flight.
      const least = parties === undefined ? known : 0;
      const most = parties === undefined ? known + unnamedInFlight(db, q) : inFlight;
      if (inFlight < least || inFlight > most)
        disagree(
          `${inFlight} contracts in flight in the snapshot, ${least === most ? most : `${least} to ${most}`} in the store`,
        );
    } else {
      const pending = pendingReassignments();
      const view = new RecordView();
      await readLedgerStream(
        base.input,
        'GetActiveContractsResponse',
        (buf, start, end) => {
          const entry = pending.take(buf, start, end);
          if (entry !== undefined) compare(view.parseActive(buf, entry.start, entry.end));
        },
        { name: file },
      );
      const inSnapshot = new Map<string, string>();
      for (const { created, part, assigned } of pending.finish()) {
        view.parseEvent(created, 0, created.length);
        if (isOutside(view)) continue;
        inSnapshot.set(
          `${assigned ? 'assigned' : 'unassigned'} ${part.reassignmentId} ${view.contractId}`,
          view.contractId,
        );
      }
      for (const r of inFlightAt(db, q)) {
        const found = inSnapshot.delete(`${r.kind} ${r.reassignmentId} ${r.contractId}`);
        // The snapshot knows whether an assignment alone is that of a contract that came into view.
        if (!found && r.certain) disagree(`in flight (${r.kind}) only in the store`, r.contractId);
      }
      for (const [key, id] of inSnapshot)
        disagree(`in flight (${key.split(' ')[0]}) only in the snapshot`, id);
    }
    const intern = storeInterner(db);
    const rest = db
      .prepare(
        `SELECT lower(hex(c.contract_id)), a.sync_pk ${questionSql(q, { contract: true })}
         AND NOT EXISTS (SELECT 1 FROM temp.seen x WHERE x.contract_pk = a.contract_pk AND x.sync_pk = a.sync_pk)`,
      )
      .raw()
      .iterate({ o: q.offset }) as IterableIterator<[string, number]>;
    for (const [id, sync] of rest) disagree(`only in the store, on ${intern.synchronizerId(sync)}`, id);
  } finally {
    await base.close();
    db.exec('DROP TABLE temp.seen');
  }
}
