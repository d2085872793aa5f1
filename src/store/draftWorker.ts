/** The thread that {@link draftQueue} starts. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageDrafter } from './draftMessages.js';
import type { DraftWorkerData, FromDraftWorker, ToDraftWorker } from './draftQueue.js';

const port = parentPort;
if (port === null) throw new Error('draftWorker.js is started by draftQueue only');
const draft = messageDrafter((workerData as DraftWorkerData).frames);

port.on('message', ({ batch, spans, count }: ToDraftWorker) => {
  const drafts = draft(Buffer.from(batch), spans, count);
  port.postMessage({ drafts } satisfies FromDraftWorker, [drafts.buffer]);
});
