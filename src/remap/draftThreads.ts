/**
 * Drafting on further threads. Batches go to whichever thread is free, and to this one when all have enough to do; what
 * comes back is handed over in the order of the records, so that no run differs.
 */
import { Worker } from 'node:worker_threads';
import type { Package, PackageSet } from '../dar/type.js';
import { threadProgram } from '../io/threadProgram.js';
import type { RecordView } from '../snapshot/record.js';
import { packedBytes, packRecord } from './draftBatch.js';
import type { DraftBatch, Drafts, PartySighting } from './draftRecords.js';
import type { PartyMapEntry } from './partyMap.js';

export interface DraftThreadData {
  packages: Package[];
  entries: readonly PartyMapEntry[];
}

/** Memory that both sides see: handing buffers over and back would make each side collect its garbage all the time. */
export interface DraftMemory {
  batch: SharedArrayBuffer;
  /** For the drafts. */
  into: SharedArrayBuffer;
}

export interface ToDraftThread extends DraftMemory {
  end: number;
}

export interface FromDraftThread {
  size: number;
  /** The drafts, when they did not fit. */
  own: Uint8Array | undefined;
  sightings: PartySighting[];
}

export interface DraftThreads {
  /** Takes a copy of the record. */
  add(record: RecordView, ordinal: number): void;
  /** Hands over what is drafted; waits when much is not. */
  ready(): Promise<void>;
  /** Hands over everything. */
  drain(): Promise<void>;
  /** Ends the threads. */
  close(): Promise<void>;
}

const BATCH_BYTES = 1 << 20;
/** Batches a thread may have waiting. */
const WAITING_BATCHES = 3;

interface DraftThread {
  worker: Worker;
  /** What it has to do, in order. */
  jobs: Job[];
}

interface Job {
  memory: DraftMemory;
  end: number;
  drafts: Drafts | undefined;
  /** Called once the drafts are there. */
  wake: (() => void) | undefined;
}

/** `draftHere` is this thread's own drafter; `take` gets the drafts, batch by batch in the order of the records. */
export function startDraftThreads(
  packages: PackageSet | undefined,
  entries: readonly PartyMapEntry[],
  count: number,
  draftHere: DraftBatch,
  take: (batch: Buffer, end: number, drafts: Drafts) => void,
): DraftThreads {
  const data: DraftThreadData = {
    packages: packages === undefined ? [] : packages.ids().flatMap((id) => packages.get(id) ?? []),
    entries,
  };
  const spare: DraftMemory[] = [];
  /** In the order of the records; those at the front may be done. */
  const jobs: Job[] = [];
  let memory = draftMemory(BATCH_BYTES);
  let batch = Buffer.from(memory.batch);
  let end = 0;
  let failure: Error | undefined;

  const fail = (error: Error): void => {
    failure ??= error;
    for (const job of jobs) job.wake?.();
  };
  const threads = Array.from({ length: count }, (): DraftThread => {
    const thread: DraftThread = {
      worker: new Worker(threadProgram(import.meta.url, 'draftWorker'), { workerData: data }),
      jobs: [],
    };
    thread.worker.on('error', fail);
    thread.worker.on('exit', (code) => fail(new Error(`a remap thread ended with status ${code}`)));
    thread.worker.on('message', (message: FromDraftThread) => {
      const job = thread.jobs.shift() as Job;
      const { size, own, sightings } = message;
      job.drafts = { drafts: own ?? new Uint8Array(job.memory.into, 0, size), sightings };
      job.wake?.();
    });
    return thread;
  });

  const use = (fresh: DraftMemory): void => {
    memory = fresh;
    batch = Buffer.from(fresh.batch);
    end = 0;
  };

  const send = (): void => {
    if (end === 0) return;
    const job: Job = { memory, end, drafts: undefined, wake: undefined };
    jobs.push(job);
    let thread = threads[0];
    for (const other of threads) if (other.jobs.length < thread.jobs.length) thread = other;
    if (thread.jobs.length >= WAITING_BATCHES)
      job.drafts = draftHere(batch, end, new Uint8Array(memory.into));
    else {
      thread.jobs.push(job);
      thread.worker.postMessage({ ...memory, end } satisfies ToDraftThread);
    }
    use(spare.pop() ?? draftMemory(BATCH_BYTES));
  };

  /** Hands over the drafts of the first job, once they are there. */
  const takeFirst = async (): Promise<void> => {
    const [job] = jobs;
    if (job.drafts === undefined && failure === undefined) {
      await new Promise<void>((wake) => {
        job.wake = wake;
      });
    }
    if (job.drafts === undefined) {
      jobs.length = 0;
      end = 0;
      throw failure;
    }
    jobs.shift();
    try {
      take(Buffer.from(job.memory.batch), job.end, job.drafts);
    } catch (error) {
      // Nothing after it counts.
      jobs.length = 0;
      end = 0;
      throw error;
    }
    if (job.memory.batch.byteLength === BATCH_BYTES) spare.push(job.memory);
  };

  return {
    add(record, ordinal) {
      const bytes = packedBytes(record);
      if (end + bytes > batch.length) {
        send();
        if (bytes > batch.length) use(draftMemory(bytes));
      }
      end = packRecord(batch, end, record, ordinal);
    },
    async ready() {
      const most = (count + 1) * WAITING_BATCHES;
      while (jobs.length > 0 && (jobs.length > most || jobs[0].drafts !== undefined)) await takeFirst();
    },
    async drain() {
      send();
      while (jobs.length > 0) await takeFirst();
    },
    async close() {
      await Promise.all(
        threads.map(({ worker }) => {
          worker.removeAllListeners('exit');
          return worker.terminate();
        }),
      );
    },
  };
}

function draftMemory(bytes: number): DraftMemory {
  return { batch: new SharedArrayBuffer(bytes), into: new SharedArrayBuffer(BATCH_BYTES) };
}
