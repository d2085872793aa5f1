/**
 * Rows on disk, when there are more than memory may hold: written to one temporary file per range of contract ids, then
 * taken back range by range in ascending order. A range that is still too large is cut again by the next byte.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeWhenInterrupted } from '../io/atomicFile.js';
import { fileError, writeError } from '../io/input.js';
import { MAX_ID_BYTES } from './row.js';

const RANGES = 256;
const BUFFER_ROWS = 256;

interface Range {
  fd: number;
  rows: number;
  buffer: Int32Array;
  filled: number;
}

export class Spill {
  private readonly folder: string;
  private readonly settled: () => void;
  private readonly rowWords: number;
  private readonly depth: number;
  private readonly ranges: (Range | undefined)[] = new Array(RANGES).fill(undefined);

  /** `parent` is the folder for temporary files; that of the system unless given. */
  constructor(rowWords: number, parent = tmpdir(), depth = 0) {
    this.rowWords = rowWords;
    this.depth = depth;
    try {
      this.folder = mkdtempSync(join(parent, 'acs-diff-'));
    } catch (cause) {
      throw writeError(parent, cause);
    }
    this.settled = removeWhenInterrupted(this.folder);
  }

  add(words: Int32Array, at: number): void {
    const index = this.rangeOf(words, at);
    let range = this.ranges[index];
    if (range === undefined) {
      range = {
        fd: this.open(index),
        rows: 0,
        buffer: new Int32Array(BUFFER_ROWS * this.rowWords),
        filled: 0,
      };
      this.ranges[index] = range;
    }
    const { buffer } = range;
    let to = range.filled;
    for (let i = 0; i < this.rowWords; i++) buffer[to++] = words[at + i]!;
    range.filled = to;
    range.rows++;
    if (to === buffer.length) this.flush(range);
  }

  /** Ranges ascend with the ids: the first cut takes the version byte and the upper bits of the next byte. */
  private rangeOf(words: Int32Array, at: number): number {
    const byte = (i: number): number => (words[at + ((i + 1) >>> 2)]! >>> (8 * ((i + 1) & 3))) & 0xff;
    return this.depth === 0 ? (byte(0) << 7) | (byte(1) >>> 1) : byte(this.depth);
  }

  /** The file loses its name at once: whatever happens to this process, nothing stays behind. */
  private open(index: number): number {
    const path = join(this.folder, `${index}.rows`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return fd;
    } catch (cause) {
      throw writeError(path, cause);
    }
  }

  private flush(range: Range): void {
    const bytes = Buffer.from(range.buffer.buffer, 0, range.filled * 4);
    try {
      let done = 0;
      while (done < bytes.length) done += writeSync(range.fd, bytes, done);
    } catch (cause) {
      throw writeError(this.folder, cause);
    }
    range.filled = 0;
  }

  /**
   * Hands out the rows range by range: `load` gets every row of a range, then `done` is awaited. `fits` says whether a
   * range of so many rows may be loaded at once; ids that differ nowhere any more are loaded in any case.
   */
  async drain(
    fits: (rows: number) => boolean,
    load: (words: Int32Array, at: number) => void,
    done: () => Promise<void>,
  ): Promise<void> {
    try {
      for (let index = 0; index < RANGES; index++) {
        const range = this.ranges[index];
        if (range === undefined) continue;
        this.flush(range);
        if (fits(range.rows) || this.depth + 1 >= MAX_ID_BYTES) {
          this.read(range, load);
          this.drop(index);
          await done();
          continue;
        }
        const inner = new Spill(this.rowWords, this.folder, this.depth + 1);
        try {
          this.read(range, (words, at) => inner.add(words, at));
          this.drop(index);
          await inner.drain(fits, load, done);
        } finally {
          inner.close();
        }
      }
    } finally {
      this.close();
    }
  }

  private read(range: Range, use: (words: Int32Array, at: number) => void): void {
    const { buffer } = range;
    const bytes = Buffer.from(buffer.buffer);
    const rowBytes = this.rowWords * 4;
    let left = range.rows * rowBytes;
    let position = 0;
    while (left > 0) {
      const want = Math.min(left, bytes.length);
      let got = 0;
      while (got < want) {
        const n = readSync(range.fd, bytes, got, want - got, position + got);
        if (n === 0)
          throw fileError(this.folder, new Error('a temporary file is shorter than what was written'));
        got += n;
      }
      for (let at = 0; at < want; at += rowBytes) use(buffer, at / 4);
      left -= want;
      position += want;
    }
  }

  private drop(index: number): void {
    const range = this.ranges[index];
    if (range !== undefined) closeSync(range.fd);
    this.ranges[index] = undefined;
  }

  /** Gives up what is left. */
  close(): void {
    for (let index = 0; index < RANGES; index++) this.drop(index);
    rmSync(this.folder, { recursive: true, force: true });
    this.settled();
  }
}
