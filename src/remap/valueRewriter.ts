/**
 * Changing parties and contract ids inside LF value bytes, directly: the bytes that {@link ValueRemapper} and
 * `encodeValue` make by way of values. It declines what needs values: maps whose keys change, unexpected forms.
 */
import { MAX_VALUE_DEPTH } from '../contract/value.js';
import type { BackwardWriter } from '../wire/backwardWriter.js';
import { BorderStack } from '../wire/borderStack.js';
import type { Interner } from '../wire/interner.js';

export const PARTY_STAYS = -1;
export const PARTY_DECLINED = -2;

/** What becomes of each leaf. Positions are into `buf`, valid during the call. */
export interface LeafRules {
  /** The number of the new party in {@link names}, {@link PARTY_STAYS} or {@link PARTY_DECLINED}. */
  party(buf: Buffer, start: number, end: number): number;
  names: Interner;
  /** The raw bytes of the new id, or undefined when it stays. */
  contractId(buf: Buffer, start: number, end: number): Buffer | undefined;
  /** False declines: somebody has to look at the text. */
  text(buf: Buffer, start: number, end: number): boolean;
}

export class ValueRewriter {
  /** Whether anything differs from the source; set by {@link rewrite}. */
  changed = false;
  private readonly stack = new BorderStack();
  private readonly rules: LeafRules;
  private buf: Buffer = Buffer.alloc(0);
  private w!: BackwardWriter;

  constructor(rules: LeafRules) {
    this.rules = rules;
  }

  /** Prepends the rewritten value `buf[start, end)`. False: declined, and what was prepended is of no use. */
  rewrite(w: BackwardWriter, buf: Buffer, start: number, end: number): boolean {
    this.buf = buf;
    this.w = w;
    this.stack.clear();
    this.changed = false;
    return this.value(start, end, 0);
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
      case 0x7a:
        w.raw(buf, start, end);
        return true;
      case 0x3a: {
        if (!stack.open(buf, start + 1, end)) return false;
        const mapped = this.rules.party(buf, stack.start, end);
        if (mapped === PARTY_DECLINED) return false;
        if (mapped === PARTY_STAYS) w.raw(buf, start, end);
        else {
          w.internedField(0x3a, this.rules.names, mapped);
          this.changed = true;
        }
        return true;
      }
      case 0x42:
        if (!stack.open(buf, start + 1, end)) return false;
        if (!this.rules.text(buf, stack.start, end)) return false;
        w.raw(buf, start, end);
        return true;
      case 0x4a: {
        if (!stack.open(buf, start + 1, end)) return false;
        const mapped = this.rules.contractId(buf, stack.start, end);
        if (mapped === undefined) w.raw(buf, start, end);
        else {
          w.field(0x4a, mapped);
          this.changed = true;
        }
        return true;
      }
      case 0x52: {
        if (!stack.open(buf, start + 1, end)) return false;
        const from = stack.start;
        const mark = w.length;
        if (from < end) {
          if (buf[from] !== 0x0a || !stack.open(buf, from + 1, end)) return false;
          if (stack.start === end) return false;
          if (!this.value(stack.start, end, depth + 1)) return false;
          w.close(0x0a, mark);
        }
        w.close(0x52, mark);
        return true;
      }
      case 0x5a:
      case 0x6a:
        return this.repeated(tag, start, end, depth);
      case 0x62:
      case 0x82:
        return this.map(tag, start, end, depth);
      case 0x72: {
        if (!stack.open(buf, start + 1, end)) return false;
        const base = stack.size;
        if (!stack.pair(buf, stack.start, end, 0x0a, 0x12)) return false;
        const mark = w.length;
        if (!this.value(stack.at(base + 2), stack.at(base + 3), depth + 1)) return false;
        w.close(0x12, mark);
        w.field(0x0a, buf, stack.at(base), stack.at(base + 1));
        stack.drop(base);
        w.close(0x72, mark);
        return true;
      }
      default:
        return false;
    }
  }

  /** A list, or a record, whose fields are wrapped once more. */
  private repeated(tag: number, start: number, end: number, depth: number): boolean {
    const { stack } = this;
    const buf = this.buf;
    const w = this.w;
    if (!stack.open(buf, start + 1, end)) return false;
    const base = stack.size;
    const mark = w.length;
    if (!stack.collect(buf, stack.start, end, 0x0a)) return false;
    for (let i = stack.size - 2; i >= base; i -= 2) {
      const itemMark = w.length;
      let from = stack.at(i);
      const to = stack.at(i + 1);
      if (tag === 0x6a) {
        if (buf[from] !== 0x0a || !stack.open(buf, from + 1, to)) return false;
        from = stack.start;
      }
      if (!this.value(from, to, depth + 1)) return false;
      w.close(0x0a, itemMark);
      if (tag === 0x6a) w.close(0x0a, itemMark);
    }
    stack.drop(base);
    w.close(tag, mark);
    return true;
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
      if (!this.value(stack.at(entry + 2), stack.at(entry + 3), depth + 1)) return false;
      w.close(0x12, entryMark);
      const keyStart = stack.at(entry);
      const keyEnd = stack.at(entry + 1);
      if (text) {
        if (!this.rules.text(buf, keyStart, keyEnd)) return false;
        // Keys are written ascending; a blob may hold them in any order.
        if (laterStart >= 0 && buf.compare(buf, laterStart, laterEnd, keyStart, keyEnd) >= 0) return false;
        laterStart = keyStart;
        laterEnd = keyEnd;
        if (keyStart < keyEnd) w.field(0x0a, buf, keyStart, keyEnd);
      } else {
        const before = this.changed;
        this.changed = false;
        const keyMark = w.length;
        if (!this.value(keyStart, keyEnd, depth + 1) || this.changed) return false;
        this.changed = before;
        w.close(0x0a, keyMark);
      }
      stack.drop(entry);
      w.close(0x0a, entryMark);
    }
    stack.drop(base);
    if (text)
      w.varint(w.length - mark)
        .byte(0x01)
        .byte(0x82);
    else w.close(tag, mark);
    return true;
  }
}
