/**
 * The sidecar `FILE.manifest.json`: what the snapshot format itself has no room for (snapshot-format spec, section 2).
 * Written last, after the file is in place; a manifest that does not fit its file is stale and never trusted.
 */
import { readFile, stat } from 'node:fs/promises';
import { writeFileAtomic } from '../io/atomicFile.js';
import { AcsError } from '../io/error.js';
import type { Piece } from '../wire/deflate.js';

export const MANIFEST_FORMAT = 'acskit-manifest/1';

/** The JSON of a manifest; counts and byte numbers stay below 2^53, the offset is a string. */
export interface Manifest {
  format: typeof MANIFEST_FORMAT;
  tool: string;
  file: string;
  compressed: { bytes: number; sha256: string };
  inflated: { bytes: number; sha256: string; crc32: number };
  contracts: number;
  inFlight: number;
  contentDigest: string;
  byTemplate: Record<string, number>;
  bySynchronizer: Record<string, number>;
  /** Ledger offset of the export, when known. */
  offset?: string;
  participant?: string;
  /** Parties the export was filtered by, when known; empty means no filter. */
  parties?: string[];
  pieces: Piece[];
}

/** What the writer of a file knows beyond its bytes. */
export interface ManifestOrigin {
  offset?: bigint;
  participant?: string;
  parties?: string[];
}

export function manifestPath(snapshot: string): string {
  return `${snapshot}.manifest.json`;
}

export async function writeManifest(snapshot: string, manifest: Manifest): Promise<void> {
  await writeFileAtomic(manifestPath(snapshot), `${JSON.stringify(manifest, null, 1)}\n`);
}

/**
 * The manifest beside a snapshot file, or undefined when there is none. One that is unreadable or made for a file of
 * another size is a `MANIFEST_*` error: the caller decides whether to go on without it.
 */
export async function readManifest(snapshot: string): Promise<Manifest | undefined> {
  if (snapshot === '-') return undefined;
  const path = manifestPath(snapshot);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
    throw new AcsError('MANIFEST_UNREADABLE', 'the manifest cannot be read', { file: path, cause });
  });
  if (text === undefined) return undefined;
  const manifest = parseManifest(text, path);
  const { size } = await stat(snapshot);
  if (size !== manifest.compressed.bytes) {
    throw new AcsError('MANIFEST_STALE', 'the manifest does not belong to this file', {
      file: path,
      expected: `a file of ${manifest.compressed.bytes} bytes`,
      found: `${size} bytes`,
      hint: 'the file was changed or replaced after the manifest was written; remove the manifest',
    });
  }
  return manifest;
}

/** Parses the text of a manifest; `path` is for messages. Whether it fits a file is not looked at. */
export function parseManifest(text: string, path: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AcsError('MANIFEST_UNREADABLE', 'the manifest is not JSON', { file: path, cause });
  }
  const manifest = json as Partial<Manifest> | null;
  const size = manifest?.compressed?.bytes;
  const valid =
    typeof manifest === 'object' &&
    manifest !== null &&
    manifest.format === MANIFEST_FORMAT &&
    typeof size === 'number' &&
    typeof manifest.inflated?.bytes === 'number' &&
    typeof manifest.contentDigest === 'string' &&
    (manifest.offset === undefined || isOffset(manifest.offset)) &&
    (manifest.participant === undefined || typeof manifest.participant === 'string') &&
    (manifest.parties === undefined || isStrings(manifest.parties)) &&
    Array.isArray(manifest.pieces) &&
    manifest.pieces.every((piece) => validPiece(piece, size));
  if (!valid) {
    throw new AcsError('MANIFEST_UNREADABLE', 'the manifest has another shape', {
      file: path,
      expected: MANIFEST_FORMAT,
      found: String(manifest?.format),
    });
  }
  return manifest as Manifest;
}

function isOffset(value: unknown): boolean {
  return typeof value === 'string' && /^\d{1,19}$/.test(value);
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}

/** No deflate stream inflates more. */
const MAX_RATIO = 1032;

/** Memory is made for a piece before it is read: how much is not left to a file anyone may have written. */
function validPiece(piece: unknown, fileBytes: number): boolean {
  const { at, compressedBytes, inflatedBytes, crc32 } = (piece ?? {}) as Partial<Piece>;
  return (
    isNumber(at, fileBytes) &&
    isNumber(compressedBytes, Math.min(2 ** 32 - 1, fileBytes - (at as number))) &&
    isNumber(inflatedBytes, Math.min(2 ** 32 - 1, MAX_RATIO * (compressedBytes as number))) &&
    isNumber(crc32, 2 ** 32 - 1)
  );
}

function isNumber(value: unknown, most: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
}
