/** `acs info`: what a snapshot file holds, in one pass and bounded memory. */
import { stat } from 'node:fs/promises';
import { type Manifest, readManifest } from '../contract/manifest.js';
import { AcsError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import { inflatePieces } from '../snapshot/pieces.js';
import { type ScanOptions, type SnapshotFacts, scanSnapshot } from '../snapshot/scan.js';
import { infoTally, type SnapshotCounts } from './infoTally.js';

export interface SnapshotInfo extends SnapshotCounts {
  file: string;
  /** Format letter of docs/FORMAT.md; `empty` for a snapshot without records. */
  format: string;
  gzip: {
    compressedBytes: number;
    inflatedBytes: number;
    members: { start: number; end: number; inflatedBytes: number; crc32: string; records: number }[];
    trailingBytes: number;
  };
  records: number;
  contracts: number;
  /** Empty records that stand for contracts in flight at the export's offset. */
  inFlight: number;
  /** `none`, `used` (its piece index was used and its digests agree) or why it was not used. */
  manifest: string;
  /** From the manifest, when there is one. */
  origin: { offset?: string; participant?: string; parties?: string[] } | null;
}

export interface InfoOptions extends ScanOptions {
  /** How many largest records to list. Default 5. */
  largest?: number;
  /** Called with the number of records read so far, once per chunk. */
  onProgress?: (records: number) => void;
}

/** Reads a whole snapshot once. Throws when it is damaged: `verify` finds what is wrong, `recover` saves the rest. */
export async function snapshotInfo(input: ByteInput, options: InfoOptions = {}): Promise<SnapshotInfo> {
  const tally = infoTally(options.largest ?? 5);
  const { manifest, note } = await usableManifest(input);
  const memberRecords: number[] = [];
  let counted = 0;
  let known: SnapshotFacts | undefined;
  const scan: ScanOptions = {
    ...options,
    passer: tally,
    members: options.members ?? 'all',
    beforeChunk: (chunk) => {
      tally.hold(chunk);
      options.beforeChunk?.(chunk);
    },
    afterChunk: () => {
      // A chunk belongs to one member, which is not among the members before its end.
      const { records, gzip } = known as SnapshotFacts;
      const member = gzip.members.length;
      memberRecords[member] = (memberRecords[member] ?? 0) + records - counted;
      counted = records;
      options.onProgress?.(records);
      return options.afterChunk?.();
    },
    onFacts: (facts) => {
      known = facts;
      options.onFacts?.(facts);
    },
  };
  if (manifest !== undefined && typeof input === 'string') {
    scan.inflated = (facts) => inflatePieces(input, manifest.pieces, facts);
  }
  const facts = await scanSnapshot(
    input,
    (record) => {
      if (!record.inFlight) tally.add(record);
    },
    scan,
  );
  const counts = tally.finish();
  if (manifest !== undefined && manifest.contentDigest !== counts.contentDigest) {
    throw new AcsError('MANIFEST_STALE', 'the manifest describes other contracts than the file holds', {
      file: facts.name,
      expected: `content digest ${manifest.contentDigest}`,
      found: `content digest ${counts.contentDigest}`,
      hint: 'the file or its manifest was changed; remove the manifest',
    });
  }
  return {
    file: facts.name,
    format: facts.records === 0 ? 'empty' : 'A',
    gzip: {
      compressedBytes: facts.gzip.compressedBytes,
      inflatedBytes: facts.gzip.inflatedBytes,
      members: facts.gzip.members.map((m, i) => ({
        start: m.start,
        end: m.end,
        inflatedBytes: m.inflatedBytes,
        crc32: m.crc32.toString(16).padStart(8, '0'),
        records: memberRecords[i] ?? 0,
      })),
      trailingBytes: facts.gzip.trailingBytes,
    },
    records: facts.records,
    contracts: facts.records - facts.inFlight,
    inFlight: facts.inFlight,
    ...counts,
    manifest: note,
    origin: manifest === undefined ? null : originOf(manifest),
  };
}

async function usableManifest(input: ByteInput): Promise<{ manifest?: Manifest; note: string }> {
  if (typeof input !== 'string' || input === '-') return { note: 'none' };
  const isFile = await stat(input).then(
    (s) => s.isFile(),
    () => false,
  );
  if (!isFile) return { note: 'none' };
  try {
    const manifest = await readManifest(input);
    return manifest === undefined ? { note: 'none' } : { manifest, note: 'used' };
  } catch (error) {
    if (error instanceof AcsError) return { note: `not used: ${error.message}` };
    throw error;
  }
}

function originOf(manifest: Manifest): NonNullable<SnapshotInfo['origin']> {
  const origin: NonNullable<SnapshotInfo['origin']> = {};
  if (manifest.offset !== undefined) origin.offset = manifest.offset;
  if (manifest.participant !== undefined) origin.participant = manifest.participant;
  if (manifest.parties !== undefined) origin.parties = manifest.parties;
  return origin;
}
