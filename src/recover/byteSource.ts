/** Random access to the bytes of an input, for reading it more than once and from the middle. */
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AcsError } from '../io/error.js';
import { asBuffer, type ByteInput, fileError, inputName, readChunks, writeError } from '../io/input.js';
import { meterRead } from '../io/readMeter.js';
import { canReadTwice } from '../io/readTwice.js';

export interface ByteSource {
  readonly name: string;
  readonly size: number;
  /** `length` bytes from `offset`, fewer at the end. */
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Standard input, pipes and other streams are copied to a temporary file first. */
export async function openByteSource(input: ByteInput): Promise<ByteSource> {
  if (input instanceof Uint8Array) {
    const bytes = asBuffer(input);
    return {
      name: inputName(input),
      size: bytes.length,
      read: async (offset, length) => bytes.subarray(offset, offset + length),
      close: async () => undefined,
    };
  }
  const name = inputName(input);
  if (typeof input === 'string' && (await canReadTwice(input))) {
    const file = await open(input, 'r').catch((cause) => {
      throw fileError(input, cause);
    });
    return fileSource(file, name);
  }
  return fileSource(await temporaryCopy(input), name);
}

/** A file without a name: whatever ends the process, nothing of the input stays behind. */
async function temporaryCopy(input: ByteInput): Promise<FileHandle> {
  const parent = tmpdir();
  let copy: FileHandle | undefined;
  try {
    const folder = await mkdtemp(join(parent, 'acs-input-'));
    try {
      copy = await open(join(folder, 'input'), 'wx+');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    for await (const chunk of readChunks(input)) {
      for (let done = 0; done < chunk.length; ) {
        done += (await copy.write(chunk, done, chunk.length - done)).bytesWritten;
      }
    }
    return copy;
  } catch (cause) {
    await copy?.close();
    throw cause instanceof AcsError ? cause : writeError(parent, cause);
  }
}

async function fileSource(handle: FileHandle, name: string): Promise<ByteSource> {
  const { size } = await handle.stat();
  return {
    name,
    size,
    async read(offset, length) {
      const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)));
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await handle
          .read(buffer, filled, buffer.length - filled, offset + filled)
          .catch((cause) => {
            throw fileError(name, cause);
          });
        if (bytesRead === 0) break;
        meterRead(name, bytesRead);
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    },
    close: () => handle.close(),
  };
}
