/**
 * The short way through a remap: records of format A are rewritten from bytes to bytes, without objects in between. It
 * declines what is not ordinary (keys of maps that change, contract keys, verbose events, merged stakeholders, …); the
 * long way over {@link ContractPreparer} then does the same, and a test holds the two together.
 */
import type { BlobView } from '../contract/blob.js';
import { V1_CANTON_BYTES } from '../contract/contractId.js';
import { PlainTranscoder } from '../contract/plainTranscoder.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { BackwardWriter } from '../wire/backwardWriter.js';
import { Interner } from '../wire/interner.js';
import { compareSpans } from '../wire/spanList.js';
import { PARTY_DECLINED, PARTY_STAYS, ValueRewriter } from './valueRewriter.js';

export interface RewriteRules {
  /** The new party; the same text when it stays. Asked once per party. */
  party(party: string): string;
  /** Raw bytes of the new id of a contract referred to, or undefined when it stays. */
  reference(buf: Buffer, start: number, end: number): Buffer | undefined;
  /** False for a text somebody has to look at. */
  plainText(buf: Buffer, start: number, end: number): boolean;
  synchronizer(id: string): string;
}

const MAX_PARTIES = 1 << 22;
const EMPTY = Buffer.alloc(0);

export class RecordRewriter {
  /** Of the last blob: whether its content differs from the source. */
  changed = false;
  signatoriesChanged = false;
  private readonly rules: RewriteRules;
  /** Old and new parties; everything below holds their numbers. */
  private readonly names = new Interner(MAX_PARTIES);
  /** The number of the new party by that of the old one; nothing before it was asked for. */
  private readonly becomes: (number | undefined)[] = [];
  private readonly values: ValueRewriter;
  private readonly transcoder = new PlainTranscoder();
  private readonly blobWriter = new BackwardWriter();
  private readonly frameWriter = new BackwardWriter();
  private readonly synchronizers = new Interner(1 << 16);
  private readonly newSynchronizers: Buffer[] = [];
  private readonly signatories: number[] = [];
  private readonly observers: number[] = [];
  private readonly witnessList: number[] = [];
  private asked = 0;
  private argumentStart = 0;
  private argumentEnd = 0;

  constructor(rules: RewriteRules) {
    this.rules = rules;
    this.values = new ValueRewriter({
      names: this.names,
      party: (buf, start, end) => {
        const fresh = this.party(buf, start, end);
        if (fresh < 0) return PARTY_DECLINED;
        return fresh === this.asked ? PARTY_STAYS : fresh;
      },
      contractId: (buf, start, end) => rules.reference(buf, start, end),
      text: (buf, start, end) => rules.plainText(buf, start, end),
    });
  }

  /** The new party; -1 when there are too many. Then {@link asked} is the old one. */
  private party(buf: Buffer, start: number, end: number): number {
    const old = this.names.id(buf, start, end);
    this.asked = old;
    return old < 0 ? -1 : (this.becomes[old] ?? this.ask(old, buf.toString('latin1', start, end)));
  }

  private ask(old: number, text: string): number {
    const fresh = this.rules.party(text);
    const bytes = Buffer.from(fresh, 'latin1');
    const number = fresh === text ? old : this.names.id(bytes, 0, bytes.length);
    while (this.becomes.length < old) this.becomes.push(undefined);
    this.becomes[old] = number;
    return number;
  }

  private writeParties(w: BackwardWriter, tag: number, list: readonly number[]): void {
    for (let i = list.length - 1; i >= 0; i--) w.internedField(tag, this.names, list[i]);
  }

  /** True when the record and its blob are of the ordinary kind. */
  accepts(record: RecordView, blob: BlobView): boolean {
    if (blob.hasKey || blob.contractIdEnd - blob.contractIdStart !== V1_CANTON_BYTES) return false;
    if (blob.authenticationStart === blob.authenticationEnd || record.unknownFields > 0) return false;
    if (
      record.has(EVENT.interfaceViews) ||
      record.has(EVENT.contractKey) ||
      record.has(EVENT.contractKeyHash)
    )
      return false;
    const { buf, contractIdStart: id } = blob;
    const prefix = buf[id + 34];
    if (buf[id] !== 0 || buf[id + 33] !== 0xca || prefix < 0x10 || prefix > 0x12) return false;
    return !record.has(EVENT.createArguments) || this.isPlain(record);
  }

