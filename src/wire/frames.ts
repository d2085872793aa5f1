/**
 * Cutting an inflated stream into frames: `varint(len) body[len]`, over and over (snapshot-format spec, section 3).
 * Pushed bytes in, frames out; at most one frame is carried from one push to the next.
 */
import { AcsError } from '../io/error.js';

/** Longest frame accepted by default. Canton has no limit; the length prefix is untrusted. */
export const DEFAULT_MAX_FRAME_BYTES = 64 << 20;

/**
 * One frame: `buf[start, bodyStart)` is its length prefix, `buf[bodyStart, end)` its body. One at `start` 0 may have been
 * put together from two pushes and is valid during the call only; any other lies in the chunk that was pushed.
 * `offset` is that of `buf[start]` in the stream.
 */
export type FrameSink = (buf: Buffer, start: number, bodyStart: number, end: number, offset: number) => void;

/** Takes frames that the sink need not see. */
export interface FramePasser {
  /**
   * Takes frames of `chunk` that follow each other from the one at `from` on, with bodies of at most `longest` bytes, and
   * gives the position behind them: `from` when the sink has to see the first one.
   */
  pass(chunk: Buffer, from: number, longest: number): number;
  /** Frames the last call took. */
  readonly passed: number;
}

export interface FrameSplitter {
  /** Takes the next bytes of the stream and hands every complete frame to the passer, if there is one, or to the sink. */
  push(chunk: Buffer, sink: FrameSink, passer?: FramePasser): void;
  /** Declares the end of the stream; throws when it is inside a frame. */
  finish(): void;
  /** Frames handed out so far. */
  readonly count: number;
  /** Stream offset of the first byte not yet handed out. */
  readonly offset: number;
}

export function frameSplitter(maxFrameBytes = DEFAULT_MAX_FRAME_BYTES): FrameSplitter {
  /** Start of a frame of which more is to come; its first `carried` bytes are filled. */
  let carry: Buffer = Buffer.allocUnsafe(64 * 1024);
  let carried = 0;
  /** Whole length of the carried frame, prefix included; 0 while its prefix is incomplete. */
  let wanted = 0;
  let count = 0;
  let offset = 0;
  let prefixBytes = 0;

  /** Reads the prefix at `pos`. Returns the body length or -1 when the prefix is cut by `end`. */
  function prefix(buf: Buffer, pos: number, end: number): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 5; i++) {
      if (pos + i >= end) return -1;
      const b = buf[pos + i];
      value += (b & 0x7f) * scale;
      if (b < 0x80) {
        prefixBytes = i + 1;
        return checked(value);
      }
      scale *= 128;
    }
    throw new AcsError('FRAME_PREFIX_TOO_LONG', 'a length prefix is longer than 5 bytes', {
      ...here(),
      expected: 'a varint of at most 5 bytes',
      found: buf.subarray(pos, pos + 5).toString('hex'),
      hint: 'this is no snapshot record; `acs recover` saves the records around the damage',
    });
  }

  function here() {
    return { stream: 'inflated' as const, byteOffset: offset, record: count };
  }

  function checked(length: number): number {
    if (length === 0) {
      throw new AcsError('FRAME_EMPTY', 'a record has length 0', {
        ...here(),
        expected: 'a versioned envelope of at least 2 bytes',
        found: '0 bytes',
        hint: 'this is no snapshot record; `acs recover` saves the records around the damage',
      });
    }
    if (length > maxFrameBytes) {
      throw new AcsError('FRAME_TOO_LONG', 'a record claims more bytes than allowed', {
        ...here(),
        expected: `at most ${maxFrameBytes} bytes`,
        found: `${length} bytes`,
        hint: 'a damaged length prefix looks like this; if the record is genuine raise --max-record-bytes',
      });
    }
    return length;
  }

  function keep(chunk: Buffer, from: number, to: number): void {
    const need = carried + to - from;
    if (need > carry.length) {
      const grown = Buffer.allocUnsafe(Math.max(need, Math.min(wanted, carry.length * 4)));
      carry.copy(grown, 0, 0, carried);
      carry = grown;
    }
    chunk.copy(carry, carried, from, to);
    carried += to - from;
  }

  return {
    push(chunk, sink, passer) {
      let pos = 0;
      const end = chunk.length;
      while (carried > 0) {
        if (wanted === 0) {
          if (pos === end) return;
          keep(chunk, pos, pos + 1);
          pos++;
          const length = prefix(carry, 0, carried);
          if (length < 0) continue;
          wanted = prefixBytes + length;
          continue;
        }
        const missing = wanted - carried;
        const available = Math.min(missing, end - pos);
        keep(chunk, pos, pos + available);
        pos += available;
        if (carried < wanted) return;
        const whole = wanted;
        prefix(carry, 0, carried);
        carried = 0;
        wanted = 0;
        sink(carry, 0, prefixBytes, whole, offset);
        count++;
        offset += whole;
        if (carry.length > 4 << 20) carry = Buffer.allocUnsafe(64 * 1024);
      }
      while (pos < end) {
        if (passer !== undefined) {
          const to = passer.pass(chunk, pos, maxFrameBytes);
          count += passer.passed;
          offset += to - pos;
          pos = to;
          if (pos === end) return;
        }
        const length = prefix(chunk, pos, end);
        const bodyStart = pos + prefixBytes;
        if (length < 0 || length > end - bodyStart) {
          wanted = length < 0 ? 0 : prefixBytes + length;
          keep(chunk, pos, end);
          return;
        }
        sink(chunk, pos, bodyStart, bodyStart + length, offset);
        count++;
        offset += bodyStart + length - pos;
        pos = bodyStart + length;
      }
    },
    finish() {
      if (carried === 0) return;
      throw new AcsError('FRAME_TRUNCATED', 'the stream ends inside a record', {
        ...here(),
        expected: wanted === 0 ? 'the rest of a length prefix' : `a record of ${wanted} bytes`,
        found: `${carried} bytes`,
        hint: 'the file is incomplete; fetch it again, or save the whole records with `acs recover`',
      });
    },
    get count() {
      return count;
    },
    get offset() {
      return offset;
    },
  };
}
