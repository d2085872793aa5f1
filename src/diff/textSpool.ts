/** Text kept for later: in memory while it is short, else in a temporary file without a name. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileError, writeError } from '../io/input.js';

const MEMORY_BYTES = 1 << 20;

export interface TextSpool {
  write(text: string): void;
  /** What was written, in pieces. */
  read(): Generator<Buffer>;
  close(): void;
}

export function openTextSpool(): TextSpool {
  let parts: string[] = [];
  let held = 0;
  let fd = -1;
  let stored = 0;

  function flush(): void {
    if (held === 0) return;
    try {
      if (fd < 0) fd = openNameless();
      const bytes = Buffer.from(parts.join(''));
      let done = 0;
      while (done < bytes.length) done += writeSync(fd, bytes, done);
      stored += bytes.length;
    } catch (cause) {
      throw writeError(tmpdir(), cause);
    }
    parts = [];
    held = 0;
  }

  return {
    write(text) {
      parts.push(text);
      held += text.length;
      if (held >= MEMORY_BYTES) flush();
    },
    *read() {
      for (let position = 0; position < stored; ) {
        const chunk = Buffer.allocUnsafe(Math.min(MEMORY_BYTES, stored - position));
        const got = readSync(fd, chunk, 0, chunk.length, position);
        if (got === 0)
          throw fileError(tmpdir(), new Error('a temporary file is shorter than what was written'));
        position += got;
        yield chunk.subarray(0, got);
      }
      if (held > 0) yield Buffer.from(parts.join(''));
    },
    close() {
      if (fd >= 0) closeSync(fd);
      fd = -1;
      stored = 0;
    },
  };
}

function openNameless(): number {
  const folder = mkdtempSync(join(tmpdir(), 'acs-text-'));
  const path = join(folder, 'spool');
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  rmSync(folder, { recursive: true, force: true });
  return fd;
}
