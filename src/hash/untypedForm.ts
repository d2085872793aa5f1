/**
 * The two encodings that need no types: legacy (`ca10`) and upgrade friendly (`ca11`); contract-id spec, sections 4.2
 * and 4.3. One pass over the stored bytes.
 */
import { MAX_VALUE_DEPTH } from '../contract/value.js';
import { decodeValue } from '../contract/valueDecoder.js';
import { encodeValue } from '../contract/valueEncoder.js';
import { AcsError } from '../io/error.js';
import { compareSpans } from '../wire/spanList.js';
import type { HashBuffer } from './hashBuffer.js';
import { IRREGULAR, ScalarCopier, VALUE_TAG } from './storedScalars.js';

export type UntypedMethod = 'legacy' | 'upgradeFriendly';

export class UntypedForm extends ScalarCopier {
  private upgradeFriendly = false;
  /** True when a record directly held a non-empty map: the upgrade-friendly encoding does not say in which field. */
  mapInRecord = false;

  /**
   * Appends the encoding of the serialized `Value` `buf[start, end)` to `out`. Throws the errors of `decodeValue`, with
   * byte offsets inside `buf`.
   */
  write(out: HashBuffer, method: UntypedMethod, buf: Buffer, start = 0, end = buf.length): void {
    const begin = out.pos;
    this.out = out;
    this.irregular = false;
    this.upgradeFriendly = method === 'upgradeFriendly';
    try {
      this.walk(buf, start, end);
    } catch (error) {
      if (error !== IRREGULAR && !(error instanceof AcsError)) throw error;
      out.pos = begin;
      this.irregular = true;
      const canonical = encodeValue(decodeValue(buf, start, end));
      this.walk(canonical, 0, canonical.length);
    }
  }

  private walk(buf: Buffer, start: number, end: number): void {
    this.start(buf, start);
    this.mapInRecord = false;
    this.value(end, 0);
  }

  /** Returns true when the value is the default one of its kind. */
  private value(end: number, depth: number): boolean {
    if (depth > MAX_VALUE_DEPTH) throw IRREGULAR;
    const isDefault = this.member(this.varint32(), end, depth);
    if (this.pos !== end) throw IRREGULAR;
    return isDefault;
  }

  private member(tag: number, end: number, depth: number): boolean {
    switch (tag) {
      case VALUE_TAG.unit:
        this.out.u8(0);
        return this.unit();
      case VALUE_TAG.bool:
        return this.bool();
      case VALUE_TAG.int64:
        return this.int64();
      case VALUE_TAG.date:
        return this.date();
      case VALUE_TAG.timestamp:
        return this.timestamp(end);
      case VALUE_TAG.numeric:
        return this.numeric(end, -1);
      case VALUE_TAG.party:
        return this.party(end);
      case VALUE_TAG.text:
        return this.text(end);
      case VALUE_TAG.contractId:
        return this.contractId(end, false);
      case VALUE_TAG.optional:
        return this.optional(end, depth);
      case VALUE_TAG.list:
        return this.list(end, depth);
      case VALUE_TAG.genMap:
        return this.genMap(end, depth);
      case VALUE_TAG.textMap:
        return this.textMap(end, depth);
      case VALUE_TAG.record:
        return this.record(end, depth);
      case VALUE_TAG.variant: {
        const stop = this.fieldEnd(end);
        this.expectTag(0x0a);
        this.constructorName(stop);
        this.value(this.expectField(0x12, stop), depth + 1);
        if (this.pos !== stop) throw IRREGULAR;
        return false;
      }
      case VALUE_TAG.enum: {
        const stop = this.fieldEnd(end);
        this.expectTag(0x0a);
        this.constructorName(stop);
        if (this.pos !== stop) throw IRREGULAR;
        return false;
      }
      default:
        throw IRREGULAR;
    }
  }

  private expectTag(tag: number): void {
    if (this.buf[this.pos++] !== tag) throw IRREGULAR;
  }

  private constructorName(end: number): void {
    this.name(end);
    this.out.prefixed(this.buf, this.lastStart, this.lastEnd);
  }

  private flag(some: boolean): void {
    if (this.upgradeFriendly) this.out.u8(some ? 1 : 0);
    else this.out.i32(some ? 1 : 0);
  }

