/**
 * LF value bytes to Ledger API bytes without labels, directly: the bytes that `plainRecord` of `src/convert` makes by way
 * of values (snapshot-format spec, section 4). For bytes whose form is checked elsewhere; what it does not expect it
 * declines, and the caller goes the long way.
 */
import type { BackwardWriter } from '../wire/backwardWriter.js';
import { BorderStack } from '../wire/borderStack.js';
import { MAX_VALUE_DEPTH } from './value.js';

export class PlainTranscoder {
  private readonly stack = new BorderStack();
  private buf: Buffer = Buffer.alloc(0);
  private w!: BackwardWriter;

  /** Prepends a Ledger API `Record` (no tag, no length) made of the LF record `buf[start, end)`. False: declined. */
  record(w: BackwardWriter, buf: Buffer, start: number, end: number): boolean {
    this.buf = buf;
    this.w = w;
    this.stack.clear();
    if (buf[start] !== 0x6a || !this.stack.open(buf, start + 1, end)) return false;
    return this.fields(this.stack.start, end, 0);
  }

  private fields(start: number, end: number, depth: number): boolean {
    const { stack } = this;
    const buf = this.buf;
    const w = this.w;
    const base = stack.size;
    if (!stack.collect(buf, start, end, 0x0a)) return false;
    let n = (stack.size - base) >> 1;
    // Trailing Nones are cut: `0a 02 52 00`, or with an empty value inside.
    while (n > 0 && this.isNone(stack.at(base + 2 * n - 2), stack.at(base + 2 * n - 1))) n--;
    for (let i = n - 1; i >= 0; i--) {
      const from = stack.at(base + 2 * i);
      const to = stack.at(base + 2 * i + 1);
      const mark = w.length;
      if (!this.inner(0x0a, from, to, depth)) return false;
      w.close(0x12, mark);
      w.close(0x12, mark);
    }
    stack.drop(base);
    return true;
  }

  private isNone(start: number, end: number): boolean {
    const buf = this.buf;
    const n = end - start;
    if (buf[start] !== 0x0a || buf[start + 2] !== 0x52) return false;
    return (
      (n === 4 && buf[start + 3] === 0) ||
      (n === 6 && buf[start + 3] === 2 && buf[start + 4] === 0x0a && buf[start + 5] === 0)
    );
  }

  /** The value in the single length-delimited field `tag` that fills `[start, end)`. */
  private inner(tag: number, start: number, end: number, depth: number): boolean {
    const { stack } = this;
    const buf = this.buf;
    if (buf[start] !== tag || !stack.open(buf, start + 1, end)) return false;
    return this.value(stack.start, end, depth + 1);
  }

  private value(start: number, end: number, depth: number): boolean {
    if (depth > MAX_VALUE_DEPTH || start >= end) return false;
    const { stack } = this;
    const buf = this.buf;
    const w = this.w;
    const tag = buf[start];
    switch (tag) {
      case 0x0a:
      case 0x10:
      case 0x18:
      case 0x20:
      case 0x29:
      case 0x32:
      case 0x3a:
      case 0x42:
        w.raw(buf, start, end);
        return true;
      case 0x4a:
        if (!stack.open(buf, start + 1, end)) return false;
        w.hex(buf, stack.start, end)
          .varint(2 * (end - stack.start))
          .byte(0x4a);
        return true;
      case 0x52: {
        if (!stack.open(buf, start + 1, end)) return false;
        const from = stack.start;
        const mark = w.length;
        if (from < end && !(end - from === 2 && buf[from + 1] === 0)) {
          if (!this.inner(0x0a, from, end, depth)) return false;
          w.close(0x0a, mark);
        }
        w.close(0x52, mark);
        return true;
      }
      case 0x5a: {
        if (!stack.open(buf, start + 1, end)) return false;
        const base = stack.size;
        const mark = w.length;
        if (!stack.collect(buf, stack.start, end, 0x0a)) return false;
        for (let i = stack.size - 2; i >= base; i -= 2) {
          const itemMark = w.length;
          if (!this.value(stack.at(i), stack.at(i + 1), depth + 1)) return false;
          w.close(0x0a, itemMark);
        }
        stack.drop(base);
        w.close(0x5a, mark);
        return true;
      }
      case 0x62:
      case 0x82:
        return this.map(tag, start, end, depth);
      case 0x6a: {
        if (!stack.open(buf, start + 1, end)) return false;
        const mark = w.length;
        if (!this.fields(stack.start, end, depth)) return false;
        w.close(0x72, mark);
        return true;
      }
      case 0x72: {
        if (!stack.open(buf, start + 1, end)) return false;
        const base = stack.size;
        if (!stack.pair(buf, stack.start, end, 0x0a, 0x12)) return false;
        const mark = w.length;
        if (!this.value(stack.at(base + 2), stack.at(base + 3), depth + 1)) return false;
        w.close(0x1a, mark);
        w.field(0x12, buf, stack.at(base), stack.at(base + 1));
        stack.drop(base);
        w.close(0x7a, mark);
        return true;
      }
      case 0x7a: {
        if (!stack.open(buf, start + 1, end)) return false;
        const from = stack.start;
        if (buf[from] !== 0x0a || !stack.open(buf, from + 1, end)) return false;
        const mark = w.length;
        w.field(0x12, buf, stack.start, end);
        w.varint(w.length - mark)
          .byte(0x01)
          .byte(0x82);
        return true;
      }
      default:
        return false;
    }
  }

  private map(tag: number, start: number, end: number, depth: number): boolean {
    const { stack } = this;
    const buf = this.buf;
    const w = this.w;
    const text = tag === 0x82;
    if (text && buf[start + 1] !== 0x01) return false;
    if (!stack.open(buf, start + (text ? 2 : 1), end)) return false;
    const base = stack.size;
    const mark = w.length;
    if (!stack.collect(buf, stack.start, end, 0x0a)) return false;
    let laterStart = -1;
    let laterEnd = -1;
    for (let i = stack.size - 2; i >= base; i -= 2) {
      const entryMark = w.length;
      const entry = stack.size;
      if (!stack.pair(buf, stack.at(i), stack.at(i + 1), 0x0a, 0x12, text)) return false;
      if (text) {
        // The Ledger API has the keys ascending; a blob may hold them in any order.
        if (
          laterStart >= 0 &&
          buf.compare(buf, laterStart, laterEnd, stack.at(entry), stack.at(entry + 1)) >= 0
        ) {
          return false;
        }
        laterStart = stack.at(entry);
        laterEnd = stack.at(entry + 1);
      }
      if (!this.value(stack.at(entry + 2), stack.at(entry + 3), depth + 1)) return false;
      w.close(0x12, entryMark);
      const keyStart = stack.at(entry);
      const keyEnd = stack.at(entry + 1);
      if (text) {
        if (keyStart < keyEnd) w.field(0x0a, buf, keyStart, keyEnd);
      } else {
        const keyMark = w.length;
        if (!this.value(keyStart, keyEnd, depth + 1)) return false;
        w.close(0x0a, keyMark);
      }
      stack.drop(entry);
      w.close(0x0a, entryMark);
    }
    stack.drop(base);
    w.close(text ? 0x62 : 0x6a, mark);
    return true;
  }
}
