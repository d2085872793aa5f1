/** The hash inside a contract id that binds the contract's content (contract-id spec, sections 3 and 4.5). */

import { compareSpans } from '../wire/spanList.js';
import { HASH_PURPOSE, HashBuffer } from './hashBuffer.js';

/** Borders (start, end, start, end, …) of party ids inside `buf`. */
export interface PartyRanges {
  readonly buf: Buffer;
  readonly borders: readonly number[];
}

/** What a unicum is made from. {@link BlobView} has this shape, apart from salt and contract hash. */
export interface UnicumParts {
  readonly buf: Buffer;
  /** Signatories that are no maintainers; strictly ascending. */
  readonly signatoryBorders: readonly number[];
  /** Strictly ascending. */
  readonly observerBorders: readonly number[];
  /** Any order, possibly repeated. */
  readonly maintainerBorders: readonly number[];
  readonly hasKey: boolean;
  readonly keyHashStart: number;
  readonly keyHashEnd: number;
  /** Microseconds since the epoch. */
  readonly createdAt: bigint;
  /** The same, or NaN where a double cannot hold it. */
  readonly createdAtNumber: number;
}

/**
 * Writes the pre-image of a unicum into `out`, which is reset first. `saltStart` is a position in `parts.buf`. A V2 id's
 * relative hash leaves the creation time out. With `keyHash` that hash stands in for the stored one.
 */
export function writeUnicum(
  out: HashBuffer,
  parts: UnicumParts,
  saltStart: number,
  contractHash: Buffer,
  withInstant = true,
  keyHash?: Buffer,
): void {
  const { buf } = parts;
  out
    .reset()
    .i32(HASH_PURPOSE.unicum)
    .raw(buf, saltStart, saltStart + 32);
  if (withInstant) {
    // Negative ones are rare: left to the exact way.
    if (parts.createdAtNumber >= 0) out.plainInstant(parts.createdAtNumber);
    else out.instant(parts.createdAt);
  }
  const { maintainerBorders } = parts;
  const maintainers = parts.hasKey ? sortedParties(buf, maintainerBorders) : maintainerBorders;
  writeParties(
    out,
    buf,
    parts.hasKey ? sortedParties(buf, [...parts.signatoryBorders, ...maintainers]) : parts.signatoryBorders,
  );
  writeParties(out, buf, parts.observerBorders);
  if (!parts.hasKey) out.u8(0).i32(1).u8(0);
  else {
    out.u8(1);
    if (keyHash !== undefined) out.raw(keyHash);
    else out.raw(buf, parts.keyHashStart, parts.keyHashEnd);
    const block = out.startBlock();
    out.u8(1);
    writeSequence(out, buf, maintainers);
    out.endBlock(block);
  }
  out.raw(contractHash);
}

function writeParties(out: HashBuffer, buf: Buffer, borders: readonly number[]): void {
  const block = out.startBlock();
  writeSequence(out, buf, borders);
  out.endBlock(block);
}

function writeSequence(out: HashBuffer, buf: Buffer, borders: readonly number[]): void {
  out.i32(borders.length / 2);
  for (let i = 0; i < borders.length; i += 2) out.prefixed(buf, borders[i], borders[i + 1]);
}

/** Ascending, each party once. */
function sortedParties(buf: Buffer, borders: readonly number[]): number[] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < borders.length; i += 2) pairs.push([borders[i], borders[i + 1]]);
  pairs.sort((a, b) => compareSpans(buf, a[0], a[1], b[0], b[1]));
  const sorted: number[] = [];
  for (const [start, end] of pairs) {
    const n = sorted.length;
    if (n === 0 || compareSpans(buf, sorted[n - 2], sorted[n - 1], start, end) !== 0) sorted.push(start, end);
  }
  return sorted;
}

/**
 * The suffix hash of an absolute `01…` id. `relativeHash` is the SHA-256 of the pre-image without the instant.
 * `updateId` is the 34-byte multihash of the creating update; the ledger time is the contract's creation time.
 */
export function absolutizedHash(
  out: HashBuffer,
  relativeHash: Buffer,
  updateId: Buffer,
  createdAt: bigint,
): Buffer {
  out.reset().i32(HASH_PURPOSE.contractIdAbsolutization);
  const block = out.startBlock();
  out.u8(0).raw(relativeHash).endBlock(block);
  return out.prefixed(updateId).i64(createdAt).sha256();
}

const MICROS_FROM_YEAR_1 = 62_135_596_800_000_000n;
const TIME_PREFIX_UNIT = 286_981n;

/** The five bytes that follow the version byte of an `01…` id: its creation time, coarsely. */
export function v2TimePrefix(createdAt: bigint): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64BE(BigInt.asUintN(40, (createdAt + MICROS_FROM_YEAR_1) / TIME_PREFIX_UNIT));
  return prefix.subarray(3);
}

/** Versions of 2.x ids; the number counts up with the protocol version. */
export type LegacyIdPrefix = 'ca00' | 'ca01' | 'ca02' | 'ca03';

/** A 2.x contract's inputs. Lists are sorted and freed of duplicates here. */
export interface LegacyUnicumInput {
  readonly prefix: LegacyIdPrefix;
  readonly salt: Buffer;
  /** Microseconds since the epoch. */
  readonly createdAt: bigint;
  readonly signatories: readonly string[];
  /** Stakeholders that are no signatories. */
  readonly observers: readonly string[];
  readonly key?: { readonly hash: Buffer; readonly maintainers: readonly string[] };
  /** Present exactly when the transaction version supports upgrading; enters `ca03` only. */
  readonly packageName?: string;
  /** SHA-256, see `legacyContractHash`. */
  readonly contractHash: Buffer;
}

/** The unicum (32 bytes) of a 2.x contract id (section 4.5; read from source, without recorded vectors). */
export function legacyUnicum(input: LegacyUnicumInput): Buffer {
  const out = new HashBuffer(1024).i32(HASH_PURPOSE.unicum);
  // The oldest version hashes the salt's protobuf message: algorithm 1, then the bytes.
  if (input.prefix === 'ca00') out.u8(0x08).u8(0x01).u8(0x12).u8(input.salt.length);
  out.raw(input.salt).instant(input.createdAt);
  if (input.prefix === 'ca02' || input.prefix === 'ca03') {
    writeNames(out, input.signatories);
    writeNames(out, input.observers);
    if (input.key === undefined) out.u8(0).i32(1).u8(0);
    else {
      out.u8(1).raw(input.key.hash);
      const block = out.startBlock();
      out.u8(1);
      writeNameSequence(out, input.key.maintainers);
      out.endBlock(block);
    }
  }
  if (input.prefix === 'ca03') {
    const block = out.startBlock();
    if (input.packageName === undefined) out.u8(0);
    else out.u8(1).text(input.packageName);
    out.endBlock(block);
  }
  return out.raw(input.contractHash).sha256();
}

function writeNames(out: HashBuffer, parties: readonly string[]): void {
  const block = out.startBlock();
  writeNameSequence(out, parties);
  out.endBlock(block);
}

function writeNameSequence(out: HashBuffer, parties: readonly string[]): void {
  const sorted = [...new Set(parties)].sort();
  out.i32(sorted.length);
  for (const party of sorted) out.text(party);
}
