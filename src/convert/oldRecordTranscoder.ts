/**
 * Format B to format A from bytes to bytes: the frames that {@link readFormatB} and {@link completeContract} make by way
 * of objects. It declines what is not ordinary (contract keys, lists with a party twice, unknown fields, …).
 */

import { readTemplateSegments } from '../contract/blob.js';
import { V1_CANTON_BYTES } from '../contract/contractId.js';
import { PlainTranscoder } from '../contract/plainTranscoder.js';
import { plainMicros } from '../snapshot/eventValues.js';
import { BackwardWriter } from '../wire/backwardWriter.js';
import { Interner } from '../wire/interner.js';
import { WireReader } from '../wire/reader.js';
import { newWords, wordsOf } from '../wire/sameBytes.js';
import { compareSpans, SpanList } from '../wire/spanList.js';
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
  identifier: DataView;
  packageId: DataView;
}

/** What two lower-case hex digits, read as a little-endian number, stand for; -1 for anything else. */
const HEX_BYTE = new Int16Array(1 << 16).fill(-1);
for (let i = 0; i < 256; i++) HEX_BYTE[Buffer.from(i.toString(16).padStart(2, '0')).readUInt16LE(0)] = i;

export class OldRecordTranscoder {
  private readonly r = new WireReader(Buffer.alloc(0));
  private readonly frameWriter = new BackwardWriter();
  private readonly transcoder = new PlainTranscoder();
  private readonly templates = new Interner(MAX_TEMPLATES);
  private readonly forms: TemplateForms[] = [];
  private readonly id = Buffer.alloc(V1_CANTON_BYTES);
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
  private lastTemplate = -1;
  private readonly signatories = new SpanList(MAX_PARTIES_LISTED);
  private readonly observers = new SpanList(MAX_PARTIES_LISTED);

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
        for (let i = 0; i < 3; i++) if (this.buf[r.pos + 2 + i] !== VERSION[i]) return false;
        if (this.buf[r.pos + 5] !== 0x12) return false;
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
      const list = tag === 0x0a ? this.signatories : this.observers;
      if (!list.push(r.pos, r.pos + n)) return false;
      r.pos += n;
    }
    return (
      this.signatories.length > 0 &&
      this.signatories.sortDistinct(buf) &&
      this.observers.sortDistinct(buf) &&
      this.signatories.isDisjoint(buf, this.observers)
    );
  }

  /** A V1 id of the 3.x line, hex to bytes. */
  private readId(): boolean {
    const { buf, id } = this;
    const { start, end } = this.contractId;
    if (end - start !== 2 * V1_CANTON_BYTES) return false;
    const words = wordsOf(buf);
    for (let i = 0; i < V1_CANTON_BYTES; i++) {
      const byte = HEX_BYTE[words.getUint16(start + 2 * i, true)];
      if (byte < 0) return false;
      id[i] = byte;
    }
    return (
      id[0] === 0 && id[33] === 0xca && id[34] >= 0x10 && id[34] <= 0x12 && id[35] === 0x12 && id[36] === 0x20
    );
  }

  private templateForms(): TemplateForms | undefined {
    const { start, end } = this.template;
    const number = this.templates.id(this.buf, start, end, this.lastTemplate);
    if (number < 0) return undefined;
    this.lastTemplate = number;
    let forms = this.forms[number];
    if (forms === undefined) {
      const id = readTemplateSegments(this.r.reset(this.buf, start, end));
      const w = new WireWriter(256);
      if (id.packageId !== '') w.stringField(1, id.packageId);
      if (id.moduleName !== '') w.stringField(2, id.moduleName);
      if (id.entityName !== '') w.stringField(3, id.entityName);
      forms = { identifier: newWords(w.finish()), packageId: newWords(Buffer.from(id.packageId)) };
      this.forms[number] = forms;
    }
    return forms;
  }

  private parties(w: BackwardWriter, tag: number, { starts, ends, length }: SpanList): void {
    for (let i = length - 1; i >= 0; i--) w.field(tag, this.buf, starts[i], ends[i]);
  }

  /** Signatories and observers, ascending. */
  private witnesses(w: BackwardWriter): void {
    const { buf, signatories, observers } = this;
    let i = signatories.length - 1;
    let j = observers.length - 1;
    while (i >= 0 || j >= 0) {
      const observerIsLater =
        i < 0 ||
        (j >= 0 &&
          compareSpans(
            buf,
            signatories.starts[i],
            signatories.ends[i],
            observers.starts[j],
            observers.ends[j],
          ) < 0);
      if (observerIsLater) {
        w.field(0x4a, buf, observers.starts[j], observers.ends[j]);
        j--;
      } else {
        w.field(0x4a, buf, signatories.starts[i], signatories.ends[i]);
        i--;
      }
    }
  }

  private blob(w: BackwardWriter, micros: number): void {
    const { buf } = this;
    const blobMark = w.length;
    w.byte(30).byte(0x10);
    const saltMark = w.length;
    w.field(0x0a, buf, this.salt.start, this.salt.end).close(0x0a, saltMark).close(0x42, blobMark);
    if (micros !== 0) w.fixed64(micros | 0, Math.floor(micros / 0x100000000)).byte(0x39);
    this.parties(w, 0x32, this.observers);
    this.parties(w, 0x2a, this.signatories);
    w.field(0x22, buf, this.argument.start, this.argument.end);
    w.field(0x1a, buf, this.template.start, this.template.end);
    w.field(0x12, buf, this.packageName.start, this.packageName.end);
    w.field(0x0a, this.id);
    w.close(0x12, blobMark).field(0x0a, VERSION).close(0x3a, blobMark);
  }

  private write(): Buffer | undefined {
    const buf = this.buf;
    const forms = this.templateForms();
    if (forms === undefined || forms.packageId.byteLength === 0) return undefined;
    const micros = plainMicros(buf, this.created.start, this.created.end);
    if (Number.isNaN(micros)) return undefined;
    const w = this.frameWriter.clear();
    w.byte(30).byte(0x10);
    const envelopeMark = w.length;
    if (this.counter !== 0) w.varint(this.counter).byte(0x18);
    w.field(0x12, buf, this.synchronizer.start, this.synchronizer.end);
    const eventMark = w.length;
    w.pieceField(0x7a, forms.packageId).byte(1).byte(0x70);
    w.field(0x6a, buf, this.packageName.start, this.packageName.end);
    this.writeInstant(w, micros);
    this.parties(w, 0x5a, this.observers);
    this.parties(w, 0x52, this.signatories);
    this.witnesses(w);
    this.blob(w, micros);
    const argumentsMark = w.length;
    if (!this.transcoder.record(w, buf, this.argument.start, this.argument.end)) return undefined;
    w.close(0x32, argumentsMark);
    w.pieceField(0x22, forms.identifier);
    w.field(0x1a, buf, this.contractId.start, this.contractId.end);
    w.close(0x0a, eventMark).close(0x0a, envelopeMark).close(0x0a, envelopeMark);
    return w.varint(w.length).view();
  }

  /** `google.protobuf.Timestamp` of a time after 1970. */
  private writeInstant(w: BackwardWriter, micros: number): void {
    const mark = w.length;
    const seconds = Math.floor(micros / 1_000_000);
    const nanos = (micros - seconds * 1_000_000) * 1000;
    if (nanos !== 0) w.varint(nanos).byte(0x10);
    if (seconds !== 0) {
      const high = Math.floor(seconds / 0x10000000);
      const low = seconds % 0x10000000;
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
