/**
 * Format B to format A from bytes to bytes: the frames that {@link readFormatB} and {@link completeContract} make by way
 * of objects. It declines what is not ordinary (contract keys, lists with a party twice, unknown fields, …).
 */

import { readTemplateSegments } from '../contract/blob.js';
import { V1_CANTON_BYTES } from '../contract/contractId.js';
import { PlainTranscoder } from '../contract/plainTranscoder.js';
import { readTimestampMicros } from '../snapshot/record.js';
import { BackwardWriter } from '../wire/backwardWriter.js';
import { Interner } from '../wire/interner.js';
import { WireReader } from '../wire/reader.js';
import { WireWriter } from '../wire/writer.js';

const VERSION = Buffer.from('2.1');
const MAX_TEMPLATES = 1 << 16;
const MAX_PARTIES_LISTED = 64;

/** Start and end of a field; -1 when absent. */
interface Span {
  start: number;
  end: number;
}

interface TemplateForms {
  /** Ledger API `Identifier`. */
  identifier: Buffer;
  packageId: Buffer;
}

const NIBBLE = new Int8Array(256).fill(-1);
for (let i = 0; i < 16; i++) NIBBLE['0123456789abcdef'.charCodeAt(i)] = i;

export class OldRecordTranscoder {
  private readonly r = new WireReader(Buffer.alloc(0));
  private readonly frameWriter = new BackwardWriter();
  private readonly blobWriter = new BackwardWriter();
  private readonly transcoder = new PlainTranscoder();
  private readonly templates = new Interner(MAX_TEMPLATES);
  private readonly forms: TemplateForms[] = [];
  private readonly id = Buffer.alloc(V1_CANTON_BYTES);
  private readonly micros = Buffer.alloc(8);
  private buf: Buffer = Buffer.alloc(0);
  private readonly synchronizer: Span = { start: -1, end: -1 };
  private readonly contract: Span = { start: -1, end: -1 };
  private readonly contractId: Span = { start: -1, end: -1 };
  private readonly instance: Span = { start: -1, end: -1 };
  private readonly metadata: Span = { start: -1, end: -1 };
  private readonly created: Span = { start: -1, end: -1 };
  private readonly salt: Span = { start: -1, end: -1 };
  private readonly template: Span = { start: -1, end: -1 };
  private readonly argument: Span = { start: -1, end: -1 };
  private readonly packageName: Span = { start: -1, end: -1 };
  private counter = 0;
  private signatories: Buffer[] = [];
  private observers: Buffer[] = [];

  /** The format-A frame for the format-B body `buf[start, end)`, valid until the next call. Undefined: declined. */
  frame(buf: Buffer, start: number, end: number): Buffer | undefined {
    this.buf = buf;
    if (
      !this.readEnvelope(start, end) ||
      !this.readContract() ||
      !this.readInstance() ||
      !this.readMetadata()
    ) {
      return undefined;
    }
    if (!this.readId()) return undefined;
    return this.write();
  }

  private clear(...spans: Span[]): void {
    for (const span of spans) span.start = -1;
  }

  /** Takes a length-delimited field; false when it stands twice. */
  private take(span: Span): boolean {
    if (span.start >= 0) return false;
    const n = this.r.length();
    span.start = this.r.pos;
    span.end = this.r.pos += n;
    return true;
  }

  private readEnvelope(start: number, end: number): boolean {
    const { r, synchronizer, contract } = this;
    this.clear(synchronizer, contract);
    r.reset(this.buf, start, end);
    if (r.tag() !== 0x0a) return false;
    const n = r.length();
    const dataEnd = r.pos + n;
    // The version, and nothing else, follows.
    if (end - dataEnd !== 2 || this.buf[dataEnd] !== 0x10) return false;
    r.end = dataEnd;
    this.counter = 0;
    while (r.pos < r.end) {
      const tag = r.tag();
      if (tag === 0x0a) {
        if (!this.take(synchronizer)) return false;
      } else if (tag === 0x12) {
        if (!this.take(contract)) return false;
      } else if (tag === 0x18) {
        const counter = r.uint64();
        if (counter > 0x7fffffffn) return false;
        this.counter = Number(counter);
      } else return false;
    }
    return contract.start >= 0 && synchronizer.start < synchronizer.end;
  }

