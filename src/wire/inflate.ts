/**
 * Inflating a gzip file with every member counted. Canton ≥ 3.4 reads the first member only and silently ignores the
 * rest (running-nodes spec, "Import"), so a reader has to know where each member ends.
 */
import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib';
import { AcsError } from '../io/error.js';
import { type ByteQueue, byteQueue } from './byteQueue.js';
import { type GzipHeader, looksLikeGzip, readGzipHeader } from './gzipHeader.js';

export const INFLATE_CHUNK_BYTES = 1 << 20;

/**
 * What is handed on at once. A thread of zlib's wrote the bytes, so they are in another processor's cache: the checksum
 * fetches them in order, and what parses them right after, jumping from field to field, finds them near. More than this
 * would have left the cache again.
 */
const WARM_BYTES = 256 * 1024;

export interface GzipMember {
  header: GzipHeader;
  /** Offset of the member's first byte in the file. */
  start: number;
  /** Offset behind its trailer. */
  end: number;
  /** Offset of its first byte in the inflated stream (all members joined). */
  inflatedStart: number;
  inflatedBytes: number;
  crc32: number;
}

/** What is known of the container; grows while the file is read and is complete after the last chunk. */
export interface GzipFacts {
  members: GzipMember[];
  /** Bytes read from the file. */
  compressedBytes: number;
  inflatedBytes: number;
  /** Bytes behind the last member that are no member; Canton ignores them. */
  trailingBytes: number;
  /** True when all of those are zero. */
  trailingZeros: boolean;
}

export interface InflateOptions {
  /**
   * What to do at a second member: `refuse` (default) throws `GZIP_SECOND_MEMBER`, `first` stops there as Canton does,
   * `all` goes on.
   */
  members?: 'refuse' | 'first' | 'all';
  /** Inflated bytes beyond which the file is refused. Default: no limit. */
  maxInflatedBytes?: number;
  /** Inflated / compressed beyond which the file is refused as a bomb. Default {@link DEFAULT_MAX_RATIO}. */
  maxRatio?: number;
  chunkBytes?: number;
  /** Called at a fault: more of the source is not wanted, and what comes late is not to be waited for. */
  onFault?: () => void;
}

/** Snapshots inflate 5 to 10 times; deflate can reach 1032 times. Checked only beyond {@link RATIO_GRACE_BYTES}. */
export const DEFAULT_MAX_RATIO = 300;
export const RATIO_GRACE_BYTES = 256 << 20;

export function emptyGzipFacts(): GzipFacts {
  return { members: [], compressedBytes: 0, inflatedBytes: 0, trailingBytes: 0, trailingZeros: true };
}

/** The inflated bytes of a gzip file. `facts` is filled in on the way. */
export async function* inflateGzip(
  source: AsyncIterable<Buffer>,
  facts: GzipFacts = emptyGzipFacts(),
  options: InflateOptions = {},
): AsyncGenerator<Buffer> {
  const queue = byteQueue(source);
  try {
    for (;;) {
      const start = queue.offset;
      const header = await readGzipHeader(queue);
      const member: GzipMember = {
        header,
        start,
        end: start,
        inflatedStart: facts.inflatedBytes,
        inflatedBytes: 0,
        crc32: 0,
      };
      for await (const chunk of inflateBody(queue, facts, options)) {
        for (let from = 0; from < chunk.length; from += WARM_BYTES) {
          const part = chunk.subarray(from, from + WARM_BYTES);
          member.crc32 = crc32(part, member.crc32);
          member.inflatedBytes += part.length;
          facts.inflatedBytes += part.length;
          guard(queue, facts, options);
          yield part;
        }
      }
      await checkTrailer(queue, member, facts);
      member.end = queue.offset;
      facts.members.push(member);
      facts.compressedBytes = queue.offset;
      const next = await queue.peek(10);
      if (next.length === 0) return;
      if (looksLikeGzip(next) && next.length === 10 && next[2] === 8) {
        if (options.members === 'first') return;
        if (options.members !== 'all') throw secondMember(member);
        continue;
      }
      await drainTrailing(queue, facts);
      return;
    }
  } finally {
    await queue.close();
  }
}

async function* inflateBody(
  queue: ByteQueue,
  facts: GzipFacts,
  { chunkBytes: chunkSize = INFLATE_CHUNK_BYTES, onFault }: InflateOptions,
): AsyncGenerator<Buffer> {
  const inflater = createInflateRaw({ chunkSize });
  const bodyStart = queue.offset;
  let fed = 0;
  /** Chunks given to zlib that it may not have used up: what follows the deflate stream has to go back. */
  let recent: Buffer[] = [];
  let ended = false;
  let failure: unknown;
  /** The chunk before the last is used up. One chunk waits inside zlib's stream, so that it need not wait for the file. */
  let before: Promise<void> | undefined;
  const pump = (async () => {
    while (!ended) {
      const chunk = await queue.next();
      if (ended) {
        if (chunk !== undefined) queue.unread(chunk);
        return;
      }
      if (chunk === undefined) {
        inflater.end();
        return;
      }
      while (recent.length > 0 && fed - totalBytes(recent) + recent[0].length <= inflater.bytesWritten)
        recent.shift();
      recent.push(chunk);
      fed += chunk.length;
      const taken = new Promise<void>((done) => {
        inflater.once('close', done);
        inflater.write(chunk, () => {
          inflater.removeListener('close', done);
          done();
        });
      });
      await before;
      before = taken;
    }
  })().catch((error) => {
    failure = error;
    inflater.destroy();
  });
  try {
    try {
      for await (const chunk of inflater as AsyncIterable<Buffer>) yield chunk;
    } catch (error) {
      // What waits in the stream came before the fault: without it, what is read would depend on who was faster.
      for (let rest = left(inflater); rest !== null; rest = left(inflater)) yield rest;
      throw error;
    }
    if (failure !== undefined) throw failure;
  } catch (error) {
    onFault?.();
    if (failure !== undefined) throw failure;
    if (error instanceof AcsError) throw error;
    const used = inflater.bytesWritten;
    throw inflateError(
      error,
      bodyStart + used,
      bodyStart + endOfChunk(recent, fed, used),
      facts.inflatedBytes,
    );
  } finally {
    ended = true;
    const used = inflater.bytesWritten;
    inflater.destroy();
    await pump;
    for (const chunk of recent.reverse()) {
      const unused = Math.min(chunk.length, fed - used);
      if (unused <= 0) break;
      queue.unread(chunk.subarray(chunk.length - unused));
      fed -= unused;
    }
    recent = [];
  }
}

