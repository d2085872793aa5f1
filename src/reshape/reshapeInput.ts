/** Reading the inputs of filter, split and merge: with the piece index of a manifest when there is a fitting one. */
import { stat } from 'node:fs/promises';
import { type Manifest, type ManifestOrigin, readManifest } from '../contract/manifest.js';
import { AcsError } from '../io/error.js';
import { type ByteInput, inputName } from '../io/input.js';
import { inflatePieces } from '../snapshot/pieces.js';
import type { RecordView } from '../snapshot/record.js';
import { type ScanOptions, type SnapshotFacts, scanSnapshot } from '../snapshot/scan.js';

export interface ReshapeReadOptions extends ScanOptions {
  /** False ignores a manifest beside the input. Default true. */
  useManifest?: boolean;
  /** Called with the number of records read so far, once per chunk. */
  onProgress?: (records: number) => void;
}

export interface ReshapeInput {
  readonly name: string;
  /** Where the export came from, as far as the manifest of the input says so. */
  readonly origin: ManifestOrigin;
  /** Like `scanSnapshot`. */
  scan(
    visit: (record: RecordView) => unknown,
    afterChunk: () => Promise<void> | void,
  ): Promise<SnapshotFacts>;
}

export async function openReshapeInput(
  input: ByteInput,
  options: ReshapeReadOptions = {},
): Promise<ReshapeInput> {
  const manifest = options.useManifest === false ? undefined : await fittingManifest(input);
  return {
    name: inputName(input),
    origin: manifest === undefined ? {} : originOf(manifest),
    scan(visit, afterChunk) {
      let records = 0;
      const scanOptions: ScanOptions = {
        ...options,
        async afterChunk() {
          options.onProgress?.(records);
          await afterChunk();
          await options.afterChunk?.();
        },
      };
      if (manifest !== undefined && typeof input === 'string') {
        scanOptions.inflated = (facts) => inflatePieces(input, manifest.pieces, facts);
      }
      return scanSnapshot(
        input,
        (record) => {
          records = record.index + 1;
          return visit(record);
        },
        scanOptions,
      );
    },
  };
}

/** A manifest only helps: one that is unreadable or stale is left aside and the file read as if it had none. */
async function fittingManifest(input: ByteInput): Promise<Manifest | undefined> {
  if (typeof input !== 'string' || input === '-') return undefined;
  const isFile = await stat(input).then(
    (facts) => facts.isFile(),
    () => false,
  );
  if (!isFile) return undefined;
  try {
    return await readManifest(input);
  } catch (error) {
    if (error instanceof AcsError && error.code.startsWith('MANIFEST_')) return undefined;
    throw error;
  }
}

function originOf(manifest: Manifest): ManifestOrigin {
  const origin: ManifestOrigin = {};
  if (manifest.offset !== undefined) origin.offset = BigInt(manifest.offset);
  if (manifest.participant !== undefined) origin.participant = manifest.participant;
  if (manifest.parties !== undefined) origin.parties = manifest.parties;
  return origin;
}
