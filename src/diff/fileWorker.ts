/** The thread that `startFileThread` starts: reads a snapshot file and sends its rows, a few batches ahead of their use. */
import { parentPort, workerData } from 'node:worker_threads';
import { onReadOf } from '../io/readMeter.js';
import { sendError } from '../io/threadError.js';
import type { RecordView } from '../snapshot/record.js';
import { scanSnapshot } from '../snapshot/scan.js';
import type { FileThreadData, FromFileThread } from './fileThread.js';
import { openVocabulary, RowBuilder, rowWords } from './fingerprint.js';
import { openSink } from './rowSink.js';
import { vocabularyParts } from './vocabularyShare.js';

const BATCH_ROWS = 1024;
const BATCHES_AHEAD = 4;

const port = parentPort;
if (port === null) throw new Error('fileWorker.js is started by startFileThread only');
const { path, scan, input, inputs, key, partyCapacity } = workerData as FileThreadData;
const post = (message: FromFileThread, memory: ArrayBuffer[] = []): void => port.postMessage(message, memory);

const words = rowWords(inputs);
const vocabulary = openVocabulary(partyCapacity);
const newNames = vocabularyParts(vocabulary);
let rows = new Int32Array(BATCH_ROWS * words);
let places = new Float64Array(BATCH_ROWS * 2);
let count = 0;
let contracts = 0;
let bytesRead = 0;
let ahead = 0;
let wake: (() => void) | undefined;
onReadOf([path], (bytes) => {
  bytesRead += bytes;
});
port.on('message', () => {
  ahead--;
  wake?.();
});

function send(): void {
  if (count === 0) return;
  const names = newNames();
  post({ kind: 'rows', rows, count, places, names, bytesRead, contracts }, [rows.buffer, places.buffer]);
  rows = new Int32Array(BATCH_ROWS * words);
  places = new Float64Array(BATCH_ROWS * 2);
  count = 0;
  bytesRead = 0;
  ahead++;
}

let record: RecordView | undefined;
const sink = openSink(
  new RowBuilder(vocabulary, inputs, key),
  undefined,
  (row) => {
    rows.set(row, count * words);
    places[2 * count] = record?.index ?? 0;
    places[2 * count + 1] = record?.offset ?? 0;
    contracts++;
    if (++count === BATCH_ROWS) send();
  },
  input,
  path,
);
try {
  const visit = (view: RecordView): void => {
    record = view;
    sink.record(view);
  };
  const facts = await scanSnapshot(path, visit, {
    ...scan,
    afterChunk: async () => {
      while (ahead >= BATCHES_AHEAD) {
        await new Promise<void>((done) => {
          wake = done;
        });
      }
    },
  });
  send();
  post({ kind: 'end', contracts: facts.records - facts.inFlight, inFlight: facts.inFlight, bytesRead });
} catch (error) {
  post({ kind: 'error', error: sendError(error) });
}
port.close();
