/**
 * Reading a source of any form, contract by contract: container (gzip, zstd, plain) → form → contracts. Asynchronous per
 * chunk, synchronous inside; memory does not grow with the input, except for the ids a stream of creates and archives
 * needs (JSON API v1 streams).
 */
import { AcsError } from '../io/error.js';
import { type ByteInput, inputName, readChunks } from '../io/input.js';
import { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { byteQueue } from '../wire/byteQueue.js';
import { type FrameSink, frameSplitter } from '../wire/frames.js';
import { looksLikeGzip } from '../wire/gzipHeader.js';
import { emptyGzipFacts, inflateGzip } from '../wire/inflate.js';
import { inflateZstd } from '../wire/zstd.js';
import { DETECT_BYTES, detectSource } from './detectSource.js';
import { findingCollector } from './findingCollector.js';
import { readFormatB } from './formatB.js';
import { jsonReader } from './jsonDocuments.js';
import { readResponseV1 } from './ledgerApiV1.js';
import { readResponseV2, sourceOfRecord } from './ledgerApiV2.js';
import { streamBase64Member } from './scanEvents.js';
import { readFormatC } from './serializableContract.js';
import {
  SOURCE_FORMAT_NAMES,
  type SourceContract,
  type SourceFinding,
  type SourceFindingCode,
  type SourceFormat,
  type SourcePlace,
} from './sourceContract.js';
import {
  inFlight,
  type Push,
  type Reading,
  type ReadSourceOptions,
  type Revisit,
  takeItem,
} from './sourceReading.js';
import { textDumpReader } from './textDump.js';

export interface SourceFacts {
  /** The input: a path, or `-`. */
  file: string;
  format: SourceFormat | 'empty';
  container: 'gzip' | 'zstd' | 'plain';
  contracts: number;
  /** Offset or moment of the read, where the source says it, as written. */
  offset?: string;
  findings: SourceFinding[];
}

export type SourceVisitor = (contract: SourceContract, place: SourcePlace) => void;

/** Reads every contract. Errors: those of the form, located; `SOURCE_UNKNOWN` and `SOURCE_WRONG_FORMAT`. */
export async function readSource(
  input: ByteInput,
  visit: SourceVisitor,
  options: ReadSourceOptions = {},
): Promise<SourceFacts> {
  const name = inputName(input);
  const facts: SourceFacts = { file: name, format: 'empty', container: 'plain', contracts: 0, findings: [] };
  const findings = findingCollector<SourceFindingCode>();
  const reading: Reading = {
    name,
    findings,
    offsets: new Set(),
    options,
    handled: () => {
      facts.contracts++;
    },
    contracts: () => facts.contracts,
    noBlob(contractId) {
      findings.add('NO_BLOB', 'contracts without created_event_blob: their ids cannot be kept', contractId);
    },
    visit(contract, line, revisited) {
      const place: SourcePlace = {
        file: name,
        record: revisited ?? facts.contracts++,
        ...(line === undefined ? {} : { line }),
      };
      if (revisited === undefined && contract.blob === undefined && hasBlobs(contract.format)) {
        reading.noBlob(contract.contractId);
      }
      try {
        visit(contract, place);
      } catch (error) {
        throw error instanceof AcsError ? error.locate({ ...place, contractId: contract.contractId }) : error;
      }
    },
  };
  try {
    await readStored(readChunks(input), reading, facts, options.format);
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ file: name }) : error;
  }
  const limit = options.expectLimit ?? 1000;
  if (facts.contracts === limit && limit > 0) {
    findings.add(
      'SUSPICIOUS_COUNT',
      `exactly ${limit} contracts: a console or server limit may have cut the dump without saying so`,
      undefined,
      facts.contracts,
    );
  }
  if (reading.offsets.size > 1) {
    findings.add(
      'NO_COMMON_CUT',
      `the input holds reads of different moments (${[...reading.offsets].slice(0, 3).join(', ')}): contracts may be missing or double`,
      undefined,
      reading.offsets.size,
    );
  }
  if (reading.offsets.size === 1) facts.offset = [...reading.offsets][0];
  facts.findings = findings.list();
  return facts;
}

function hasBlobs(format: SourceFormat): boolean {
  return (
    format === 'A' ||
    format === 'ledger-api-v2' ||
    format === 'ledger-api-v2-json' ||
    format === 'json-ledger-api-v2' ||
    format === 'scan-events'
  );
}

async function readStored(
  chunks: AsyncIterable<Buffer>,
  reading: Reading,
  facts: SourceFacts,
  forced: SourceFormat | undefined,
): Promise<void> {
  const queue = byteQueue(chunks);
  const magic = await queue.peek(4);
  let inflated: AsyncIterable<Buffer>;
  if (looksLikeGzip(magic)) {
    facts.container = 'gzip';
    inflated = inflateGzip(rest(queue), emptyGzipFacts(), reading.options);
  } else if (magic.length === 4 && magic.readUInt32LE(0) === 0xfd2fb528) {
    facts.container = 'zstd';
    inflated = inflateZstd(
      rest(queue),
      reading.options.maxRatio === undefined ? {} : { maxRatio: reading.options.maxRatio },
    );
  } else inflated = rest(queue);
  await readInflated(inflated, reading, facts, forced);
}

