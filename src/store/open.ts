/**
 * Opening a store: application id, migrations, pragmas, one writer at a time, and SQLite's errors in the toolkit's words.
 *
 * Durability (docs/STORE.md): write-ahead log with `synchronous = FULL`, so a batch that has been acknowledged survives
 * a killed process and a lost power supply.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { AcsError } from '../io/error.js';

export type Db = Database.Database;

/** Pages in the log at which a writer without a thread of its own checkpoints. */
export const AUTOMATIC_PAGES = 8000;

/** `acs1` */
export const APPLICATION_ID = 0x61637331;
export const SCHEMA_VERSION = 3;

const MIGRATIONS = ['001-store.sql', '002-commitments.sql', '003-contract-numbers.sql'];

export interface Store {
  readonly path: string;
  readonly db: Db;
  readonly writable: boolean;
  close(): void;
}

export interface OpenOptions {
  /** Default false: a connection that cannot change anything. */
  write?: boolean;
  /** Create the file when it does not exist; implies `write`. */
  create?: boolean;
}

/** Opens `path`. Throws `STORE_*` errors. A writer holds the store until it is closed; readers are never held up. */
export function openStore(path: string, options: OpenOptions = {}): Store {
  const write = options.write === true || options.create === true;
  if (options.create !== true && !existsSync(path)) {
    throw new AcsError('STORE_MISSING', 'no such store', {
      file: path,
      hint: 'create one: acs store load DB --source P FILE --offset N, or from the beginning of the ledger: acs store append DB --source P --begin 0 UPDATES',
    });
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new AcsError('STORE_UNREADABLE', 'this is a directory, a store is a file', { file: path });
  }
  const folder = dirname(resolve(path));
  if (!existsSync(folder)) {
    throw new AcsError('STORE_UNREADABLE', 'the folder of the store does not exist', { file: folder });
  }
  let lock: Db | undefined;
  let db: Db | undefined;
  try {
    if (write) lock = lockWriter(path);
    db = new Database(path, { readonly: !write, fileMustExist: !write });
    if (write) prepareForWriting(db, path);
    else prepareForReading(db, path);
    const opened = db;
    const held = lock;
    return {
      path,
      db: opened,
      writable: write,
      close() {
        if (write && opened.open) opened.pragma('optimize');
        opened.close();
        held?.close();
      },
    };
  } catch (error) {
    db?.close();
    lock?.close();
    throw write ? storeError(error, path) : (noRoomBeside(error, path) ?? storeError(error, path));
  }
}

/** Readers share memory in files beside the store; where those cannot be made, a store that is there seems not to be. */
function noRoomBeside(error: unknown, path: string): AcsError | undefined {
  const code = codeOf(error);
  if (!/^SQLITE_(CANTOPEN|READONLY)/.test(code) || !isDatabaseFile(path)) return undefined;
  return new AcsError('STORE_UNREADABLE', 'the files that readers share cannot be made beside the store', {
    file: path,
    expected: `a folder in which ${basename(path)}-shm and ${basename(path)}-wal can be written`,
    found: code,
    hint: 'copy the store, with its -wal if there is one, to a folder that can be written',
    cause: error,
  });
}

