/**
 * Changes of LtHash16 states packed into bytes, to be handed to another thread: per change the slot (4 bytes), the
 * length of the element (2 bytes), the sign (1 byte, 1 = add), a spare byte, and the element.
 */
import type { LtHashEngine } from './ltHashEngine.js';

const HEADER_BYTES = 8;

/** Size of a batch: some 1700 contracts, a few milliseconds of hashing. */
export const BATCH_BYTES = 256 * 1024;

/** Longest element a batch takes. */
export const MAX_BATCH_ELEMENT_BYTES = 0xffff;

/** Appends a change at `at`; returns the new end, or -1 when the batch is full. */
export function packChange(
  batch: Buffer,
  at: number,
  slot: number,
  element: Uint8Array,
  sign: 1 | -1,
): number {
  const end = at + HEADER_BYTES + element.length;
  if (end > batch.length) return -1;
  batch.writeUInt32LE(slot, at);
  batch.writeUInt16LE(element.length, at + 4);
  batch[at + 6] = sign === 1 ? 1 : 0;
  batch[at + 7] = 0;
  batch.set(element, at + HEADER_BYTES);
  return end;
}

/** Makes the changes in `batch[0, end)`; `slotOf` translates slot numbers. */
export function runBatch(
  engine: LtHashEngine,
  batch: Buffer,
  end: number,
  slotOf: (slot: number) => number,
): void {
  let at = 0;
  while (at < end) {
    const length = batch.readUInt16LE(at + 4);
    const from = at + HEADER_BYTES;
    engine.change(
      slotOf(batch.readUInt32LE(at)),
      batch.subarray(from, from + length),
      batch[at + 6] === 1 ? 1 : -1,
    );
    at = from + length;
  }
}
