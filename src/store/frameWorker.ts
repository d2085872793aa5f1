/** The thread that {@link frameBlocks} starts. */
import { parentPort, workerData } from 'node:worker_threads';
import { sendError } from '../io/threadError.js';
import { frames } from './activeFrames.js';
import { BLOCK_BYTES, BLOCK_FRAMES, type FrameWorkerData, type FromFrameWorker } from './frameThread.js';
import { withStore } from './open.js';

const port = parentPort;
if (port === null) throw new Error('frameWorker.js is started by frameBlocks only');
const { path, question, parties, blocks, free } = workerData as FrameWorkerData;
const post = (message: FromFrameWorker): void => port.postMessage(message);
const bytes = blocks.map((block) => Buffer.from(block.bytes));
let turn = 0;
let end = 0;
let count = 0;

/** Waits until the block to be filled is free. */
function waitForBlock(): void {
  for (let n = Atomics.load(free, 0); n === 0; n = Atomics.load(free, 0)) Atomics.wait(free, 0, 0);
}

function send(): void {
  if (count === 0) return;
  Atomics.sub(free, 0, 1);
  post({ kind: 'block', frames: count });
  turn = (turn + 1) % blocks.length;
  end = 0;
  count = 0;
}

function add(frame: Buffer): void {
  if (end + frame.length > BLOCK_BYTES || count === BLOCK_FRAMES) send();
  if (frame.length > BLOCK_BYTES) {
    post({ kind: 'frame', frame: new Uint8Array(frame) });
    return;
  }
  if (count === 0) waitForBlock();
  bytes[turn].set(frame, end);
  end += frame.length;
  blocks[turn].ends[count++] = end;
}

try {
  await withStore(path, {}, ({ db }) => {
    for (const frame of frames(db, question, parties)) add(frame);
  });
  send();
  post({ kind: 'end' });
} catch (error) {
  post({ kind: 'error', error: sendError(error) });
}
