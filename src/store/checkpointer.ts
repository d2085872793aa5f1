/**
 * Copies committed pages from the write-ahead log into the store in a thread of its own, while the writer goes on with
 * the next batch. A commit is durable in the log before anything is copied, so nothing hangs on this thread: when it
 * fails or is killed, the log is copied later.
 */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { AUTOMATIC_PAGES, type Db } from './open.js';

/** Pages in the log beyond which the writer waits for the copying: 256 MB. */
const MAX_LOG_PAGES = 32_000;

export interface Checkpointer {
  /** A batch was committed. The thread starts with the first one. */
  committed(): void;
  /** Ends the thread. The writer may then checkpoint itself. */
  stop(): Promise<void>;
}

/** One message from the writer is one checkpoint; messages that pile up meanwhile are answered by one. */
const CODE = `
const { parentPort, workerData } = require('node:worker_threads');
const Database = require(workerData.driver);
const db = new Database(workerData.path, { fileMustExist: true });
db.pragma('synchronous = FULL');
parentPort.on('message', (message) => {
  if (message === 'stop') {
    db.close();
    parentPort.close();
    return;
  }
  try {
    db.pragma('wal_checkpoint(PASSIVE)');
  } catch {
    // The writer meets the same fault when it checkpoints at its end, and reports it.
  }
  parentPort.postMessage('done');
});
`;

export function checkpointer(path: string, db: Db): Checkpointer {
  let worker: Worker | undefined;
  let ended: Promise<void> | undefined;
  let busy = false;
  let again = false;

  function start(): Worker {
    const started = new Worker(CODE, {
      eval: true,
      workerData: { path, driver: createRequire(import.meta.url).resolve('better-sqlite3') },
    });
    started.unref();
    started.on('message', () => {
      busy = again;
      if (again) started.postMessage('go');
      again = false;
    });
    ended = new Promise((resolve) => {
      started.once('exit', () => {
        // Without the thread the writer checkpoints as SQLite does by itself.
        if (db.open) db.pragma(`wal_autocheckpoint = ${AUTOMATIC_PAGES}`);
        resolve();
      });
    });
    started.on('error', () => {
      // What it met the writer meets when it checkpoints, and reports.
    });
    db.pragma(`wal_autocheckpoint = ${MAX_LOG_PAGES}`);
    return started;
  }

  return {
    committed() {
      worker ??= start();
      if (busy) again = true;
      else {
        busy = true;
        worker.postMessage('go');
      }
    },
    async stop() {
      worker?.ref();
      worker?.postMessage('stop');
      await ended;
    },
  };
}
