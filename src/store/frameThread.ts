/**
 * Reading the frames of an answer on a thread of its own, with a connection of its own. They come in blocks of memory
 * that both threads share: the reader fills one while the others are being written.
 */
import { Worker } from 'node:worker_threads';
import { receiveError, type SentError } from '../io/threadError.js';
import { threadProgram } from '../io/threadProgram.js';
import type { Question } from './ask.js';

export const BLOCK_BYTES = 1 << 20;
export const BLOCK_FRAMES = 4096;
export const BLOCKS = 4;

export interface FrameBlock {
  bytes: SharedArrayBuffer;
  /** Where each frame ends. */
  ends: Int32Array<SharedArrayBuffer>;
}

export interface FrameWorkerData {
  path: string;
  question: Question;
  parties: readonly string[] | undefined;
  /** Filled in turn. */
  blocks: FrameBlock[];
  /** One number: blocks the reader may fill. */
  free: Int32Array<SharedArrayBuffer>;
}

export type FromFrameWorker =
  | { kind: 'block'; frames: number }
  /** A frame that is longer than a block. */
  | { kind: 'frame'; frame: Uint8Array<ArrayBuffer> }
  | { kind: 'end' }
  | { kind: 'error'; error: SentError };

/** The frames of a question, block by block; a block is valid until the next is asked for. */
export async function* frameBlocks(
  path: string,
  question: Question,
  parties?: readonly string[],
): AsyncGenerator<Iterable<Buffer>> {
  const blocks = Array.from({ length: BLOCKS }, () => ({
    bytes: new SharedArrayBuffer(BLOCK_BYTES),
    ends: new Int32Array(new SharedArrayBuffer(BLOCK_FRAMES * Int32Array.BYTES_PER_ELEMENT)),
  }));
  const free = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)).fill(BLOCKS);
  const waiting: FromFrameWorker[] = [];
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const worker = new Worker(threadProgram(import.meta.url, 'frameWorker'), {
    workerData: { path, question, parties, blocks, free } satisfies FrameWorkerData,
  });
  const fail = (error: Error): void => {
    failure ??= error;
    wake?.();
  };
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new Error(`the thread reading ${path} ended with status ${code}`)));
  worker.on('message', (message: FromFrameWorker) => {
    waiting.push(message);
    wake?.();
  });
  try {
    for (let turn = 0; ; ) {
      const message = waiting.shift();
      if (message === undefined) {
        if (failure !== undefined) throw failure;
        await new Promise<void>((done) => {
          wake = done;
        });
      } else if (message.kind === 'end') return;
      else if (message.kind === 'error') throw receiveError(message.error);
      else if (message.kind === 'frame') yield [Buffer.from(message.frame.buffer)];
      else {
        yield framesOf(blocks[turn++ % BLOCKS], message.frames);
        Atomics.add(free, 0, 1);
        Atomics.notify(free, 0);
      }
    }
  } finally {
    worker.removeAllListeners('exit');
    await worker.terminate();
  }
}

function* framesOf(block: FrameBlock, frames: number): Generator<Buffer> {
  const bytes = Buffer.from(block.bytes);
  let start = 0;
  for (let i = 0; i < frames; i++) {
    const end = block.ends[i];
    yield bytes.subarray(start, end);
    start = end;
  }
}
