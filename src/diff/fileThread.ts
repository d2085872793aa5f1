/** Reading one snapshot file on a thread of its own: what comes back are rows. */
import { Worker } from 'node:worker_threads';
import { threadEnder } from '../io/endThread.js';
import { AcsError, type Place } from '../io/error.js';
import { meterRead } from '../io/readMeter.js';
import { receiveError, type SentError } from '../io/threadError.js';
import { threadProgram } from '../io/threadProgram.js';
import type { ScanOptions } from '../snapshot/scan.js';
import type { IdPage } from './idLog.js';
import { rowWords } from './row.js';
import type { ThreadSharing } from './sharing.js';
import type { Vocabulary } from './vocabulary.js';
import { type VocabularyPart, vocabularyReceiver } from './vocabularyShare.js';

/** What the thread takes beside the rows: its own program, its buffers and its vocabulary. */
export const FILE_THREAD_MEMORY = 80_000_000;

export interface FileThreadData {
  path: string;
  scan: ScanOptions;
  /** Position of the file among so many inputs. */
  input: number;
  inputs: number;
  /** See `newRowKey`. */
  key: Int32Array;
  partyCapacity: number;
  /** What the threads share, when they do. */
  sharing: ThreadSharing | undefined;
}

export type FromFileThread =
  | ({
      kind: 'rows';
      rows: Int32Array<ArrayBuffer>;
      count: number;
      /** Per row number and inflated offset of its record. */
      places: Float64Array<ArrayBuffer>;
      names: VocabularyPart;
    } & ThreadState)
  | ({ kind: 'state' } & ThreadState)
  | ({
      kind: 'end';
      inFlight: number;
      /** When rows may be dropped: the contracts of all rows sent or dropped. */
      contractIds: IdPage[];
    } & ThreadState)
  | { kind: 'error'; error: SentError };

interface ThreadState {
  /** Since the message before. */
  bytesRead: number;
  contracts: number;
  /** Rows dropped, for every input shows them alike. */
  dropped: number;
}

/** Sent back for every batch of rows taken. */
export const ROWS_TAKEN = 'taken';
/** Sent to a thread whose rows nobody wants any more: it ends at its next chunk. */
export const STOP = 'stop';

export interface ReadFile {
  contracts: number;
  inFlight: number;
  /** See {@link hasDroppedTwice}. */
  contractIds: IdPage[];
}

export interface FileThread {
  /** Resolves after the last row. Rejects with what the thread met, with what its user throws, or when closed. */
  readonly done: Promise<ReadFile>;
  close(): Promise<void>;
}

export interface FileThreadUser {
  /** Takes a row in the vocabulary's numbers. */
  add(words: Int32Array, at: number): void;
  /** Is told of rows dropped, and how many contracts have been read altogether. */
  progress(dropped: number, contracts: number): void;
}

export function startFileThread(
  data: FileThreadData,
  vocabulary: Vocabulary,
  user: FileThreadUser,
): FileThread {
  const worker = new Worker(threadProgram(import.meta.url, 'fileWorker'), {
    workerData: data,
    // It says nothing; each one that could would be one more listener to this process's own streams.
    stdout: true,
    stderr: true,
  });
  const end = threadEnder(worker);
  const names = vocabularyReceiver(vocabulary);
  const words = rowWords(data.inputs);
  let dropped = 0;
  const take = (message: Exclude<FromFileThread, { kind: 'error' }>): void => {
    meterRead(data.path, message.bytesRead);
    if (message.kind === 'rows') {
      names.learn(message.names);
      for (let i = 0; i < message.count; i++) {
        names.translate(message.rows, i * words);
        try {
          user.add(message.rows, i * words);
        } catch (error) {
          if (!(error instanceof AcsError)) throw error;
          const [record, byteOffset] = message.places.subarray(2 * i);
          throw error.locate({ record, byteOffset, stream: 'inflated' } as Place);
        }
      }
      worker.postMessage(ROWS_TAKEN);
    }
    user.progress(message.dropped - dropped, message.contracts);
    dropped = message.dropped;
  };
  let refused = false;
  const done = new Promise<ReadFile>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', (code) =>
      reject(new Error(`the thread reading ${data.path} ended with status ${code}`)),
    );
    worker.on('message', (message: FromFileThread) => {
      if (refused) return;
      try {
        if (message.kind === 'error') throw receiveError(message.error);
        take(message);
        if (message.kind === 'end') resolve(message);
      } catch (error) {
        refused = true;
        reject(error);
        worker.postMessage(STOP);
      }
    });
  });
  done.catch(() => undefined);
  return {
    done,
    async close() {
      refused = true;
      await end(STOP);
    },
  };
}
