/** Which pieces of a damaged file are whole, by the piece index of its manifest: each proves itself by its checksum. */
import { crc32 } from 'node:zlib';
import type { Manifest } from '../contract/manifest.js';
import { GZIP_HEADER, type Piece } from '../wire/deflate.js';
import type { ByteSource } from './byteSource.js';
import { surveyDeflate } from './deflateRun.js';
import {
  badHeader,
  distrust,
  type GzipSurvey,
  type LostRange,
  type Stretch,
  showsDamage,
} from './gzipSurvey.js';

/**
 * With the piece index of a manifest: which pieces are whole. Undefined when fewer than half of those the file has room
 * for prove themselves: then the manifest belongs to another file, or bytes were inserted or removed.
 */
export async function surveyPieces(source: ByteSource, manifest: Manifest): Promise<GzipSurvey | undefined> {
  const { pieces } = manifest;
  const present = pieces.filter((piece) => piece.at + piece.compressedBytes <= source.size).length;
  const survey: GzipSurvey = {
    stretches: [],
    damage: [],
    lost: [],
    members: 1,
    cutOff: false,
    contradicted: false,
  };
  if (source.size > manifest.compressed.bytes) return undefined;
  let whole = 0;
  for (const piece of pieces) {
    const limit = Math.min(piece.at + piece.compressedBytes, source.size);
    const stretch = piece.at < source.size ? await surveyPiece(source, piece, limit) : undefined;
    const readable = stretch?.inflatedBytes ?? 0;
    if (readable < piece.inflatedBytes) {
      noteLostPiece(survey, {
        start: stretch?.end ?? piece.at,
        end: piece.at + piece.compressedBytes,
        inflatedBytes: piece.inflatedBytes - readable,
      });
    }
    if (stretch === undefined) continue;
    if (stretch.trust === 'checked') whole++;
    else {
      const cut = limit < piece.at + piece.compressedBytes;
      if (!cut) survey.contradicted = true;
      survey.damage.push({
        code: cut ? 'GZIP_TRUNCATED' : 'GZIP_DAMAGED',
        message: cut ? 'the file ends inside a piece' : 'a piece contradicts the checksum in the manifest',
        byteOffset: cut ? source.size : stretch.end,
      });
    }
    survey.stretches.push(stretch);
  }
  if (present === 0 || whole * 2 < present) return undefined;
  survey.cutOff = survey.lost.length > 0 && source.size < manifest.compressed.bytes;
  await checkContainer(source, manifest, survey);
  if (showsDamage(survey)) distrust(survey);
  return survey;
}

/** What surrounds the pieces: the header, the last block and the trailer. */
async function checkContainer(source: ByteSource, manifest: Manifest, survey: GzipSurvey): Promise<void> {
  const head = await source.read(0, GZIP_HEADER.length);
  if (!head.equals(GZIP_HEADER)) survey.damage.unshift(badHeader(head.subarray(0, 4)));
  if (source.size < manifest.compressed.bytes) {
    if (survey.damage.some((damage) => damage.code === 'GZIP_TRUNCATED')) return;
    survey.damage.push({
      code: 'GZIP_TRUNCATED',
      message: 'the file ends early',
      byteOffset: source.size,
    });
    return;
  }
  const at = manifest.compressed.bytes - 8;
  const trailer = await source.read(at, 8);
  if (trailer.readUInt32LE(0) !== manifest.inflated.crc32) {
    survey.damage.push({
      code: 'GZIP_BAD_CRC',
      message: 'the checksum in the gzip trailer is wrong',
      byteOffset: at,
    });
  }
  if (trailer.readUInt32LE(4) !== manifest.inflated.bytes % 2 ** 32) {
    survey.damage.push({
      code: 'GZIP_BAD_LENGTH',
      message: 'the length in the gzip trailer is wrong',
      byteOffset: at + 4,
    });
  }
}

/** Joins what is lost in pieces that follow each other. */
function noteLostPiece(survey: GzipSurvey, lost: LostRange & { inflatedBytes: number }): void {
  const last = survey.lost.at(-1);
  if (last?.end === lost.start && last.inflatedBytes !== undefined) {
    last.end = lost.end;
    last.inflatedBytes += lost.inflatedBytes;
  } else survey.lost.push(lost);
}

async function surveyPiece(source: ByteSource, piece: Piece, limit: number): Promise<Stretch> {
  let crc = 0;
  const run = await surveyDeflate(source, { start: piece.at, limit }, (bytes) => {
    crc = crc32(bytes, crc);
  });
  const whole =
    run.outcome === 'cut' &&
    limit === piece.at + piece.compressedBytes &&
    run.inflatedBytes === piece.inflatedBytes &&
    crc === piece.crc32;
  const stretch: Stretch = {
    start: piece.at,
    end: run.end,
    outcome: run.outcome,
    inflatedBytes: run.inflatedBytes,
    inStep: true,
    trust: whole ? 'checked' : limit < piece.at + piece.compressedBytes ? 'unchecked' : 'suspect',
    laterMember: false,
    continues: false,
  };
  return stretch;
}
