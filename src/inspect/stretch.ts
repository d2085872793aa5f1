/**
 * A stretch: whole records of a snapshot that follow each other, copied together into a buffer of their own. It is the unit
 * of work that checks hand to other threads, small enough to lie in one processor's cache.
 */
import type { FrameVisit } from '../snapshot/scan.js';

/** Bytes of a stretch, unless a single record is longer. */
export const STRETCH_BYTES = 256 * 1024;

export interface Stretch {
  /** The frames, from 0 to `end`. */
  bytes: ArrayBuffer;
  end: number;
  /** Offset of the first frame in the inflated stream. */
  offset: number;
  /** Number of the first record. */
  first: number;
}

export interface StretchCollector {
  /** Takes every frame of a file, in order. */
  take: FrameVisit;
  /** To be called before the buffer that the last frames lie in is used again: once per chunk. */
  endChunk(): void;
  /** Sends what is left. */
  finish(): void;
}

/** Collects frames and sends them on in stretches; `buffer` gives an empty buffer of {@link STRETCH_BYTES}. */
export function stretchCollector(
  send: (stretch: Stretch) => void,
  buffer: () => ArrayBuffer,
): StretchCollector {
  let bytes = buffer();
  let filled = 0;
  let offset = 0;
  let first = 0;
  /** Frames not copied yet: neighbours in one buffer, so that a chunk is copied in one piece. */
  let run: Buffer | undefined;
  let runStart = 0;
  let runEnd = 0;

  function endRun(): void {
    if (run === undefined) return;
    const length = runEnd - runStart;
    // Only a single record is longer than a stretch; it comes alone.
    if (length > bytes.byteLength) bytes = new ArrayBuffer(length);
    run.copy(new Uint8Array(bytes), filled, runStart, runEnd);
    filled += length;
    run = undefined;
  }

  function sendFilled(): void {
    if (filled === 0) return;
    send({ bytes, end: filled, offset, first });
    bytes = buffer();
    filled = 0;
  }

  return {
    take(buf, start, _bodyStart, end, at, index) {
      if (buf === run && start === runEnd && filled + end - runStart <= STRETCH_BYTES) {
        runEnd = end;
        return;
      }
      endRun();
      if (filled + end - start > STRETCH_BYTES) sendFilled();
      if (filled === 0) {
        offset = at;
        first = index;
      }
      run = buf;
      runStart = start;
      runEnd = end;
      // It may be valid during this call only.
      if (start === 0) endRun();
    },
    endChunk: endRun,
    finish() {
      endRun();
      sendFilled();
    },
  };
}
