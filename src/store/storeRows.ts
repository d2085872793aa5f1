/**
 * Rows on their way into the big tables. A statement of many rows costs half as much per row as one of a single row, so
 * rows wait here until enough are together. Who reads one of these tables inside the same transaction flushes first, or
 * asks whether its row is still waiting; who commits flushes. After a rollback the waiting rows are thrown away with it.
 */
import type { Db } from './open.js';

/** Rows of one statement. */
export const ROWS_PER_STATEMENT = 32;

/** Room for the ids and blobs of waiting contracts; longer ones are copied on their own. */
const SLAB_BYTES = 256 * 1024;

export interface RowBuffer {
  /** Takes one row, in the order of the columns. Buffers must stay as they are until it is flushed. */
  add(...row: unknown[]): void;
  /** True when a waiting row has this value in this column. */
  has(column: number, value: number): boolean;
  flush(): void;
  /** Rows waiting. */
  readonly size: number;
}

export interface StoreRows {
  /** contract_pk, id_hash, contract_id, template_pk, set_pk, created_at */
  readonly contracts: RowBuffer;
  /** contract_pk, blob */
  readonly blobs: RowBuffer;
  /** As in the table. */
  readonly updates: RowBuffer;
  /** As in the table. */
  readonly events: RowBuffer;
  /** contract_pk, source_pk, sync_pk, act_event, act_off, template_pk, counter */
  readonly activations: RowBuffer;
  /** `buf[start, end)` for a contract or its blob: a copy that lasts until {@link flushContracts}, unless borrowed. */
  keep(buf: Buffer, start: number, end: number): Buffer;
  /** Nothing is copied from `buf`, which stays as it is until {@link giveBack}. */
  borrow(buf: Buffer): void;
  giveBack(): void;
  /** Contracts and their blobs. */
  flushContracts(): void;
  flush(): void;
}

/** `perStatement` 1: nothing waits. */
export function storeRows(db: Db, perStatement: number): StoreRows {
  const contracts = rowBuffer(
    db,
    'contract(contract_pk, id_hash, contract_id, template_pk, set_pk, created_at)',
    perStatement,
  );
  const blobs = rowBuffer(db, 'contract_blob(contract_pk, blob)', perStatement);
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
  const activations = rowBuffer(
    db,
    'activation(contract_pk, source_pk, sync_pk, act_event, act_off, template_pk, counter)',
    perStatement,
  );
  const slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  let used = 0;
  let borrowed: Buffer | undefined;

  function flushContracts(): void {
    contracts.flush();
    blobs.flush();
    used = 0;
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
      flushContracts();
      updates.flush();
      borrowed = undefined;
    },
    keep(buf, start, end) {
      if (buf === borrowed) return buf.subarray(start, end);
      const size = end - start;
      if (size > SLAB_BYTES) return Buffer.from(buf.subarray(start, end));
      if (used + size > SLAB_BYTES || contracts.size + blobs.size === 0) flushContracts();
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

function rowBuffer(db: Db, into: string, perStatement: number): RowBuffer {
  const width = into.split(',').length;
  const row = `(${Array(width).fill('?').join(', ')})`;
  const single = db.prepare(`INSERT INTO ${into} VALUES ${row}`);
  // FAIL: the caller gives up the whole transaction at a fault; undoing the statement alone would cost a journal of its own.
  const many =
    perStatement === 1
      ? single
      : db.prepare(`INSERT OR FAIL INTO ${into} VALUES ${Array(perStatement).fill(row).join(', ')}`);
  const full = width * perStatement;
  const values: unknown[] = Array(full).fill(null);
  let at = 0;

  return {
    add(...given) {
      for (let i = 0; i < width; i++) values[at++] = given[i];
      if (at < full) return;
      at = 0;
      many.run(...values);
    },
    has(column, value) {
      for (let i = column; i < at; i += width) if (values[i] === value) return true;
      return false;
    },
    flush() {
      const end = at;
      at = 0;
      for (let i = 0; i < end; i += width) single.run(...values.slice(i, i + width));
    },
    get size() {
      return at / width;
    },
  };
}
