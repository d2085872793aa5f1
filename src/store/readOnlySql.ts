/** `acs store sql`: any question in SQL, on a connection that cannot change anything. */
import Database from 'better-sqlite3';
import { AcsError } from '../io/error.js';
import { storeError, withStore } from './open.js';

export interface SqlAnswer {
  columns: string[];
  rows: number;
}

/** Runs one SELECT and hands its rows over one by one; integers are bigints, BLOBs are Buffers. */
export async function querySql(
  path: string,
  sql: string,
  onRow: (row: unknown[], columns: string[]) => Promise<unknown> | unknown,
  options: { maxRows?: number } = {},
): Promise<SqlAnswer> {
  return withStore(path, {}, async ({ db }) => {
    let statement: ReturnType<typeof db.prepare>;
    try {
      statement = db.prepare(sql);
    } catch (error) {
      throw faultOfQuestion(error);
    }
    if (!statement.reader || !statement.readonly) {
      throw new AcsError('SQL_NOT_A_QUESTION', 'only a SELECT can be run here', {
        hint: 'the store is changed by load, append, reset-to and prune only',
        exitCode: 2,
      });
    }
    const columns = statement.columns().map((column) => column.name);
    let rows = 0;
    try {
      for (const row of statement.raw().safeIntegers().iterate() as IterableIterator<unknown[]>) {
        if (options.maxRows !== undefined && rows >= options.maxRows) break;
        rows++;
        if ((await onRow(row, columns)) === false) break;
      }
    } catch (error) {
      const known = storeError(error, path);
      // Some mistakes show only while it runs: a sum beyond 64 bits, a function that is not allowed.
      throw known === error && error instanceof Database.SqliteError ? faultOfQuestion(error) : known;
    }
    return { columns, rows };
  });
}

function faultOfQuestion(error: unknown): AcsError {
  return new AcsError('SQL', error instanceof Error ? error.message : String(error), {
    hint: 'views: active, intervals, events, parties, templates, reassignments, findings (docs/STORE.md)',
    exitCode: 2,
    cause: error,
  });
}
