/**
 * Ending a thread that inflates. One that is ended from outside just when it makes its inflater takes the whole process with
 * it (Node 20 aborts), so it is asked to stop, which it hears between two chunks.
 */
import type { Worker } from 'node:worker_threads';

/** A chunk takes milliseconds; what takes this long waits for a file that gives no bytes. */
const PATIENCE_MS = 5000;

/** To be called when the thread is started; what it gives sends `stop` and resolves when the thread is gone. */
export function threadEnder(worker: Worker): (stop: unknown) => Promise<void> {
  const ended = new Promise<void>((done) => worker.once('exit', () => done()));
  return async (stop) => {
    worker.postMessage(stop);
    const patience = setTimeout(() => void worker.terminate(), PATIENCE_MS);
    await ended;
    clearTimeout(patience);
  };
}
