/**
 * Inflating in parallel with a piece index (`Piece[]` of a manifest): every piece is an independent deflate stream inside
 * the one gzip member. Checked against the piece checksums and the file's own trailer.
 */
import { open } from 'node:fs/promises';
import { cpus } from 'node:os';
import { gunzip } from 'node:zlib';
import { AcsError } from '../io/error.js';
import { fileError } from '../io/input.js';
import { meterRead } from '../io/readMeter.js';
import { crc32Combine } from '../wire/crc32Combine.js';
import { FINAL_BLOCK, GZIP_HEADER, type Piece } from '../wire/deflate.js';
import type { GzipFacts } from '../wire/inflate.js';

/**
 * Pieces under way at once. More than processors: a piece passes through reading, inflating and its checksum, and the next
 * one should be waiting at each stage.
 */
const PIECES_AHEAD = 4 * cpus().length;

/** The inflated pieces, in order. Throws `MANIFEST_STALE` when the index does not fit the bytes. */
export async function* inflatePieces(
  path: string,
  pieces: readonly Piece[],
  facts: GzipFacts,
  concurrency = PIECES_AHEAD,
): AsyncGenerator<Buffer> {
  const handle = await open(path, 'r').catch((cause) => {
    throw fileError(path, cause);
  });
  const pending: Promise<Buffer>[] = [];
  try {
    let next = 0;
    let crc = 0;
    while (next < pieces.length || pending.length > 0) {
      while (next < pieces.length && pending.length < concurrency) {
        const job = onePiece(handle, path, pieces[next++]);
        job.catch(() => undefined);
        pending.push(job);
      }
      const piece = pieces[next - pending.length];
      const chunk = await (pending.shift() as Promise<Buffer>);
      crc = crc32Combine(crc, piece.crc32, piece.inflatedBytes);
      meterRead(path, piece.compressedBytes);
      facts.inflatedBytes += chunk.length;
      yield chunk;
    }
    const end =
      pieces.length === 0
        ? GZIP_HEADER.length
        : pieces[pieces.length - 1].at + pieces[pieces.length - 1].compressedBytes;
    const tail = Buffer.alloc(11);
    const { bytesRead } = await handle.read(tail, 0, 11, end);
    const fits =
      bytesRead === 10 &&
      tail.readUInt16BE(0) === 0x0300 &&
      tail.readUInt32LE(2) === crc &&
      tail.readUInt32LE(6) === facts.inflatedBytes % 2 ** 32;
    if (!fits) throw stale(path, end, 'the last block and the trailer of a file written with this index');
    facts.compressedBytes = end + 10;
    facts.members.push({
      header: { length: GZIP_HEADER.length, mtime: 0, os: 255 },
      start: 0,
      end: end + 10,
      inflatedStart: 0,
      inflatedBytes: facts.inflatedBytes,
      crc32: crc,
    });
  } finally {
    await Promise.allSettled(pending);
    await handle.close();
  }
}

async function onePiece(
  handle: Awaited<ReturnType<typeof open>>,
  path: string,
  piece: Piece,
): Promise<Buffer> {
  // As a gzip file of its own: then zlib checks length and checksum too, away from this thread.
  const { compressedBytes, inflatedBytes } = piece;
  const start = GZIP_HEADER.length;
  const end = start + compressedBytes;
  const file = Buffer.allocUnsafe(end + FINAL_BLOCK.length + 8);
  file.set(GZIP_HEADER);
  const { bytesRead } = await handle.read(file, start, compressedBytes, piece.at);
  if (bytesRead !== compressedBytes) throw stale(path, piece.at, `a piece of ${compressedBytes} bytes`);
  file.set(FINAL_BLOCK, end);
  file.writeUInt32LE(piece.crc32, end + FINAL_BLOCK.length);
  file.writeUInt32LE(inflatedBytes, end + FINAL_BLOCK.length + 4);
  const expected = `a piece of ${inflatedBytes} inflated bytes with the recorded checksum`;
  const options = { chunkSize: Math.max(64, inflatedBytes + 1), maxOutputLength: inflatedBytes + 1 };
  return new Promise<Buffer>((done, failed) => {
    gunzip(file, options, (error, bytes) =>
      error ? failed(stale(path, piece.at, expected, error)) : done(bytes),
    );
  });
}

function stale(path: string, byteOffset: number, expected: string, cause?: unknown): AcsError {
  return new AcsError('MANIFEST_STALE', 'the piece index of the manifest does not fit the file', {
    file: path,
    byteOffset,
    expected,
    hint: 'check the file with `acs verify`: damaged, keep its manifest, which `acs recover` uses; whole, remove the manifest',
    cause,
  });
}
