/** Does a manifest describe the file that was read? What it takes another pass or a digest to tell is left out. */
import type { Manifest } from '../contract/manifest.js';
import type { SnapshotFacts } from '../snapshot/scan.js';
import { crc32Combine } from '../wire/crc32Combine.js';
import { FINAL_BLOCK, GZIP_HEADER, type Piece } from '../wire/deflate.js';

export interface ManifestDifference {
  /** In the manifest. */
  expected: string;
  /** In the file. */
  found: string;
}

/** What differs, the most telling first. */
export function manifestDifferences(
  manifest: Manifest,
  { gzip, inFlight }: SnapshotFacts,
  contracts: number,
  contentDigest: string,
): ManifestDifference[] {
  const { inflated, pieces } = manifest;
  const found: ManifestDifference[] = [];
  const compare = (what: string, expected: number | string, actual: number | string): void => {
    if (expected !== actual) found.push({ expected: `${what} ${expected}`, found: `${what} ${actual}` });
  };
  compare('inflated bytes', inflated.bytes, gzip.inflatedBytes);
  compare('content digest', manifest.contentDigest, contentDigest);
  compare('contracts', manifest.contracts, contracts);
  compare('contracts in flight', manifest.inFlight, inFlight);
  const [member, ...further] = gzip.members;
  if (member === undefined || further.length > 0) return found;
  compare('crc32', inflated.crc32, member.crc32);
  const index = joined(pieces);
  compare('end of the piece index', index.end, member.end - FINAL_BLOCK.length - 8);
  compare('inflated bytes of the piece index', index.inflatedBytes, member.inflatedBytes);
  compare('crc32 of the piece index', index.crc32, member.crc32);
  return found;
}

/** The pieces as one; of pieces that do not follow each other the end is -1. */
function joined(pieces: readonly Piece[]): { end: number; inflatedBytes: number; crc32: number } {
  const all = { end: GZIP_HEADER.length, inflatedBytes: 0, crc32: 0 };
  for (const piece of pieces) {
    all.end = piece.at === all.end ? all.end + piece.compressedBytes : -1;
    all.inflatedBytes += piece.inflatedBytes;
    all.crc32 = crc32Combine(all.crc32, piece.crc32, piece.inflatedBytes);
  }
  return all;
}