async function* rest(queue: ReturnType<typeof byteQueue>): AsyncGenerator<Buffer> {
  try {
    for (let chunk = await queue.next(); chunk !== undefined; chunk = await queue.next()) yield chunk;
  } finally {
    await queue.close();
  }
}

async function readInflated(
  chunks: AsyncIterable<Buffer>,
  reading: Reading,
  facts: SourceFacts,
  forced: SourceFormat | undefined,
): Promise<void> {
  const queue = byteQueue(chunks);
  const head = await queue.peek(DETECT_BYTES);
  const whole = head.length < DETECT_BYTES;
  const found = detectSource(head, whole);
  if (forced !== undefined && found !== undefined && found !== 'empty' && found !== forced) {
    throw new AcsError('SOURCE_WRONG_FORMAT', `the input is not in the form given with --format ${forced}`, {
      byteOffset: 0,
      stream: 'inflated',
      expected: SOURCE_FORMAT_NAMES[forced],
      found: SOURCE_FORMAT_NAMES[found],
      hint: `leave out --format, or give --format ${found}`,
    });
  }
  const format = forced ?? found;
  if (format === undefined) {
    throw new AcsError('SOURCE_UNKNOWN', 'the form of the input is not recognised', {
      byteOffset: 0,
      stream: 'inflated',
      expected: Object.keys(SOURCE_FORMAT_NAMES).join(', '),
      found: JSON.stringify(head.subarray(0, 24).toString('latin1')),
      hint: 'name it with --format to see what is wrong with it',
    });
  }
  if (format === 'empty' || found === 'empty') {
    facts.format = 'empty';
    await queue.close();
    return;
  }
  facts.format = format;
  if (format === 'scan-snapshot') {
    await readStored(streamBase64Member(rest(queue), 'acs_snapshot'), reading, facts, undefined);
    facts.format = 'scan-snapshot';
    return;
  }
  if (
    facts.container === 'plain' &&
    (format === 'A' || format === 'B' || format === 'C') &&
    forced === undefined
  ) {
    throw new AcsError('GZIP_NOT_GZIP', 'the snapshot is not compressed', {
      byteOffset: 0,
      expected: 'gzip',
      found: `an inflated stream of format ${format}`,
      hint: 'compress it first: gzip -n FILE (Canton too reads gzip only), or force the form with --format',
    });
  }
  const push = readerOf(format, reading);
  const { afterChunk, beforeEnd } = reading.options;
  try {
    for await (const chunk of rest(queue)) {
      push(chunk);
      await afterChunk?.();
    }
    push(undefined);
  } catch (error) {
    await beforeEnd?.();
    throw error;
  }
  await beforeEnd?.();
}

function readerOf(format: SourceFormat, reading: Reading): Push {
  switch (format) {
    case 'A':
    case 'B':
    case 'C':
    case 'ledger-api-v1':
    case 'ledger-api-v2':
      return framesReader(format, reading);
    case 'D':
    case 'E':
      return textDumpReader(format, (contract, line) => reading.visit(contract, line));
    default:
      return jsonReader(format, reading);
  }
}

function framesReader(format: SourceFormat, reading: Reading): Push {
  const splitter = frameSplitter(reading.options.maxRecordBytes);
  const view = new RecordView();
  let index = 0;
  const revisit: Revisit = (record, ordinal) =>
    reading.visit(sourceOfRecord(record, 'A'), undefined, ordinal);
  const take = (buf: Buffer, start: number, bodyStart: number, end: number, offset: number): void => {
    switch (format) {
      case 'A':
        view.parse(buf, start, bodyStart, end, offset, index);
        if (view.inFlight) inFlight(reading, undefined);
        else if (reading.options.onRecord?.(view, reading.contracts(), revisit) === true) {
          if (!view.has(EVENT.createdEventBlob)) reading.noBlob(view.contractId);
          reading.handled();
        } else reading.visit(sourceOfRecord(view, 'A'));
        return;
      case 'B':
        if (reading.options.onOldRecord?.(buf, bodyStart, end) === true) reading.handled();
        else reading.visit(readFormatB(buf, bodyStart, end));
        return;
      case 'C':
        reading.visit(readFormatC(buf, bodyStart, end));
        return;
      case 'ledger-api-v1': {
        const response = readResponseV1(buf, bodyStart, end);
        for (const contract of response.contracts) reading.visit(contract);
        if (response.offset !== '') reading.offsets.add(response.offset);
        return;
      }
      default:
        takeItem(readResponseV2(buf, bodyStart, end, index), reading);
    }
  };
  const sink: FrameSink = (buf, start, bodyStart, end, offset) => {
    try {
      take(buf, start, bodyStart, end, offset);
    } catch (error) {
      throw locatedInFrame(error, start, offset, index);
    }
    index++;
  };
  return (chunk) => {
    if (chunk === undefined) splitter.finish();
    else splitter.push(chunk, sink);
  };
}

/** Adds the place of the frame that begins at `start` of its buffer and at `offset` of the stream. */
export function locatedInFrame(error: unknown, start: number, offset: number, index: number): unknown {
  if (error instanceof AcsError && error.place.record === undefined && error.place.stream === undefined) {
    if (error.place.byteOffset !== undefined)
      error.place.byteOffset = offset + error.place.byteOffset - start;
    error.locate({ stream: 'inflated', record: index, byteOffset: offset });
  }
  return error;
}
