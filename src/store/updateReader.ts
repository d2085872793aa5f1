/** Where updates are read: those of a short input here, those of a longer one on a thread of its own. */
import { availableParallelism } from 'node:os';
import { AcsError, withHint } from '../io/error.js';
import { type ByteInput, inputName, letGo, readChunks } from '../io/input.js';
import { readLedgerStream } from '../ledger/ledgerStream.js';
import { pacedChunks } from './pacedChunks.js';
import { type TakeBatch, type UpdateThread, updateThread } from './updateThread.js';

/** Bytes of an input, as it is stored, from which on a thread is worth its start. */
const THREAD_FROM = 1 << 20;

export interface UpdateTaker {
  /** Stores `buf[start, end)`, valid during the call. */
  message(buf: Buffer, start: number, end: number): void;
  batch: TakeBatch;
  /** The input makes us wait: what has come is to be stored for good. */
  waiting(): void;
}

export interface UpdateReaderOptions {
  maxMessageBytes?: number;
  /** Bytes of an input from which on a thread reads it; default 1 MiB. */
  threadFrom?: number;
  /** Bytes of a batch of that thread. */
  draftBatchBytes?: number;
}

export interface UpdateReader {
  /** Hands over the updates of an input in order. Errors say file and place, and come after what was read before. */
  read(input: ByteInput): Promise<void>;
  /** Ends the thread. */
  close(): Promise<void>;
}

export function updateReader(taker: UpdateTaker, options: UpdateReaderOptions = {}): UpdateReader {
  const { maxMessageBytes, threadFrom = THREAD_FROM, draftBatchBytes } = options;
  let thread: UpdateThread | undefined;

  return {
    async read(input) {
      const name = inputName(input);
      const chunks = readChunks(input);
      const paced = pacedChunks(chunks);
      const { first, long } = await beginning(paced, threadFrom);
      const message = lettingGo(input, taker.message);
      const batch = lettingGo(input, taker.batch);
      const waiting = lettingGo(input, taker.waiting);
      try {
        if (!long) {
          const bytes = withoutWaiting(joined(first, paced), waiting);
          await readLedgerStream(bytes, 'GetUpdatesResponse', message, {
            name,
            ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }),
          });
          return;
        }
        thread ??= updateThread(draftBatchBytes);
        const give = typeof input === 'string' && input !== '-';
        await thread.read(name, joined(first, paced), give, maxMessageBytes, {
          batch,
          waiting,
        });
      } catch (error) {
        throw error instanceof AcsError ? advised(error.locate({ file: name })) : error;
      } finally {
        await chunks.return(undefined);
      }
    },
    async close() {
      await thread?.close();
    },
  };
}

/** The same function; when it ends the reading, nobody who still writes to the input is waited for. */
function lettingGo<Args extends unknown[], Result>(
  input: ByteInput,
  take: (...args: Args) => Result,
): (...args: Args) => Result {
  return (...args) => {
    let goOn = false;
    try {
      const result = take(...args);
      goOn = result !== false;
      return result;
    } finally {
      if (!goOn) letGo(input);
    }
  };
}

/** What the first message cannot be read of is, more often than not, no recording of updates. */
function advised(error: AcsError): AcsError {
  if (error.place.record !== 0 || !/^(WIRE|UPDATE|EVENT)_/.test(error.code)) return error;
  return withHint(
    error,
    'is this a file of GetUpdates responses? a snapshot, or active contracts, are loaded: `acs store load`',
  );
}

type Step = { chunk: Buffer } | { error: unknown };

/** What comes first, up to `bytes` of it or until the input makes us wait; `long`: there may be more. */
async function beginning(
  chunks: AsyncGenerator<Buffer | 'waiting'>,
  bytes: number,
): Promise<{ first: Step[]; long: boolean }> {
  const first: Step[] = [];
  if (availableParallelism() === 1) return { first, long: false };
  try {
    for (let size = 0; size < bytes; ) {
      const step = await chunks.next();
      if (step.done === true) return { first, long: false };
      if (step.value === 'waiting') break;
      first.push({ chunk: step.value });
      size += step.value.length;
    }
  } catch (error) {
    first.push({ error });
    return { first, long: false };
  }
  return { first, long: true };
}

async function* joined(
  first: Step[],
  rest: AsyncIterable<Buffer | 'waiting'>,
): AsyncGenerator<Buffer | 'waiting'> {
  for (let step = first.shift(); step !== undefined; step = first.shift()) {
    if ('error' in step) throw step.error;
    yield step.chunk;
  }
  yield* rest;
}

async function* withoutWaiting(
  chunks: AsyncIterable<Buffer | 'waiting'>,
  waiting: () => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    if (chunk === 'waiting') waiting();
    else yield chunk;
  }
}
