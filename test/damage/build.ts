/** Building damaged snapshots out of sound ones. */
import { readFileSync } from 'node:fs';
import { constants, crc32, createGzip, deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import { decodeBlob, encodeBlob } from '../../src/contract/contractInstance.js';
import type { LfValue } from '../../src/contract/value.js';
import { decodeValue } from '../../src/contract/valueDecoder.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { WireWriter } from '../../src/wire/writer.js';
import { fixture } from '../fixtures.js';

/** 12 records of every shape; one gzip member. */
export const TINY = readFileSync(fixture('snapshots/tiny.acs.gz'));

/** The frames of a sound inflated stream, length prefixes included. */
export function framesOf(inflated: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  let at = 0;
  while (at < inflated.length) {
    let value = 0;
    let next = at;
    for (let shift = 0; ; shift += 7) {
      const b = inflated[next++];
      value |= (b & 0x7f) << shift;
      if (b < 0x80) break;
    }
    frames.push(inflated.subarray(at, next + value));
    at = next + value;
  }
  return frames;
}

export const TINY_FRAMES = framesOf(gunzipSync(TINY));

/** Offset of frame `index` in the inflated stream of tiny. */
export function offsetOf(index: number): number {
  return TINY_FRAMES.slice(0, index).reduce((sum, frame) => sum + frame.length, 0);
}

export function varint(n: number): Buffer {
  return new WireWriter().varint(n).finish();
}

export function framed(body: Buffer): Buffer {
  return Buffer.concat([varint(body.length), body]);
}

/** Tiny with frame `index` replaced by other bytes. */
export function withFrame(index: number, replacement: Buffer): Buffer {
  return gzipSync(Buffer.concat(TINY_FRAMES.map((frame, i) => (i === index ? replacement : frame))));
}

/** Fields of a message as `[tag, value bytes]` pairs, value with its length prefix where it has one. */
export function fields(message: Buffer): { tag: number; raw: Buffer; value: Buffer }[] {
  const list: { tag: number; raw: Buffer; value: Buffer }[] = [];
  let at = 0;
  const read = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const b = message[at++];
      value += (b & 0x7f) * scale;
      if (b < 0x80) return value;
      scale *= 128;
    }
  };
  while (at < message.length) {
    const start = at;
    const tag = read();
    let value: Buffer;
    if ((tag & 7) === 2) {
      const n = read();
      value = message.subarray(at, at + n);
      at += n;
    } else if ((tag & 7) === 0) {
      const from = at;
      read();
      value = message.subarray(from, at);
    } else {
      value = message.subarray(at, at + 8);
      at += 8;
    }
    list.push({ tag, raw: message.subarray(start, at), value });
  }
  return list;
}

/** The message with the fields of one tag replaced by `bytes` (tag included), in place. */
export function replaced(message: Buffer, tag: number, bytes: Buffer): Buffer {
  let done = false;
  const parts = fields(message).map((field) => {
    if (field.tag !== tag) return field.raw;
    if (done) return Buffer.alloc(0);
    done = true;
    return bytes;
  });
  if (!done) parts.push(bytes);
  return Buffer.concat(parts);
}

export const bytesField = (tag: number, value: Buffer): Buffer =>
  Buffer.concat([varint(tag), varint(value.length), value]);

const inner = (message: Buffer, tag: number): Buffer => {
  const field = fields(message).find((f) => f.tag === tag);
  if (field === undefined) throw new Error(`no field with tag ${tag}`);
  return field.value;
};

/** A frame of tiny with its created event changed. */
export function withEvent(index: number, change: (event: Buffer) => Buffer): Buffer {
  const frame = TINY_FRAMES[index];
  const body = frame.subarray(varint(frame.length - 2).length);
  const data = inner(body, 0x0a);
  const lapi = inner(data, 0x0a);
  const changed = replaced(lapi, 0x0a, bytesField(0x0a, change(inner(lapi, 0x0a))));
  return framed(replaced(body, 0x0a, bytesField(0x0a, bytesField(0x0a, changed))));
}

/** A frame of tiny with its blob changed. */
export function withBlob(index: number, change: (blob: Buffer) => Buffer): Buffer {
  return withEvent(index, (event) => replaced(event, 0x3a, bytesField(0x3a, change(inner(event, 0x3a)))));
}

/** A frame of tiny with the argument in its blob changed. */
export function withArgument(index: number, change: (value: LfValue) => LfValue): Buffer {
  return withBlob(index, (blob) => {
    const contract = decodeBlob(blob);
    return encodeBlob({
      ...contract,
      createArgument: encodeValue(change(decodeValue(contract.createArgument))),
    });
  });
}

/** A value nested `depth` levels below the root, written by hand: the encoder refuses more than 100. */
export function nestedOptional(depth: number): Buffer {
  let value: Buffer = Buffer.from('0a00', 'hex');
  for (let i = 0; i < depth; i++) value = bytesField(0x52, bytesField(0x0a, value));
  return value;
}

export function flipped(bytes: Buffer, at: number, bit = 0): Buffer {
  const copy = Buffer.from(bytes);
  copy[at < 0 ? copy.length + at : at] ^= 1 << bit;
  return copy;
}

/** Gzip with a full flush after every frame, as `acs` writes with tiny pieces. */
export function gzipWithFlushes(frames: readonly Buffer[]): {
  bytes: Buffer;
  pieces: { start: number; end: number }[];
} {
  const content = Buffer.concat(frames);
  const parts: Buffer[] = [Buffer.from('1f8b08000000000000ff', 'hex')];
  const pieces: { start: number; end: number }[] = [];
  let at = 10;
  for (const frame of frames) {
    const piece = deflateRawSync(frame, { finishFlush: constants.Z_FULL_FLUSH });
    pieces.push({ start: at, end: at + piece.length });
    at += piece.length;
    parts.push(piece);
  }
  const trailer = Buffer.alloc(10);
  trailer[0] = 3;
  trailer.writeUInt32LE(crc32(content), 2);
  trailer.writeUInt32LE(content.length, 6);
  return { bytes: Buffer.concat([...parts, trailer]), pieces };
}

/** A gzip file of many chunks, without holding them together. */
export async function deflated(chunks: Iterable<Buffer>): Promise<Buffer> {
  const gzip = createGzip({ level: 9 });
  const out: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => out.push(chunk));
  for (const chunk of chunks) {
    if (!gzip.write(chunk)) await new Promise((resume) => gzip.once('drain', resume));
  }
  gzip.end();
  await new Promise((done) => gzip.once('end', done));
  return Buffer.concat(out);
}