  /** Arguments without record ids and labels. */
  private isPlain({ buf, eventFields }: RecordView): boolean {
    const start = eventFields[2 * EVENT.createArguments];
    const end = eventFields[2 * EVENT.createArguments + 1];
    if (start === end) return true;
    if (buf[start] !== 0x12) return false;
    let at = start + 1;
    while (at < end && buf[at] >= 0x80) at++;
    return at + 1 < end && buf[at + 1] === 0x12;
  }

  /**
   * The new blob, with the given id (undefined: the old one). Undefined: declined. The view is valid until the next
   * call.
   */
  blob(blob: BlobView, newId?: Buffer): Buffer | undefined {
    const { buf } = blob;
    const w = this.blobWriter.clear();
    if (!this.roles(blob)) return undefined;
    w.field(0x42, buf, blob.authenticationStart, blob.authenticationEnd);
    if (blob.createdAtNumber !== 0) w.raw(buf, blob.createdAtStart, blob.createdAtStart + 8).byte(0x39);
    this.writeParties(w, 0x32, this.observers);
    this.writeParties(w, 0x2a, this.signatories);
    const argumentMark = w.length;
    if (!this.values.rewrite(w, buf, blob.argumentStart, blob.argumentEnd)) return undefined;
    const argumentLength = w.length;
    w.close(0x22, argumentMark);
    w.field(0x1a, buf, blob.templateStart, blob.templateEnd);
    w.field(0x12, buf, blob.packageNameStart, blob.packageNameEnd);
    if (newId === undefined) w.field(0x0a, buf, blob.contractIdStart, blob.contractIdEnd);
    else w.field(0x0a, newId);
    w.close(0x12, 0);
    w.field(0x0a, VERSION_BYTES[blob.serializationVersion] ?? EMPTY);
    const view = w.view();
    this.argumentStart = view.length - argumentLength;
    this.argumentEnd = view.length - argumentMark;
    this.changed = this.values.changed || this.rolesChanged;
    return view;
  }

  private rolesChanged = false;

  /** Maps and sorts both lists. False when parties merge. */
  private roles(blob: BlobView): boolean {
    this.rolesChanged = false;
    this.signatories.length = 0;
    this.observers.length = 0;
    if (!this.mapList(blob.buf, blob.signatoryBorders, this.signatories)) return false;
    this.signatoriesChanged = this.rolesChanged;
    if (!this.mapList(blob.buf, blob.observerBorders, this.observers)) return false;
    for (const party of this.observers) if (this.signatories.includes(party)) return false;
    return true;
  }

  private mapList(buf: Buffer, borders: readonly number[], into: number[]): boolean {
    for (let i = 0; i < borders.length; i += 2) {
      const fresh = this.party(buf, borders[i], borders[i + 1]);
      if (fresh < 0) return false;
      if (fresh !== this.asked) this.rolesChanged = true;
      into.push(fresh);
    }
    if (into.length > 1) {
      into.sort(this.byBytes);
      for (let i = 1; i < into.length; i++) if (into[i] === into[i - 1]) return false;
    }
    return true;
  }

  private readonly byBytes = (a: number, b: number): number => {
    const { names } = this;
    return compareSpans(names.store, names.start(a), names.end(a), names.start(b), names.end(b));
  };

