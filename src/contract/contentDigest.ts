/**
 * A digest of the contracts of a snapshot that does not depend on their order: per contract a 256-bit mix of exactly what
 * an import consumes (blob, representative package id, synchronizer id, reassignment counter), added up. Two files with
 * the same contracts have the same digest, whatever their order, offsets, witnesses or compression.
 *
 * It tells apart files that differ by accident. It is no proof against somebody who constructs colliding contracts: that
 * the content is genuine is shown by authenticating the contract ids, that bytes are unchanged by the SHA-256 digests of
 * the manifest.
 */
import { EVENT, type RecordView } from '../snapshot/record.js';
import { createContentMix, MIX_INPUT, sumHex } from './contentMix.js';

export interface ContentDigest {
  add(record: RecordView): void;
  /** Contracts added. */
  readonly count: number;
  /** 64 hex digits. */
  hex(): string;
}

export function contentDigest(): ContentDigest {
  const mix = createContentMix();
  let memory = new Uint8Array(mix.memory.buffer);
  let count = 0;

  /** Makes room for `bytes` of input, the 8 bytes of the counter behind them included. */
  function reserve(bytes: number): void {
    const missing = MIX_INPUT + bytes - memory.length;
    if (missing <= 0) return;
    mix.memory.grow(Math.ceil(missing / 65536));
    memory = new Uint8Array(mix.memory.buffer);
  }

  return {
    add(record) {
      const { buf, eventFields, synchronizerStart, synchronizerEnd } = record;
      const blob = eventFields[2 * EVENT.createdEventBlob];
      const blobEnd = eventFields[2 * EVENT.createdEventBlob + 1];
      const representative = eventFields[2 * EVENT.representativePackageId];
      const representativeEnd = eventFields[2 * EVENT.representativePackageId + 1];
      // One copy from the first of the three fields to the end of the last: what lies between is little.
      let first = record.lapiEnd;
      if (blob >= 0) first = blob;
      if (representative >= 0 && representative < first) first = representative;
      if (synchronizerEnd > 0 && synchronizerStart < first) first = synchronizerStart;
      const last = Math.max(first, synchronizerEnd, blobEnd, representativeEnd);
      const size = last - first;
      reserve(size + 8);
      buf.copy(memory, MIX_INPUT, first, last);
      const shift = MIX_INPUT - first;
      mix.begin();
      // What is absent has length 0; its address is not looked at.
      mix.absorb(blob + shift, blobEnd - blob);
      mix.absorb(representative + shift, representativeEnd - representative);
      mix.absorb(synchronizerStart + shift, synchronizerEnd - synchronizerStart);
      if (record.counterIsZero) mix.absorb(MIX_INPUT, 0);
      else {
        const at = MIX_INPUT + size;
        new DataView(mix.memory.buffer).setBigUint64(
          at,
          BigInt.asUintN(64, record.reassignmentCounter),
          true,
        );
        mix.absorb(at, 8);
      }
      mix.finish();
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
