/**
 * Inflating a raw deflate stream from anywhere in a file, up to its end, the end of a range, or the first byte that
 * zlib refuses; everything that could be inflated before that is handed out.
 */
import { createInflateRaw } from 'node:zlib';
import type { ByteSource } from './byteSource.js';

/** Bytes fed to zlib at once; where damage was found first smaller feeds, then single bytes, find its place. */
const FEED_BYTES = 256 * 1024;
const SMALL_FEED_BYTES = 2 * 1024;
const READ_BYTES = 1 << 20;

export interface DeflateRun {
  /** `end`: the final block was reached. `cut`: the range ended before. `stopped`: by the sink. */
  outcome: 'end' | 'damaged' | 'cut' | 'stopped';
  /** Offset in the file behind the last byte used; of the refused byte when damaged. */
  end: number;
  inflatedBytes: number;
  /** What zlib said. */
  message?: string;
}

export interface DeflateRange {
  /** First byte of the deflate stream. */
  start: number;
  /** Byte behind the range. */
  limit: number;
}

/**
 * Hands inflated bytes to the sink, which may be asynchronous and returns false to stop. In a damaged stream `end` is
 * the beginning of the refused feed, and what this feed gave is missing: from `fineFrom` on feeds are single bytes, so
 * that nothing is missing; from `smallFrom` on they are small.
 */
export async function runDeflate(
  source: ByteSource,
  range: DeflateRange,
  sink: (bytes: Buffer) => unknown,
  options: { smallFrom?: number; fineFrom?: number } = {},
): Promise<DeflateRun> {
  /** Where feeds become smaller, and to which size. */
  const borders = [
    { from: options.smallFrom ?? Number.POSITIVE_INFINITY, bytes: SMALL_FEED_BYTES },
    { from: options.fineFrom ?? Number.POSITIVE_INFINITY, bytes: 1 },
  ];
  const feedAt = (position: number): number => {
    let bytes = FEED_BYTES;
    for (const border of borders) {
      if (position >= border.from) bytes = border.bytes;
      else bytes = Math.min(bytes, border.from - position);
    }
    return bytes;
  };
  const inflater = createInflateRaw({ chunkSize: 256 * 1024 });
  let output: Buffer[] = [];
  let ended = false;
  let failure: Error | undefined;
  inflater.on('data', (chunk: Buffer) => output.push(chunk));
  inflater.on('end', () => {
    ended = true;
  });
  inflater.on('error', (error) => {
    failure = error;
  });
  const fed = (bytes: Buffer): Promise<void> =>
    new Promise((done) => {
      const settle = (): void => {
        inflater.off('close', settle);
        done();
      };
      inflater.once('close', settle);
      inflater.write(bytes, (error) => {
        if (error) failure ??= error;
        settle();
      });
    });
  let inflatedBytes = 0;
  let position = range.start;
  const handOut = async (): Promise<boolean> => {
    const chunks = output;
    output = [];
    for (const chunk of chunks) {
      inflatedBytes += chunk.length;
      if ((await sink(chunk)) === false) return false;
    }
    return true;
  };
  try {
    let window: Buffer = Buffer.alloc(0);
    let windowStart = position;
    while (position < range.limit) {
      if (position >= windowStart + window.length) {
        window = await source.read(position, Math.min(READ_BYTES, range.limit - position));
        windowStart = position;
        if (window.length === 0) break;
      }
      const bytes = window.subarray(position - windowStart, position - windowStart + feedAt(position));
      await fed(bytes);
      if (failure !== undefined) {
        // The chunk with the damage may have given output before it: that output is not reliable in amount.
        return { outcome: 'damaged', end: position, inflatedBytes, message: failure.message };
      }
      const going = await handOut();
      position += bytes.length;
      const used = range.start + inflater.bytesWritten;
      if (ended || used < position) return { outcome: 'end', end: used, inflatedBytes };
      if (!going) return { outcome: 'stopped', end: position, inflatedBytes };
    }
    // At the end of the range zlib says whether its stream was complete.
    await new Promise<void>((done) => {
      inflater.once('close', done);
      inflater.once('end', done);
      inflater.once('error', () => done());
      inflater.end();
    });
    await handOut();
    const complete = failure === undefined;
    return { outcome: complete ? 'end' : 'cut', end: position, inflatedBytes };
  } finally {
    inflater.destroy();
  }
}

/** Like {@link runDeflate}, for a stream that may be damaged: finds the damaged byte, handing out nothing. */
export async function surveyDeflate(
  source: ByteSource,
  range: DeflateRange,
  sink: (bytes: Buffer) => unknown = () => undefined,
): Promise<DeflateRun & { fineFrom?: number }> {
  const first = await runDeflate(source, range, sink);
  if (first.outcome !== 'damaged') return first;
  const nearer = await runDeflate(source, range, () => undefined, { smallFrom: first.end });
  const again = await runDeflate(source, range, () => undefined, { fineFrom: nearer.end });
  return { ...again, fineFrom: nearer.end };
}
