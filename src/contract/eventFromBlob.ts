/**
 * The Ledger API `CreatedEvent` of a contract, rebuilt from its blob. Apart from offset, node id, witnesses and the
 * representative package everything in an event is a function of the blob: a store that keeps the blob and those few
 * values can give back the very bytes a participant wrote (snapshot-format spec, section 3).
 *
 * {@link eventBuilder} rebuilds; whoever stores an event compares the result with the original bytes and keeps the
 * original where they differ.
 */
import { ForwardWriter } from '../wire/forwardWriter.js';
import { varintSize } from '../wire/writer.js';
import type { BlobView } from './blob.js';
import { type EventPieces, SHAPE } from './eventPieces.js';
import { valueTranscoder } from './valueTranscoder.js';

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
  const w = new ForwardWriter();
  const values = valueTranscoder(w);
  /** Where the blob goes; with `hollow` its bytes are not put there. */
  let blobAt = 0;
  let hollow = false;
  /** Length prefixes in front of the event of the last frame: nearly all have as many, and need not be moved. */
  let headBytes = 12;

  function createdAt(blob: BlobView): void {
    w.reserve(32);
    w.byte(0x62);
    const prefixAt = w.at++;
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
      w.byte(0x08);
      w.varint64(seconds);
    }
    if (rest !== 0) {
      w.byte(0x10);
      w.varint(rest * 1000);
    }
    w.bytes[prefixAt] = w.at - prefixAt - 1;
  }

  function writeEvent(blob: BlobView, blobStart: number, blobEnd: number, pieces: EventPieces): void {
    const src = blob.buf;
    w.copyFrom(src);
    const { shape } = pieces;
    const size = blobEnd - blobStart;
    w.reserve(size + pieces.template.length + pieces.parties.length + 1024);
    if (pieces.offset !== 0n && pieces.offset !== 0) {
      w.byte(0x08);
      w.varint64(pieces.offset);
    }
    if (pieces.nodeId !== 0) {
      w.byte(0x10);
      w.varint64(pieces.nodeId);
    }
    const idBytes = blob.contractIdEnd - blob.contractIdStart;
    w.byte(0x1a);
    w.varint(2 * idBytes);
    w.reserve(2 * idBytes);
    w.hex(blob.contractIdStart, blob.contractIdEnd);
    if ((shape & SHAPE.noTemplate) === 0) w.put(pieces.template);
    if (blob.hasKey && (shape & SHAPE.noKey) === 0) {
      w.byte(0x2a);
      const room = varintSize(blob.keyValueEnd - blob.keyValueStart);
      const prefixAt = w.at;
      w.at += room;
      values.value(src, blob.keyValueStart, blob.keyValueEnd);
      w.close(prefixAt, room);
    }
    if ((shape & SHAPE.noArguments) === 0) values.createArguments(src, blob.argumentStart, blob.argumentEnd);
    w.reserve(size + pieces.parties.length + 1024);
    w.byte(0x3a);
    w.varint(size);
    blobAt = w.at;
    if (hollow) w.at += size;
    else w.copy(blobStart, blobEnd);
    if ((shape & SHAPE.noParties) === 0) w.put(pieces.parties);
    if ((shape & SHAPE.noCreatedAt) === 0) createdAt(blob);
    if ((shape & SHAPE.noPackageName) === 0) {
      w.byte(0x6a);
      w.varint(blob.packageNameEnd - blob.packageNameStart);
      w.reserve(blob.packageNameEnd - blob.packageNameStart + 256);
      w.copy(blob.packageNameStart, blob.packageNameEnd);
    }
    if ((shape & SHAPE.noAcsDelta) === 0) {
      w.byte(0x70);
      w.byte(1);
    }
    w.reserve(pieces.representative.length + 256);
    w.put(pieces.representative);
    const hashBytes = blob.hasKey ? blob.keyHashEnd - blob.keyHashStart : 0;
    if (hashBytes > 0 && (shape & SHAPE.noKeyHash) === 0) {
      w.byte(0x82);
      w.byte(0x01);
      w.varint(hashBytes);
      w.copy(blob.keyHashStart, blob.keyHashEnd);
    }
  }

  function buildEvent(blob: BlobView, blobStart: number, blobEnd: number, pieces: EventPieces): void {
    w.at = 0;
    writeEvent(blob, blobStart, blobEnd, pieces);
  }

  /** Puts a frame at `begin`; it ends at `w.at`. */
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
    w.at = eventAt;
    writeEvent(blob, blobStart, blobEnd, pieces);
    const event = w.at - eventAt;
    w.reserve(synchronizer.length + 64);
    w.put(synchronizer);
    if (counter !== 0 && counter !== 0n) {
      w.byte(0x18);
      w.varint64(counter);
    }
    const active = varintSize(event) + 1 + w.at - eventAt;
    const entry = varintSize(active) + 1 + active;
    w.byte(0x10);
    w.byte(30);
    const body = varintSize(entry) + 1 + entry + 2;
    const head = varintSize(body) + body - (w.at - eventAt);
    if (head !== headBytes) {
      w.bytes.copyWithin(begin + head, eventAt, w.at);
      w.at += head - headBytes;
      blobAt += head - headBytes;
      headBytes = head;
    }
    const end = w.at;
    w.at = begin;
    w.varint(body);
    w.byte(0x0a);
    w.varint(entry);
    w.byte(0x0a);
    w.varint(active);
    w.byte(0x0a);
    w.varint(event);
    w.at = end;
  }

  /** `w.bytes[0, w.at)`, with the blob left out, is `buf[from, to)`, where the blob is at `blobStart`. */
  function isHollow(buf: Buffer, from: number, to: number, blobStart: number, blobEnd: number): boolean {
    return (
      w.at === to - from &&
      blobAt === blobStart - from &&
      buf.compare(w.bytes, 0, blobAt, from, blobStart) === 0 &&
      buf.compare(w.bytes, blobAt + blobEnd - blobStart, w.at, blobEnd, to) === 0
    );
  }

  return {
    event(blob, blobStart, blobEnd, pieces) {
      hollow = false;
      buildEvent(blob, blobStart, blobEnd, pieces);
      return w.bytes.subarray(0, w.at);
    },
    frame(blob, blobStart, blobEnd, pieces, synchronizer, counter) {
      hollow = false;
      buildFrame(0, blob, blobStart, blobEnd, pieces, synchronizer, counter);
      return w.bytes.subarray(0, w.at);
    },
    appendFrame(target, blob, blobStart, blobEnd, pieces, synchronizer, counter) {
      hollow = false;
      w.writeInto(target.bytes);
      buildFrame(target.end, blob, blobStart, blobEnd, pieces, synchronizer, counter);
      target.bytes = w.bytes;
      target.end = w.at;
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
