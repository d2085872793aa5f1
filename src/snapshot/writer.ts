/**
 * Writing a snapshot file: frames in, exactly one gzip member out, whole or not at all
 * (snapshot-format spec, section 2, single-member rule).
 */
import { createHash, type Hash } from 'node:crypto';
import { type AtomicFile, createAtomicFile } from '../io/atomicFile.js';
import { type GzipWriterOptions, type GzipWritten, gzipWriter } from '../wire/deflate.js';
import type { RecordView } from './record.js';

export interface SnapshotWriterOptions extends GzipWriterOptions {
  /** False refuses to replace an existing file. Default true. */
  overwrite?: boolean;
  /** Also compute SHA-256 of the compressed and of the inflated bytes (a manifest wants them). */
  digests?: boolean;
}

export interface SnapshotWritten extends GzipWritten {
  path: string;
  records: number;
  /** Hex; only with `digests`. */
  compressedSha256?: string;
  inflatedSha256?: string;
}

export interface SnapshotWriter {
  readonly path: string;
  /** Copies a record's frame byte for byte. */
  writeRecord(record: RecordView): void;
  /** Writes a complete frame, length prefix included. */
  writeFrame(frame: Uint8Array): void;
  /**
   * Writes `records` frames that lie side by side, as if one by one, when a piece ends behind them and not before (or they
   * are the last); see `writePiece` of the gzip writer.
   */
  writeFrames(frames: Buffer, records: number, released: () => void): void;
  /** Await once per chunk of input: back-pressure. */
  ready(): Promise<void>;
  /** Flushes, renames to the final name. */
  finish(): Promise<SnapshotWritten>;
  /** Removes what was written. */
  abort(): Promise<void>;
}

export async function openSnapshotWriter(
  path: string,
  options: SnapshotWriterOptions = {},
): Promise<SnapshotWriter> {
  const file: AtomicFile = await createAtomicFile(path, options);
  const compressed: Hash | undefined = options.digests ? createHash('sha256') : undefined;
  const inflated: Hash | undefined = options.digests ? createHash('sha256') : undefined;
  const gzip = gzipWriter((bytes) => {
    compressed?.update(bytes);
    return file.write(bytes);
  }, options);
  let records = 0;

  function write(buf: Uint8Array, start: number, end: number): void {
    gzip.write(buf, start, end);
    inflated?.update(buf.subarray(start, end));
    gzip.border();
    records++;
  }

  return {
    path,
    writeRecord(record) {
      write(record.buf, record.start, record.end);
    },
    writeFrame(frame) {
      write(frame, 0, frame.length);
    },
    writeFrames(frames, count, released) {
      inflated?.update(frames);
      gzip.writePiece(frames, released);
      records += count;
    },
    ready: () => gzip.ready(),
    async finish() {
      try {
        const written = await gzip.finish();
        await file.commit();
        const result: SnapshotWritten = { ...written, path, records };
        if (compressed !== undefined && inflated !== undefined) {
          result.compressedSha256 = compressed.digest('hex');
          result.inflatedSha256 = inflated.digest('hex');
        }
        return result;
      } catch (error) {
        await file.abort();
        throw error;
      }
    },
    abort: () => file.abort(),
  };
}
