/** The thread that {@link frameBlocks} starts. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { FrameTarget } from '../contract/eventFromBlob.js';
import { sendError } from '../io/threadError.js';
import { PIECE_BYTES } from '../wire/deflate.js';
import { appendFrames } from './activeFrames.js';
import { BLOCKS, type FrameWorkerData, type FromFrameWorker } from './frameThread.js';
import { withStore } from './open.js';

const port = parentPort;
if (port === null) throw new Error('frameWorker.js is started by frameBlocks only');
const { path, question, returned } = workerData as FrameWorkerData;
const post = (message: FromFrameWorker, given: ArrayBuffer[] = []): void => port.postMessage(message, given);
/** Frames of usual length end well within it. */
const BLOCK_BYTES = PIECE_BYTES + (PIECE_BYTES >> 3);
const target: FrameTarget = { bytes: Buffer.alloc(0), end: 0 };
let ends: number[] = [];
let sent = 0;

/** Waits until fewer than {@link BLOCKS} are away. */
function takeBlock(): Buffer {
  for (let n = Atomics.load(returned, 0); sent - n >= BLOCKS; n = Atomics.load(returned, 0))
    Atomics.wait(returned, 0, n);
  const back = receiveMessageOnPort(port as NonNullable<typeof port>)?.message as ArrayBuffer | undefined;
  // One that was made for a longer frame is not kept.
  return Buffer.from(back?.byteLength === BLOCK_BYTES ? back : new ArrayBuffer(BLOCK_BYTES));
}

function send(): void {
  const bytes = target.bytes.buffer as ArrayBuffer;
  const itsEnds = Int32Array.from(ends);
  post({ kind: 'block', bytes, end: target.end, ends: itsEnds }, [bytes, itsEnds.buffer]);
  sent++;
  ends = [];
}

try {
  await withStore(path, {}, ({ db }) => {
    // Every page is read once: those kept longer take memory only.
    db.pragma('cache_size = -8192');
    target.bytes = takeBlock();
    // A block ends where a piece of the file does: at the first frame that ends at PIECE_BYTES or behind.
    for (const _ of appendFrames(db, question, target)) {
      ends.push(target.end);
      if (target.end < PIECE_BYTES) continue;
      send();
      target.bytes = takeBlock();
      target.end = 0;
    }
  });
  if (ends.length > 0) send();
  post({ kind: 'end' });
} catch (error) {
  post({ kind: 'error', error: sendError(error) });
}
