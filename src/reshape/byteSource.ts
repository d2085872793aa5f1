/** Random access to the bytes of an input, for reading it more than once and from the middle. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { asBuffer, type ByteInput, fileError, inputName, readChunks } from '../io/input.js';
import { meterRead } from '../io/readMeter.js';

export interface ByteSource {
  readonly name: string;
  readonly size: number;
  /** `length` bytes from `offset`, fewer at the end. */
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Standard input and other streams are copied to a temporary file first. */
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
  if (typeof input === 'string' && input !== '-') return openFile(input, input, undefined);
  const folder = await mkdtemp(join(tmpdir(), 'acs-input-'));
  try {
    const path = join(folder, 'input');
    const copy = createWriteStream(path);
    for await (const chunk of readChunks(input)) {
      if (!copy.write(chunk)) await new Promise<void>((done) => copy.once('drain', done));
    }
    copy.end();
    await finished(copy);
    return await openFile(path, inputName(input), folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function openFile(path: string, name: string, temporary: string | undefined): Promise<ByteSource> {
  const handle = await open(path, 'r').catch((cause) => {
    throw fileError(name, cause);
  });
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
    async close() {
      await handle.close();
      if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
    },
  };
}
