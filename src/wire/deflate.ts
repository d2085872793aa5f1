/**
 * Writing exactly one gzip member, deflated in parallel pieces. Each piece ends with a full flush, so the deflate state
 * is reset at its border: pieces can be made, and read back, independently, while any gzip reader sees one member.
 * The cuts depend on the bytes written only, never on timing, so the same input gives the same file.
 */
import { cpus } from 'node:os';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { crc32Combine } from './crc32Combine.js';

export const PIECE_BYTES = 1 << 20;
/**
 * Deflates in little more than half of the time of zlib's own default, 6, for 4 to 5 % more bytes, and in two thirds of that
 * of level 4 for 1 to 2 % more; 1 % more than `gzip -6` makes of the same contracts (bench/README.md).
 */
export const DEFLATE_LEVEL = 3;
/** zlib's largest tables (256 KiB more per piece at work): a tenth less processor time than its default, 8, and 0.1 % fewer bytes. */
const MEMORY_LEVEL = 9;

/** Where one independently inflatable piece lies. */
export interface Piece {
  /** Offset of its first compressed byte in the file. */
  at: number;
  compressedBytes: number;
  inflatedBytes: number;
  crc32: number;
}

export interface GzipWriterOptions {
  level?: number;
  pieceBytes?: number;
  /** Pieces being deflated at once. Default: one per processor and one more. */
  concurrency?: number;
}

export interface GzipWriter {
  /** Appends inflated bytes; `cut` says whether a piece may end behind them (a record border). */
  write(buf: Uint8Array, start?: number, end?: number): void;
  /** Marks the current position as a place where a piece may end. */
  border(): void;
  /**
   * The same as writing `bytes` and marking their end. When they are a piece they are not copied: they have to stay as they
   * are until `released` is called.
   */
  writePiece(bytes: Buffer, released: () => void): void;
  /** Resolves when the writer can take more without holding much. Await it once per chunk of input. */
  ready(): Promise<void>;
  /** Writes what is left and the trailer. */
  finish(): Promise<GzipWritten>;
}

export interface GzipWritten {
  compressedBytes: number;
  inflatedBytes: number;
  crc32: number;
  pieces: Piece[];
}

/** The header every file of ours starts with: no name, no time, unknown operating system (as JDK ≥ 16 writes). */
export const GZIP_HEADER = Buffer.from('1f8b08000000000000ff', 'hex');
/** An empty final deflate block. */
export const FINAL_BLOCK = Buffer.from('0300', 'hex');

export function gzipWriter(
  output: (bytes: Uint8Array) => Promise<void>,
  options: GzipWriterOptions = {},
): GzipWriter {
  const level = options.level ?? DEFLATE_LEVEL;
  const pieceBytes = options.pieceBytes ?? PIECE_BYTES;
  const concurrency = options.concurrency ?? cpus().length + 1;
  const spare: Buffer[] = [];
  const pieces: Piece[] = [];
  let current = takeBuffer();
  let filled = 0;
  let crc = 0;
  let inflatedBytes = 0;
  let compressedBytes = 0;
  let waiting: Promise<unknown>[] = [];
  let failure: unknown;
  let tail: Promise<void> = noted(emit(GZIP_HEADER));

  function takeBuffer(): Buffer {
    return spare.pop() ?? Buffer.allocUnsafeSlow(pieceBytes + (pieceBytes >> 3));
  }

  async function emit(bytes: Uint8Array): Promise<void> {
    await output(bytes);
    compressedBytes += bytes.length;
  }

  /** Sends the filled buffer off to be deflated. */
  function dispatchCurrent(): void {
    const buffer = current;
    const content = buffer.subarray(0, filled);
    current = takeBuffer();
    filled = 0;
    dispatch(content, () => {
      if (spare.length < concurrency && buffer.length <= pieceBytes * 2) spare.push(buffer);
    });
  }

  /** Outputs are chained in order. */
  function dispatch(content: Buffer, released: () => void): void {
    const size = content.length;
    const pieceCrc = crc32(content);
    crc = crc32Combine(crc, pieceCrc, size);
    inflatedBytes += size;
    const deflated = deflatePiece(content, level);
    const previous = tail;
    tail = noted(inOrder());
    waiting.push(tail);

    async function inOrder(): Promise<void> {
      const bytes = await deflated;
      released();
      await previous;
      pieces.push({
        at: compressedBytes,
        compressedBytes: bytes.length,
        inflatedBytes: size,
        crc32: pieceCrc,
      });
      await emit(bytes);
    }
  }

  /** A failure shows at the next call of `ready` or `finish`, never as an unhandled rejection. */
  function noted(step: Promise<void>): Promise<void> {
    step.catch((error) => {
      failure ??= error;
    });
    return step;
  }

  function write(buf: Uint8Array, start: number, end: number): void {
    const size = end - start;
    if (filled + size > current.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(filled + size, current.length * 2));
      current.copy(grown, 0, 0, filled);
      current = grown;
    }
    current.set(start === 0 && end === buf.length ? buf : buf.subarray(start, end), filled);
    filled += size;
  }

  return {
    write(buf, start = 0, end = buf.length) {
      write(buf, start, end);
    },
    border() {
      if (filled >= pieceBytes) dispatchCurrent();
    },
    writePiece(bytes, released) {
      if (filled === 0 && bytes.length >= pieceBytes) dispatch(bytes, released);
      else {
        write(bytes, 0, bytes.length);
        if (filled >= pieceBytes) dispatchCurrent();
        released();
      }
    },
    async ready() {
      if (failure !== undefined) throw failure;
      while (waiting.length > concurrency) {
        await waiting[0];
        waiting = waiting.slice(1);
      }
    },
    async finish() {
      if (filled > 0) dispatchCurrent();
      await tail;
      await emit(FINAL_BLOCK);
      const trailer = Buffer.alloc(8);
      trailer.writeUInt32LE(crc, 0);
      trailer.writeUInt32LE(inflatedBytes % 2 ** 32, 4);
      await emit(trailer);
      return { compressedBytes, inflatedBytes, crc32: crc, pieces };
    },
  };
}

function deflatePiece(content: Buffer, level: number): Promise<Buffer> {
  return new Promise((done, failed) => {
    deflateRaw(
      content,
      {
        level,
        memLevel: MEMORY_LEVEL,
        finishFlush: constants.Z_FULL_FLUSH,
        chunkSize: Math.max(4096, content.length >> 2),
      },
      (error, bytes) => (error ? failed(error) : done(bytes)),
    );
  });
}
