/**
 * A queue between reading a snapshot and storing it: frames are copied into batches, a thread of its own drafts the events
 * in them (see {@link frameDrafter}), and what comes back is handed over in the order in which it was read. When the
 * thread has enough to do this thread drafts too; a short snapshot never starts it. No run differs in what is stored.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { threadProgram } from '../io/threadProgram.js';
import { alignedPlace, WORD } from '../wire/sharedCopy.js';
import { type FrameDrafter, frameDrafter, SPAN_WIDTH } from './draftFrames.js';
import { type DraftNames, draftNames } from './draftNames.js';

/** Memory of a batch is shared and used again: handing it over and back would have it collected as garbage each time. */
export interface ToDraftWorker {
  batch: SharedArrayBuffer;
  spans: Int32Array<SharedArrayBuffer>;
  count: number;
}

export interface FromDraftWorker {
  drafts: Float64Array<ArrayBuffer>;
}

/** A frame on its way to being stored. Positions are into its batch. */
export interface QueuedFrame {
  start: number;
  bodyStart: number;
  end: number;
  /** For the caller: where it was read. */
  index: number;
  place: number;
}

/** The drafts of a batch. Whoever takes a message (a frame, an update) moves `next` behind its drafts. */
export interface BatchDrafts {
  numbers: Float64Array;
  names: DraftNames;
  /** Where the first draft of the next message is in `numbers`. */
  next: number;
  /** End of the last message of the batch. */
  end: number;
}

/** Gets a frame, valid during the call. */
export type TakeFrame = (frame: QueuedFrame, batch: Buffer, drafts: BatchDrafts) => void;

export interface DraftQueue {
  /** Takes a copy of a frame; its body begins at `bodyStart`. */
  add(buf: Buffer, start: number, bodyStart: number, end: number, index: number, place: number): void;
  /** Hands over what is drafted; waits when much is not. Await it once per chunk of input. */
  ready(): Promise<void>;
  /** Hands over everything. */
  drain(): Promise<void>;
  /** Ends the thread. */
  close(): Promise<void>;
}

export const DRAFT_BATCH_BYTES = 1 << 20;
/** Batches the thread may have waiting. */
const WAITING_BATCHES = 3;
/** Batches drafted here before the thread is started. */
const BATCHES_HERE = 2;

interface Job {
  batch: Batch;
  frames: QueuedFrame[];
  drafts: Float64Array | undefined;
  names: DraftNames;
  /** Called once the drafts are there. */
  wake: (() => void) | undefined;
}

interface Batch {
  bytes: Buffer;
  memory: SharedArrayBuffer;
  spans: Int32Array<SharedArrayBuffer>;
}

function newBatch(bytes: number): Batch {
  const memory = new SharedArrayBuffer(bytes);
  return { memory, bytes: Buffer.from(memory), spans: newSpans(1024) };
}

function newSpans(frames: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(frames * SPAN_WIDTH * Int32Array.BYTES_PER_ELEMENT));
}

export function draftQueue(take: TakeFrame, batchBytes = DRAFT_BATCH_BYTES): DraftQueue {
  const threadable = availableParallelism() > 1;
  const spare: Batch[] = [];
  /** In the order of the input; those at the front may be done. */
  const jobs: Job[] = [];
  /** Those the thread has. */
  const away: Job[] = [];
  const namesHere = draftNames();
  const namesThere = draftNames();
  let draftHere: FrameDrafter | undefined;
  let batch = newBatch(batchBytes);
  let end = 0;
  let frames: QueuedFrame[] = [];
  let sent = 0;
  let worker: Worker | undefined;
  let failure: Error | undefined;

  const fail = (error: Error): void => {
    failure ??= error;
    for (const job of jobs) job.wake?.();
  };

  function start(): Worker {
    const started = new Worker(threadProgram(import.meta.url, 'draftWorker'));
    started.on('error', fail);
    started.on('exit', (code) => fail(new Error(`a thread of the store ended with status ${code}`)));
    started.on('message', (message: FromDraftWorker) => {
      const job = away.shift() as Job;
      job.drafts = message.drafts;
      job.wake?.();
    });
    return started;
  }

  function send(): void {
    const count = frames.length;
    if (count === 0) return;
    const job: Job = { batch, frames, drafts: undefined, names: namesThere, wake: undefined };
    jobs.push(job);
    if (!threadable || sent++ < BATCHES_HERE || away.length >= WAITING_BATCHES) {
      draftHere ??= frameDrafter();
      job.drafts = draftHere(batch.bytes, batch.spans, count);
      job.names = namesHere;
    } else {
      worker ??= start();
      away.push(job);
      worker.postMessage({ batch: batch.memory, spans: batch.spans, count } satisfies ToDraftWorker);
    }
    batch = spare.pop() ?? newBatch(batchBytes);
    frames = [];
    end = 0;
  }

  function forget(): void {
    jobs.length = 0;
    frames = [];
    end = 0;
  }

  /** Hands over the first job, once its drafts are there. */
  async function takeFirst(): Promise<void> {
    const [job] = jobs;
    if (job.drafts === undefined && failure === undefined) {
      await new Promise<void>((wake) => {
        job.wake = wake;
      });
    }
    if (job.drafts === undefined) {
      forget();
      throw failure;
    }
    jobs.shift();
    const { bytes } = job.batch;
    const { end: itsEnd } = job.frames[job.frames.length - 1];
    const drafts: BatchDrafts = { numbers: job.drafts, names: job.names, next: 0, end: itsEnd };
    try {
      for (const frame of job.frames) take(frame, bytes, drafts);
    } catch (error) {
      // Nothing after it counts.
      forget();
      throw error;
    }
    if (job.batch.bytes.length === batchBytes) spare.push(job.batch);
  }

  return {
    add(buf, from, bodyFrom, to, index, place) {
      const size = to - from;
      let start = alignedPlace(end, buf, from);
      if (start + size > batch.bytes.length) {
        send();
        if (size + WORD > batch.bytes.length) batch = newBatch(size + WORD);
        start = alignedPlace(end, buf, from);
      }
      const at = frames.length * SPAN_WIDTH;
      if (at + SPAN_WIDTH > batch.spans.length) {
        const grown = newSpans(2 * frames.length);
        grown.set(batch.spans);
        batch.spans = grown;
      }
      const { bytes, spans } = batch;
      const bodyStart = start + bodyFrom - from;
      bytes.set(buf.subarray(from, to), start);
      end = start + size;
      spans[at] = start;
      spans[at + 1] = bodyStart;
      spans[at + 2] = end;
      frames.push({ start, bodyStart, end, index, place });
    },
    async ready() {
      const most = 2 * WAITING_BATCHES;
      while (jobs.length > 0 && (jobs.length > most || jobs[0].drafts !== undefined)) await takeFirst();
    },
    async drain() {
      send();
      while (jobs.length > 0) await takeFirst();
    },
    async close() {
      worker?.removeAllListeners('exit');
      await worker?.terminate();
    },
  };
}