  /**
   * The frame around a blob made by {@link blob} just before. Undefined: declined. The view is valid until the next
   * call.
   */
  frame(record: RecordView, newId: Buffer): Buffer | undefined {
    const { store: blob, start: blobStart } = this.blobWriter;
    const w = this.frameWriter.clear();
    const { buf, eventFields } = record;
    w.byte(30).byte(0x10);
    const envelopeMark = w.length;
    if (!record.counterIsZero) {
      const counter = record.reassignmentCounter;
      if (counter > 0x7fffffffn) return undefined;
      w.varint(Number(counter)).byte(0x18);
    }
    if (record.synchronizerStart < record.synchronizerEnd) w.field(0x12, this.synchronizer(record));
    const eventMark = w.length;
    const copy = (field: number, tag: number): void => {
      const start = eventFields[2 * field];
      if (start >= 0) w.field(tag, buf, start, eventFields[2 * field + 1]);
    };
    copy(EVENT.representativePackageId, 0x7a);
    if (record.acsDelta) w.byte(1).byte(0x70);
    copy(EVENT.packageName, 0x6a);
    copy(EVENT.createdAt, 0x62);
    if (record.has(EVENT.signatories)) {
      this.writeParties(w, 0x5a, this.observers);
      this.writeParties(w, 0x52, this.signatories);
    }
    if (!this.witnesses(record)) return undefined;
    w.field(0x3a, blob, blobStart);
    if (record.has(EVENT.createArguments)) {
      const mark = w.length;
      const { argumentStart, argumentEnd } = this;
      if (!this.transcoder.record(w, blob, blobStart + argumentStart, blobStart + argumentEnd)) {
        return undefined;
      }
      w.close(0x32, mark);
    }
    copy(EVENT.templateId, 0x22);
    const idMark = w.length;
    w.hex(newId, 0, newId.length).close(0x1a, idMark);
    for (const field of [EVENT.nodeId, EVENT.offset]) {
      const start = eventFields[2 * field];
      if (start >= 0) w.raw(buf, start, eventFields[2 * field + 1]).byte(field << 3);
    }
    w.close(0x0a, eventMark);
    w.close(0x0a, envelopeMark);
    w.close(0x0a, envelopeMark);
    w.varint(w.length);
    return w.view();
  }

  /** The synchronizer id after renaming; the same buffer for the same id. */
  synchronizer(record: RecordView): Buffer {
    const { buf, synchronizerStart, synchronizerEnd } = record;
    const number = this.synchronizers.id(buf, synchronizerStart, synchronizerEnd);
    const known = number < 0 ? undefined : this.newSynchronizers[number];
    if (known !== undefined) return known;
    const bytes = Buffer.from(this.rules.synchronizer(record.synchronizerId));
    if (number >= 0) this.newSynchronizers[number] = bytes;
    return bytes;
  }

  /** In stored order; parties that merge are declined. */
  private witnesses(record: RecordView): boolean {
    const list = this.witnessList;
    list.length = 0;
    record.eachString(EVENT.witnessParties, addWitness, this);
    for (let i = 0; i < list.length; i++) if (list[i] < 0 || list.indexOf(list[i]) < i) return false;
    this.writeParties(this.frameWriter, 0x4a, list);
    return true;
  }

  addWitness(buf: Buffer, start: number, end: number): void {
    this.witnessList.push(this.party(buf, start, end));
  }

  private changing = false;

  /** Asks for the new party of every witness. True when one of them changes. */
  witnessesChange(record: RecordView): boolean {
    this.changing = false;
    record.eachString(EVENT.witnessParties, askForWitness, this);
    return this.changing;
  }

  askForWitness(buf: Buffer, start: number, end: number): void {
    if (this.party(buf, start, end) !== this.asked) this.changing = true;
  }
}

function askForWitness(buf: Buffer, start: number, end: number, rewriter: RecordRewriter): void {
  rewriter.askForWitness(buf, start, end);
}

function addWitness(buf: Buffer, start: number, end: number, rewriter: RecordRewriter): void {
  rewriter.addWitness(buf, start, end);
}

const VERSION_BYTES: Record<string, Buffer> = {
  '2.1': Buffer.from('2.1'),
  '2': Buffer.from('2'),
  dev: Buffer.from('dev'),
};
