/** Reading everything that is compared: snapshot files side by side on threads of their own, the rest here. */
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import type { ScanOptions } from '../snapshot/scan.js';
import type { DiffSource, DiffSourceFacts } from './diffSource.js';
import { FILE_THREAD_MEMORY, type FileThread, startFileThread } from './fileThread.js';
import { hasDroppedTwice, type IdPage } from './idLog.js';
import type { KeptRows } from './keptRows.js';
import { newRowKey, RowBuilder } from './rowBuilder.js';
import { openSink } from './rowSink.js';
import type { RowTable } from './rowTable.js';
import type { Sharing } from './sharing.js';
import type { Vocabulary } from './vocabulary.js';

/** Smaller files are read before a thread has started. */
const THREAD_WORTH_BYTES = 8_000_000;

export interface ReadInputsOptions {
  vocabulary: Vocabulary;
  table: RowTable;
  rows: KeptRows;
  plan: ThreadPlan;
  /** What the threads share, when they do. Then the error thrown is any of those met. */
  sharing?: Sharing | undefined;
  onProgress?: ((input: DiffSource, contracts: number) => void) | undefined;
}

export interface ReadFacts {
  /** In the order of the inputs. */
  facts: DiffSourceFacts[];
  /** True when what the threads share does not tell for sure what the inputs show: read them without. */
  unclear: boolean;
}

export interface ThreadPlan {
  /** How many threads read at once. */
  threads: number;
  /** Which inputs they read. */
  aside: ReadonlySet<number>;
}

/**
 * `memory` is what is left for threads. `wanted` asks for so many, whatever the memory and the size of the files; 0 for
 * none. Otherwise there are as many as files, though not many more than processors: threads that read side by side tell
 * each other what they have read.
 */
export async function planThreads(
  sources: readonly DiffSource[],
  memory: number,
  wanted: number | undefined,
): Promise<ThreadPlan> {
  const processors = availableParallelism();
  const threads =
    wanted ?? (processors < 2 ? 0 : Math.min(2 * processors, Math.floor(memory / FILE_THREAD_MEMORY)));
  const aside = new Set<number>();
  if (threads > 0) {
    for (const [input, { records }] of sources.entries()) {
      // Standard input has its bytes for the first thread only.
      if (records === undefined || records.path === '-' || plainOptions(records.scan) === undefined) continue;
      const { size } = await stat(records.path).catch(() => ({ size: 0 }));
      if (size >= (wanted === undefined ? THREAD_WORTH_BYTES : 0)) aside.add(input);
    }
  }
  return { threads: Math.max(0, Math.min(threads, aside.size)), aside };
}

/** The options, when all of them can go to another thread. */
function plainOptions(scan: ScanOptions): ScanOptions | undefined {
  const given = Object.entries(scan).filter(([, value]) => value !== undefined);
  return given.some(([, value]) => typeof value === 'function')
    ? undefined
    : (Object.fromEntries(given) as ScanOptions);
}

/**
 * Adds the rows of all inputs and gives what reading told, in the order of the inputs. Of several inputs that cannot be
 * read the first one's error is thrown.
 */
export async function readInputs(
  sources: readonly DiffSource[],
  options: ReadInputsOptions,
): Promise<ReadFacts> {
  const { vocabulary, table, rows, plan, sharing } = options;
  const key = newRowKey();
  const running = new Map<number, FileThread>();
  let failed = sources.length;
  let fault: { error: unknown } | undefined;
  const limit = pLimit(Math.max(1, plan.threads));
  /** Inputs behind one that failed are not read on; those before it are, for theirs is the error to be told. */
  const failure = (input: number, error: unknown): void => {
    if (sharing !== undefined) fault ??= { error };
    failed = sharing === undefined ? Math.min(failed, input) : -1;
    for (const [other, thread] of running) if (other > failed) void thread.close();
  };
  const contractIds: IdPage[] = [];

  async function readAside(input: number, source: DiffSource): Promise<DiffSourceFacts | undefined> {
    if (input > failed || source.records === undefined) return undefined;
    const { path, scan } = source.records;
    const thread = startFileThread(
      {
        path,
        scan: plainOptions(scan) ?? {},
        input,
        inputs: sources.length,
        key,
        partyCapacity: vocabulary.parties.capacity,
        sharing: sharing?.forThreads,
      },
      vocabulary,
      {
        add: rows.add,
        progress(dropped, contracts) {
          rows.drop(dropped);
          options.onProgress?.(source, contracts);
        },
      },
    );
    running.set(input, thread);
    try {
      const { contracts, inFlight, contractIds: ids } = await thread.done;
      for (const page of ids) contractIds.push(page);
      // It ends by itself; nobody has to wait for that.
      void thread.close();
      return { contracts, inFlightUnknown: inFlight, recordTimes: source.records.recordTimes };
    } catch (error) {
      await thread.close();
      throw error;
    } finally {
      running.delete(input);
    }
  }

  async function readHere(input: number, source: DiffSource): Promise<DiffSourceFacts | undefined> {
    if (input > failed) return undefined;
    const builder = new RowBuilder(vocabulary, sources.length, key);
    return source.read(openSink(builder, table, rows.add, input, source.name), (contracts) =>
      options.onProgress?.(source, contracts),
    );
  }

  let before: Promise<unknown> = Promise.resolve();
  const jobs: Promise<DiffSourceFacts | undefined>[] = [];
  for (const [input, source] of sources.entries()) {
    const aside = plan.aside.has(input);
    const job = aside
      ? limit(() => readAside(input, source))
      : before.catch(() => undefined).then(() => readHere(input, source));
    if (!aside) before = job;
    job.catch((error) => failure(input, error));
    jobs.push(job);
  }
  const results = await Promise.allSettled(jobs);
  if (fault !== undefined) throw fault.error;
  const facts: DiffSourceFacts[] = [];
  for (const result of results) {
    if (result.status === 'rejected') throw result.reason;
    if (result.value !== undefined) facts.push(result.value);
  }
  const unclear = sharing !== undefined && (sharing.claims.shownTwice || hasDroppedTwice(contractIds));
  return { facts, unclear };
}
