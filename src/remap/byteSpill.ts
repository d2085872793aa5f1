/**
 * Byte strings kept for later: in memory up to a limit, beyond it in a temporary file that nobody else sees. Errors of that
 * file: `DISK_FULL`, `FILE_UNWRITABLE`, `FILE_UNREADABLE`.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileError, writeError } from '../io/input.js';

export interface Spill {
  /** Returns the handle to {@link get} it with. */
  put(bytes: Buffer): number;
  get(handle: number): Buffer;
  close(): void;
}

export function spill(memoryLimit = 64 << 20, folder = tmpdir()): Spill {
  const memory: (Buffer | undefined)[] = [];
  const position: number[] = [];
  const length: number[] = [];
  let inMemory = 0;
  let file: number | undefined;
  let fileBytes = 0;
  return {
    put(bytes) {
      const handle = length.length;
      length.push(bytes.length);
      if (inMemory + bytes.length <= memoryLimit) {
        inMemory += bytes.length;
        memory.push(Buffer.from(bytes));
        position.push(-1);
        return handle;
      }
      memory.push(undefined);
      position.push(fileBytes);
      try {
        file ??= openUnseen(folder);
        let done = 0;
        while (done < bytes.length)
          done += writeSync(file, bytes, done, bytes.length - done, fileBytes + done);
      } catch (cause) {
        throw writeError(folder, cause);
      }
      fileBytes += bytes.length;
      return handle;
    },
    get(handle) {
      const known = memory[handle];
      if (known !== undefined) return known;
      const bytes = Buffer.allocUnsafe(length[handle]);
      let done = 0;
      while (done < bytes.length) {
        const n = readSync(file as number, bytes, done, bytes.length - done, position[handle] + done);
        if (n === 0) throw fileError(folder, new Error('a temporary file is shorter than what was written'));
        done += n;
      }
      return bytes;
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
      memory.length = 0;
    },
  };
}

function openUnseen(folder: string): number {
  const path = join(folder, `acskit-${process.pid}-${randomBytes(6).toString('hex')}.spill`);
  const file = openSync(path, 'wx+', 0o600);
  // Gone with the process, whatever happens.
  unlinkSync(path);
  return file;
}
