/** The thread that {@link startCheckThreads} starts: checks stretches, and hands its totals over at the end. */
import { parentPort, workerData } from 'node:worker_threads';
import type { CheckThreadData, FromCheckThread, ToCheckThread } from './checkThreads.js';
import { stretchChecker } from './stretchChecker.js';

const port = parentPort;
if (port === null) throw new Error('checkWorker.js is started by startCheckThreads only');
const { sample, packages } = workerData as CheckThreadData;

async function judgeOf(given: NonNullable<typeof packages>) {
  const [{ authenticityJudge }, { packageSet }] = await Promise.all([
    import('./authenticity.js'),
    import('../dar/catalog.js'),
  ]);
  return authenticityJudge(packageSet(given));
}

const checker = stretchChecker(sample, packages === undefined ? undefined : await judgeOf(packages));

port.on('message', (message: ToCheckThread) => {
  if (message.kind === 'finish') {
    port.postMessage({ kind: 'end', totals: checker.totals() } satisfies FromCheckThread);
    return;
  }
  const { order, stretch } = message;
  const result = checker.check(stretch);
  const { bytes } = stretch;
  port.postMessage({ kind: 'checked', order, bytes, result } satisfies FromCheckThread, [
    bytes,
    result.ids.buffer as ArrayBuffer,
  ]);
});
