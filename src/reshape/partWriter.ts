/**
 * Writing many snapshot files at once in bounded memory and with few open files: records are gathered per part, and
 * whenever too much has gathered the largest parts are deflated and appended. Each part is one gzip member whose pieces
 * end with a full flush, as in src/wire/deflate.ts; all parts get their final names together, after the last record.
 */
import { createHash, type Hash } from 'node:crypto';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { manifestPath, writeManifest } from '../contract/manifest.js';
import { type ManifestTally, manifestTally } from '../contract/manifestTally.js';
import { type AtomicFile, createAtomicFile, refuseExisting } from '../io/atomicFile.js';
import { toolVersion } from '../io/toolVersion.js';
import type { RecordView } from '../snapshot/record.js';
import type { SnapshotWritten } from '../snapshot/writer.js';
import { DEFLATE_LEVEL, FINAL_BLOCK, GZIP_HEADER, PIECE_BYTES, type Piece } from '../wire/deflate.js';

/** Records gathered and not yet handed to zlib, over all parts. */
const GATHERED_BYTES = 24 << 20;
/** Bytes being deflated at once. */
const DEFLATING_BYTES = 4 << 20;

export interface PartWriterOptions {
  level?: number;
  manifest?: boolean;
  overwrite?: boolean;
}

export interface WrittenPart {
  path: string;
  contracts: number;
  compressedBytes: number;
  inflatedBytes: number;
}

export interface PartWriter {
  /** Starts a part; returns its number. Nothing is on disk yet. */
  open(path: string): number;
  /** Appends a record to a part. */
  add(part: number, record: RecordView): void;
  /** Await once per chunk of input. */
  ready(): Promise<void>;
  /** Completes every part, then renames them all. */
  finish(): Promise<WrittenPart[]>;
  abort(): Promise<void>;
}

interface Part {
  path: string;
  file?: AtomicFile;
  gathered: Buffer;
  filled: number;
  contracts: number;
  crc: number;
  inflatedBytes: number;
  compressedBytes: number;
  pieces: Piece[];
  tail: Promise<void>;
  digests?: { tally: ManifestTally; compressed: Hash; inflated: Hash };
}

const EMPTY = Buffer.alloc(0);

