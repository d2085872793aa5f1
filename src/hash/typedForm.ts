/**
 * The typed normal form (`ca12`, V2 ids, key hashes; contract-id spec, section 4.4), made in one pass over the stored
 * bytes together with the type check that an import makes (section 6).
 */
import { MAX_VALUE_DEPTH } from '../contract/value.js';
import { decodeValue } from '../contract/valueDecoder.js';
import { encodeValue } from '../contract/valueEncoder.js';
import type { TypeRef } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import { checkValue } from '../typed/typeCheck.js';
import {
  PLAN_BOOL,
  PLAN_CONTRACT_ID,
  PLAN_DATE,
  PLAN_ENUM,
  PLAN_GEN_MAP,
  PLAN_INT64,
  PLAN_LIST,
  PLAN_NUMERIC,
  PLAN_OPTIONAL,
  PLAN_PARTY,
  PLAN_RECORD,
  PLAN_TEXT,
  PLAN_TEXT_MAP,
  PLAN_TIMESTAMP,
  PLAN_UNIT,
  PLAN_VARIANT,
  type TypePlan,
} from '../typed/typePlan.js';
import { compareValues } from '../typed/valueOrder.js';
import { newWords } from '../wire/sameBytes.js';
import { compareSpans } from '../wire/spanList.js';
import { HashBuffer } from './hashBuffer.js';
import { IRREGULAR, ScalarCopier, VALUE_TAG } from './storedScalars.js';

export interface TypedFormOptions {
  /** Explicit Nones at the end of a record pass the check (`ca10` only). They are left out of the encoding all the same. */
  readonly trailingNone?: boolean;
  /** For keys: a contract id anywhere is a fault. */
  readonly forbidContractIds?: boolean;
  /** Ids without suffix are encoded too: values of a transaction that is not committed. No import accepts them. */
  readonly localContractIds?: boolean;
}

const NO_OPTIONS: TypedFormOptions = {};

export class TypedForm extends ScalarCopier {
  private trailingNone = false;
  private forbidContractIds = false;
  private localContractIds = false;

  /**
   * Appends the typed normal form of the serialized `Value` `buf[start, end)` to `out`.
   * Errors: those of `decodeValue` with byte offsets inside `buf`, those of `checkValue` with the path, and
   * `TYPE_CONTRACT_ID_IN_KEY`.
   */
  write(
    out: HashBuffer,
    plan: TypePlan,
    buf: Buffer,
    start = 0,
    end = buf.length,
    options: TypedFormOptions = NO_OPTIONS,
  ): void {
    const begin = out.pos;
    this.out = out;
    this.irregular = false;
    this.trailingNone = options.trailingNone === true;
    this.forbidContractIds = options.forbidContractIds === true;
    this.localContractIds = options.localContractIds === true;
    try {
      this.walk(plan, buf, start, end);
    } catch (error) {
      if (error !== IRREGULAR && !(error instanceof AcsError)) throw error;
      out.pos = begin;
      this.irregular = true;
      const value = decodeValue(buf, start, end);
      checkValue(plan, value, { trailingNone: this.trailingNone });
      const canonical = encodeValue(value);
      try {
        this.walk(plan, canonical, 0, canonical.length);
      } catch (again) {
        if (again !== IRREGULAR) throw again;
        if (!this.forbidContractIds) throw new Error('canonical bytes of a checked value cannot be walked');
        throw new AcsError('TYPE_CONTRACT_ID_IN_KEY', 'a contract key holds a contract id', {
          expected: 'no contract id',
          path: '',
        });
      }
    }
  }

  private walk(plan: TypePlan, buf: Buffer, start: number, end: number): void {
    this.start(buf, start);
    this.value(plan, end, 0);
  }

  /** Returns true for a None. */
  private value(plan: TypePlan, end: number, depth: number): boolean {
    if (depth > MAX_VALUE_DEPTH) throw IRREGULAR;
    const none = this.member(plan, this.varint32(), end, depth);
    if (this.pos !== end) throw IRREGULAR;
    return none;
  }

