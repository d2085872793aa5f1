/**
 * Checking stretches on several threads. What they find is handed on in file order, so that no run differs from another;
 * a stretch is checked on this thread when all others have enough to do.
 */
import { Worker } from 'node:worker_threads';
import type { Package } from '../dar/type.js';
import { threadProgram } from '../io/threadProgram.js';
import { STRETCH_BYTES, type Stretch } from './stretch.js';
import type { CheckTotals, StretchChecker, StretchResult } from './stretchChecker.js';

export interface CheckThreadData {
  sample: number;
  /** Present when contract ids are to be checked. */
  packages?: Package[];
}

export type ToCheckThread = { kind: 'stretch'; order: number; stretch: Stretch } | { kind: 'finish' };

export type FromCheckThread =
  | { kind: 'checked'; order: number; bytes: ArrayBuffer; result: StretchResult }
  | { kind: 'end'; totals: CheckTotals };

export interface CheckThreads {
  /** Has a stretch checked. Throws what a thread failed with. */
  check(stretch: Stretch): void;
  /**
   * To be awaited now and then: after work on this thread it gives way to the reader and to the other threads' answers, who
   * would otherwise wait until nothing is left to do here.
   */
  rest(): Promise<void> | undefined;
  /** An empty buffer for a stretch. */
  buffer(): ArrayBuffer;
  /** Waits for all work; gives the totals of every thread, this one's first. */
  finish(): Promise<CheckTotals[]>;
  /** Ends the threads, whatever they are doing. */
  close(): Promise<void>;
}

/** Stretches a thread may have waiting. */
const WAITING = 6;

interface CheckThread {
  worker: Worker;
  waiting: number;
}

/**
 * Checks on up to `count` further threads, which start when there is more than one stretch. `own` checks on this thread;
 * `take` gets the results in file order.
 */
export function startCheckThreads(
  count: number,
  data: CheckThreadData,
  own: StretchChecker,
  take: (result: StretchResult) => void,
): CheckThreads {
  const spare: ArrayBuffer[] = [];
  const totals: CheckTotals[] = [];
  /** Results that wait for the one before them. */
  const early = new Map<number, StretchResult>();
  let given = 0;
  let taken = 0;
  let failure: Error | undefined;
  /** Something was checked on this thread since the last turn of its event loop. */
  let tired = false;
  let settle: (() => void) | undefined;

  function fail(error: Error): void {
    failure ??= error;
    settle?.();
  }

  function deliver(order: number, result: StretchResult): void {
    early.set(order, result);
    for (let next = early.get(taken); next !== undefined; next = early.get(taken)) {
      early.delete(taken++);
      take(next);
    }
  }

  const threads: CheckThread[] = [];

  function start(): CheckThread {
    const worker = new Worker(threadProgram(import.meta.url, 'checkWorker'), { workerData: data });
    const thread = { worker, waiting: 0 };
    // A fault of the program: what is wrong with the file is in the results.
    worker.on('error', fail);
    worker.on('exit', (code) => fail(new Error(`a checking thread ended with status ${code}`)));
    worker.on('message', (message: FromCheckThread) => {
      if (message.kind === 'end') {
        totals.push(message.totals);
        settle?.();
      } else {
        thread.waiting--;
        if (message.bytes.byteLength === STRETCH_BYTES) spare.push(message.bytes);
        deliver(message.order, message.result);
      }
    });
    // A run that fails elsewhere must not be kept alive by idle threads.
    worker.unref();
    return thread;
  }

  return {
    check(stretch) {
      if (failure !== undefined) throw failure;
      const order = given++;
      while (order > 0 && threads.length < count) threads.push(start());
      let thread: CheckThread | undefined;
      for (const other of threads) if (other.waiting < (thread?.waiting ?? WAITING)) thread = other;
      if (thread === undefined) {
        deliver(order, own.check(stretch));
        tired = true;
        if (stretch.bytes.byteLength === STRETCH_BYTES) spare.push(stretch.bytes);
        return;
      }
      thread.waiting++;
      const message: ToCheckThread = { kind: 'stretch', order, stretch };
      thread.worker.postMessage(message, [stretch.bytes]);
    },
    buffer: () => spare.pop() ?? new ArrayBuffer(STRETCH_BYTES),
    rest() {
      if (!tired) return undefined;
      tired = false;
      return new Promise((done) => setImmediate(done));
    },
    async finish() {
      for (const { worker } of threads) {
        worker.ref();
        worker.postMessage({ kind: 'finish' } satisfies ToCheckThread);
      }
      await new Promise<void>((done) => {
        settle = () => {
          if (failure !== undefined || totals.length === threads.length) done();
        };
        settle();
      });
      if (failure !== undefined) throw failure;
      return [own.totals(), ...totals];
    },
    async close() {
      await Promise.all(
        threads.map(({ worker }) => {
          worker.removeAllListeners('exit');
          return worker.terminate();
        }),
      );
    },
  };
}
