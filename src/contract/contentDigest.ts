/**
 * A digest of the contracts of a snapshot that does not depend on their order: per contract a 256-bit mix of exactly what
 * an import consumes (blob, representative package id, synchronizer id, reassignment counter), added up. Two files with
 * the same contracts have the same digest, whatever their order, offsets, witnesses or compression.
 *
 * It tells apart files that differ by accident. It is no proof against somebody who constructs colliding contracts: that
 * the content is genuine is shown by authenticating the contract ids, that bytes are unchanged by the SHA-256 digests of
 * the manifest.
 */
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { createContentMix, MIX_INPUT, sumHex } from './contentMix.js';

export interface ContentDigest {
  /**
   * Announces a chunk that the next records lie in, so that it is copied at once and not record by record. It must stay as
   * it is until the next chunk is held; a record that lies in another buffer may come between.
   */
  hold(chunk: Buffer): void;
  add(record: RecordView): void;
  /** Contracts added. */
  readonly count: number;
  /** 64 hex digits. */
  hex(): string;
}

/** Where the counter lies while an element is mixed, and where bytes are copied to. */
export const COUNTER = MIX_INPUT;
const CHUNK = MIX_INPUT + 8;

/** `mix` is a core that others use too, `chunk` where in its memory chunks are copied to; nothing lies behind. */
export function contentDigest(mix = createContentMix(), chunkStart = CHUNK): ContentDigest {
  let memory = new Uint8Array(mix.memory.buffer);
  let count = 0;
  let held: Buffer | undefined;
  /** Where a record that is not in the held chunk is copied to. */
  let single = chunkStart;

  /** Copies bytes to an address. */
  function put(buf: Buffer, start: number, end: number, address: number): void {
    // Others may have made the memory grow, which takes it away from its views.
    if (memory.length === 0) memory = new Uint8Array(mix.memory.buffer);
    const missing = address + end - start - memory.length;
    if (missing > 0) {
      mix.memory.grow(Math.ceil(missing / 65536));
      memory = new Uint8Array(mix.memory.buffer);
    }
    buf.copy(memory, address, start, end);
  }

  /** The address that stands for position 0 of a record's buffer, once its fields can be read there. */
  function origin(record: RecordView): number {
    const { buf, eventFields, synchronizerStart, synchronizerEnd } = record;
    if (buf === held) return chunkStart;
    const blob = eventFields[2 * EVENT.createdEventBlob];
    const representative = eventFields[2 * EVENT.representativePackageId];
    // One copy from the first of the three fields to the end of the last: what lies between is little.
    let first = record.lapiEnd;
    if (blob >= 0) first = blob;
    if (representative >= 0 && representative < first) first = representative;
    if (synchronizerEnd > 0 && synchronizerStart < first) first = synchronizerStart;
    const last = Math.max(
      first,
      synchronizerEnd,
      eventFields[2 * EVENT.createdEventBlob + 1],
      eventFields[2 * EVENT.representativePackageId + 1],
    );
    put(buf, first, last, single);
    return single - first;
  }

  return {
    hold(chunk) {
      put(chunk, 0, chunk.length, chunkStart);
      held = chunk;
      single = chunkStart + chunk.length;
    },
    add(record) {
      const { eventFields, synchronizerStart } = record;
      const at = origin(record);
      const blob = eventFields[2 * EVENT.createdEventBlob];
      const representative = eventFields[2 * EVENT.representativePackageId];
      let counterBytes = 0;
      if (!record.counterIsZero) {
        const counter = BigInt.asUintN(64, record.reassignmentCounter);
        new DataView(mix.memory.buffer).setBigUint64(COUNTER, counter, true);
        counterBytes = 8;
      }
      // What is absent has length 0; its address is not looked at.
      mix.add(
        blob + at,
        eventFields[2 * EVENT.createdEventBlob + 1] - blob,
        representative + at,
        eventFields[2 * EVENT.representativePackageId + 1] - representative,
        synchronizerStart + at,
        record.synchronizerEnd - synchronizerStart,
        COUNTER,
        counterBytes,
      );
      count++;
    },
    get count() {
      return count;
    },
    hex: () => sumHex(mix),
  };
}

/** The digest of several sets of contracts together, from the digest of each. */
export function addDigests(digests: readonly string[]): string {
  let sum = '';
  for (let lane = 0; lane < 64; lane += 16) {
    const total = digests.reduce((n, digest) => n + BigInt(`0x${digest.slice(lane, lane + 16)}`), 0n);
    sum += BigInt.asUintN(64, total).toString(16).padStart(16, '0');
  }
  return sum;
}
