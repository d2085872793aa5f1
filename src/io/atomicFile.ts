/**
 * Files that appear whole or not at all: written under a temporary name in the same folder, flushed to disk, then
 * renamed. A crash or a signal at any moment leaves nothing under the final name. What is no file (a device, a pipe with
 * a name) is written to as it stands: a rename would put a file in its place. A symbolic link stays, and what it points to
 * is written.
 */
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AcsError } from './error.js';
import { writeError } from './input.js';

export interface AtomicFile {
  readonly path: string;
  /** Appends bytes. Resolves when the operating system has taken them. */
  write(bytes: Uint8Array): Promise<void>;
  /** fsync, rename to the final name, fsync of the folder. */
  commit(): Promise<void>;
  /** Removes the temporary file. Does nothing after {@link commit}. */
  abort(): Promise<void>;
}

/** Of the final name in a temporary one: a name may be as long as the file system takes, and the rest has to fit too. */
const NAME_CHARACTERS = 60;

/** Opens an existing file for appending; never creates one. */
const APPEND = constants.O_WRONLY | constants.O_APPEND;

const unfinished = new Set<string>();
let cleanupInstalled = false;

function installCleanup(): void {
  if (cleanupInstalled) return;
  cleanupInstalled = true;
  process.on('exit', removeUnfinished);
}

/** Removes what is temporary of every write still under way; called on exit and by the signal handler. */
export function removeUnfinished(): void {
  for (const path of unfinished) rmSync(path, { force: true, recursive: true });
  unfinished.clear();
}

/**
 * Has a folder that is being filled under a temporary name removed when the process ends. Returns what to call when it
 * has its final name, or is gone.
 */
export function removeWhenInterrupted(folder: string): () => void {
  installCleanup();
  unfinished.add(folder);
  return () => unfinished.delete(folder);
}

export interface AtomicFileOptions {
  /** False refuses to replace an existing file. Default true. */
  overwrite?: boolean;
  /** False opens the file anew for every write: for many files at once. Default true. */
  keepOpen?: boolean;
}

/**
 * `-` writes to standard output instead (then {@link AtomicFile.commit} only waits for it to drain). What exists and may not
 * be replaced is refused at once, and once more at the end.
 */
export async function createAtomicFile(path: string, options: AtomicFileOptions = {}): Promise<AtomicFile> {
  if (path === '-') return standardOutput();
  const existing = await stat(path).catch(() => undefined);
  if (existing?.isDirectory() || path.endsWith('/')) {
    throw new AcsError('FILE_UNWRITABLE', 'this is a directory', {
      file: path,
      hint: 'give the name of a file in it',
    });
  }
  if (existing !== undefined && !existing.isFile()) return notAFile(path);
  if (options.overwrite === false) await refuseExisting(path);
  const target = await behindLinks(path);
  installCleanup();
  const folder = dirname(target);
  await mkdir(folder, { recursive: true }).catch((cause) => {
    throw writeError(folder, cause);
  });
  const temporary = join(
    folder,
    `.${basename(target).slice(0, NAME_CHARACTERS)}.${process.pid}.${Math.random().toString(36).slice(2, 10)}.tmp`,
  );
  unfinished.add(temporary);
  let handle: FileHandle | undefined;
  try {
    // At once and only here: an opening under way in another thread could create the file after a signal removed it.
    closeSync(openSync(temporary, 'wx', existing === undefined ? 0o666 : (existing.mode & 0o777) | 0o600));
    handle = await open(temporary, APPEND);
  } catch (cause) {
    rmSync(temporary, { force: true });
    unfinished.delete(temporary);
    throw writeError(path, cause);
  }
  const release = async (): Promise<void> => {
    if (options.keepOpen !== false) return;
    await handle?.close();
    handle = undefined;
  };
  await release();
  return {
    path,
    async write(bytes) {
      try {
        if (!unfinished.has(temporary)) throw new Error('the file was given up');
        handle ??= await open(temporary, APPEND);
        let done = 0;
        while (done < bytes.length) {
          const { bytesWritten } = await handle.write(bytes, done, bytes.length - done);
          done += bytesWritten;
        }
        await release();
      } catch (cause) {
        throw writeError(path, cause);
      }
    },
    async commit() {
      try {
        handle ??= await open(temporary, APPEND);
        // Who may read what is replaced, and nobody else, may read this.
        if (existing !== undefined) await handle.chmod(existing.mode & 0o777);
        await handle.sync();
        await handle.close();
        handle = undefined;
        if (options.overwrite === false) await refuseExisting(path);
        await rename(temporary, target);
      } catch (cause) {
        throw cause instanceof AcsError ? cause : writeError(path, cause);
      }
      unfinished.delete(temporary);
      await syncFolder(folder);
    },
    async abort() {
      if (!unfinished.has(temporary)) return;
      await handle?.close().catch(() => undefined);
      handle = undefined;
      await rm(temporary, { force: true });
      unfinished.delete(temporary);
    },
  };
}

/** Writes a whole small file atomically. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const file = await createAtomicFile(path);
  try {
    await file.write(typeof content === 'string' ? Buffer.from(content) : content);
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
}

/** Error `FILE_EXISTS`, exit status 2. For commands with several outputs: before the first of them is written. */
export async function refuseExisting(target: string): Promise<void> {
  // A link that leads nowhere exists too.
  if ((await lstat(target).catch(() => undefined)) === undefined) return;
  throw new AcsError('FILE_EXISTS', 'the output file exists already', { file: target, exitCode: 2 });
}

/** Where a file of this name is, or would be: symbolic links are followed, also one that leads nowhere yet. */
async function behindLinks(path: string): Promise<string> {
  let target = resolve(path);
  // As many links as Linux follows.
  for (let links = 0; links <= 40; links++) {
    const folder = await realpath(dirname(target)).catch(() => dirname(target));
    target = join(folder, basename(target));
    const link = await readlink(target).catch(() => undefined);
    if (link === undefined) return target;
    target = resolve(folder, link);
  }
  throw new AcsError('FILE_UNWRITABLE', 'symbolic links go round in a circle', { file: path });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  // Some file systems refuse to fsync a folder; the rename itself has happened.
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

async function notAFile(path: string): Promise<AtomicFile> {
  const failed = (cause: unknown): never => {
    throw writeError(path, cause);
  };
  const handle = await open(path, constants.O_WRONLY).catch(failed);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= handle.close();
    return closed;
  };
  return {
    path,
    write: (bytes) => handle.writeFile(bytes).catch(failed),
    commit: () => close().catch(failed),
    abort: () => close().catch(() => undefined),
  };
}

function standardOutput(): AtomicFile {
  return {
    path: '-',
    write: (bytes) =>
      new Promise<void>((done, failed) => {
        process.stdout.write(bytes, (error) =>
          error ? failed(writeError('standard output', error)) : done(),
        );
      }),
    commit: async () => undefined,
    abort: async () => undefined,
  };
}
