/** The thread that {@link startHashThreads} starts: hashes batches into states of its own and hands them over at the end. */
import { parentPort, workerData } from 'node:worker_threads';
import { runBatch } from './elementBatch.js';
import type { FromHashThread, HashThreadData, ToHashThread } from './hashThreads.js';
import { LTHASH_BYTES } from './lthash16.js';
import { openEngine } from './openEngine.js';

/** States per message when they are handed over: 4 MiB. */
const STATES_PER_MESSAGE = 2048;

const port = parentPort;
if (port === null) throw new Error('hashWorker.js is started by startHashThreads only');
const { expansion, kind } = workerData as HashThreadData;
const engine = openEngine(expansion, kind);
/** Own slot per slot of the starting thread, plus 1; 0 = none yet. */
let slots = new Uint32Array(1024);

function slotOf(slot: number): number {
  if (slot >= slots.length) {
    const grown = new Uint32Array(Math.max(slot + 1, slots.length * 2));
    grown.set(slots);
    slots = grown;
  }
  if (slots[slot] === 0) slots[slot] = engine.open() + 1;
  return slots[slot]! - 1;
}

function post(message: FromHashThread, transfer: ArrayBuffer): void {
  port?.postMessage(message, [transfer]);
}

function handOver(): void {
  const touched: number[] = [];
  for (let slot = 0; slot < slots.length; slot++) if (slots[slot] !== 0) touched.push(slot);
  for (let from = 0; from < touched.length; from += STATES_PER_MESSAGE) {
    const part = touched.slice(from, from + STATES_PER_MESSAGE);
    const states = new Uint8Array(part.length * LTHASH_BYTES);
    part.forEach((slot, i) => {
      engine.read(slots[slot]! - 1, states.subarray(i * LTHASH_BYTES, (i + 1) * LTHASH_BYTES));
    });
    post({ kind: 'states', slots: part, states }, states.buffer);
  }
  port?.postMessage({ kind: 'end' } satisfies FromHashThread);
}

port.on('message', (message: ToHashThread) => {
  if (message.kind === 'finish') {
    handOver();
    return;
  }
  const batch = Buffer.from(message.batch);
  runBatch(engine, batch, message.end, slotOf);
  post({ kind: 'done', batch: message.batch }, message.batch);
});
