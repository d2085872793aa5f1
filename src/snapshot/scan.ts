/**
 * Reading a snapshot file record by record: gzip → frames → records, with the place of every fault. Asynchronous per
 * chunk, synchronous inside; memory does not grow with the file.
 */
import { AcsError } from '../io/error.js';
import { type ByteInput, inputName, letGo, readChunks } from '../io/input.js';
import { type FramePasser, type FrameSink, frameSplitter } from '../wire/frames.js';
import { emptyGzipFacts, type GzipFacts, type InflateOptions, inflateGzip } from '../wire/inflate.js';
import { refuseOtherFormats, refuseOtherInflatedFormats } from './format.js';
import { RecordView } from './record.js';

export interface ScanOptions extends InflateOptions {
  /** What errors call the input; default: what {@link inputName} says. */
  name?: string;
  /** Bytes of the file read at once; default 2 MiB. Buffers of this size are what a scan needs most memory for. */
  readBytes?: number;
  /** Longest record accepted; default 64 MiB. */
  maxRecordBytes?: number;
  /** Called for a record that cannot be parsed; without it the error is thrown. */
  onBadRecord?: (error: AcsError, view: RecordView) => void;
  /** Called with every inflated chunk before the records that begin in it are visited. */
  beforeChunk?: (chunk: Buffer) => void;
  /** Takes whole records before they are visited; those it takes are counted, but not looked at. */
  passer?: FramePasser;
  /** Awaited after every chunk of about 1 MiB: the place for back-pressure. */
  afterChunk?: () => Promise<void> | void;
  /** The inflated stream, when the caller inflates differently (a piece index). */
  inflated?: (facts: GzipFacts) => AsyncIterable<Buffer>;
  /** Called with the facts object at the start; it fills while the file is read. */
  onFacts?: (facts: SnapshotFacts) => void;
}

export interface SnapshotFacts {
  name: string;
  gzip: GzipFacts;
  /** Records seen, in-flight ones included. */
  records: number;
  /** Empty records of in-flight contracts. */
  inFlight: number;
}

/** A frame with the number of its record; see {@link FrameSink}. Returning false ends the reading. */
export type FrameVisit = (
  buf: Buffer,
  start: number,
  bodyStart: number,
  end: number,
  offset: number,
  index: number,
) => unknown;

/** Visits every frame of a snapshot in file order; what is in it is not looked at, so `facts.inFlight` stays 0. */
export async function scanFrames(
  input: ByteInput,
  visit: FrameVisit,
  options: ScanOptions = {},
): Promise<SnapshotFacts> {
  const name = options.name ?? inputName(input);
  const facts: SnapshotFacts = { name, gzip: emptyGzipFacts(), records: 0, inFlight: 0 };
  options.onFacts?.(facts);
  const splitter = frameSplitter(options.maxRecordBytes);
  let stopped = false;
  const sink: FrameSink = (buf, start, bodyStart, end, offset) => {
    if (stopped) return;
    if (visit(buf, start, bodyStart, end, offset, facts.records++) === false) stopped = true;
  };
  const passer = options.passer && countingPasser(options.passer, facts);
  try {
    const inflated =
      options.inflated?.(facts.gzip) ??
      inflateGzip(refuseOtherFormats(readChunks(input, options.readBytes)), facts.gzip, {
        ...options,
        onFault: () => letGo(input),
      });
    for await (const chunk of refuseOtherInflatedFormats(inflated)) {
      let goOn = false;
      try {
        options.beforeChunk?.(chunk);
        splitter.push(chunk, sink, passer);
        if (!stopped) await options.afterChunk?.();
        goOn = !stopped;
      } finally {
        if (!goOn) letGo(input);
      }
      if (stopped) return facts;
    }
    splitter.finish();
    return facts;
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ file: facts.name }) : error;
  }
}

function countingPasser(passer: FramePasser, facts: SnapshotFacts): FramePasser {
  return {
    pass(chunk, from, longest) {
      const to = passer.pass(chunk, from, longest);
      facts.records += passer.passed;
      return to;
    },
    get passed() {
      return passer.passed;
    },
  };
}

/** Visits every record in file order. Return false from `visit` to stop early. In-flight records are visited too. */
export function scanSnapshot(
  input: ByteInput,
  visit: (record: RecordView) => unknown,
  options: ScanOptions = {},
): Promise<SnapshotFacts> {
  const view = new RecordView();
  let facts: SnapshotFacts;
  return scanFrames(
    input,
    (buf, start, bodyStart, end, offset, index) => {
      try {
        view.parse(buf, start, bodyStart, end, offset, index);
      } catch (error) {
        if (options.onBadRecord === undefined || !(error instanceof AcsError)) throw error;
        options.onBadRecord(error, view);
        return true;
      }
      if (view.inFlight) facts.inFlight++;
      try {
        return visit(view);
      } catch (error) {
        throw view.locate(error);
      }
    },
    {
      ...options,
      onFacts: (known) => {
        facts = known;
        options.onFacts?.(known);
      },
    },
  );
}
