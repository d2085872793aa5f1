/**
 * Reading the frames of an answer on a thread of its own, with a connection of its own. They come in blocks, each a piece
 * of the file to be written; the memory of a block goes to and fro between the threads.
 */
import { Worker } from 'node:worker_threads';
import { receiveError, type SentError } from '../io/threadError.js';
import { threadProgram } from '../io/threadProgram.js';
import type { Question } from './ask.js';

/** Blocks the thread may fill before the first comes back: those being deflated, and one that waits. */
export const BLOCKS = 6;

export interface FrameWorkerData {
  path: string;
  question: Question;
  /** One number: blocks that came back. */
  returned: Int32Array<SharedArrayBuffer>;
}

export type FromFrameWorker =
  | { kind: 'block'; bytes: ArrayBuffer; end: number; ends: Int32Array<ArrayBuffer> }
  | { kind: 'end' }
  | { kind: 'error'; error: SentError };

/** Frames side by side, as many as make a piece; the last block may hold fewer. */
export interface FrameBlock {
  bytes: Buffer;
  /** Where each frame ends. */
  ends: Int32Array;
  /** Gives the memory back: the block is no longer read. */
  release(): void;
}

/** The frames of a question, block by block. The thread waits for blocks to be released. */
export async function* frameBlocks(path: string, question: Question): AsyncGenerator<FrameBlock> {
  const returned = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const waiting: FromFrameWorker[] = [];
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const worker = new Worker(threadProgram(import.meta.url, 'frameWorker'), {
    workerData: { path, question, returned } satisfies FrameWorkerData,
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
  const release = (memory: ArrayBuffer): void => {
    worker.postMessage(memory, [memory]);
    Atomics.add(returned, 0, 1);
    Atomics.notify(returned, 0);
  };
  try {
    for (;;) {
      const message = waiting.shift();
      if (message === undefined) {
        if (failure !== undefined) throw failure;
        await new Promise<void>((done) => {
          wake = done;
        });
      } else if (message.kind === 'end') return;
      else if (message.kind === 'error') throw receiveError(message.error);
      else {
        const { bytes, end, ends } = message;
        yield { bytes: Buffer.from(bytes, 0, end), ends, release: () => release(bytes) };
      }
    }
  } finally {
    worker.removeAllListeners('exit');
    await worker.terminate();
  }
}
