/** The thread that {@link draftQueue} starts. */
import { parentPort } from 'node:worker_threads';
import { frameDrafter } from './draftFrames.js';
import type { FromDraftWorker, ToDraftWorker } from './draftQueue.js';

const port = parentPort;
if (port === null) throw new Error('draftWorker.js is started by draftQueue only');
const draft = frameDrafter();

port.on('message', ({ batch, spans, count }: ToDraftWorker) => {
  const drafts = draft(Buffer.from(batch), spans, count);
  port.postMessage({ drafts } satisfies FromDraftWorker, [drafts.buffer]);
});
