/**
 * Reading a snapshot file record by record: gzip → frames → records, with the place of every fault. Asynchronous per
 * chunk, synchronous inside; memory does not grow with the file.
 */
import { AcsError } from '../io/error.js';
import { type ByteInput, inputName, readChunks } from '../io/input.js';
import { frameSplitter } from '../wire/frames.js';
import { emptyGzipFacts, type GzipFacts, type InflateOptions, inflateGzip } from '../wire/inflate.js';
import { refuseOtherFormats, refuseOtherInflatedFormats } from './format.js';
import { RecordView } from './record.js';

export interface ScanOptions extends InflateOptions {
  /** Longest record accepted; default 64 MiB. */
  maxRecordBytes?: number;
  /** Called for a record that cannot be parsed; without it the error is thrown. */
  onBadRecord?: (error: AcsError, view: RecordView) => void;
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

/** Visits every record in file order. Return false from `visit` to stop early. In-flight records are visited too. */
export async function scanSnapshot(
  input: ByteInput,
  visit: (record: RecordView) => unknown,
  options: ScanOptions = {},
): Promise<SnapshotFacts> {
  const facts: SnapshotFacts = { name: inputName(input), gzip: emptyGzipFacts(), records: 0, inFlight: 0 };
  options.onFacts?.(facts);
  const splitter = frameSplitter(options.maxRecordBytes);
  const view = new RecordView();
  let stopped = false;
  const sink = (buf: Buffer, start: number, bodyStart: number, end: number, offset: number): void => {
    if (stopped) return;
    try {
      view.parse(buf, start, bodyStart, end, offset, facts.records++);
    } catch (error) {
      if (options.onBadRecord === undefined || !(error instanceof AcsError)) throw error;
      options.onBadRecord(error, view);
      return;
    }
    if (view.inFlight) facts.inFlight++;
    try {
      if (visit(view) === false) stopped = true;
    } catch (error) {
      throw view.locate(error);
    }
  };
  try {
    const inflated =
      options.inflated?.(facts.gzip) ??
      inflateGzip(refuseOtherFormats(readChunks(input)), facts.gzip, options);
    for await (const chunk of refuseOtherInflatedFormats(inflated)) {
      splitter.push(chunk, sink);
      if (stopped) return facts;
      if (options.afterChunk !== undefined) await options.afterChunk();
    }
    splitter.finish();
    return facts;
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ file: facts.name }) : error;
  }
}
