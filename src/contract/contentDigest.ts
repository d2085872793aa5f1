/**
 * A digest of the contracts of a snapshot that does not depend on their order: per contract SHA-256 over exactly what
 * an import consumes (blob, representative package id, synchronizer id, reassignment counter), added up modulo 2^256.
 * Two files with the same contracts have the same digest, whatever their order, offsets, witnesses or compression.
 * It detects accidents and differences; it is no proof against somebody who searches for colliding sets.
 */
import { hash } from 'node:crypto';
import { EVENT, type RecordView } from '../snapshot/record.js';

export interface ContentDigest {
  add(record: RecordView): void;
  /** Contracts added. */
  readonly count: number;
  /** 64 hex digits. */
  hex(): string;
}

export function contentDigest(): ContentDigest {
  const words = new Float64Array(16);
  let scratch: Buffer = Buffer.alloc(8192);
  let count = 0;
  return {
    add(record) {
      const size = record.lapiEnd - record.lapiStart + 32;
      if (size > scratch.length) scratch = Buffer.alloc(size * 2);
      const length = elementBytes(record, scratch);
      addDigest(words, hash('sha256', scratch.subarray(0, length), 'buffer'));
      count++;
    },
    get count() {
      return count;
    },
    hex: () => sumHex(words),
  };
}

/** Writes `len|blob len|rp len|synchronizer counter` (lengths 4 bytes, counter 8 bytes, big endian). */
function elementBytes(record: RecordView, out: Buffer): number {
  let at = 0;
  const part = (start: number, end: number): void => {
    const n = start < 0 ? 0 : end - start;
    out.writeUInt32BE(n, at);
    at += 4;
    if (n > 0) record.buf.copy(out, at, start, end);
    at += n;
  };
  const fields = record.eventFields;
  part(fields[2 * EVENT.createdEventBlob], fields[2 * EVENT.createdEventBlob + 1]);
  part(fields[2 * EVENT.representativePackageId], fields[2 * EVENT.representativePackageId + 1]);
  part(record.synchronizerStart, record.synchronizerEnd);
  if (record.counterIsZero) {
    out.writeUInt32BE(0, at);
    out.writeUInt32BE(0, at + 4);
  } else out.writeBigUInt64BE(BigInt.asUintN(64, record.reassignmentCounter), at);
  return at + 8;
}

/** Adds a 32-byte big-endian number, 16 bits at a time; carries are settled in {@link sumHex}. Exact up to 2^37 adds. */
function addDigest(words: Float64Array, digest: Buffer): void {
  for (let i = 0; i < 16; i++) words[i] += (digest[2 * i] << 8) | digest[2 * i + 1];
}

function sumHex(words: Float64Array): string {
  const out = Buffer.alloc(32);
  let carry = 0;
  for (let i = 15; i >= 0; i--) {
    const sum = words[i] + carry;
    out.writeUInt16BE(sum % 65536, 2 * i);
    carry = Math.floor(sum / 65536);
  }
  return out.toString('hex');
}