  private optional(end: number, depth: number): boolean {
    const stop = this.fieldEnd(end);
    if (this.pos === stop) {
      this.flag(false);
      return true;
    }
    const valueEnd = this.expectField(0x0a, stop);
    // An optional that holds an empty value is read as None: left to the decoder.
    if (valueEnd !== stop || this.pos === valueEnd) throw IRREGULAR;
    this.flag(true);
    this.value(valueEnd, depth + 1);
    return false;
  }

  private list(end: number, depth: number): boolean {
    const stop = this.fieldEnd(end);
    const { out } = this;
    out.i32(0);
    const countAt = out.pos - 4;
    let count = 0;
    while (this.pos < stop) {
      this.value(this.expectField(0x0a, stop), depth + 1);
      count++;
    }
    out.putI32(countAt, count);
    return count === 0;
  }

  private genMap(end: number, depth: number): boolean {
    const stop = this.fieldEnd(end);
    const { out } = this;
    out.i32(0);
    const countAt = out.pos - 4;
    let count = 0;
    while (this.pos < stop) {
      const entryEnd = this.expectField(0x0a, stop);
      this.value(this.expectField(0x0a, entryEnd), depth + 1);
      this.value(this.expectField(0x12, entryEnd), depth + 1);
      if (this.pos !== entryEnd) throw IRREGULAR;
      count++;
    }
    out.putI32(countAt, count);
    return count === 0;
  }

  private textMap(end: number, depth: number): boolean {
    const stop = this.fieldEnd(end);
    const { buf, out } = this;
    out.i32(0);
    const countAt = out.pos - 4;
    let count = 0;
    let lastStart = 0;
    let lastEnd = 0;
    while (this.pos < stop) {
      const entryEnd = this.expectField(0x0a, stop);
      let keyStart = this.pos;
      let keyEnd = keyStart;
      if (buf[this.pos] === 0x0a) {
        this.pos++;
        this.text(entryEnd);
        keyStart = this.lastStart;
        keyEnd = this.lastEnd;
      } else out.i32(0);
      if (count > 0 && compareSpans(buf, lastStart, lastEnd, keyStart, keyEnd) >= 0) throw IRREGULAR;
      lastStart = keyStart;
      lastEnd = keyEnd;
      this.value(this.expectField(0x12, entryEnd), depth + 1);
      if (this.pos !== entryEnd) throw IRREGULAR;
      count++;
    }
    out.putI32(countAt, count);
    return count === 0;
  }

  private record(end: number, depth: number): boolean {
    const stop = this.fieldEnd(end);
    if (this.upgradeFriendly) {
      this.sparseFields(stop, depth);
      return false;
    }
    const { out } = this;
    out.i32(0);
    const countAt = out.pos - 4;
    let count = 0;
    while (this.pos < stop) {
      const fieldEnd = this.expectField(0x0a, stop);
      this.value(this.expectField(0x0a, fieldEnd), depth + 1);
      if (this.pos !== fieldEnd) throw IRREGULAR;
      count++;
    }
    out.putI32(countAt, count);
    return false;
  }

  /** Fields that are not the default of their kind, each after its index; maps without it; then `ff`. */
  private sparseFields(stop: number, depth: number): void {
    const { buf, out } = this;
    for (let index = 0; this.pos < stop; index++) {
      const fieldEnd = this.expectField(0x0a, stop);
      const valueEnd = this.expectField(0x0a, fieldEnd);
      if (valueEnd !== fieldEnd) throw IRREGULAR;
      const begin = out.pos;
      const tag = buf[this.pos];
      if (tag === VALUE_TAG.optional) this.optionalField(index, valueEnd, depth + 1);
      else if (tag === VALUE_TAG.genMap || tag === VALUE_TAG.textMap) {
        if (this.value(valueEnd, depth + 1)) out.pos = begin;
        else this.mapInRecord = true;
      } else {
        out.i32(index);
        if (this.value(valueEnd, depth + 1)) out.pos = begin;
      }
    }
    out.u8(0xff);
  }

  /** None is left out; Some is written without its flag. */
  private optionalField(index: number, end: number, depth: number): void {
    if (depth > MAX_VALUE_DEPTH) throw IRREGULAR;
    this.pos++;
    const stop = this.fieldEnd(end);
    if (stop !== end) throw IRREGULAR;
    if (this.pos === stop) return;
    const valueEnd = this.expectField(0x0a, stop);
    if (valueEnd !== stop || this.pos === valueEnd) throw IRREGULAR;
    this.out.i32(index);
    this.value(valueEnd, depth + 1);
  }
}
