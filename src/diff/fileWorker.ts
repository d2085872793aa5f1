/** The thread that `startFileThread` starts: reads a snapshot file and sends its rows, a few batches ahead of their use. */
import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { onReadOf } from '../io/readMeter.js';
import { sendError } from '../io/threadError.js';
import type { RecordView } from '../snapshot/record.js';
import { scanSnapshot } from '../snapshot/scan.js';
import { CLAIMING_BYTES, type ClaimingSink, openClaimingSink } from './claimingSink.js';
import { openClaims } from './claims.js';
import { type FileThreadData, type FromFileThread, type ROWS_TAKEN, STOP } from './fileThread.js';
import { openIdLog } from './idLog.js';
import { openKeyedHash } from './keyedHash.js';
import { rowWords } from './row.js';
import { RowBuilder } from './rowBuilder.js';
import { openSink } from './rowSink.js';
import { openVocabulary } from './vocabulary.js';
import { vocabularyParts } from './vocabularyShare.js';

const BATCH_ROWS = 1024;
const BATCHES_AHEAD = 4;
/** Of how far a file is read: inflated bytes for each of its own, times this. */
const PROGRESS_UNIT = 1 << 16;
/** How often a thread that is early looks for the others. */
const PACE_MS = 1;
/** So often at least the other side hears how far this one is. */
const CHUNKS_BETWEEN_WORDS = 64;

const port = parentPort;
if (port === null) throw new Error('fileWorker.js is started by startFileThread only');
const { path, scan, input, inputs, key, partyCapacity, sharing } = workerData as FileThreadData;
const post = (message: FromFileThread, memory: ArrayBuffer[] = []): void => port.postMessage(message, memory);

const words = rowWords(inputs);
const vocabulary = openVocabulary(partyCapacity);
const newNames = vocabularyParts(vocabulary);
let rows = new Int32Array(BATCH_ROWS * words);
let places = new Float64Array(BATCH_ROWS * 2);
let count = 0;
let contracts = 0;
let bytesRead = 0;
let chunks = 0;
let ahead = 0;
let wake: (() => void) | undefined;
onReadOf([path], (bytes) => {
  bytesRead += bytes;
});
let stopped = false;
port.on('message', (message: typeof ROWS_TAKEN | typeof STOP) => {
  if (message === STOP) stopped = true;
  else ahead--;
  wake?.();
});

function checkStopped(): void {
  if (stopped) throw new Error('nobody wants the rows any more');
}

function state() {
  const said = { bytesRead, contracts, dropped: claiming?.dropped ?? 0 };
  bytesRead = 0;
  chunks = 0;
  return said;
}

function send(): void {
  const names = newNames();
  post({ kind: 'rows', rows, count, places, names, ...state() }, [rows.buffer, places.buffer]);
  rows = new Int32Array(BATCH_ROWS * words);
  places = new Float64Array(BATCH_ROWS * 2);
  count = 0;
  ahead++;
}

const builder = new RowBuilder(vocabulary, inputs, key);
function tell(index: number, offset: number): void {
  rows.set(builder.words, count * words);
  places[2 * count] = index;
  places[2 * count + 1] = offset;
  if (++count === BATCH_ROWS) send();
}

const ids = sharing?.drops ? openIdLog() : undefined;
const claiming = openClaiming();

function openClaiming(): ClaimingSink | undefined {
  if (sharing === undefined) return undefined;
  const hash = openKeyedHash(sharing.key, CLAIMING_BYTES);
  if (hash === undefined) throw new Error('a thread without WebAssembly in a process that has it');
  const claims = openClaims(sharing.claims);
  return openClaimingSink({ builder, hash, claims, input, inputs, ids, tell });
}

const fileBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
let record: RecordView | undefined;
const sink =
  claiming ?? openSink(builder, undefined, () => tell(record?.index ?? 0, record?.offset ?? 0), input, path);

try {
  const visit = (view: RecordView): void => {
    record = view;
    sink.record(view);
    if (!view.inFlight) contracts++;
  };
  const facts = await scanSnapshot(path, visit, {
    ...scan,
    // There are several of these threads; none of them is what the others wait for.
    readBytes: 1 << 20,
    afterChunk: async () => {
      checkStopped();
      if (claiming !== undefined && record !== undefined) {
        // The inputs are files of one kind: they are read as far when each of their bytes has given as many.
        claiming.advance(Math.floor((record.offset / fileBytes) * PROGRESS_UNIT));
        while (sharing?.paced && claiming.early) {
          await delay(PACE_MS);
          checkStopped();
        }
      }
      if (++chunks >= CHUNKS_BETWEEN_WORDS) post({ kind: 'state', ...state() });
      while (ahead >= BATCHES_AHEAD) {
        await new Promise<void>((done) => {
          wake = done;
        });
        checkStopped();
      }
    },
  });
  claiming?.advance(Number.POSITIVE_INFINITY);
  claiming?.finish();
  if (count > 0) send();
  contracts = facts.records - facts.inFlight;
  const contractIds = ids?.take() ?? [];
  post(
    { kind: 'end', inFlight: facts.inFlight, contractIds, ...state() },
    contractIds.map((page) => page.buffer),
  );
} catch (error) {
  post({ kind: 'error', error: sendError(error) });
}
port.close();
