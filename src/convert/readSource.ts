/**
 * Reading a source of any form, contract by contract: container (gzip, zstd, plain) → form → contracts. Asynchronous per
 * chunk, synchronous inside; memory does not grow with the input, except for the ids a stream of creates and archives
 * needs (JSON API v1 streams).
 */
import { AcsError } from '../io/error.js';
import { type ByteInput, inputName, readChunks } from '../io/input.js';
import { RecordView } from '../snapshot/record.js';
import { byteQueue } from '../wire/byteQueue.js';
import { type FrameSink, frameSplitter } from '../wire/frames.js';
import { looksLikeGzip } from '../wire/gzipHeader.js';
import { emptyGzipFacts, type InflateOptions, inflateGzip } from '../wire/inflate.js';
import { DETECT_BYTES, detectSource } from './detectSource.js';
import { type FindingCollector, findingCollector } from './findings.js';
import { readFormatB } from './formatB.js';
import { contractOfJsonApi, streamEvent } from './jsonApiV1.js';
import { activeContractEntry } from './jsonLedgerApiV2.js';
import { JsonSlice } from './jsonMembers.js';
import { type JsonSink, jsonSplitter } from './jsonSplitter.js';
import { createdEventV1Json, readResponseV1 } from './ledgerApiV1.js';
import { type ResponseItem, readResponseV2, readResponseV2Json, sourceOfRecord } from './ledgerApiV2.js';
import { scanContract, streamBase64Member } from './scanEvents.js';
import { readFormatC } from './serializableContract.js';
import {
  SOURCE_FORMAT_NAMES,
  type SourceContract,
  type SourceFinding,
  type SourceFindingCode,
  type SourceFormat,
  type SourcePlace,
} from './sourceContract.js';
import { textDumpReader } from './textDump.js';
import { inflateZstd } from './zstd.js';

export interface ReadSourceOptions extends InflateOptions {
  /** Reads the input as this form; without it the form is recognised. */
  format?: SourceFormat;
  /** Counts that look like a limit. Default 1000, the default of the 2.x console. */
  expectLimit?: number;
  maxRecordBytes?: number;
  /**
   * Called first for every contract of a format-A snapshot; true means that it is dealt with and no source contract is
   * made of it.
   */
  onRecord?: (record: RecordView) => boolean;
  /** The same for the bodies of format-B frames. */
  onOldRecord?: (buf: Buffer, start: number, end: number) => boolean;
  /** Awaited after every chunk: back-pressure. */
  afterChunk?: () => Promise<void> | void;
}

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

/** State shared by the readers of one input. */
interface Reading {
  name: string;
  visit: (contract: SourceContract, line?: number) => void;
  /** Counts a contract that needs no visit. */
  handled: () => void;
  findings: FindingCollector<SourceFindingCode>;
  /** Moments the input names. */
  offsets: Set<string>;
  options: ReadSourceOptions;
}

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
    visit(contract, line) {
      const place: SourcePlace = {
        file: name,
        record: facts.contracts++,
        ...(line === undefined ? {} : { line }),
      };
      if (contract.blob === undefined && hasBlobs(contract.format)) {
        findings.add(
          'NO_BLOB',
          'contracts without created_event_blob: their ids cannot be kept',
          contract.contractId,
        );
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
  for await (const chunk of rest(queue)) {
    push(chunk);
    await reading.options.afterChunk?.();
  }
  push(undefined);
}

/** Takes chunks, then `undefined` for the end. */
type Push = (chunk: Buffer | undefined) => void;

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
  const take = (buf: Buffer, start: number, bodyStart: number, end: number, offset: number): void => {
    switch (format) {
      case 'A':
        view.parse(buf, start, bodyStart, end, offset, index);
        if (view.inFlight) inFlight(reading, undefined);
        else if (reading.options.onRecord?.(view) === true) reading.handled();
        else reading.visit(sourceOfRecord(view, 'A'));
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
        item(readResponseV2(buf, bodyStart, end, index), reading);
    }
  };
  const sink: FrameSink = (buf, start, bodyStart, end, offset) => {
    try {
      take(buf, start, bodyStart, end, offset);
    } catch (error) {
      if (error instanceof AcsError && error.place.record === undefined && error.place.stream === undefined) {
        if (error.place.byteOffset !== undefined)
          error.place.byteOffset = offset + error.place.byteOffset - start;
        error.locate({ stream: 'inflated', record: index, byteOffset: offset });
      }
      throw error;
    }
    index++;
  };
  return (chunk) => {
    if (chunk === undefined) splitter.finish();
    else splitter.push(chunk, sink);
  };
}

function item(found: ResponseItem, reading: Reading): void {
  if (found.kind === 'contract') reading.visit(found.contract);
  else if (found.kind === 'in-flight') inFlight(reading, found.contractId);
  else if (found.offset !== undefined) reading.offsets.add(found.offset);
}

function inFlight(reading: Reading, contractId: string | undefined): void {
  reading.findings.add(
    'IN_FLIGHT',
    'contracts were in flight between synchronizers: they are not part of the result',
    contractId,
  );
}

/** Members of a document whose elements are contracts. */
const ARRAYS: Partial<Record<SourceFormat, readonly string[]>> = {
  'json-api-v1': ['result'],
  'json-api-v1-stream': ['events'],
  'json-ledger-api-v2': ['activeContracts'],
  'ledger-api-v1-json': ['activeContracts', 'active_contracts'],
  'scan-events': ['created_events'],
};

