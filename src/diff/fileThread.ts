/** Reading one snapshot file on a thread of its own: what comes back are rows. */
import { Worker } from 'node:worker_threads';
import { AcsError, type Place } from '../io/error.js';
import { meterRead } from '../io/readMeter.js';
import { receiveError, type SentError } from '../io/threadError.js';
import { threadProgram } from '../io/threadProgram.js';
import type { ScanOptions } from '../snapshot/scan.js';
import { rowWords, type Vocabulary } from './fingerprint.js';
import { type VocabularyPart, vocabularyReceiver } from './vocabularyShare.js';

/** What the thread takes beside the rows: its own program, two buffers and its vocabulary. */
export const FILE_THREAD_MEMORY = 60_000_000;

export interface FileThreadData {
  path: string;
  scan: ScanOptions;
  /** Position of the file among so many inputs. */
  input: number;
  inputs: number;
  /** See `newRowKey`. */
  key: Int32Array;
  partyCapacity: number;
}

export type FromFileThread =
  | {
      kind: 'rows';
      rows: Int32Array<ArrayBuffer>;
      count: number;
      /** Per row number and inflated offset of its record. */
      places: Float64Array<ArrayBuffer>;
      names: VocabularyPart;
      bytesRead: number;
      contracts: number;
    }
  | { kind: 'end'; contracts: number; inFlight: number; bytesRead: number }
  | { kind: 'error'; error: SentError };

/** Sent back for every batch of rows taken. */
export const ROWS_TAKEN = 'taken';

export interface FileThread {
  /** Resolves after the last row. Rejects with what the thread met, with what `add` throws, or when closed. */
  readonly done: Promise<{ contracts: number; inFlight: number }>;
  close(): Promise<void>;
}

/** `add` takes the rows in the vocabulary's numbers; `progress` the contracts read so far. */
export function startFileThread(
  data: FileThreadData,
  vocabulary: Vocabulary,
  add: (words: Int32Array, at: number) => void,
  progress: (contracts: number) => void,
): FileThread {
  const worker = new Worker(threadProgram(import.meta.url, 'fileWorker'), { workerData: data });
  const names = vocabularyReceiver(vocabulary);
  const words = rowWords(data.inputs);
  const done = new Promise<{ contracts: number; inFlight: number }>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', (code) =>
      reject(new Error(`the thread reading ${data.path} ended with status ${code}`)),
    );
    worker.on('message', (message: FromFileThread) => {
      try {
        if (message.kind === 'error') throw receiveError(message.error);
        meterRead(data.path, message.bytesRead);
        if (message.kind === 'end') {
          resolve({ contracts: message.contracts, inFlight: message.inFlight });
          return;
        }
        names.learn(message.names);
        for (let i = 0; i < message.count; i++) {
          names.translate(message.rows, i * words);
          try {
            add(message.rows, i * words);
          } catch (error) {
            if (!(error instanceof AcsError)) throw error;
            const [record, byteOffset] = message.places.subarray(2 * i);
            throw error.locate({ record, byteOffset, stream: 'inflated' } as Place);
          }
        }
        worker.postMessage(ROWS_TAKEN);
        progress(message.contracts);
      } catch (error) {
        reject(error);
        void worker.terminate();
      }
    });
  });
  done.catch(() => undefined);
  return {
    done,
    async close() {
      await worker.terminate();
    },
  };
}
