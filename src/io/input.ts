/** Reading bytes: files, standard input, or bytes already in memory, as a pull-driven sequence of chunks. */
import { open } from 'node:fs/promises';
import { AcsError } from './error.js';
import { meterRead } from './readMeter.js';

/** A path, `-` for standard input, bytes in memory, or any asynchronous sequence of chunks. */
export type ByteInput = string | Uint8Array | AsyncIterable<Uint8Array>;

export const READ_CHUNK_BYTES = 2 << 20;

/** The name under which an input appears in messages. */
export function inputName(input: ByteInput): string {
  if (typeof input === 'string') return input;
  return input instanceof Uint8Array ? '(bytes)' : '(stream)';
}

/**
 * Chunks of an input, in order; those of a path other than `-` have memory of their own. A missing or unreadable file is an
 * {@link AcsError} `FILE_UNREADABLE`.
 */
export async function* readChunks(input: ByteInput, chunkBytes = READ_CHUNK_BYTES): AsyncGenerator<Buffer> {
  if (input instanceof Uint8Array) {
    if (input.length > 0) yield asBuffer(input);
    return;
  }
  if (typeof input !== 'string') {
    for await (const chunk of input) if (chunk.length > 0) yield asBuffer(chunk);
    return;
  }
  if (input === '-') {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) yield chunk;
    return;
  }
  const handle = await open(input, 'r').catch((cause) => {
    throw fileError(input, cause);
  });
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafeSlow(chunkBytes);
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes, null).catch((cause) => {
        throw fileError(input, cause);
      });
      if (bytesRead === 0) return;
      meterRead(input, bytesRead);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/**
 * To be called when an input is not read to its end, before what reads it is closed: whoever still writes to standard input
 * is not waited for.
 */
export function letGo(input: ByteInput): void {
  if (input === '-') process.stdin.destroy();
}

/** Hosting maps and the like of the largest networks stay far below. */
export const MAX_TEXT_BYTES = 64 << 20;

/** A small text, whole; `-` is standard input. Throws `TEXT_TOO_LONG` above `maxBytes`. */
export async function readText(path: string, maxBytes = MAX_TEXT_BYTES): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of readChunks(path)) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new AcsError('TEXT_TOO_LONG', 'the file is longer than any text of its kind', {
        file: path,
        byteOffset: maxBytes,
        expected: `at most ${maxBytes} bytes`,
        found: 'more',
        hint: 'check that it is the file you mean',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The same bytes as a Buffer, without copying. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'this is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  // Of making the folders of an output.
  EEXIST: 'a part of the path is not a directory',
  EPIPE: 'nobody reads the output any more',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the quota is used up',
  EROFS: 'the file system is read-only',
};

function reasonOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code;
  return (code !== undefined && REASONS[code]) || (cause instanceof Error ? cause.message : String(cause));
}

/** Turns an operating-system error about a file being read into an {@link AcsError}. */
export function fileError(file: string, cause: unknown): AcsError {
  const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  return new AcsError('FILE_UNREADABLE', reasonOf(cause), {
    file,
    cause,
    hint: missing ? 'check the path' : undefined,
  });
}

/** The same for a file being written: `DISK_FULL` or `FILE_UNWRITABLE`. */
export function writeError(file: string, cause: unknown): AcsError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AcsError('DISK_FULL', reasonOf(cause), {
      file,
      cause,
      hint: 'make room, or write to another device',
    });
  }
  return new AcsError('FILE_UNWRITABLE', code === 'ENOENT' ? 'the folder does not exist' : reasonOf(cause), {
    file,
    cause,
    hint: code === 'EPIPE' ? undefined : 'check the path and who may write there',
  });
}