  private member(plan: TypePlan, tag: number, end: number, depth: number): boolean {
    const { out } = this;
    switch (plan.kind) {
      case PLAN_PARTY:
        if (tag !== VALUE_TAG.party) throw IRREGULAR;
        out.u8(PLAN_PARTY);
        this.party(end);
        return false;
      case PLAN_TEXT:
        if (tag !== VALUE_TAG.text) throw IRREGULAR;
        out.u8(PLAN_TEXT);
        this.text(end);
        return false;
      case PLAN_RECORD:
        if (tag !== VALUE_TAG.record) throw IRREGULAR;
        this.record(plan, this.fieldEnd(end), depth);
        return false;
      case PLAN_NUMERIC:
        if (tag !== VALUE_TAG.numeric) throw IRREGULAR;
        out.u8(PLAN_NUMERIC);
        this.numeric(end, plan.scale);
        return false;
      case PLAN_INT64:
        if (tag !== VALUE_TAG.int64) throw IRREGULAR;
        out.u8(PLAN_INT64);
        this.int64();
        return false;
      case PLAN_OPTIONAL:
        if (tag !== VALUE_TAG.optional) throw IRREGULAR;
        return this.optional(plan, this.fieldEnd(end), depth);
      case PLAN_CONTRACT_ID:
        if (tag !== VALUE_TAG.contractId || this.forbidContractIds) throw IRREGULAR;
        out.u8(PLAN_CONTRACT_ID);
        this.contractId(end, !this.localContractIds);
        return false;
      case PLAN_TIMESTAMP:
        if (tag !== VALUE_TAG.timestamp) throw IRREGULAR;
        out.u8(PLAN_TIMESTAMP);
        this.timestamp(end);
        return false;
      case PLAN_DATE:
        if (tag !== VALUE_TAG.date) throw IRREGULAR;
        out.u8(PLAN_DATE);
        this.date();
        return false;
      case PLAN_BOOL:
        if (tag !== VALUE_TAG.bool) throw IRREGULAR;
        out.u8(PLAN_BOOL);
        this.bool();
        return false;
      case PLAN_UNIT:
        if (tag !== VALUE_TAG.unit) throw IRREGULAR;
        out.u8(PLAN_UNIT);
        this.unit();
        return false;
      case PLAN_LIST:
        if (tag !== VALUE_TAG.list) throw IRREGULAR;
        this.list(plan.element, this.fieldEnd(end), depth);
        return false;
      case PLAN_TEXT_MAP:
        if (tag !== VALUE_TAG.textMap) throw IRREGULAR;
        this.textMap(plan.element, this.fieldEnd(end), depth);
        return false;
      case PLAN_GEN_MAP:
        if (tag !== VALUE_TAG.genMap) throw IRREGULAR;
        this.genMap(plan, this.fieldEnd(end), depth);
        return false;
      case PLAN_VARIANT:
        if (tag !== VALUE_TAG.variant) throw IRREGULAR;
        this.variant(plan, this.fieldEnd(end), depth);
        return false;
      case PLAN_ENUM: {
        if (tag !== VALUE_TAG.enum) throw IRREGULAR;
        const stop = this.fieldEnd(end);
        this.constructorOf(plan, stop);
        if (this.pos !== stop) throw IRREGULAR;
        return false;
      }
      default:
        throw IRREGULAR;
    }
  }

  private record(plan: TypePlan, stop: number, depth: number): void {
    const { out } = this;
    const { fields } = plan;
    out.piece(plan.prefix ?? prefixOf(plan));
    const labels = plan.namePrefixes ?? labelsOf(plan);
    let index = 0;
    let lastNone = false;
    // Behind the last field that is not None: what follows is cut off.
    let keep = out.pos;
    while (this.pos < stop) {
      const fieldEnd = this.expectField(0x0a, stop);
      const valueEnd = this.expectField(0x0a, fieldEnd);
      if (valueEnd !== fieldEnd) throw IRREGULAR;
      if (index < fields.length) {
        out.piece(labels[index]);
        lastNone = this.value(fields[index], valueEnd, depth + 1);
      } else {
        // A field the type lacks must be None.
        if (
          this.buf[this.pos++] !== VALUE_TAG.optional ||
          this.buf[this.pos++] !== 0 ||
          this.pos !== valueEnd
        ) {
          throw IRREGULAR;
        }
        lastNone = true;
      }
      index++;
      if (!lastNone) keep = out.pos;
    }
    if (this.pos !== stop || (lastNone && !this.trailingNone)) throw IRREGULAR;
    for (let i = index; i < fields.length; i++) if (fields[i].kind !== PLAN_OPTIONAL) throw IRREGULAR;
    out.pos = keep;
    out.u8(0xff);
  }

  private optional(plan: TypePlan, stop: number, depth: number): boolean {
    const { out } = this;
    out.u8(PLAN_OPTIONAL);
    if (this.pos === stop) {
      out.u8(0);
      return true;
    }
    const valueEnd = this.expectField(0x0a, stop);
    // An optional that holds an empty value is read as None: left to the decoder.
    if (valueEnd !== stop || this.pos === valueEnd) throw IRREGULAR;
    out.u8(1);
    this.value(plan.element, valueEnd, depth + 1);
    return false;
  }