function left(inflater: InflateRaw): Buffer | null {
  return inflater.read() as Buffer | null;
}

function totalBytes(chunks: Buffer[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

/** Where the chunk ends that holds byte `at`, of chunks that end at `end`. */
function endOfChunk(chunks: readonly Buffer[], end: number, at: number): number {
  let last = end;
  for (let i = chunks.length - 1; i >= 0; i--) {
    if (last - chunks[i].length <= at) break;
    last -= chunks[i].length;
  }
  return last;
}

/** zlib says what it had used up when it gave bytes out last; the fault lies before `byteLimit`. */
function inflateError(
  cause: unknown,
  byteOffset: number,
  byteLimit: number,
  inflatedBytes: number,
): AcsError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'Z_BUF_ERROR') {
    return new AcsError('GZIP_TRUNCATED', 'the file ends inside the compressed data', {
      byteOffset,
      expected: 'more compressed data and an 8-byte trailer',
      found: `end of file after ${inflatedBytes} inflated bytes`,
      hint: 'fetch the file again, or save what is left with `acs recover`',
      cause,
    });
  }
  return new AcsError('GZIP_DAMAGED', `the compressed data is damaged (${(cause as Error).message})`, {
    byteOffset,
    expected: 'a valid deflate stream',
    found: `damage noticed from here to byte ${byteLimit}; ${inflatedBytes} inflated bytes come before it`,
    hint: 'fetch the file again, or save what is left with `acs recover`',
    cause,
  });
}

async function checkTrailer(queue: ByteQueue, member: GzipMember, facts: GzipFacts): Promise<void> {
  const at = queue.offset;
  const trailer = await queue.take(8);
  facts.compressedBytes = queue.offset;
  if (trailer.length < 8) {
    throw new AcsError('GZIP_TRUNCATED', 'the file ends inside the gzip trailer', {
      byteOffset: at + trailer.length,
      expected: '8 trailer bytes',
      found: `${trailer.length}`,
      hint: 'all compressed data is there, but the checksum is not; `acs recover` writes a clean file',
    });
  }
  const crc = trailer.readUInt32LE(0);
  const size = trailer.readUInt32LE(4);
  if (crc !== member.crc32) {
    throw new AcsError('GZIP_BAD_CRC', 'the checksum of the inflated content is wrong', {
      byteOffset: at,
      expected: `crc32 ${hex32(crc)} (trailer)`,
      found: `crc32 ${hex32(member.crc32)} (content)`,
      hint: 'the file was altered after it was written; fetch it again',
    });
  }
  if (size !== member.inflatedBytes % 2 ** 32) {
    throw new AcsError('GZIP_BAD_LENGTH', 'the length in the gzip trailer is wrong', {
      byteOffset: at + 4,
      expected: `${size} (trailer, modulo 2^32)`,
      found: `${member.inflatedBytes} inflated bytes`,
      hint: 'the file was altered after it was written; fetch it again',
    });
  }
}

function secondMember(first: GzipMember): AcsError {
  return new AcsError('GZIP_SECOND_MEMBER', 'the file has a second gzip member', {
    byteOffset: first.end,
    expected: 'exactly one member',
    found: `another member behind the first one's ${first.inflatedBytes} inflated bytes`,
    hint: 'Canton 3.4 and later would silently ignore it; `acs merge` (or --members all) joins both into one member',
  });
}

async function drainTrailing(queue: ByteQueue, facts: GzipFacts): Promise<void> {
  for (let chunk = await queue.next(); chunk !== undefined; chunk = await queue.next()) {
    facts.trailingBytes += chunk.length;
    if (facts.trailingZeros && chunk.some((b) => b !== 0)) facts.trailingZeros = false;
  }
}

function guard(queue: ByteQueue, facts: GzipFacts, options: InflateOptions): void {
  const limit = options.maxInflatedBytes;
  if (limit !== undefined && facts.inflatedBytes > limit) {
    throw new AcsError('GZIP_TOO_LARGE', 'the file inflates beyond the given limit', {
      byteOffset: queue.offset,
      expected: `at most ${limit} bytes`,
      found: `more than ${facts.inflatedBytes} bytes`,
    });
  }
  const ratio = options.maxRatio ?? DEFAULT_MAX_RATIO;
  if (facts.inflatedBytes > RATIO_GRACE_BYTES && facts.inflatedBytes > ratio * queue.offset) {
    throw new AcsError('GZIP_BOMB', 'the file inflates more than any snapshot does', {
      byteOffset: queue.offset,
      expected: `at most ${ratio} times its size`,
      found: `${facts.inflatedBytes} bytes from ${queue.offset}`,
      hint: 'if the file is genuine, raise the limit with --max-ratio',
    });
  }
}

function hex32(n: number): string {
  return n.toString(16).padStart(8, '0');
}