  private readContract(): boolean {
    const { r, contractId, instance, metadata, created, salt } = this;
    this.clear(contractId, instance, metadata, created, salt);
    r.reset(this.buf, this.contract.start, this.contract.end);
    while (r.pos < r.end) {
      const tag = r.tag();
      const span =
        tag === 0x0a
          ? contractId
          : tag === 0x12
            ? instance
            : tag === 0x1a
              ? metadata
              : tag === 0x22
                ? created
                : salt;
      if (span === salt && tag !== 0x2a) return false;
      if (!this.take(span)) return false;
    }
    return (
      contractId.start >= 0 &&
      instance.start >= 0 &&
      metadata.start >= 0 &&
      created.start >= 0 &&
      salt.start >= 0
    );
  }

  private readInstance(): boolean {
    const { r, template, argument, packageName } = this;
    this.clear(template, argument, packageName);
    r.reset(this.buf, this.instance.start, this.instance.end);
    while (r.pos < r.end) {
      const tag = r.tag();
      if (tag === 0x0a) {
        if (!this.take(template)) return false;
      } else if (tag === 0x22) {
        if (!this.take(packageName)) return false;
      } else if (tag === 0x1a) r.skip(2);
      else if (tag === 0x12) {
        const n = r.length();
        const end = r.pos + n;
        const outer = r.end;
        // VersionedValue{1 version "2.1", 2 value}.
        if (n < 7 || this.buf[r.pos] !== 0x0a || this.buf[r.pos + 1] !== 3) return false;
        if (this.buf.compare(VERSION, 0, 3, r.pos + 2, r.pos + 5) !== 0 || this.buf[r.pos + 5] !== 0x12)
          return false;
        r.end = end;
        r.pos += 6;
        if (!this.take(argument) || r.pos !== end) return false;
        r.end = outer;
      } else return false;
    }
    return (
      template.start >= 0 &&
      argument.start >= 0 &&
      packageName.start >= 0 &&
      packageName.start < packageName.end
    );
  }

  private readMetadata(): boolean {
    const { r, buf } = this;
    this.signatories.length = 0;
    this.observers.length = 0;
    r.reset(buf, this.metadata.start, this.metadata.end);
    while (r.pos < r.end) {
      const tag = r.tag();
      // Anything but the two lists means a key.
      if (tag !== 0x0a && tag !== 0x12) return false;
      const n = r.length();
      (tag === 0x0a ? this.signatories : this.observers).push(buf.subarray(r.pos, r.pos + n));
      r.pos += n;
    }
    if (this.signatories.length === 0 || this.signatories.length + this.observers.length > MAX_PARTIES_LISTED)
      return false;
    return (
      sortDistinct(this.signatories) &&
      sortDistinct(this.observers) &&
      disjoint(this.signatories, this.observers)
    );
  }

  /** A V1 id of the 3.x line, hex to bytes. */
  private readId(): boolean {
    const { buf, id } = this;
    const { start, end } = this.contractId;
    if (end - start !== 2 * V1_CANTON_BYTES) return false;
    for (let i = 0; i < V1_CANTON_BYTES; i++) {
      const high = NIBBLE[buf[start + 2 * i]];
      const low = NIBBLE[buf[start + 2 * i + 1]];
      if (high < 0 || low < 0) return false;
      id[i] = (high << 4) | low;
    }
    return (
      id[0] === 0 && id[33] === 0xca && id[34] >= 0x10 && id[34] <= 0x12 && id[35] === 0x12 && id[36] === 0x20
    );
  }

  private templateForms(): TemplateForms | undefined {
    const { start, end } = this.template;
    const number = this.templates.id(this.buf, start, end);
    if (number < 0) return undefined;
    let forms = this.forms[number];
    if (forms === undefined) {
      const id = readTemplateSegments(this.r.reset(this.buf, start, end));
      const w = new WireWriter(256);
      if (id.packageId !== '') w.stringField(1, id.packageId);
      if (id.moduleName !== '') w.stringField(2, id.moduleName);
      if (id.entityName !== '') w.stringField(3, id.entityName);
      forms = { identifier: w.finish(), packageId: Buffer.from(id.packageId) };
      this.forms[number] = forms;
    }
    return forms;
  }

