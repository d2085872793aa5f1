/**
 * The Ledger API `CreatedEvent` of a contract, rebuilt from its blob. Apart from offset, node id, witnesses and the
 * representative package everything in an event is a function of the blob: a store that keeps the blob and those few
 * values can give back the very bytes a participant wrote (snapshot-format spec, section 3).
 *
 * {@link eventBuilder} rebuilds; whoever stores an event compares the result with the original bytes and keeps the
 * original where they differ.
 */
import { AcsError } from '../io/error.js';
import { copyWords, NATIVE_BYTES } from '../wire/copyBytes.js';
import { writeHex } from '../wire/hexDigits.js';
import { WIRE_BYTES, WireReader } from '../wire/reader.js';
import { newWords } from '../wire/sameBytes.js';
import { varintSize } from '../wire/writer.js';
import type { BlobView } from './blob.js';
import { readTemplateSegments } from './blob.js';
import { MAX_VALUE_DEPTH } from './value.js';

/** Bits of an event's shape: what it lacks, though the blob has it. 0 is an event with everything. */
export const SHAPE = {
  noTemplate: 1,
  noKey: 2,
  noArguments: 4,
  noParties: 8,
  noCreatedAt: 16,
  noPackageName: 32,
  noAcsDelta: 64,
  noKeyHash: 128,
} as const;

/** What the blob does not say. Byte pieces are complete fields with their tags, ready to be copied. */
export interface EventPieces {
  /** 0: absent. */
  offset: bigint | number;
  nodeId: number;
  /** Field 4; from {@link templateField}. */
  template: Uint8Array;
  /** Fields 9 to 11: witnesses, signatories, observers. */
  parties: Uint8Array;
  /** Field 15, or empty. */
  representative: Uint8Array;
  /** Bits of {@link SHAPE}. */
  shape: number;
}

/** Where frames are put one behind the other. */
export interface FrameTarget {
  bytes: Buffer;
  end: number;
}

export interface EventBuilder {
  /** The event's bytes, valid until the next call. */
  event(blob: BlobView, blobStart: number, blobEnd: number, pieces: EventPieces): Buffer;
  /** A whole frame of a format-A snapshot around that event. `synchronizer` is field 2 of ActiveContract, with its tag. */
  frame(
    blob: BlobView,
    blobStart: number,
    blobEnd: number,
    pieces: EventPieces,
    synchronizer: Uint8Array,
    counter: bigint | number,
  ): Buffer;
  /** Puts such a frame behind the end of `target`, whose bytes are replaced by longer ones when they do not suffice. */
  appendFrame(
    target: FrameTarget,
    blob: BlobView,
    blobStart: number,
    blobEnd: number,
    pieces: EventPieces,
    synchronizer: Uint8Array,
    counter: bigint | number,
  ): void;
  /** Whether {@link event} gives `blob.buf[from, to)`, where the blob lies: it is not copied, nor compared with itself. */
  isEvent(
    blob: BlobView,
    blobStart: number,
    blobEnd: number,
    pieces: EventPieces,
    from: number,
    to: number,
  ): boolean;
  /** The same for {@link frame}. */
  isFrame(
    blob: BlobView,
    blobStart: number,
    blobEnd: number,
    pieces: EventPieces,
    synchronizer: Uint8Array,
    counter: bigint | number,
    from: number,
    to: number,
  ): boolean;
}

