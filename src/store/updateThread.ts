/**
 * Reading updates on a thread of its own: it inflates an input, cuts it into messages, copies them into batches and drafts
 * them while they are at hand (see {@link updateDrafter}); this thread stores what comes back, in the order of the input.
 * Batches are memory that both threads share, filled in turn.
 */
import { setImmediate as breath } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { threadEnder } from '../io/endThread.js';
import { receiveError, type SentError } from '../io/threadError.js';
import { threadProgram } from '../io/threadProgram.js';
import { draftNames } from './draftNames.js';
import { type BatchDrafts, DRAFT_BATCH_BYTES } from './draftQueue.js';

/** Batches the thread may fill before the first comes back: it has enough to do while a transaction is committed. */
export const UPDATE_BATCHES = 16;
/** Chunks of an input that wait for the thread. */
const CHUNKS_AHEAD = 4;
/** Batches that are stored one after the other when they are there. */
const BATCHES_PER_BREATH = 4;
/** Numbers per message in the list of what a batch holds: start, end, place. */
export const UPDATE_SPAN = 3;

export interface UpdateThreadData {
  batchBytes: number;
}

export type ToUpdateThread =
  /** An input begins; `name` is for errors. */
  | { kind: 'open'; name: string; maxMessageBytes: number | undefined }
  | { kind: 'chunk'; chunk: Uint8Array<ArrayBuffer> }
  | { kind: 'end' }
  /** The input makes us wait: the batch goes as it is. */
  | { kind: 'waiting' }
  /** Reading the input failed: what was read before counts. */
  | { kind: 'broken' }
  /** The oldest batch was stored. */
  | { kind: 'free' }
  /** Nothing more is wanted. */
  | { kind: 'stop' };

/** Shared: used again. */
export interface UpdateBatch {
  memory: SharedArrayBuffer;
  spans: Float64Array<SharedArrayBuffer>;
  drafts: Float64Array<SharedArrayBuffer>;
}

export type FromUpdateThread =
  | { kind: 'batch'; batch: UpdateBatch; messages: number; firstIndex: number }
  /** All that came before `waiting` has been sent. */
  | { kind: 'waiting' }
  /** A chunk was taken. */
  | { kind: 'taken' }
  | { kind: 'end'; error: SentError | undefined };

/** An update on its way to being stored. Positions are into its batch. */
export interface ReadMessage {
  start: number;
  end: number;
  /** Where it was read, see `locateMessage`. */
  index: number;
  place: number;
}

/** Stores the messages of a batch, which is valid during the call. */
export type TakeBatch = (batch: Buffer, messages: Iterable<ReadMessage>, drafts: BatchDrafts) => void;

export interface UpdateThread {
  /**
   * Hands over the messages of an input; then an error that reading met is thrown. With `give` the memory of the chunks
   * goes to the thread.
   */
  read(
    name: string,
    chunks: AsyncIterable<Buffer | 'waiting'>,
    give: boolean,
    maxMessageBytes: number | undefined,
    take: { batch: TakeBatch; waiting(): void },
  ): Promise<void>;
  close(): Promise<void>;
}

export function updateThread(batchBytes = DRAFT_BATCH_BYTES): UpdateThread {
  const worker = new Worker(threadProgram(import.meta.url, 'updateWorker'), {
    workerData: { batchBytes } satisfies UpdateThreadData,
  });
  const end = threadEnder(worker);
  const names = draftNames();
  const arrived: Exclude<FromUpdateThread, { kind: 'taken' }>[] = [];
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  let untaken = 0;
  let wakePump: (() => void) | undefined;
  let stopped = false;
  const post = (message: ToUpdateThread, given: ArrayBuffer[] = []): void =>
    worker.postMessage(message, given);
  const fail = (error: Error): void => {
    failure ??= error;
    stopped = true;
    wake?.();
    wakePump?.();
  };
  worker.on('error', fail);
  const unexpected = (code: number): void =>
    fail(new Error(`a thread of the store ended with status ${code}`));
  worker.on('exit', unexpected);
  worker.on('message', (message: FromUpdateThread) => {
    if (message.kind === 'taken') {
      untaken--;
      wakePump?.();
    } else {
      arrived.push(message);
      wake?.();
    }
  });

  async function pump(chunks: AsyncIterable<Buffer | 'waiting'>, give: boolean): Promise<void> {
    for await (const chunk of chunks) {
      if (stopped) return;
      if (chunk === 'waiting') {
        post({ kind: 'waiting' });
        continue;
      }
      untaken++;
      const own = give ? (chunk as Uint8Array<ArrayBuffer>) : new Uint8Array(chunk);
      post({ kind: 'chunk', chunk: own }, [own.buffer]);
      while (untaken >= CHUNKS_AHEAD && !stopped) {
        await new Promise<void>((done) => {
          wakePump = done;
        });
      }
    }
    post({ kind: 'end' });
  }

  async function next(): Promise<Exclude<FromUpdateThread, { kind: 'taken' }>> {
    for (;;) {
      const message = arrived.shift();
      if (message !== undefined) return message;
      if (failure !== undefined) throw failure;
      await new Promise<void>((done) => {
        wake = done;
      });
    }
  }

  async function handOver(take: { batch: TakeBatch; waiting(): void }): Promise<SentError | undefined> {
    let taken = 0;
    for (;;) {
      const message = await next();
      if (message.kind === 'end') return message.error;
      if (message.kind === 'waiting') {
        take.waiting();
        continue;
      }
      const { batch, messages, firstIndex } = message;
      const end = batch.spans[(messages - 1) * UPDATE_SPAN + 1];
      const drafts: BatchDrafts = { numbers: batch.drafts, names, next: 0, end };
      take.batch(Buffer.from(batch.memory), messagesOf(batch.spans, messages, firstIndex), drafts);
      post({ kind: 'free' });
      // Reading the input goes on in between; a turn of the loop costs as much as some thirty events.
      if (arrived.length === 0 || ++taken % BATCHES_PER_BREATH === 0) await breath();
    }
  }

  return {
    async read(name, chunks, give, maxMessageBytes, take) {
      post({ kind: 'open', name, maxMessageBytes });
      let broken: { error: unknown } | undefined;
      const pumped = pump(chunks, give).catch((error) => {
        broken = { error };
        post({ kind: 'broken' });
      });
      let error: SentError | undefined;
      try {
        error = await handOver(take);
      } finally {
        stopped = true;
        wakePump?.();
        await pumped;
      }
      stopped = false;
      if (broken !== undefined) throw (broken as { error: unknown }).error;
      if (error !== undefined) throw receiveError(error);
    },
    async close() {
      worker.removeListener('exit', unexpected);
      await end({ kind: 'stop' } satisfies ToUpdateThread);
    },
  };
}

function* messagesOf(spans: Float64Array, count: number, firstIndex: number): Generator<ReadMessage> {
  const message: ReadMessage = { start: 0, end: 0, index: 0, place: 0 };
  for (let i = 0, at = 0; i < count; i++, at += UPDATE_SPAN) {
    message.start = spans[at];
    message.end = spans[at + 1];
    message.place = spans[at + 2];
    message.index = firstIndex + i;
    yield message;
  }
}
