/** The thread that {@link frameBlocks} starts. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { sendError } from '../io/threadError.js';
import { PIECE_BYTES } from '../wire/deflate.js';
import { frames } from './activeFrames.js';
import { BLOCKS, type FrameWorkerData, type FromFrameWorker } from './frameThread.js';
import { withStore } from './open.js';

const port = parentPort;
if (port === null) throw new Error('frameWorker.js is started by frameBlocks only');
const { path, question, parties, returned } = workerData as FrameWorkerData;
const post = (message: FromFrameWorker, given: ArrayBuffer[] = []): void => port.postMessage(message, given);
/** Frames of usual length end well within it. */
const BLOCK_BYTES = PIECE_BYTES + (PIECE_BYTES >> 3);
let block: Buffer | undefined;
let end = 0;
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
  if (block === undefined) return;
  const bytes = block.buffer as ArrayBuffer;
  const itsEnds = Int32Array.from(ends);
  post({ kind: 'block', bytes, end, ends: itsEnds }, [bytes, itsEnds.buffer]);
  block = undefined;
  sent++;
  end = 0;
  ends = [];
}

/** A block ends where a piece of the file does: at the first frame that ends at {@link PIECE_BYTES} or behind. */
function add(frame: Buffer): void {
  block ??= takeBlock();
  if (end + frame.length > block.length) {
    const grown = Buffer.from(new ArrayBuffer(end + frame.length));
    block.copy(grown, 0, 0, end);
    block = grown;
  }
  block.set(frame, end);
  end += frame.length;
  ends.push(end);
  if (end >= PIECE_BYTES) send();
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
