/** `acs store sql`: any question in SQL, on a connection that cannot change anything. */
import Database from 'better-sqlite3';
import { AcsError } from '../io/error.js';
import { storeError, withStore } from './open.js';

export interface SqlAnswer {
  /** All different: a name that comes again has its number behind it, `name:1`. */
  columns: string[];
  rows: number;
  /** There are rows beyond `maxRows`. */
  more: boolean;
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
    const columns = distinct(statement.columns().map((column) => column.name));
    let rows = 0;
    let more = false;
    try {
      for (const row of answerOf(statement)) {
        if (options.maxRows !== undefined && rows >= options.maxRows) {
          more = true;
          break;
        }
        rows++;
        if ((await onRow(row, columns)) === false) break;
      }
    } catch (error) {
      const known = storeError(error, path);
      // Some mistakes show only while it runs: a sum beyond 64 bits, a function that is not allowed.
      throw known === error && error instanceof Database.SqliteError ? faultOfQuestion(error) : known;
    }
    return { columns, rows, more };
  });
}

function answerOf(statement: Database.Statement): IterableIterator<unknown[]> {
  try {
    return statement.raw().safeIntegers().iterate() as IterableIterator<unknown[]>;
  } catch (error) {
    // Placeholders: nothing is bound to them.
    throw error instanceof RangeError || error instanceof TypeError ? faultOfQuestion(error) : error;
  }
}

/** Names as SQLite itself makes them different in a subquery. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set(names);
  const seen = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let n = 1; seen.has(own); n++) if (!taken.has(`${name}:${n}`)) own = `${name}:${n}`;
    seen.add(own);
    return own;
  });
}

function faultOfQuestion(error: unknown): AcsError {
  return new AcsError('SQL', error instanceof Error ? error.message : String(error), {
    hint: 'views: active, intervals, events, parties, templates, reassignments, findings (docs/STORE.md)',
    exitCode: 2,
    cause: error,
  });
}
