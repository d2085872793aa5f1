/** Pulls bytes from a sequence of chunks in whatever portions a decoder wants, and takes back what it did not use. */

const EMPTY = Buffer.alloc(0);

export interface ByteQueue {
  /** Bytes handed out so far: the offset of the next byte in the source. */
  readonly offset: number;
  /** Exactly `n` bytes, or fewer at the end of the source. */
  take(n: number): Promise<Buffer>;
  /** Like {@link take}, but the bytes stay in the queue. */
  peek(n: number): Promise<Buffer>;
  /** The next chunk of whatever size, or undefined at the end. */
  next(): Promise<Buffer | undefined>;
  /** Gives bytes back to the front. */
  unread(bytes: Buffer): void;
  /** Releases the source. */
  close(): Promise<void>;
}

export function byteQueue(source: AsyncIterable<Buffer>): ByteQueue {
  const chunks = source[Symbol.asyncIterator]();
  let front: Buffer = EMPTY;
  let offset = 0;
  let ended = false;

  async function fill(n: number): Promise<void> {
    while (front.length < n && !ended) {
      const step = await chunks.next();
      if (step.done) ended = true;
      else front = front.length === 0 ? step.value : Buffer.concat([front, step.value]);
    }
  }

  return {
    get offset() {
      return offset;
    },
    async take(n) {
      await fill(n);
      const taken = front.subarray(0, n);
      front = front.subarray(taken.length);
      offset += taken.length;
      return taken;
    },
    async peek(n) {
      await fill(n);
      return front.subarray(0, n);
    },
    async next() {
      await fill(1);
      if (front.length === 0) return undefined;
      const chunk = front;
      front = EMPTY;
      offset += chunk.length;
      return chunk;
    },
    unread(bytes) {
      if (bytes.length === 0) return;
      front = front.length === 0 ? bytes : Buffer.concat([bytes, front]);
      offset -= bytes.length;
    },
    async close() {
      ended = true;
      front = EMPTY;
      await chunks.return?.();
    },
  };
}
