/** The thread that {@link startAuthenticityThreads} starts: judges batches, and hands its counts over at the end. */
import { parentPort, workerData } from 'node:worker_threads';
import { BlobView } from '../contract/blob.js';
import { ContractHasher } from '../hash/contractHasher.js';
import {
  type AuthenticityThreadData,
  type FromAuthenticityThread,
  judgeBatch,
  type ToAuthenticityThread,
  threadPackages,
} from './authenticityThreads.js';
import type { Finding } from './finding.js';
import { emptyCounts, judgeContract } from './judgeContract.js';

const port = parentPort;
if (port === null) throw new Error('authenticityWorker.js is started by startAuthenticityThreads only');
const hasher = new ContractHasher(threadPackages(workerData as AuthenticityThreadData));
const counts = emptyCounts();
const view = new BlobView();

port.on('message', (message: ToAuthenticityThread) => {
  if (message.kind === 'finish') {
    port.postMessage({ kind: 'end', counts } satisfies FromAuthenticityThread);
    return;
  }
  const findings: Finding[] = [];
  judgeBatch(
    view,
    Buffer.from(message.batch),
    message.end,
    (blob, representative, place) => judgeContract(hasher, counts, blob, representative, place),
    findings,
  );
  const done: FromAuthenticityThread = { kind: 'done', batch: message.batch, findings };
  port.postMessage(done, [message.batch]);
});