/** True when a file starts as SQLite databases do: the way inputs are told from snapshots. */
export function isDatabaseFile(path: string): boolean {
  let file: number | undefined;
  try {
    // A pipe would lose its writer when it is opened and closed.
    if (!statSync(path).isFile()) return false;
    file = openSync(path, 'r');
    const head = Buffer.alloc(16);
    return readSync(file, head, 0, 16, 0) === 16 && head.equals(SQLITE_MAGIC);
  } catch {
    // Whoever reads the file says what is wrong with it.
    return false;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

const SQLITE_MAGIC = Buffer.from('SQLite format 3\0');

/** Runs `use` on an open store and closes it whatever happens; SQLite's errors become {@link AcsError}s. */
export async function withStore<T>(
  path: string,
  options: OpenOptions,
  use: (store: Store) => Promise<T> | T,
): Promise<T> {
  const store = openStore(path, options);
  try {
    return await use(store);
  } catch (error) {
    throw storeError(error, path);
  } finally {
    if (store.db.open) {
      try {
        store.close();
      } catch {
        // The error that matters is the one already on its way; an unfinished transaction rolls back by itself.
      }
    }
  }
}

/**
 * A lock file beside the store, itself a tiny database held by an exclusive transaction: the operating system drops it
 * with the process, however that ends.
 */
function lockWriter(path: string): Db {
  const lockPath = `${path}.writer`;
  let lock: Db | undefined;
  try {
    lock = new Database(lockPath, { timeout: 0 });
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    if (codeOf(error).startsWith('SQLITE_BUSY')) {
      throw new AcsError('STORE_BUSY', 'another process is writing to this store', {
        file: path,
        hint: 'wait until it has finished; reading is possible meanwhile',
        cause: error,
      });
    }
    throw error;
  }
}

function prepareForWriting(db: Db, path: string): void {
  const empty = checkIdentity(db, path);
  if (empty) {
    db.pragma('page_size = 8192');
    db.pragma('journal_mode = WAL');
  } else if (db.pragma('journal_mode', { simple: true }) !== 'wal') db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('cache_size = -65536');
  db.pragma('temp_store = FILE');
  db.pragma(`wal_autocheckpoint = ${AUTOMATIC_PAGES}`);
  db.pragma('busy_timeout = 5000');
  migrate(db);
}

function prepareForReading(db: Db, path: string): void {
  if (checkIdentity(db, path)) {
    throw new AcsError('STORE_NOT_A_STORE', 'the file is an empty database', {
      file: path,
      hint: `if it is the copy of a store, ${basename(path)}-wal has to be copied with it`,
    });
  }
  db.pragma('query_only = ON');
  db.pragma('cache_size = -65536');
  db.pragma('busy_timeout = 5000');
}

/** True for a database without tables. Throws for one that is not ours or newer than this program. */
function checkIdentity(db: Db, path: string): boolean {
  const id = db.pragma('application_id', { simple: true });
  const version = db.pragma('user_version', { simple: true }) as number;
  const tables = db.prepare('SELECT count(*) FROM sqlite_master').pluck().get() as number;
  if (tables === 0 && id === 0) return true;
  if (id !== APPLICATION_ID) {
    throw new AcsError('STORE_FOREIGN', 'this database belongs to another application', {
      file: path,
      expected: `application_id ${APPLICATION_ID}`,
      found: `${id}`,
    });
  }
  if (version > SCHEMA_VERSION) {
    throw new AcsError('STORE_NEWER', 'the store was written by a newer version of acs', {
      file: path,
      expected: `schema version ${SCHEMA_VERSION} or older`,
      found: `${version}`,
      hint: 'upgrade acs; nothing was changed',
    });
  }
  return false;
}

function migrate(db: Db): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version === SCHEMA_VERSION) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    for (let v = version; v < SCHEMA_VERSION; v++) {
      db.exec(readFileSync(new URL(`../../schemas/sql/${MIGRATIONS[v]}`, import.meta.url), 'utf8'));
    }
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

const SQLITE_MEANINGS: readonly (readonly [string, string, string, string | undefined])[] = [
  [
    'SQLITE_FULL',
    'DISK_FULL',
    'the disk is full',
    'free some space and run the same command again: it resumes',
  ],
  ['SQLITE_READONLY', 'STORE_READ_ONLY', 'the store cannot be written', 'check the permissions of the file'],
  ['SQLITE_BUSY', 'STORE_BUSY', 'another process holds the store', 'wait until it has finished'],
  ['SQLITE_LOCKED', 'STORE_BUSY', 'the store is locked', 'wait until the other command has finished'],
  ['SQLITE_NOTADB', 'STORE_NOT_A_STORE', 'the file is no store', 'is this the right file?'],
  [
    'SQLITE_CORRUPT',
    'STORE_CORRUPT',
    'the store is damaged',
    'restore a backup or load the snapshots and updates again',
  ],
  [
    'SQLITE_CANTOPEN',
    'STORE_UNREADABLE',
    'the store cannot be opened',
    'check the path and the permissions of its folder',
  ],
  [
    'SQLITE_IOERR',
    'STORE_IO',
    'reading or writing the store failed',
    'check the disk; run `acs store check` afterwards',
  ],
];

/** SQLite's error as an {@link AcsError}; anything else as it is. */
export function storeError(error: unknown, path: string): unknown {
  const code = codeOf(error);
  if (!code.startsWith('SQLITE_')) return error;
  const detail = error instanceof Error ? error.message : String(error);
  for (const [prefix, ours, message, hint] of SQLITE_MEANINGS) {
    if (code.startsWith(prefix)) {
      return new AcsError(ours, message, { file: path, found: `${detail} (${code})`, hint, cause: error });
    }
  }
  return error;
}
