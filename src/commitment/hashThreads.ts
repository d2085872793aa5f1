/**
 * Hashing on further threads. Every thread sums into states of its own; since states add up lane by lane (commitments
 * spec, section 1.1), the sum at the end does not depend on which thread took which change.
 */
import { Worker } from 'node:worker_threads';
import { threadProgram } from '../io/threadProgram.js';
import { BATCH_BYTES, MAX_BATCH_ELEMENT_BYTES, packChange, runBatch } from './elementBatch.js';
import type { EngineKind, Expansion, LtHashEngine } from './ltHashEngine.js';
import { LTHASH_BYTES } from './lthash16.js';

export interface HashThreadData {
  expansion: Expansion;
  kind: EngineKind;
}

export type ToHashThread = { kind: 'batch'; batch: ArrayBuffer; end: number } | { kind: 'finish' };

export type FromHashThread =
  | { kind: 'done'; batch: ArrayBuffer }
  | { kind: 'states'; slots: number[]; states: Uint8Array }
  | { kind: 'end' };

export interface HashThreads {
  /** As {@link LtHashEngine.change}, on whichever thread is free; on this one when all have enough to do. */
  change(slot: number, element: Uint8Array, sign: 1 | -1): void;
  /** Waits for all work, adds the threads' states to the engine and ends the threads. */
  finish(): Promise<void>;
  /** Ends the threads without their results. */
  abandon(): Promise<void>;
}

/** Batches a thread may have waiting. */
const WAITING_BATCHES = 3;

interface HashThread {
  worker: Worker;
  waiting: number;
}

/** Starts `count` threads that hash for `engine`. */
export function startHashThreads(engine: LtHashEngine, expansion: Expansion, count: number): HashThreads {
  const spare: ArrayBuffer[] = [];
  let batch = Buffer.from(new ArrayBuffer(BATCH_BYTES));
  let end = 0;
  let failure: Error | undefined;
  /** Set while {@link finish} waits for the threads. */
  let settle: { done: () => void; failed: (error: Error) => void } | undefined;
  let running = count;

  const fail = (error: Error): void => {
    failure ??= error;
    settle?.failed(failure);
  };
  const threads: HashThread[] = Array.from({ length: count }, () => {
    const data: HashThreadData = { expansion, kind: engine.kind };
    const thread: HashThread = {
      worker: new Worker(threadProgram(import.meta.url, 'hashWorker'), { workerData: data }),
      waiting: 0,
    };
    thread.worker.on('error', fail);
    thread.worker.on('exit', (code) => {
      if (code !== 0) fail(new Error(`a hash thread ended with status ${code}`));
    });
    thread.worker.on('message', (message: FromHashThread) => {
      if (message.kind === 'done') {
        thread.waiting--;
        spare.push(message.batch);
      } else if (message.kind === 'states') {
        message.slots.forEach((slot, i) => {
          engine.combine(slot, message.states.subarray(i * LTHASH_BYTES, (i + 1) * LTHASH_BYTES), 1);
        });
      } else if (--running === 0) settle?.done();
    });
    return thread;
  });

  const send = (): void => {
    if (end === 0) return;
    let thread = threads[0]!;
    for (const other of threads) if (other.waiting < thread.waiting) thread = other;
    if (thread.waiting >= WAITING_BATCHES) {
      runBatch(engine, batch, end, (slot) => slot);
    } else {
      thread.waiting++;
      const buffer = batch.buffer as ArrayBuffer;
      thread.worker.postMessage({ kind: 'batch', batch: buffer, end } satisfies ToHashThread, [buffer]);
      batch = Buffer.from(spare.pop() ?? new ArrayBuffer(BATCH_BYTES));
    }
    end = 0;
  };

  const terminate = async (): Promise<void> => {
    await Promise.all(
      threads.map(({ worker }) => {
        worker.removeAllListeners('exit');
        return worker.terminate();
      }),
    );
  };

  return {
    change(slot, element, sign) {
      if (element.length > MAX_BATCH_ELEMENT_BYTES) {
        engine.change(slot, element, sign);
        return;
      }
      let next = packChange(batch, end, slot, element, sign);
      if (next < 0) {
        send();
        next = packChange(batch, end, slot, element, sign);
      }
      end = next;
    },
    async finish() {
      runBatch(engine, batch, end, (slot) => slot);
      end = 0;
      try {
        await new Promise<void>((done, failed) => {
          settle = { done, failed };
          if (failure !== undefined) failed(failure);
          for (const { worker } of threads) worker.postMessage({ kind: 'finish' } satisfies ToHashThread);
        });
      } finally {
        await terminate();
      }
    },
    abandon: terminate,
  };
}
