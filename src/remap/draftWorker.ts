/** The thread that {@link startDraftThreads} starts. */
import { parentPort, workerData } from 'node:worker_threads';
import { packageSet } from '../dar/catalog.js';
import { ContractHasher } from '../hash/contractHasher.js';
import { recordsDrafter } from './draftRecords.js';
import type { DraftThreadData, FromDraftThread, ToDraftThread } from './draftThreads.js';
import { partyMap } from './partyMap.js';
import { changingParties } from './remapState.js';
import { textParties } from './textParties.js';

const port = parentPort;
if (port === null) throw new Error('draftWorker.js is started by startDraftThreads only');
const { packages, entries } = workerData as DraftThreadData;
const map = partyMap(entries);
const draft = recordsDrafter(
  map,
  textParties(changingParties(map)),
  new ContractHasher(packageSet(packages)),
);

port.on('message', ({ batch, end, into }: ToDraftThread) => {
  const { drafts, sightings } = draft(Buffer.from(batch), end, new Uint8Array(into));
  const own = drafts.buffer === into ? undefined : drafts;
  port.postMessage({ size: drafts.length, own, sightings } satisfies FromDraftThread);
});