  private blob(): Buffer {
    const { buf } = this;
    const w = this.blobWriter.clear();
    w.byte(30).byte(0x10);
    const saltMark = w.length;
    w.field(0x0a, buf, this.salt.start, this.salt.end).close(0x0a, saltMark).close(0x42, 0);
    if (this.micros.readBigInt64LE() !== 0n) w.raw(this.micros).byte(0x39);
    for (let i = this.observers.length - 1; i >= 0; i--) w.field(0x32, this.observers[i]);
    for (let i = this.signatories.length - 1; i >= 0; i--) w.field(0x2a, this.signatories[i]);
    w.field(0x22, buf, this.argument.start, this.argument.end);
    w.field(0x1a, buf, this.template.start, this.template.end);
    w.field(0x12, buf, this.packageName.start, this.packageName.end);
    w.field(0x0a, this.id);
    return w.close(0x12, 0).field(0x0a, VERSION).view();
  }

  private write(): Buffer | undefined {
    const buf = this.buf;
    const created = this.created;
    const forms = this.templateForms();
    if (forms === undefined || forms.packageId.length === 0) return undefined;
    const micros = readTimestampMicros(this.r.reset(buf, created.start, created.end));
    if (micros < 0n) return undefined;
    this.micros.writeBigInt64LE(micros);
    const blob = this.blob();
    const w = this.frameWriter.clear();
    w.byte(30).byte(0x10);
    const envelopeMark = w.length;
    if (this.counter !== 0) w.varint(this.counter).byte(0x18);
    w.field(0x12, buf, this.synchronizer.start, this.synchronizer.end);
    const eventMark = w.length;
    w.field(0x7a, forms.packageId).byte(1).byte(0x70);
    w.field(0x6a, buf, this.packageName.start, this.packageName.end);
    this.writeInstant(w, micros);
    for (let i = this.observers.length - 1; i >= 0; i--) w.field(0x5a, this.observers[i]);
    for (let i = this.signatories.length - 1; i >= 0; i--) w.field(0x52, this.signatories[i]);
    const all = [...this.signatories, ...this.observers].sort(Buffer.compare);
    for (let i = all.length - 1; i >= 0; i--) w.field(0x4a, all[i]);
    w.field(0x3a, blob);
    const argumentsMark = w.length;
    if (!this.transcoder.record(w, buf, this.argument.start, this.argument.end)) return undefined;
    w.close(0x32, argumentsMark);
    w.field(0x22, forms.identifier);
    w.field(0x1a, buf, this.contractId.start, this.contractId.end);
    w.close(0x0a, eventMark).close(0x0a, envelopeMark).close(0x0a, envelopeMark);
    return w.varint(w.length).view();
  }

  /** `google.protobuf.Timestamp` of a time after 1970. */
  private writeInstant(w: BackwardWriter, micros: bigint): void {
    const mark = w.length;
    const seconds = micros / 1_000_000n;
    const nanos = Number(micros - seconds * 1_000_000n) * 1000;
    if (nanos !== 0) w.varint(nanos).byte(0x10);
    if (seconds !== 0n) {
      const high = Number(seconds / 0x10000000n);
      const low = Number(seconds % 0x10000000n);
      if (high === 0) w.varint(low);
      else {
        // Four groups of seven bits, each with more to come, then the rest.
        w.varint(high);
        for (let shift = 21; shift >= 0; shift -= 7) w.byte(((low >>> shift) & 0x7f) | 0x80);
      }
      w.byte(0x08);
    }
    w.close(0x62, mark);
  }
}

/** Sorts; false when a party stands twice. */
function sortDistinct(parties: Buffer[]): boolean {
  if (parties.length < 2) return true;
  parties.sort(Buffer.compare);
  for (let i = 1; i < parties.length; i++) if (parties[i].equals(parties[i - 1])) return false;
  return true;
}

function disjoint(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  for (const party of a) for (const other of b) if (party.equals(other)) return false;
  return true;
}
