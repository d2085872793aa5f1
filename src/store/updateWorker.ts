/** The thread that {@link updateThread} starts. */
import { parentPort, workerData } from 'node:worker_threads';
import { asBuffer } from '../io/input.js';
import { sendError } from '../io/threadError.js';
import { readLedgerStream } from '../ledger/ledgerStream.js';
import { alignedPlace, WORD } from '../wire/sharedCopy.js';
import { updateDrafter } from './draftUpdates.js';
import {
  type FromUpdateThread,
  type ToUpdateThread,
  UPDATE_BATCHES,
  UPDATE_SPAN,
  type UpdateBatch,
  type UpdateThreadData,
} from './updateThread.js';

const port = parentPort;
if (port === null) throw new Error('updateWorker.js is started by updateThread only');
const { batchBytes } = workerData as UpdateThreadData;
const post = (message: FromUpdateThread): void => port.postMessage(message);
const drafter = updateDrafter();

interface Batch extends UpdateBatch {
  bytes: Buffer;
  /** How much of it messages may take; behind is room for what the drafter puts behind the last. */
  room: number;
}

/** In the order in which they were sent. */
const away: Batch[] = [];
const spare: Batch[] = [];
let batch = newBatch(batchBytes);
let end = 0;
let messages = 0;
let firstIndex = 0;

const waiting: ToUpdateThread[] = [];
let wake: (() => void) | undefined;
let wakeFreed: (() => void) | undefined;
port.on('message', (message: ToUpdateThread) => {
  if (message.kind === 'stop') process.exit();
  if (message.kind === 'free') {
    const freed = away.shift() as Batch;
    if (freed.room === batchBytes) spare.push(freed);
    wakeFreed?.();
  } else {
    waiting.push(message);
    wake?.();
  }
});

function numbers(count: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(count * Float64Array.BYTES_PER_ELEMENT));
}

function newBatch(room: number): Batch {
  const memory = new SharedArrayBuffer(room + (room >> 1));
  return { memory, bytes: Buffer.from(memory), room, spans: numbers(1024 * UPDATE_SPAN), drafts: numbers(0) };
}

function send(): void {
  if (messages === 0) return;
  const drafts = drafter.take();
  if (drafts.length > batch.drafts.length) batch.drafts = numbers(drafts.length + (drafts.length >> 1));
  batch.drafts.set(drafts);
  const { memory, spans } = batch;
  post({ kind: 'batch', batch: { memory, spans, drafts: batch.drafts }, messages, firstIndex });
  away.push(batch);
  firstIndex += messages;
  messages = 0;
  end = 0;
  batch = spare.pop() ?? newBatch(batchBytes);
}

function add(buf: Buffer, from: number, to: number, place: number): void {
  const size = to - from;
  let start = alignedPlace(end, buf, from);
  if (start + size > batch.room) {
    send();
    if (size + WORD > batch.room) batch = newBatch(size + WORD);
    start = alignedPlace(end, buf, from);
  }
  const at = messages * UPDATE_SPAN;
  if (at === batch.spans.length) {
    const grown = numbers(2 * at);
    grown.set(batch.spans);
    batch.spans = grown;
  }
  batch.bytes.set(buf.subarray(from, to), start);
  batch.spans[at] = start;
  batch.spans[at + 1] = start + size;
  batch.spans[at + 2] = place;
  messages++;
  end = drafter.add(batch.bytes, start, start + size);
}

async function next(): Promise<ToUpdateThread> {
  for (;;) {
    const message = waiting.shift();
    if (message !== undefined) return message;
    await new Promise<void>((done) => {
      wake = done;
    });
  }
}

async function* chunks(): AsyncGenerator<Buffer> {
  for (;;) {
    const message = await next();
    if (message.kind === 'end') return;
    if (message.kind === 'waiting') {
      send();
      post({ kind: 'waiting' });
      continue;
    }
    // What is thrown is not told: the other thread knows why.
    if (message.kind !== 'chunk') throw new Error('reading the input failed');
    post({ kind: 'taken' });
    yield asBuffer(message.chunk);
  }
}

async function freed(): Promise<void> {
  while (away.length >= UPDATE_BATCHES) {
    await new Promise<void>((done) => {
      wakeFreed = done;
    });
  }
}

async function read(name: string, maxMessageBytes: number | undefined): Promise<void> {
  firstIndex = 0;
  let error: unknown;
  try {
    await readLedgerStream(
      chunks(),
      'GetUpdatesResponse',
      (buf, from, to, _index, place) => add(buf, from, to, place),
      { name, ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }), afterChunk: freed },
    );
  } catch (thrown) {
    error = thrown;
  }
  send();
  post({ kind: 'end', error: error === undefined ? undefined : sendError(error) });
}

for (;;) {
  const message = await next();
  // Chunks of an input that could not be read to its end.
  if (message.kind !== 'open') continue;
  await read(message.name, message.maxMessageBytes);
}
