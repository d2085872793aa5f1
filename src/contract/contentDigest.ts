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
      const { buf, lapiStart, lapiEnd, eventFields } = record;
      const size = lapiEnd - lapiStart;
      reserve(size + 8);
      buf.copy(memory, MIX_INPUT, lapiStart, lapiEnd);
      const shift = MIX_INPUT - lapiStart;
      mix.begin();
      const blob = eventFields[2 * EVENT.createdEventBlob];
      if (blob < 0) mix.absorb(MIX_INPUT, 0);
      else mix.absorb(blob + shift, eventFields[2 * EVENT.createdEventBlob + 1] - blob);
      const rp = eventFields[2 * EVENT.representativePackageId];
      if (rp < 0) mix.absorb(MIX_INPUT, 0);
      else mix.absorb(rp + shift, eventFields[2 * EVENT.representativePackageId + 1] - rp);
      mix.absorb(record.synchronizerStart + shift, record.synchronizerEnd - record.synchronizerStart);
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