export function partWriter(options: PartWriterOptions = {}): PartWriter {
  const level = options.level ?? DEFLATE_LEVEL;
  const parts: Part[] = [];
  let gathered = 0;
  let deflating = 0;
  let wake: (() => void) | undefined;
  let failure: unknown;

  async function append(part: Part, bytes: Uint8Array): Promise<void> {
    part.file ??= await createAtomicFile(part.path, {
      overwrite: options.overwrite ?? true,
      keepOpen: false,
    });
    await part.file.write(bytes);
    part.digests?.compressed.update(bytes);
    part.compressedBytes += bytes.length;
  }

  function chain(part: Part, step: () => Promise<void>): void {
    part.tail = part.tail.then(async () => {
      if (failure === undefined) await step();
    });
    part.tail.catch((error) => {
      failure ??= error;
    });
  }

  function flush(part: Part): void {
    const content = part.gathered.subarray(0, part.filled);
    gathered -= part.filled;
    part.gathered = EMPTY;
    part.filled = 0;
    const checksum = crc32(content);
    part.crc = part.inflatedBytes === 0 ? checksum : crc32(content, part.crc);
    part.inflatedBytes += content.length;
    part.digests?.inflated.update(content);
    deflating += content.length;
    const deflated = deflate(content, level);
    deflated.catch(() => undefined);
    chain(part, async () => {
      try {
        const bytes = await deflated;
        if (part.compressedBytes === 0) await append(part, GZIP_HEADER);
        part.pieces.push({
          at: part.compressedBytes,
          compressedBytes: bytes.length,
          inflatedBytes: content.length,
          crc32: checksum,
        });
        await append(part, bytes);
      } finally {
        deflating -= content.length;
        wake?.();
      }
    });
  }

  /** The largest first, until half of the room is free; ties in the order of opening. */
  function flushLargest(): void {
    const order = parts.filter((part) => part.filled > 0).sort((a, b) => b.filled - a.filled);
    for (const part of order) {
      if (gathered <= GATHERED_BYTES / 2) return;
      flush(part);
    }
  }

  async function complete(part: Part): Promise<void> {
    if (part.filled > 0) flush(part);
    await part.tail;
    if (failure !== undefined) throw failure;
    if (part.compressedBytes === 0) await append(part, GZIP_HEADER);
    await append(part, FINAL_BLOCK);
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(part.crc, 0);
    trailer.writeUInt32LE(part.inflatedBytes % 2 ** 32, 4);
    await append(part, trailer);
  }

  return {
    open(path) {
      const part: Part = {
        path,
        gathered: EMPTY,
        filled: 0,
        contracts: 0,
        crc: 0,
        inflatedBytes: 0,
        compressedBytes: 0,
        pieces: [],
        tail: Promise.resolve(),
      };
      if (options.manifest) {
        part.digests = {
          tally: manifestTally(),
          compressed: createHash('sha256'),
          inflated: createHash('sha256'),
        };
      }
      return parts.push(part) - 1;
    },
    add(number, record) {
      const part = parts[number];
      const size = record.end - record.start;
      if (part.filled + size > part.gathered.length) {
        const grown = Buffer.allocUnsafeSlow(Math.max(part.filled + size, part.gathered.length * 2, 4096));
        part.gathered.copy(grown, 0, 0, part.filled);
        part.gathered = grown;
      }
      record.buf.copy(part.gathered, part.filled, record.start, record.end);
      part.filled += size;
      gathered += size;
      part.contracts++;
      part.digests?.tally.add(record);
      if (part.filled >= PIECE_BYTES) flush(part);
      else if (gathered > GATHERED_BYTES) flushLargest();
    },
    async ready() {
      while (deflating > DEFLATING_BYTES && failure === undefined) {
        await new Promise<void>((done) => {
          wake = done;
        });
      }
      wake = undefined;
      if (failure !== undefined) throw failure;
    },
    async finish() {
      for (const part of parts) await complete(part);
      // Before the first part gets its name: all appear or none.
      if (options.overwrite === false) {
        for (const { path } of parts) {
          await refuseExisting(path);
          if (options.manifest) await refuseExisting(manifestPath(path));
        }
      }
      for (const part of parts) await part.file?.commit();
      const written: WrittenPart[] = [];
      for (const part of parts) {
        if (part.digests !== undefined) await writeManifest(part.path, manifestOf(part, part.digests));
        const { path, contracts, compressedBytes, inflatedBytes } = part;
        written.push({ path, contracts, compressedBytes, inflatedBytes });
      }
      return written;
    },
    async abort() {
      failure ??= new Error('aborted');
      for (const part of parts) {
        await part.tail.catch(() => undefined);
        await part.file?.abort();
      }
    },
  };
}

function manifestOf(part: Part, digests: NonNullable<Part['digests']>) {
  const written: SnapshotWritten = {
    path: part.path,
    records: part.contracts,
    compressedBytes: part.compressedBytes,
    inflatedBytes: part.inflatedBytes,
    crc32: part.crc,
    pieces: part.pieces,
    compressedSha256: digests.compressed.digest('hex'),
    inflatedSha256: digests.inflated.digest('hex'),
  };
  return digests.tally.finish(written, toolVersion());
}

function deflate(content: Buffer, level: number): Promise<Buffer> {
  return new Promise((done, failed) => {
    deflateRaw(
      content,
      { level, finishFlush: constants.Z_FULL_FLUSH, chunkSize: Math.max(1024, content.length >> 2) },
      (error, bytes) => (error ? failed(error) : done(bytes)),
    );
  });
}
