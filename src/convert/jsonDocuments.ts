/** Reading the JSON forms: which documents and arrays each has, and what they say besides contracts. */
import { AcsError } from '../io/error.js';
import { type JsonSink, jsonSplitter } from '../wire/jsonSplitter.js';
import { contractOfJsonApi, streamEvent } from './jsonApiV1.js';
import { activeContractEntry } from './jsonLedgerApiV2.js';
import { JsonSlice, MAX_INT32, MAX_INT64 } from './jsonMembers.js';
import { createdEventV1Json } from './ledgerApiV1.js';
import { readResponseV2Json } from './ledgerApiV2.js';
import { scanContract } from './scanEvents.js';
import type { SourceContract, SourceFormat } from './sourceContract.js';
import { type Push, type Reading, takeItem } from './sourceReading.js';

/** Members of a document whose elements are contracts. */
const ARRAYS: Partial<Record<SourceFormat, readonly string[]>> = {
  'json-api-v1': ['result'],
  'json-api-v1-stream': ['events'],
  'json-ledger-api-v2': ['activeContracts'],
  'ledger-api-v1-json': ['activeContracts', 'active_contracts'],
  'scan-events': ['created_events'],
};

export function jsonReader(format: SourceFormat, reading: Reading): Push {
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
        takeItem(activeContractEntry(slice), reading);
        return;
      case 'ledger-api-v2-json':
        takeItem(readResponseV2Json(slice), reading);
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
        const status = members.integer(MAX_INT32, 'status');
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
          takeItem(activeContractEntry(slice), reading);
          return;
        }
        const offset = members.integer(MAX_INT64, 'activeAtOffset');
        if (offset !== undefined) reading.offsets.add(offset.toString());
        return;
      }
      case 'ledger-api-v2-json':
        takeItem(readResponseV2Json(slice), reading);
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
        const migration = members.integer(MAX_INT64, 'migration_id');
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