  private list(element: TypePlan, stop: number, depth: number): void {
    const { out } = this;
    out.u8(PLAN_LIST).i32(0);
    const countAt = out.pos - 4;
    let count = 0;
    while (this.pos < stop) {
      this.value(element, this.expectField(0x0a, stop), depth + 1);
      count++;
    }
    if (this.pos !== stop) throw IRREGULAR;
    out.putI32(countAt, count);
  }

  private textMap(element: TypePlan, stop: number, depth: number): void {
    const { buf, out } = this;
    out.u8(PLAN_TEXT_MAP).i32(0);
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
      this.value(element, this.expectField(0x12, entryEnd), depth + 1);
      if (this.pos !== entryEnd) throw IRREGULAR;
      count++;
    }
    if (this.pos !== stop) throw IRREGULAR;
    out.putI32(countAt, count);
  }

  private genMap(plan: TypePlan, stop: number, depth: number): void {
    const { buf, out } = this;
    const key = plan.element;
    const item = plan.mapValue;
    const byBytes = key.kind === PLAN_PARTY || key.kind === PLAN_TEXT || key.kind === PLAN_CONTRACT_ID;
    out.u8(PLAN_GEN_MAP).i32(0);
    const countAt = out.pos - 4;
    let count = 0;
    let lastStart = 0;
    let lastEnd = 0;
    while (this.pos < stop) {
      const entryEnd = this.expectField(0x0a, stop);
      const keyMessageEnd = this.expectField(0x0a, entryEnd);
      let keyStart = this.pos;
      let keyEnd = keyMessageEnd;
      this.value(key, keyMessageEnd, depth + 1);
      if (byBytes) {
        keyStart = this.lastStart;
        keyEnd = this.lastEnd;
      }
      if (count > 0) {
        const order = byBytes
          ? compareSpans(buf, lastStart, lastEnd, keyStart, keyEnd)
          : compareValues(key, decodeValue(buf, lastStart, lastEnd), decodeValue(buf, keyStart, keyEnd));
        if (order >= 0) throw IRREGULAR;
      }
      lastStart = keyStart;
      lastEnd = keyEnd;
      this.value(item, this.expectField(0x12, entryEnd), depth + 1);
      if (this.pos !== entryEnd) throw IRREGULAR;
      count++;
    }
    if (this.pos !== stop) throw IRREGULAR;
    out.putI32(countAt, count);
  }

  private variant(plan: TypePlan, stop: number, depth: number): void {
    const rank = this.constructorOf(plan, stop);
    this.value(plan.parts[rank], this.expectField(0x12, stop), depth + 1);
    if (this.pos !== stop) throw IRREGULAR;
  }

  /** Writes type name, constructor and rank. */
  private constructorOf(plan: TypePlan, stop: number): number {
    const { buf, out } = this;
    if (buf[this.pos++] !== 0x0a) throw IRREGULAR;
    this.name(stop);
    const rank = plan.ranks.get(buf.toString('latin1', this.lastStart, this.lastEnd));
    if (rank === undefined) throw IRREGULAR;
    out.piece(plan.prefix ?? prefixOf(plan));
    out.piece((plan.namePrefixes ?? labelsOf(plan))[rank]);
    return rank;
  }
}

/** Tag and qualified name of the type. */
function prefixOf(plan: TypePlan): DataView {
  const out = new HashBuffer(128).u8(plan.kind);
  if (plan.ref !== null) writeQualifiedName(out, plan.ref);
  const prefix = newWords(Buffer.from(out.view()));
  plan.prefix = prefix;
  return prefix;
}

/** Record: the labels. Variant and enum: constructor name and rank. */
function labelsOf(plan: TypePlan): readonly DataView[] {
  const labels = plan.names.map((name, rank) => {
    const out = new HashBuffer(64).text(name);
    if (plan.kind !== PLAN_RECORD) out.i32(rank);
    return newWords(Buffer.from(out.view()));
  });
  plan.namePrefixes = labels;
  return labels;
}

/** `qname` of the spec: the segments of the module, then those of the entity. */
export function writeQualifiedName(out: HashBuffer, ref: Pick<TypeRef, 'module' | 'name'>): void {
  writeDotted(out, ref.module);
  writeDotted(out, ref.name);
}

function writeDotted(out: HashBuffer, name: string): void {
  const segments = name.split('.');
  out.i32(segments.length);
  for (const segment of segments) out.text(segment);
}
