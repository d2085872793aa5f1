/** Authenticity on further threads. What they find is handed over at the end, by record, so that no run differs. */
import { Worker } from 'node:worker_threads';
import { BlobView } from '../contract/blob.js';
import { packageSet } from '../dar/catalog.js';
import type { Package, PackageSet } from '../dar/type.js';
import { threadProgram } from '../io/threadProgram.js';
import { EVENT, type RecordView } from '../snapshot/record.js';
import { AUTHENTICITY_BATCH_BYTES, eachPacked, packContract } from './authenticityBatch.js';
import type { Finding } from './finding.js';
import { type AuthenticityCounts, addCounts, type RecordPlace } from './judgeContract.js';

export interface AuthenticityThreadData {
  packages: Package[];
}

export type ToAuthenticityThread = { kind: 'batch'; batch: ArrayBuffer; end: number } | { kind: 'finish' };

export type FromAuthenticityThread =
  | { kind: 'done'; batch: ArrayBuffer; findings: Finding[] }
  | { kind: 'end'; counts: AuthenticityCounts };

export interface AuthenticityThreads {
  /** Checks a contract on whichever thread is free; on this one when all have enough to do. */
  check(record: RecordView, blob: BlobView): void;
  /** Waits for all work, adds the threads' counts, reports their findings by record, ends the threads. */
  finish(report: (finding: Finding) => void): Promise<void>;
}

/** Batches a thread may have waiting. */
const WAITING_BATCHES = 3;

interface AuthenticityThread {
  worker: Worker;
  waiting: number;
}

const EMPTY = Buffer.alloc(0);

/** Runs a batch with `judge` and collects the findings. */
export function judgeBatch(
  view: BlobView,
  batch: Buffer,
  end: number,
  judge: (blob: BlobView, representative: string, place: RecordPlace) => Finding | undefined,
  findings: { push(finding: Finding): unknown },
): void {
  eachPacked(batch, end, ({ record, byteOffset, representativePackageId, blobStart, blobEnd }) => {
    const blob = view.parse(batch, blobStart, blobEnd);
    const finding = judge(blob, representativePackageId, { record, byteOffset });
    if (finding !== undefined) findings.push(finding);
  });
}

/** Starts `count` threads. `counts` gets what they count; `judge` is this thread's own judge. */
export function startAuthenticityThreads(
  packages: PackageSet,
  count: number,
  counts: AuthenticityCounts,
  judge: (blob: BlobView, representative: string, place: RecordPlace) => Finding | undefined,
): AuthenticityThreads {
  const data: AuthenticityThreadData = {
    packages: packages.ids().flatMap((id) => packages.get(id) ?? []),
  };
  const view = new BlobView();
  const findings = keptFindings();
  const spare: ArrayBuffer[] = [];
  let batch = Buffer.from(new ArrayBuffer(AUTHENTICITY_BATCH_BYTES));
  let end = 0;
  let running = count;
  let failure: Error | undefined;
  let settle: { done: () => void; failed: (error: Error) => void } | undefined;
  const fail = (error: Error): void => {
    failure ??= error;
    settle?.failed(failure);
  };
  const threads = Array.from({ length: count }, (): AuthenticityThread => {
    const thread = {
      worker: new Worker(threadProgram(import.meta.url, 'authenticityWorker'), { workerData: data }),
      waiting: 0,
    };
    thread.worker.on('error', fail);
    thread.worker.on('exit', (code) => {
      if (code !== 0) fail(new Error(`an authenticity thread ended with status ${code}`));
    });
    thread.worker.on('message', (message: FromAuthenticityThread) => {
      if (message.kind === 'done') {
        thread.waiting--;
        spare.push(message.batch);
        for (const finding of message.findings) findings.push(finding);
      } else {
        addCounts(counts, message.counts);
        if (--running === 0) settle?.done();
      }
    });
    // A run that fails elsewhere must not be kept alive by idle threads.
    thread.worker.unref();
    return thread;
  });

  const send = (): void => {
    if (end === 0) return;
    let thread = threads[0];
    for (const other of threads) if (other.waiting < thread.waiting) thread = other;
    if (thread.waiting >= WAITING_BATCHES) judgeBatch(view, batch, end, judge, findings);
    else {
      thread.waiting++;
      const buffer = batch.buffer as ArrayBuffer;
      thread.worker.postMessage({ kind: 'batch', batch: buffer, end } satisfies ToAuthenticityThread, [
        buffer,
      ]);
      batch = Buffer.from(spare.pop() ?? new ArrayBuffer(AUTHENTICITY_BATCH_BYTES));
    }
    end = 0;
  };

  return {
    check(record, blob) {
      const bytes = record.createdEventBlob ?? EMPTY;
      const representative = record.bytesField(EVENT.representativePackageId) ?? EMPTY;
      let next = packContract(batch, end, record.index, record.offset, representative, bytes);
      if (next < 0) {
        send();
        next = packContract(batch, end, record.index, record.offset, representative, bytes);
      }
      if (next >= 0) end = next;
      else {
        // Larger than a batch.
        const place = { record: record.index, byteOffset: record.offset };
        const finding = judge(blob, record.representativePackageId, place);
        if (finding !== undefined) findings.push(finding);
      }
    },
    async finish(report) {
      judgeBatch(view, batch, end, judge, findings);
      end = 0;
      try {
        await new Promise<void>((done, failed) => {
          settle = { done, failed };
          if (failure !== undefined) failed(failure);
          for (const { worker } of threads) {
            worker.ref();
            worker.postMessage({ kind: 'finish' } satisfies ToAuthenticityThread);
          }
        });
      } finally {
        await Promise.all(
          threads.map(({ worker }) => {
            worker.removeAllListeners('exit');
            return worker.terminate();
          }),
        );
      }
      findings.reportTo(report);
    },
  };
}

/** Findings kept with their place: those of the first records. Of the others only the number is known. */
const MAX_KEPT = 10_000;

interface KeptFindings {
  push(finding: Finding): void;
  /** By record; then the ones without place. */
  reportTo(report: (finding: Finding) => void): void;
}

function keptFindings(): KeptFindings {
  let kept: Finding[] = [];
  const dropped = new Map<string, { finding: Finding; n: number }>();
  const trim = (): void => {
    kept.sort((a, b) => (a.record ?? 0) - (b.record ?? 0));
    for (const { level, severity, code } of kept.slice(MAX_KEPT)) {
      const key = `${severity} ${code}`;
      const message = 'one of many; only the first are kept with their place';
      const entry = dropped.get(key) ?? { finding: { level, severity, code, message }, n: 0 };
      entry.n++;
      dropped.set(key, entry);
    }
    kept = kept.slice(0, MAX_KEPT);
  };
  return {
    push(finding) {
      kept.push(finding);
      if (kept.length >= 2 * MAX_KEPT) trim();
    },
    reportTo(report) {
      trim();
      for (const finding of kept) report(finding);
      for (const [, { finding, n }] of [...dropped].sort(([a], [b]) => (a < b ? -1 : 1))) {
        for (let i = 0; i < n; i++) report(finding);
      }
    },
  };
}

/** The packages that were handed to a thread. */
export function threadPackages(data: AuthenticityThreadData): PackageSet {
  return packageSet(data.packages);
}
