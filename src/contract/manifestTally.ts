/** Counts the records of a snapshot while it is written, for its manifest. */
import { basename } from 'node:path';
import { AcsError } from '../io/error.js';
import type { RecordView } from '../snapshot/record.js';
import type { SnapshotWritten } from '../snapshot/writer.js';
import { contentDigest } from './contentDigest.js';
import { ContractView } from './contractView.js';
import { MANIFEST_FORMAT, type Manifest, type ManifestOrigin } from './manifest.js';

export interface ManifestTally {
  add(record: RecordView): void;
  finish(written: SnapshotWritten, tool: string, origin?: ManifestOrigin): Manifest;
}

export function manifestTally(): ManifestTally {
  const byTemplate = new Map<string, number>();
  const bySynchronizer = new Map<string, number>();
  const digest = contentDigest();
  const view = new ContractView();
  let inFlight = 0;
  return {
    add(record) {
      if (record.inFlight) {
        inFlight++;
        return;
      }
      const { packageId, moduleName, entityName } = view.of(record).templateId;
      increment(byTemplate, `${packageId}:${moduleName}:${entityName}`);
      increment(bySynchronizer, record.synchronizerId);
      digest.add(record);
    },
    finish(written, tool, origin = {}) {
      if (written.compressedSha256 === undefined || written.inflatedSha256 === undefined) {
        throw new AcsError('INTERNAL', 'a manifest needs the digests of the written file');
      }
      const manifest: Manifest = {
        format: MANIFEST_FORMAT,
        tool,
        file: basename(written.path),
        compressed: { bytes: written.compressedBytes, sha256: written.compressedSha256 },
        inflated: { bytes: written.inflatedBytes, sha256: written.inflatedSha256, crc32: written.crc32 },
        contracts: digest.count,
        inFlight,
        contentDigest: digest.hex(),
        byTemplate: sorted(byTemplate),
        bySynchronizer: sorted(bySynchronizer),
        pieces: written.pieces,
      };
      if (origin.offset !== undefined) manifest.offset = origin.offset.toString();
      if (origin.participant !== undefined) manifest.participant = origin.participant;
      if (origin.parties !== undefined) manifest.parties = [...origin.parties].sort();
      return manifest;
    },
  };
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function sorted(counts: Map<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