function jsonReader(format: SourceFormat, reading: Reading): Push {
  const arrays = new Set(ARRAYS[format] ?? []);
  const splitter = jsonSplitter(arrays);
  const stream = format === 'json-api-v1-stream' ? streamState(reading) : undefined;
  let pages = 0;

  function element(slice: JsonSlice, key: string): void {
    switch (format) {
      case 'json-api-v1':
        // A top-level array holds contracts, or whole answers.
        if (key === '' && slice.members().get('result') !== undefined) {
          answer(slice);
          return;
        }
        reading.visit(contractOfJsonApi(slice, format));
        return;
      case 'json-api-v1-stream':
        if (key === '') document(slice, true);
        else stream?.event(slice);
        return;
      case 'json-ledger-api-v2':
        if (key === '' && slice.members().get('activeContracts') !== undefined) {
          document(slice, true);
          return;
        }
        item(activeContractEntry(slice), reading);
        return;
      case 'ledger-api-v2-json':
        item(readResponseV2Json(slice), reading);
        return;
      case 'ledger-api-v1-json':
        if (key === '') document(slice, true);
        else reading.visit(createdEventV1Json(slice));
        return;
      default:
        reading.visit(scanContract(slice));
    }
  }

  function answer(slice: JsonSlice): void {
    for (const contract of slice.members().require('result').elements()) element(contract, 'result');
    document(slice, false);
  }

  /** A document around elements; `nested` when its elements have not been handed out yet. */
  function document(slice: JsonSlice, nested: boolean): void {
    const members = slice.members();
    if (nested) {
      const key = [...arrays].find((name) => members.get(name) !== undefined);
      if (key !== undefined) for (const inner of members.require(key).elements()) element(inner, key);
    }
    switch (format) {
      case 'json-api-v1': {
        pages++;
        if (pages > 1) {
          reading.findings.add(
            'NO_COMMON_CUT',
            'the input holds several /v1/query answers: they are not of one moment',
            undefined,
          );
        }
        const status = members.integer('status');
        if (members.get('result') === undefined && members.get('payload') !== undefined) {
          reading.visit(contractOfJsonApi(slice, format));
        } else if (status !== undefined && status !== 200n) {
          throw new AcsError('ANSWER_FAILED', `the answer has status ${status}`, {
            expected: '200',
            found: members.get('errors')?.text.slice(0, 200),
          });
        } else members.require('result');
        const warnings = members.get('warnings');
        if (warnings !== undefined) {
          reading.findings.add(
            'INCOMPLETE_ANSWER',
            `the answer has warnings: ${warnings.text.slice(0, 300)}`,
          );
        }
        return;
      }
      case 'json-api-v1-stream':
        stream?.document(slice);
        return;
      case 'json-ledger-api-v2': {
        if (members.get('activeContracts') === undefined) {
          item(activeContractEntry(slice), reading);
          return;
        }
        const offset = members.integer('activeAtOffset');
        if (offset !== undefined) reading.offsets.add(offset.toString());
        return;
      }
      case 'ledger-api-v2-json':
        item(readResponseV2Json(slice), reading);
        return;
      case 'ledger-api-v1-json': {
        const offset = members.string('offset');
        if (offset !== undefined && offset !== '') reading.offsets.add(offset);
        return;
      }
      default: {
        if (members.get('created_events') === undefined) {
          reading.visit(scanContract(slice));
          return;
        }
        const time = members.string('record_time');
        const migration = members.integer('migration_id');
        if (time !== undefined)
          reading.offsets.add(migration === undefined ? time : `${time} (migration ${migration})`);
      }
    }
  }

  const sink: JsonSink = {
    element: (buf, start, end, key) => element(new JsonSlice(buf, start, end, ''), key),
    document: (buf, start, end) => document(new JsonSlice(buf, start, end, ''), false),
  };
  return (chunk) => {
    if (chunk !== undefined) {
      try {
        splitter.push(chunk, sink);
      } catch (error) {
        throw error instanceof AcsError
          ? error.locate({ stream: 'inflated', byteOffset: splitter.offset, line: splitter.line })
          : error;
      }
      return;
    }
    splitter.finish();
    stream?.finish();
  };
}

/**
 * A `/v1/stream/query` recording: creates and archives. The first document with an offset ends the snapshot; what is
 * still active at the end of the input is handed out then.
 */
function streamState(reading: Reading) {
  const active = new Map<string, SourceContract>();
  let ended = false;
  return {
    event(slice: JsonSlice): void {
      const event = streamEvent(slice);
      if (event.kind === 'created') {
        if (active.has(event.contract.contractId)) {
          reading.findings.add(
            'DUPLICATE',
            'a contract was created twice in the stream',
            event.contract.contractId,
          );
        }
        active.set(event.contract.contractId, event.contract);
        return;
      }
      if (active.delete(event.contractId)) {
        reading.findings.add(
          'TRANSIENT',
          'contracts archived again inside the recording were left out',
          event.contractId,
        );
      }
    },
    document(slice: JsonSlice): void {
      const members = slice.members();
      if (members.get('errors') !== undefined || members.get('error') !== undefined) {
        throw new AcsError('ANSWER_FAILED', 'the recorded stream holds an error', {
          found: slice.text.slice(0, 200),
        });
      }
      const offset = members.get('offset');
      if (offset !== undefined) ended = true;
      else if (members.names().includes('offset')) ended = true;
      const warnings = members.get('warnings');
      if (warnings !== undefined) {
        reading.findings.add('INCOMPLETE_ANSWER', `the answer has warnings: ${warnings.text.slice(0, 300)}`);
      }
    },
    finish(): void {
      if (!ended) {
        reading.findings.add(
          'INCOMPLETE_ANSWER',
          'no document of the recording has an offset: the snapshot part may not be complete',
        );
      }
      for (const contract of active.values()) reading.visit(contract);
      active.clear();
    },
  };
}
