/** The gzip member header and trailer (RFC 1952). */
import { AcsError } from '../io/error.js';
import type { ByteQueue } from './byteQueue.js';

export interface GzipHeader {
  /** Bytes of the header. */
  length: number;
  /** Seconds since the epoch, 0 when absent. */
  mtime: number;
  /** Operating-system byte. */
  os: number;
  name?: string;
  comment?: string;
  /** Bytes of the extra field. */
  extra?: Buffer;
}

const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;
const TEXT_LIMIT = 64 * 1024;

/** True when the bytes start as a gzip member does. */
export function looksLikeGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** What to do with a file that is no gzip, by the bytes it starts with. */
function hintForOtherFile(start: Uint8Array): string {
  const text = Buffer.from(start).toString('latin1');
  if (text.startsWith('PK\x03\x04'))
    return 'this is a zip archive; if it is a DAR: `acs dar info`, or give it as --dar';
  if (text.startsWith('SQLite'))
    return 'this is an SQLite database; if it is a store: `acs store info`, `acs store export`';
  return 'snapshot files are gzip-compressed; `acs convert` reads the uncompressed forms';
}

/** Reads a member header from the queue. The header CRC is read but, as real importers do, not checked. */
export async function readGzipHeader(queue: ByteQueue): Promise<GzipHeader> {
  const start = queue.offset;
  const fixed = await queue.take(10);
  if (fixed.length > 0 && (fixed[0] !== 0x1f || (fixed.length > 1 && fixed[1] !== 0x8b))) {
    throw new AcsError('GZIP_NOT_GZIP', 'the input is not in the gzip format', {
      byteOffset: start,
      expected: '1f 8b',
      found: fixed
        .subarray(0, 2)
        .toString('hex')
        .replace(/(..)(?=.)/g, '$1 '),
      hint: hintForOtherFile(fixed),
    });
  }
  if (fixed.length < 10) {
    throw new AcsError('GZIP_TRUNCATED', 'the file ends inside the gzip header', {
      byteOffset: start + fixed.length,
      expected: '10 header bytes',
      found: `${fixed.length}`,
      hint: 'the transfer was cut; fetch the file again',
    });
  }
  if (fixed[2] !== 8 || (fixed[3] & 0xe0) !== 0) {
    throw new AcsError('GZIP_BAD_HEADER', 'the gzip header has an unknown method or a reserved flag', {
      byteOffset: start + 2,
      expected: 'method 8 (deflate), flags below 0x20',
      found: `method ${fixed[2]}, flags 0x${fixed[3].toString(16)}`,
    });
  }
  const flags = fixed[3];
  const header: GzipHeader = { length: 0, mtime: fixed.readUInt32LE(4), os: fixed[9] };
  if (flags & FEXTRA) {
    const size = await exactly(queue, 2);
    header.extra = await exactly(queue, size.readUInt16LE(0));
  }
  if (flags & FNAME) header.name = await zeroTerminated(queue);
  if (flags & FCOMMENT) header.comment = await zeroTerminated(queue);
  if (flags & FHCRC) await exactly(queue, 2);
  header.length = queue.offset - start;
  return header;
}

async function exactly(queue: ByteQueue, n: number): Promise<Buffer> {
  const bytes = await queue.take(n);
  if (bytes.length < n) {
    throw new AcsError('GZIP_TRUNCATED', 'the file ends inside the gzip header', {
      byteOffset: queue.offset,
    });
  }
  return Buffer.from(bytes);
}

async function zeroTerminated(queue: ByteQueue): Promise<string> {
  const bytes: number[] = [];
  while (bytes.length <= TEXT_LIMIT) {
    const [b] = await exactly(queue, 1);
    if (b === 0) return Buffer.from(bytes).toString('latin1');
    bytes.push(b);
  }
  throw new AcsError('GZIP_BAD_HEADER', 'a text in the gzip header is too long', {
    byteOffset: queue.offset,
    expected: `at most ${TEXT_LIMIT} bytes`,
  });
}