export function eventBuilder(): EventBuilder {
  let out: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  let words = newWords(out);
  let source: Uint8Array = out;
  let sourceWords = words;
  let at = 0;
  /** Where the blob goes; with `hollow` its bytes are not put there. */
  let blobAt = 0;
  let hollow = false;
  /** Length prefixes in front of the event of the last frame: nearly all have as many, and need not be moved. */
  let headBytes = 12;

  function reserve(bytes: number): void {
    if (at + bytes <= out.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(out.length * 2, at + bytes));
    out.copy(grown, 0, 0, at);
    out = grown;
    words = newWords(out);
  }

  function varint(n: number): void {
    while (n >= 0x80) {
      out[at++] = (n % 128) | 0x80;
      n = Math.floor(n / 128);
    }
    out[at++] = n;
  }

  function varint64(n: bigint | number): void {
    if (n >= 0 && n <= Number.MAX_SAFE_INTEGER) {
      varint(Number(n));
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(n));
    while (rest >= 0x80n) {
      out[at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    out[at++] = Number(rest);
  }

  /** From the buffer in which the blob lies. */
  function copy(src: Uint8Array, start: number, end: number): void {
    const n = end - start;
    if (n <= NATIVE_BYTES) copyWords(sourceWords, start, end, words, at);
    else out.set(src.subarray(start, end), at);
    at += n;
  }

  /** A piece as a whole. */
  function put(piece: Uint8Array): void {
    const n = piece.length;
    if (n <= 32) for (let i = 0; i < n; i++) out[at + i] = piece[i];
    else out.set(piece, at);
    at += n;
  }

  function hex(src: Buffer, start: number, end: number): void {
    at = writeHex(src, start, end, words, at);
  }

  /** Fixes the length prefix at `prefixAt`, for which `room` bytes were left. */
  function close(prefixAt: number, room: number): void {
    const start = prefixAt + room;
    const n = at - start;
    const size = varintSize(n);
    if (size !== room) out.copyWithin(prefixAt + size, start, at);
    at = prefixAt;
    varint(n);
    at += n;
  }

  /** A LF `Value` as a Ledger API `Value`; labels and type ids are left out, as exports do. */
  function value(src: Buffer, start: number, end: number, depth: number): void {
    if (start === end) return;
    if (depth > MAX_VALUE_DEPTH) throw new AcsError('VALUE_TOO_DEEP', 'values are nested too deeply');
    const tag = src[start];
    switch (tag) {
      case 0x4a: {
        const r = reader.reset(src, start + 1, end);
        const n = r.length();
        const idStart = r.pos;
        reserve(2 * n + 8);
        out[at++] = 0x4a;
        varint(2 * n);
        hex(src, idStart, idStart + n);
        return;
      }
      case 0x52:
      case 0x5a:
        repeated(src, start, end, tag, 0x0a, 0x0a, depth, plainValue);
        return;
      case 0x62:
        repeated(src, start, end, 0x6a, 0x0a, 0x0a, depth, mapEntry);
        return;
      case 0x6a:
        repeated(src, start, end, 0x72, 0x0a, 0x12, depth, recordField);
        return;
      case 0x72: {
        const [bodyStart, bodyEnd, room] = body(src, start + 1, end);
        reserve(16);
        out[at++] = 0x7a;
        const prefixAt = at;
        at += room;
        constructed(src, bodyStart, bodyEnd, depth);
        close(prefixAt, room);
        return;
      }
      case 0x7a: {
        const [bodyStart, bodyEnd, room] = body(src, start + 1, end);
        reserve(16);
        out[at++] = 0x82;
        out[at++] = 0x01;
        const prefixAt = at;
        at += room;
        constructed(src, bodyStart, bodyEnd, depth);
        close(prefixAt, room);
        return;
      }
      case 0x82:
        repeated(src, start + 1, end, 0x62, 0x0a, 0x0a, depth, textMapEntry);
        return;
      default:
        // Unit, bool, int64, date, timestamp, numeric, party and text have the same bytes on both sides.
        reserve(end - start);
        copy(src, start, end);
    }
  }

  const reader = new WireReader(out);

  /** Borders of the message whose length prefix is at `pos`, and the size of the prefix. */
  function body(src: Buffer, pos: number, end: number): [number, number, number] {
    const short = src[pos];
    if (short < 0x80 && pos + 1 + short <= end) return [pos + 1, pos + 1 + short, 1];
    const r = reader.reset(src, pos, end);
    const n = r.length();
    return [r.pos, r.pos + n, r.pos - pos];
  }

  type Element = (src: Buffer, start: number, end: number, depth: number) => void;

  /** A message of one repeated length-delimited field, under another tag. */
  function repeated(
    src: Buffer,
    start: number,
    end: number,
    outerTag: number,
    innerTag: number,
    innerTagOut: number,
    depth: number,
    element: Element,
  ): void {
    const [bodyStart, bodyEnd, room] = body(src, start + 1, end);
    reserve(16);
    out[at++] = outerTag;
    const prefixAt = at;
    at += room;
    elements(src, bodyStart, bodyEnd, innerTag, innerTagOut, depth, element);
    close(prefixAt, room);
  }

  function elements(
    src: Buffer,
    bodyStart: number,
    bodyEnd: number,
    innerTag: number,
    innerTagOut: number,
    depth: number,
    element: Element,
  ): void {
    let pos = bodyStart;
    while (pos < bodyEnd) {
      if (src[pos] !== innerTag) throw unexpected(pos);
      const [from, to, size] = body(src, pos + 1, bodyEnd);
      reserve(16);
      out[at++] = innerTagOut;
      const prefixAt = at;
      at += size;
      element(src, from, to, depth + 1);
      close(prefixAt, size);
      pos = to;
    }
  }

  const plainValue: Element = (src, start, end, depth) => value(src, start, end, depth);
  const recordField: Element = (src, start, end, depth) =>
    elements(src, start, end, 0x0a, 0x12, depth, plainValue);
  const mapEntry: Element = (src, start, end, depth) => {
    let pos = start;
    while (pos < end) {
      const tag = src[pos];
      if (tag !== 0x0a && tag !== 0x12) throw unexpected(pos);
      const [from, to, size] = body(src, pos + 1, end);
      reserve(16);
      out[at++] = tag;
      const prefixAt = at;
      at += size;
      value(src, from, to, depth + 1);
      close(prefixAt, size);
      pos = to;
    }
  };
  const textMapEntry: Element = (src, start, end, depth) => {
    let pos = start;
    while (pos < end) {
      const tag = src[pos];
      const [from, to, size] = body(src, pos + 1, end);
      reserve(to - pos + 16);
      out[at++] = tag;
      const prefixAt = at;
      at += size;
      if (tag === 0x0a) copy(src, from, to);
      else if (tag === 0x12) value(src, from, to, depth + 1);
      else throw unexpected(pos);
      close(prefixAt, size);
      pos = to;
    }
  };

  /** Variant and enum: the constructor moves from 1 to 2, the value from 2 to 3. */
  function constructed(src: Buffer, start: number, end: number, depth: number): void {
    let pos = start;
    while (pos < end) {
      const tag = src[pos];
      const [from, to, size] = body(src, pos + 1, end);
      reserve(to - pos + 16);
      if (tag === 0x0a) {
        out[at++] = 0x12;
        varint(to - from);
        copy(src, from, to);
      } else if (tag === 0x12) {
        out[at++] = 0x1a;
        const prefixAt = at;
        at += size;
        value(src, from, to, depth + 1);
        close(prefixAt, size);
      } else throw unexpected(pos);
      pos = to;
    }
  }

  function createArguments(src: Buffer, start: number, end: number): void {
    if (src[start] !== 0x6a) throw unexpected(start);
    const [bodyStart, bodyEnd, room] = body(src, start + 1, end);
    reserve(16);
    out[at++] = 0x32;
    const prefixAt = at;
    at += room;
    elements(src, bodyStart, bodyEnd, 0x0a, 0x12, 0, recordField);
    close(prefixAt, room);
  }

  function createdAt(blob: BlobView): void {
    reserve(32);
    out[at++] = 0x62;
    const prefixAt = at++;
    let seconds: number;
    let rest: number;
    const n = blob.createdAtNumber;
    if (!Number.isNaN(n)) {
      seconds = Math.floor(n / 1_000_000);
      rest = n - seconds * 1_000_000;
    } else {
      const micros = blob.createdAt;
      rest = Number(((micros % 1_000_000n) + 1_000_000n) % 1_000_000n);
      seconds = Number((micros - BigInt(rest)) / 1_000_000n);
    }
    if (seconds !== 0) {
      out[at++] = 0x08;
      varint64(seconds);
    }
    if (rest !== 0) {
      out[at++] = 0x10;
      varint(rest * 1000);
    }
    out[prefixAt] = at - prefixAt - 1;
  }

  function writeEvent(blob: BlobView, blobStart: number, blobEnd: number, pieces: EventPieces): void {
    const src = blob.buf;
    if (src !== source) {
      source = src;
      sourceWords = newWords(src);
    }
    const { shape } = pieces;
    const size = blobEnd - blobStart;
    reserve(size + pieces.template.length + pieces.parties.length + 1024);
    if (pieces.offset !== 0n && pieces.offset !== 0) {
      out[at++] = 0x08;
      varint64(pieces.offset);
    }
    if (pieces.nodeId !== 0) {
      out[at++] = 0x10;
      varint64(pieces.nodeId);
    }
    const idBytes = blob.contractIdEnd - blob.contractIdStart;
    out[at++] = 0x1a;
    varint(2 * idBytes);
    reserve(2 * idBytes);
    hex(src, blob.contractIdStart, blob.contractIdEnd);
    if ((shape & SHAPE.noTemplate) === 0) put(pieces.template);
    if (blob.hasKey && (shape & SHAPE.noKey) === 0) {
      out[at++] = 0x2a;
      const room = varintSize(blob.keyValueEnd - blob.keyValueStart);
      const prefixAt = at;
      at += room;
      value(src, blob.keyValueStart, blob.keyValueEnd, 0);
      close(prefixAt, room);
    }
    if ((shape & SHAPE.noArguments) === 0) createArguments(src, blob.argumentStart, blob.argumentEnd);
    reserve(size + pieces.parties.length + 1024);
    out[at++] = 0x3a;
    varint(size);
    blobAt = at;
    if (hollow) at += size;
    else copy(src, blobStart, blobEnd);
    if ((shape & SHAPE.noParties) === 0) put(pieces.parties);
    if ((shape & SHAPE.noCreatedAt) === 0) createdAt(blob);
    if ((shape & SHAPE.noPackageName) === 0) {
      out[at++] = 0x6a;
      varint(blob.packageNameEnd - blob.packageNameStart);
      reserve(blob.packageNameEnd - blob.packageNameStart + 256);
      copy(src, blob.packageNameStart, blob.packageNameEnd);
    }
    if ((shape & SHAPE.noAcsDelta) === 0) {
      out[at++] = 0x70;
      out[at++] = 1;
    }
    reserve(pieces.representative.length + 256);
    put(pieces.representative);
    const hashBytes = blob.hasKey ? blob.keyHashEnd - blob.keyHashStart : 0;
    if (hashBytes > 0 && (shape & SHAPE.noKeyHash) === 0) {
      out[at++] = 0x82;
      out[at++] = 0x01;
      varint(hashBytes);
      copy(src, blob.keyHashStart, blob.keyHashEnd);
    }
  }

  function buildEvent(blob: BlobView, blobStart: number, blobEnd: number, pieces: EventPieces): void {
    at = 0;
    writeEvent(blob, blobStart, blobEnd, pieces);
  }

  /** Puts a frame at `begin`; it ends at `at`. */
  function buildFrame(
    begin: number,
    blob: BlobView,
    blobStart: number,
    blobEnd: number,
    pieces: EventPieces,
    synchronizer: Uint8Array,
    counter: bigint | number,
  ): void {
    const eventAt = begin + headBytes;
    at = eventAt;
    writeEvent(blob, blobStart, blobEnd, pieces);
    const event = at - eventAt;
    reserve(synchronizer.length + 64);
    put(synchronizer);
    if (counter !== 0 && counter !== 0n) {
      out[at++] = 0x18;
      varint64(counter);
    }
    const active = varintSize(event) + 1 + at - eventAt;
    const entry = varintSize(active) + 1 + active;
    out[at++] = 0x10;
    out[at++] = 30;
    const body = varintSize(entry) + 1 + entry + 2;
    const head = varintSize(body) + body - (at - eventAt);
    if (head !== headBytes) {
      out.copyWithin(begin + head, eventAt, at);
      at += head - headBytes;
      blobAt += head - headBytes;
      headBytes = head;
    }
    const end = at;
    at = begin;
    varint(body);
    out[at++] = 0x0a;
    varint(entry);
    out[at++] = 0x0a;
    varint(active);
    out[at++] = 0x0a;
    varint(event);
    at = end;
  }

  /** `out[0, at)`, with the blob left out, is `buf[from, to)`, where the blob is at `blobStart`. */
  function isHollow(buf: Buffer, from: number, to: number, blobStart: number, blobEnd: number): boolean {
    return (
      at === to - from &&
      blobAt === blobStart - from &&
      buf.compare(out, 0, blobAt, from, blobStart) === 0 &&
      buf.compare(out, blobAt + blobEnd - blobStart, at, blobEnd, to) === 0
    );
  }

  return {
    event(blob, blobStart, blobEnd, pieces) {
      hollow = false;
      buildEvent(blob, blobStart, blobEnd, pieces);
      return out.subarray(0, at);
    },
    frame(blob, blobStart, blobEnd, pieces, synchronizer, counter) {
      hollow = false;
      buildFrame(0, blob, blobStart, blobEnd, pieces, synchronizer, counter);
      return out.subarray(0, at);
    },
    appendFrame(target, blob, blobStart, blobEnd, pieces, synchronizer, counter) {
      hollow = false;
      if (out !== target.bytes) {
        out = target.bytes;
        words = newWords(out);
      }
      buildFrame(target.end, blob, blobStart, blobEnd, pieces, synchronizer, counter);
      target.bytes = out;
      target.end = at;
    },
    isEvent(blob, blobStart, blobEnd, pieces, from, to) {
      hollow = true;
      buildEvent(blob, blobStart, blobEnd, pieces);
      return isHollow(blob.buf, from, to, blobStart, blobEnd);
    },
    isFrame(blob, blobStart, blobEnd, pieces, synchronizer, counter, from, to) {
      hollow = true;
      buildFrame(0, blob, blobStart, blobEnd, pieces, synchronizer, counter);
      return isHollow(blob.buf, from, to, blobStart, blobEnd);
    },
  };
}

function unexpected(byteOffset: number): AcsError {
  return new AcsError('VALUE_NOT_CANONICAL', 'a value is not in canonical form', { byteOffset });
}

/** Field 4 of a `CreatedEvent` (template id) from the LF `Identifier` of a blob. */
export function templateField(buf: Buffer, start: number, end: number): Buffer {
  const id = readTemplateSegments(new WireReader(buf, start, end));
  return templateFieldOf(id);
}

export function templateFieldOf(id: { packageId: string; moduleName: string; entityName: string }): Buffer {
  const body = Buffer.concat([
    lengthDelimited(1, id.packageId),
    lengthDelimited(2, id.moduleName),
    lengthDelimited(3, id.entityName),
  ]);
  return lengthDelimited(4, body);
}

/** A string or bytes field with tag (below 16) and length; nothing for an empty one. */
export function lengthDelimited(field: number, content: string | Uint8Array): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  if (bytes.length === 0) return Buffer.alloc(0);
  const head = [(field << 3) | WIRE_BYTES];
  let n = bytes.length;
  while (n >= 0x80) {
    head.push((n % 128) | 0x80);
    n = Math.floor(n / 128);
  }
  head.push(n);
  return Buffer.concat([Buffer.from(head), bytes]);
}
