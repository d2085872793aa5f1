/**
 * Rows on their way into a big table. A statement of many rows costs half as much per row as one of a single row, so rows
 * wait here until enough are together.
 */
import { keyOrder } from './keyOrder.js';
import type { Db } from './open.js';
import { rowsSql } from './rowsSql.js';

export interface RowBuffer {
  /** Takes one row, in the order of the columns. Buffers must stay as they are until it is flushed. */
  add(...row: unknown[]): void;
  /** True when a waiting row has this value in this column. */
  has(column: number, value: number): boolean;
  flush(): void;
  /** Rows waiting. */
  readonly size: number;
}

/** `into`: table and columns. */
export function rowBuffer(db: Db, into: string, perStatement: number): RowBuffer {
  const width = into.split(',').length;
  const statements = inserts(db, into, width, perStatement);
  const full = width * perStatement;
  const values: unknown[] = Array(full).fill(null);
  let at = 0;

  return {
    add(...given) {
      for (let i = 0; i < width; i++) values[at++] = given[i];
      if (at < full) return;
      at = 0;
      statements.many.run(...values);
    },
    has(column, value) {
      for (let i = column; i < at; i += width) if (values[i] === value) return true;
      return false;
    },
    flush() {
      const end = at;
      at = 0;
      for (let i = 0; i < end; i += width) statements.single.run(...values.slice(i, i + width));
    },
    get size() {
      return at / width;
    },
  };
}

export interface SortedRowBuffer extends RowBuffer {
  /** Copies `buf[start, end)` for the row that is added next. */
  keep(buf: Buffer, start: number, end: number): number;
}

/** In the place of null, and of an integer that a double does not hold. */
const NULL = Number.NaN;
const BIG = Number.POSITIVE_INFINITY;
/** Of a contract id. */
const USUAL_BYTES = 40;

/**
 * The same for rows that are written in the order of their first column, `rows` of them at once. All columns are integers or
 * null, but for `bytesColumn`, which takes what {@link SortedRowBuffer.keep} gives.
 */
export function sortedRowBuffer(
  db: Db,
  into: string,
  perStatement: number,
  rows: number,
  bytesColumn = -1,
): SortedRowBuffer {
  const width = into.split(',').length;
  const statements = inserts(db, into, width, perStatement);
  // Memory that is not touched is not taken.
  const cells = new Float64Array(rows * width);
  let bytes: Buffer = Buffer.allocUnsafeSlow(bytesColumn < 0 ? 0 : rows * USUAL_BYTES);
  let used = 0;
  /** Where the bytes of a row begin; they end where its cell says. */
  const starts = new Float64Array(bytesColumn < 0 ? 0 : rows);
  const bigs = new Map<number, bigint>();
  const statement: unknown[] = Array(width * perStatement).fill(null);
  let size = 0;
  /** Per column that was asked for: what the first rows have in it, and how many these are. */
  const asked = new Map<number, { seen: Set<number>; rows: number }>();

  function cellOf(value: unknown, cell: number): number {
    if (typeof value === 'number') return value;
    if (value === null) return NULL;
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    bigs.set(cell, value as bigint);
    return BIG;
  }

  /** Puts a row into the statement, from `to` on. */
  function bind(row: number, to: number): void {
    const from = row * width;
    for (let i = 0; i < width; i++) {
      const value = cells[from + i];
      statement[to + i] = Number.isFinite(value) ? value : value === BIG ? bigs.get(from + i) : null;
    }
    if (bytesColumn >= 0)
      statement[to + bytesColumn] = bytes.subarray(starts[row], cells[from + bytesColumn]);
  }

  function flush(): void {
    if (size === 0) return;
    const keys = new Float64Array(size);
    for (let i = 0; i < size; i++) keys[i] = cells[i * width];
    const order = keyOrder(keys);
    const whole = size - (size % perStatement);
    size = 0;
    asked.clear();
    for (let i = 0; i < order.length; ) {
      const together = i < whole ? perStatement : 1;
      for (let k = 0; k < together; k++) bind(order[i++], k * width);
      if (together === perStatement) statements.many.run(...statement);
      else statements.single.run(...statement.slice(0, width));
    }
    bigs.clear();
    used = 0;
  }

  return {
    keep(buf, start, end) {
      const length = end - start;
      if (used + length > bytes.length) {
        const grown = Buffer.allocUnsafeSlow(Math.max(2 * bytes.length, used + length));
        grown.set(bytes.subarray(0, used));
        bytes = grown;
      }
      starts[size] = used;
      // Few bytes are copied faster one by one than by a call.
      for (let i = start; i < end; i++) bytes[used++] = buf[i];
      return used;
    },
    add(...given) {
      const from = size * width;
      for (let i = 0; i < width; i++) cells[from + i] = cellOf(given[i], from + i);
      if (++size >= rows) flush();
    },
    has(column, value) {
      let known = asked.get(column);
      if (known === undefined) {
        known = { seen: new Set(), rows: 0 };
        asked.set(column, known);
      }
      for (; known.rows < size; known.rows++) known.seen.add(cells[known.rows * width + column]);
      return known.seen.has(value);
    },
    flush,
    get size() {
      return size;
    },
  };
}

function inserts(db: Db, into: string, width: number, perStatement: number) {
  const single = db.prepare(`INSERT INTO ${into} VALUES ${rowsSql(width, 1)}`);
  // FAIL: the caller gives up the whole transaction at a fault; undoing the statement alone would cost a journal of its own.
  const many =
    perStatement === 1
      ? single
      : db.prepare(`INSERT OR FAIL INTO ${into} VALUES ${rowsSql(width, perStatement)}`);
  return { single, many };
}
