/**
 * The rows on their way into the big tables. Who reads one of these tables inside the same transaction flushes first, or
 * asks whether its row is still waiting; who commits flushes. After a rollback the waiting rows are thrown away with it.
 */
import { WINDOW } from './contractNumber.js';
import type { Db } from './open.js';
import { type RowBuffer, rowBuffer, type SortedRowBuffer, sortedRowBuffer } from './rowBuffer.js';

/** Rows of one statement. */
export const ROWS_PER_STATEMENT = 32;

/** Room for waiting blobs; longer ones are copied on their own. */
const SLAB_BYTES = 256 * 1024;

export interface StoreRows {
  /** contract_pk, id_hash, contract_id, template_pk, set_pk, created_at; those of a window are written together. */
  readonly contracts: SortedRowBuffer;
  /** blob_pk, blob */
  readonly blobs: RowBuffer;
  /** As in the table. */
  readonly updates: RowBuffer;
  /** As in the table. */
  readonly events: RowBuffer;
  /** contract_pk, source_pk, sync_pk, act_event, act_off, template_pk, counter; written like contracts. */
  readonly activations: RowBuffer;
  /** The blob `buf[start, end)`: a copy that lasts until {@link flushContracts}, unless borrowed. */
  keepBlob(buf: Buffer, start: number, end: number): Buffer;
  /** No blob is copied from `buf`, which stays as it is until {@link giveBack}. */
  borrow(buf: Buffer): void;
  giveBack(): void;
  /** Contracts and their blobs. */
  flushContracts(): void;
  flush(): void;
}

/** `perStatement` 1: nothing waits. */
export function storeRows(db: Db, perStatement: number): StoreRows {
  const window = perStatement === 1 ? 1 : WINDOW;
  const contracts = sortedRowBuffer(
    db,
    'contract(contract_pk, id_hash, contract_id, template_pk, set_pk, created_at)',
    perStatement,
    window,
    2,
  );
  const blobs = rowBuffer(db, 'contract_blob(rowid, blob)', perStatement);
  const updates = rowBuffer(
    db,
    'update_tx(source_pk, off, kind, update_id, id_hash, sync_pk, record_time, effective_at, workflow_id, origin, content_hash, first_event)',
    perStatement,
  );
  const events = rowBuffer(
    db,
    'event(event_pk, source_pk, off, node_id, kind, contract_pk, sync_pk, counter, ledger_offset, layout_pk, package_pk, shape)',
    perStatement,
  );
  const activations = sortedRowBuffer(
    db,
    'activation(contract_pk, source_pk, sync_pk, act_event, act_off, template_pk, counter)',
    perStatement,
    window,
  );
  const slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  let used = 0;
  let borrowed: Buffer | undefined;

  function flushBlobs(): void {
    blobs.flush();
    used = 0;
  }

  function flushContracts(): void {
    contracts.flush();
    flushBlobs();
  }

  return {
    contracts,
    blobs,
    updates,
    events,
    activations,
    borrow(buf) {
      borrowed = buf;
    },
    giveBack() {
      flushBlobs();
      updates.flush();
      borrowed = undefined;
    },
    keepBlob(buf, start, end) {
      if (buf === borrowed) return buf.subarray(start, end);
      const size = end - start;
      if (size > SLAB_BYTES) return Buffer.from(buf.subarray(start, end));
      if (used + size > SLAB_BYTES || blobs.size === 0) flushBlobs();
      const from = used;
      slab.set(buf.subarray(start, end), from);
      used += size;
      return slab.subarray(from, used);
    },
    flushContracts,
    flush() {
      flushContracts();
      updates.flush();
      events.flush();
      activations.flush();
    },
  };
}
