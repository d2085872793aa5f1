/**
 * A DAR: a zip with a manifest and one DALF per package (daml-lf spec, section 1). Only the manifest and the packages
 * it names are inflated, one at a time.
 */
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { AcsError } from '../io/error.js';
import { fileError } from '../io/input.js';
import { type DarManifest, MANIFEST_ENTRY, parseManifest } from './darManifest.js';

export interface DarLimits {
  /**
   * Largest inflated entry, and largest bare DALF. It is held in memory as a whole, once. Packages in use stay below
   * 2 MiB; a participant would take up to 1 GiB.
   */
  readonly entryBytes: number;
  /** All inflated packages together. */
  readonly totalBytes: number;
  readonly entries: number;
  readonly manifestBytes: number;
  /** Largest inflated : stored ratio of an entry of more than 16 MiB. Packages stay below 10. */
  readonly ratio: number;
}

export const DAR_LIMITS: DarLimits = {
  entryBytes: 256 << 20,
  totalBytes: 2 ** 30,
  entries: 100_000,
  manifestBytes: 4 << 20,
  ratio: 100,
};

const RATIO_FREE_BYTES = 16 << 20;

/** Whether a file starts like a zip; a bare DALF does not. Errors: `FILE_UNREADABLE`, `DAR_MALFORMED` if empty. */
export async function isZip(path: string): Promise<boolean> {
  const handle = await open(path, 'r').catch((cause) => {
    throw fileError(path, cause);
  });
  try {
    const start = Buffer.alloc(4);
    const { bytesRead } = await handle.read(start, 0, 4, 0).catch((cause) => {
      throw fileError(path, cause);
    });
    if (bytesRead === 0) throw new AcsError('DAR_MALFORMED', 'the file is empty', { file: path });
    return bytesRead >= 2 && start[0] === 0x50 && start[1] === 0x4b;
  } finally {
    await handle.close();
  }
}

/**
 * Reads a DAR: `onDalf` gets the bytes of each package the manifest names, in its order.
 * Errors: `FILE_UNREADABLE`, `DAR_MALFORMED`, `DAR_BAD_MANIFEST`, `DAR_UNSAFE_PATH`, `DAR_TOO_LARGE`.
 */
export async function readDar(
  path: string,
  onDalf: (entryName: string, bytes: Buffer) => void | Promise<void>,
  limits: DarLimits = DAR_LIMITS,
): Promise<DarManifest> {
  try {
    const zip = await openPromise(path, { autoClose: false, strictFileNames: true });
    try {
      return await readEntries(zip, onDalf, limits);
    } finally {
      zip.close();
    }
  } catch (error) {
    throw darError(path, error);
  }
}

async function readEntries(
  zip: ZipFile,
  onDalf: (entryName: string, bytes: Buffer) => void | Promise<void>,
  limits: DarLimits,
): Promise<DarManifest> {
  const entries = await listEntries(zip, limits);
  const manifestEntry = entries.get(MANIFEST_ENTRY);
  if (manifestEntry === undefined) {
    throw new AcsError('DAR_BAD_MANIFEST', 'the zip has no manifest', { expected: MANIFEST_ENTRY });
  }
  if (manifestEntry.uncompressedSize > limits.manifestBytes)
    throw tooLarge(manifestEntry, limits.manifestBytes);
  const manifest = parseManifest((await inflateEntry(zip, manifestEntry, limits)).toString('utf8'));
  let total = 0;
  for (const name of manifest.dalfs) {
    const entry = entries.get(name);
    if (entry === undefined) {
      throw new AcsError('DAR_BAD_MANIFEST', 'the manifest names a package that is not in the zip', {
        expected: name,
      });
    }
    total += entry.uncompressedSize;
    if (total > limits.totalBytes) throw tooLarge(entry, limits.totalBytes);
    await onDalf(name, await inflateEntry(zip, entry, limits));
  }
  return manifest;
}

async function listEntries(zip: ZipFile, limits: DarLimits): Promise<Map<string, Entry>> {
  if (zip.entryCount > limits.entries) {
    throw new AcsError('DAR_TOO_LARGE', 'the zip has too many entries', {
      expected: `at most ${limits.entries}`,
      found: `${zip.entryCount}`,
    });
  }
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    if (entries.has(entry.fileName)) {
      throw new AcsError('DAR_MALFORMED', 'the zip has two entries of the same name', {
        found: entry.fileName,
      });
    }
    entries.set(entry.fileName, entry);
  }
  return entries;
}

async function inflateEntry(zip: ZipFile, entry: Entry, limits: DarLimits): Promise<Buffer> {
  const size = entry.uncompressedSize;
  if (size > limits.entryBytes) throw tooLarge(entry, limits.entryBytes);
  if (size > RATIO_FREE_BYTES && size > entry.compressedSize * limits.ratio) {
    throw new AcsError('DAR_TOO_LARGE', `entry ${entry.fileName} is a zip bomb`, {
      expected: `at most ${limits.ratio} inflated bytes per stored byte`,
      found: `${size} bytes out of ${entry.compressedSize}`,
    });
  }
  if (entry.isEncrypted()) throw new AcsError('DAR_MALFORMED', `entry ${entry.fileName} is encrypted`);
  const bytes = Buffer.allocUnsafeSlow(size);
  let length = 0;
  // yauzl stops with an error as soon as the inflated bytes differ in number from what the directory states.
  for await (const chunk of await zip.openReadStreamPromise(entry))
    length += (chunk as Buffer).copy(bytes, length);
  const checksum = crc32(bytes);
  if (checksum !== entry.crc32) {
    throw new AcsError('DAR_MALFORMED', `entry ${entry.fileName} is damaged: its checksum does not match`, {
      expected: entry.crc32.toString(16),
      found: checksum.toString(16),
    });
  }
  return bytes;
}

function tooLarge(entry: Entry, limit: number): AcsError {
  return new AcsError('DAR_TOO_LARGE', `entry ${entry.fileName} inflates to too many bytes`, {
    expected: `at most ${limit} bytes`,
    found: `${entry.uncompressedSize}`,
    hint: 'no package in use is this large: get the DAR again from where it was built',
  });
}

/** Errors of the zip library are plain; give them a code and the file. */
function darError(path: string, error: unknown): unknown {
  if (error instanceof AcsError) return error.locate({ file: path });
  if (!(error instanceof Error)) return error;
  if ((error as NodeJS.ErrnoException).syscall !== undefined) return fileError(path, error);
  if (/^(invalid relative path|absolute path|invalid characters in fileName)/.test(error.message)) {
    return new AcsError('DAR_UNSAFE_PATH', `refused: ${error.message}`, {
      file: path,
      expected: 'entry names inside the archive',
      cause: error,
    });
  }
  return new AcsError('DAR_MALFORMED', `not a readable zip: ${error.message}`, {
    file: path,
    hint: 'the file may be cut short; get the DAR again',
    cause: error,
  });
}
