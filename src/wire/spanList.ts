/** A short list of byte strings that lie in one buffer, kept as borders: nothing is allocated per string. */
import { sameBytes } from './sameBytes.js';

export class SpanList {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  length = 0;

  constructor(capacity: number) {
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
  }

  /** False when the list is full. */
  push(start: number, end: number): boolean {
    const at = this.length;
    if (at === this.starts.length) return false;
    this.starts[at] = start;
    this.ends[at] = end;
    this.length = at + 1;
    return true;
  }

  /** Sorts by bytes; false when a string stands twice. */
  sortDistinct(buf: Buffer): boolean {
    const { starts, ends } = this;
    for (let i = 1; i < this.length; i++) {
      const start = starts[i];
      const end = ends[i];
      let j = i - 1;
      for (; j >= 0; j--) {
        const order = compareSpans(buf, starts[j], ends[j], start, end);
        if (order === 0) return false;
        if (order < 0) break;
        starts[j + 1] = starts[j];
        ends[j + 1] = ends[j];
      }
      starts[j + 1] = start;
      ends[j + 1] = end;
    }
    return true;
  }

  /** Whether no string of this list is in the other one. */
  isDisjoint(buf: Buffer, other: SpanList): boolean {
    for (let i = 0; i < this.length; i++) {
      const start = this.starts[i];
      const end = this.ends[i];
      for (let j = 0; j < other.length; j++) {
        const at = other.starts[j];
        if (other.ends[j] - at === end - start && sameBytes(buf, start, end, buf, at)) return false;
      }
    }
    return true;
  }
}

/** Order of two byte strings of one buffer: most differ within a few bytes. */
export function compareSpans(buf: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): number {
  let i = a;
  let j = b;
  while (i < aEnd && j < bEnd) {
    const order = buf[i++] - buf[j++];
    if (order !== 0) return order;
  }
  return aEnd - a - (bEnd - b);
}
