/**
 * Recorded Ledger API streams: files of length-delimited protobuf messages, or of JSON lines in protobuf's JSON mapping,
 * gzip-compressed or not. The form is told from the first bytes; either way the caller sees protobuf bytes.
 */
import { AcsError } from '../io/error.js';
import { asBuffer, type ByteInput, inputName, letGo, readChunks } from '../io/input.js';
import { frameSplitter } from '../wire/frames.js';
import { looksLikeGzip } from '../wire/gzipHeader.js';
import { emptyGzipFacts, inflateGzip } from '../wire/inflate.js';
import { encodeLedgerJson } from './ledgerApiJson.js';

export type StreamMessage = 'GetUpdatesResponse' | 'GetActiveContractsResponse';

/**
 * Gets one message: `buf[start, end)`, valid during the call. `place` is for {@link locateMessage}. Return false to stop.
 */
export type MessageSink = (buf: Buffer, start: number, end: number, index: number, place: number) => unknown;

export interface LedgerStreamOptions {
  /** Longest message accepted; default 64 MiB. */
  maxMessageBytes?: number;
  /** What errors call the input; default: what {@link inputName} says. */
  name?: string;
  /** Awaited after every chunk of about 1 MiB. */
  afterChunk?: () => Promise<void> | void;
}

/** Visits every message in order; returns how many. Errors say file, and message number or line. */
export async function readLedgerStream(
  input: ByteInput,
  message: StreamMessage,
  visit: MessageSink,
  options: LedgerStreamOptions = {},
): Promise<number> {
  const file = options.name ?? inputName(input);
  try {
    const chunks = await inflatedStream(input);
    if (chunks === undefined) return 0;
    try {
      return chunks.json
        ? await readLines(chunks.bytes, message, visit, options)
        : await readFrames(chunks.bytes, visit, options);
    } finally {
      await chunks.close();
    }
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ file }) : error;
  }
}

export interface InflatedStream {
  bytes: AsyncIterable<Buffer>;
  /** The first chunk of `bytes`. */
  head: Buffer;
  json: boolean;
  /** For a caller that does not read to the end. */
  close(): Promise<void>;
}

/** The bytes behind an optional gzip layer and whether they are JSON; undefined when there are none. */
export async function inflatedStream(input: ByteInput): Promise<InflatedStream | undefined> {
  const file = readChunks(input);
  const stored = await peek(file);
  if (stored === undefined) return undefined;
  const inflated = looksLikeGzip(stored.head)
    ? inflateGzip(stored.bytes, emptyGzipFacts(), { members: 'all', onFault: () => letGo(input) })
    : undefined;
  const plain = inflated === undefined ? stored : await peek(inflated);
  if (plain === undefined) return undefined;
  return {
    ...plain,
    json: looksLikeJson(plain.head),
    async close() {
      await inflated?.return(undefined);
      await file.return(undefined);
    },
  };
}

async function peek(
  source: AsyncGenerator<Buffer>,
): Promise<{ head: Buffer; bytes: AsyncIterable<Buffer> } | undefined> {
  const first = await source.next();
  if (first.done === true) return undefined;
  async function* again(head: Buffer): AsyncGenerator<Buffer> {
    yield head;
    yield* source;
  }
  return { head: first.value, bytes: again(first.value) };
}

/** A frame of 123 bytes starts with `{` too, but then its second byte is a field tag and its third a length below 123. */
function looksLikeJson(head: Buffer): boolean {
  const start = head.subarray(0, 64).toString('latin1').trimStart();
  return /^\{(\s|"[A-Za-z]|\})/.test(start) && !/^\{"y/.test(start);
}

async function readFrames(
  chunks: AsyncIterable<Buffer>,
  visit: MessageSink,
  options: LedgerStreamOptions,
): Promise<number> {
  const splitter = frameSplitter(options.maxMessageBytes);
  let index = 0;
  let stopped = false;
  const sink = (buf: Buffer, _start: number, bodyStart: number, end: number, offset: number): void => {
    if (stopped) return;
    try {
      if (visit(buf, bodyStart, end, index, offset) === false) stopped = true;
    } catch (error) {
      throw locateMessage(error, index, offset);
    }
    index++;
  };
  for await (const chunk of chunks) {
    splitter.push(chunk, sink);
    if (stopped) return index;
    if (options.afterChunk !== undefined) await options.afterChunk();
  }
  splitter.finish();
  return index;
}

/** An error about a message with its place: an offset in the inflated stream, or -n for line n of a text file. */
export function locateMessage(error: unknown, record: number, place: number): unknown {
  if (!(error instanceof AcsError)) return error;
  if (place < 0) return error.locate({ line: -place });
  const byteOffset = place;
  if (error.place.stream === undefined) delete error.place.byteOffset;
  return error.locate({ record, byteOffset, stream: 'inflated' });
}

async function readLines(
  chunks: AsyncIterable<Buffer>,
  message: StreamMessage,
  visit: MessageSink,
  options: LedgerStreamOptions,
): Promise<number> {
  const limit = 2 * (options.maxMessageBytes ?? 64 << 20);
  let carried: Buffer[] = [];
  let carriedBytes = 0;
  let line = 0;
  let index = 0;
  const take = (bytes: Buffer): boolean => {
    line++;
    const text = bytes.toString('utf8').trim();
    if (text === '') return true;
    try {
      const encoded = encodeLedgerJson(message, parse(text));
      return visit(encoded, 0, encoded.length, index++, -line) !== false;
    } catch (error) {
      throw error instanceof AcsError ? error.locate({ line }) : error;
    }
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (;;) {
      const at = chunk.indexOf(0x0a, from);
      if (at < 0) break;
      const piece = chunk.subarray(from, at);
      const whole = carriedBytes === 0 ? piece : Buffer.concat([...carried, piece]);
      carried = [];
      carriedBytes = 0;
      from = at + 1;
      if (!take(whole)) return index;
    }
    if (from < chunk.length) {
      carried.push(Buffer.from(chunk.subarray(from)));
      carriedBytes += chunk.length - from;
      if (carriedBytes > limit) {
        throw new AcsError('JSON_LINE_TOO_LONG', 'a line is longer than allowed', {
          line: line + 1,
          expected: `at most ${limit} bytes`,
        });
      }
    }
    if (options.afterChunk !== undefined) await options.afterChunk();
  }
  if (carriedBytes > 0) take(asBuffer(Buffer.concat(carried)));
  return index;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AcsError('JSON_SYNTAX', 'a line is not JSON', { found: text.slice(0, 80), cause });
  }
}
