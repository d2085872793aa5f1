/**
 * Inflating zstd (Scan's bulk dumps). Node 20 has no zstd: the blocks are decoded by fzstd; the frame structure is walked
 * here so that a cut file, a huge window and a bomb are refused before memory is spent, and checksums, which fzstd passes
 * over, are verified.
 */
import { Decompress } from 'fzstd';
import { AcsError } from '../io/error.js';
import { xxh64 } from './xxh64.js';

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** The reference decoder's default limit. */
export const MAX_WINDOW_BYTES = 128 << 20;

export interface ZstdOptions {
  /** Inflated / compressed beyond which the input is refused, checked beyond 256 MiB. Default 1000. */
  maxRatio?: number;
}

const RATIO_GRACE_BYTES = 256 << 20;
/** Bytes handed to the decoder at once: bounds what one call can inflate. */
const SLICE_BYTES = 64 << 10;

/**
 * The inflated bytes of all frames. Errors: `ZSTD_TRUNCATED`, `ZSTD_DAMAGED`, `ZSTD_CHECKSUM`, `ZSTD_WINDOW`, `ZSTD_BOMB`.
 */
export async function* inflateZstd(
  chunks: AsyncIterable<Buffer>,
  options: ZstdOptions = {},
): AsyncGenerator<Buffer> {
  const walker = frameWalker();
  const maxRatio = options.maxRatio ?? 1000;
  let out: Uint8Array[] = [];
  let inflated = 0;
  let hash = xxh64();
  let hashing = false;
  const decoder = new Decompress((data) => {
    if (data.length > 0) {
      inflated += data.length;
      if (hashing) hash.update(data);
      out.push(data.slice());
    }
  });
  const decode = (part: Buffer, last: boolean): void => {
    try {
      decoder.push(part, last);
    } catch (cause) {
      throw damaged(walker.offset, cause);
    }
  };
  /** Bytes handed to the decoder. */
  let fed = 0;
  const feed = (slice: Buffer): void => {
    const sliceEnd = fed + slice.length;
    let rest = slice;
    // The decoder gets one frame at a time: so what comes out is of that frame, and small frames come out at all.
    for (;;) {
      const [end] = walker.ends;
      hashing = end === undefined ? walker.hasChecksum : end.checksum !== undefined;
      if (end === undefined || end.offset > sliceEnd) break;
      const bytes = end.offset - fed;
      decode(rest.subarray(0, bytes), true);
      rest = rest.subarray(bytes);
      fed += bytes;
      walker.ends.shift();
      if (end.checksum !== undefined && hash.low32() !== end.checksum) throw wrongChecksum(end.offset);
      hash = xxh64();
    }
    if (rest.length > 0) decode(rest, false);
    fed = sliceEnd;
  };
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
      const slice = chunk.subarray(at, at + SLICE_BYTES);
      walker.push(slice);
      feed(slice);
      if (inflated > RATIO_GRACE_BYTES && inflated > maxRatio * walker.offset) {
        throw new AcsError('ZSTD_BOMB', 'the zstd stream inflates more than any dump does', {
          byteOffset: walker.offset,
          expected: `at most ${maxRatio} times its size`,
          found: `${inflated} bytes from ${walker.offset}`,
        });
      }
      for (const data of out) yield Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      out = [];
    }
  }
  walker.finish();
}

function damaged(byteOffset: number, cause: unknown): AcsError {
  return new AcsError('ZSTD_DAMAGED', `the zstd data is damaged (${(cause as Error).message})`, {
    byteOffset,
    hint: 'fetch the file again',
    cause,
  });
}

function wrongChecksum(byteOffset: number): AcsError {
  return new AcsError('ZSTD_CHECKSUM', 'the inflated data is not what was compressed: its checksum differs', {
    byteOffset,
    hint: 'fetch the file again',
  });
}

/** Where a frame ends in the compressed stream. */
interface FrameEnd {
  offset: number;
  checksum: number | undefined;
}

/** Follows frame headers and block headers; knows whether the stream may end here. */
function frameWalker() {
  const ends: FrameEnd[] = [];
  let offset = 0;
  let need: Uint8Array = new Uint8Array(0);
  /** Bytes of block content or of a skippable frame still to pass over. */
  let skip = 0;
  let state: 'frame' | 'block' | 'checksum' = 'frame';
  let hasChecksum = false;

  function step(head: Buffer): number {
    if (state === 'checksum') {
      if (head.length < 4) return -1;
      state = 'frame';
      ends.push({ offset: offset + 4, checksum: head.readUInt32LE(0) });
      return 4;
    }
    if (state === 'block') {
      if (head.length < 3) return -1;
      const header = head[0] | (head[1] << 8) | (head[2] << 16);
      const type = (header >> 1) & 3;
      if (type === 3) throw damaged(offset, new Error('reserved block type'));
      skip = type === 1 ? 1 : header >> 3;
      if ((header & 1) === 1) {
        state = hasChecksum ? 'checksum' : 'frame';
        if (!hasChecksum) ends.push({ offset: offset + 3 + skip, checksum: undefined });
      }
      return 3;
    }
    if (head.length < 4) return -1;
    const magic = head.readUInt32LE(0);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      if (head.length < 8) return -1;
      skip = head.readUInt32LE(4);
      return 8;
    }
    if (magic !== FRAME_MAGIC) throw damaged(offset, new Error('no zstd frame here'));
    if (head.length < 5) return -1;
    const descriptor = head[4];
    const single = (descriptor & 0x20) !== 0;
    const sizeFlag = descriptor >> 6;
    const sizeBytes = sizeFlag === 0 ? (single ? 1 : 0) : 1 << sizeFlag;
    const length = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3] + sizeBytes;
    if (head.length < length) return -1;
    let window: number;
    if (single) {
      const at = length - sizeBytes;
      window = sizeBytes === 8 ? Number(head.readBigUInt64LE(at)) : head.readUIntLE(at, sizeBytes);
    } else {
      const base = 2 ** (10 + (head[5] >> 3));
      window = base + (base / 8) * (head[5] & 7);
    }
    if (window > MAX_WINDOW_BYTES) {
      throw new AcsError('ZSTD_WINDOW', 'the zstd stream asks for too much memory', {
        byteOffset: offset,
        expected: `a window of at most ${MAX_WINDOW_BYTES} bytes`,
        found: `${window}`,
        hint: 'recompress it without --ultra or --long',
      });
    }
    hasChecksum = (descriptor & 4) !== 0;
    state = 'block';
    return length;
  }

  return {
    /** Frames whose end was seen, in order; taken away by who has dealt with them. */
    ends,
    /** Of the frame under way. */
    get hasChecksum() {
      return hasChecksum;
    },
    get offset() {
      return offset;
    },
    push(slice: Buffer): void {
      let rest = need.length === 0 ? slice : Buffer.concat([need, slice]);
      for (;;) {
        const passed = Math.min(skip, rest.length);
        skip -= passed;
        offset += passed;
        rest = rest.subarray(passed);
        if (rest.length === 0) break;
        const used = step(rest);
        if (used < 0) break;
        offset += used;
        rest = rest.subarray(used);
      }
      need = rest.length === 0 ? need.subarray(0, 0) : Buffer.from(rest);
    },
    finish(): void {
      if (state !== 'frame' || skip > 0 || need.length > 0) {
        throw new AcsError('ZSTD_TRUNCATED', 'the file ends inside the zstd data', {
          byteOffset: offset + need.length,
          expected: 'the rest of the frame',
          hint: 'fetch the file again',
        });
      }
    },
  };
}
