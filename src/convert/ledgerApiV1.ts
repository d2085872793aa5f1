/** Ledger API v1 `GetActiveContracts` responses, protobuf and JSON (legacy-import spec, 1.1, form L1). */
import { AcsError } from '../io/error.js';
import { readIdentifier, readTimestampMicros, type TemplateId } from '../snapshot/eventValues.js';
import { type Borders, borders } from '../wire/borders.js';
import { WireReader } from '../wire/reader.js';
import { missing } from './formatB.js';
import type { JsonMembers, JsonSlice } from './jsonMembers.js';
import { recordFromJson, valueFromJson } from './ledgerApiJsonValue.js';
import { templateOfJson, withoutSignatories } from './ledgerApiV2.js';
import { decodeOtherRecord, decodeOtherValue, LEDGER_API_V1 } from './protobufValue.js';
import type { SourceContract } from './sourceContract.js';

export interface ResponseV1 {
  contracts: SourceContract[];
  /** Only in the last response of a stream: the offset of the snapshot. */
  offset: string;
}

/** The body of one length-delimited response. */
export function readResponseV1(buf: Buffer, start: number, end: number): ResponseV1 {
  const r = new WireReader(buf, start, end);
  const response: ResponseV1 = { contracts: [], offset: '' };
  while (r.pos < r.end) {
    const at = r.pos;
    const tag = r.tag();
    if (tag === 0x0a) response.offset = r.string();
    else if (tag === 0x12) r.skip(2);
    else if (tag === 0x1a) response.contracts.push(createdEvent(buf, borders(r)));
    else {
      throw new AcsError('RESPONSE_UNKNOWN_FIELD', 'not a GetActiveContracts response of the Ledger API v1', {
        byteOffset: at,
        expected: 'fields 1 to 3',
        found: `field ${tag >>> 3}, wire type ${tag & 7}`,
      });
    }
  }
  return response;
}

function createdEvent(buf: Buffer, { start, end }: Borders): SourceContract {
  const r = new WireReader(buf, start, end);
  let contractId = '';
  let templateId: TemplateId | undefined;
  let args: Borders | undefined;
  let key: Borders | undefined;
  let packageName = '';
  let createdAt: bigint | undefined;
  const witnesses: string[] = [];
  const signatories: string[] = [];
  const observers: string[] = [];
  const inner = new WireReader(buf);
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 0x12:
        contractId = r.string();
        break;
      case 0x1a: {
        const b = borders(r);
        templateId = readIdentifier(inner.reset(buf, b.start, b.end));
        break;
      }
      case 0x22:
        args = borders(r);
        break;
      case 0x2a:
        witnesses.push(r.string());
        break;
      case 0x3a:
        key = borders(r);
        break;
      case 0x42:
        signatories.push(r.string());
        break;
      case 0x4a:
        observers.push(r.string());
        break;
      case 0x72: {
        const b = borders(r);
        createdAt = readTimestampMicros(inner.reset(buf, b.start, b.end));
        break;
      }
      case 0x7a: {
        // A StringValue: {1: text}.
        const b = borders(r);
        inner.reset(buf, b.start, b.end);
        while (inner.pos < inner.end) {
          const innerTag = inner.tag();
          if (innerTag === 0x0a) packageName = inner.string();
          else inner.skip(innerTag & 7);
        }
        break;
      }
      default:
        // Event id (1), agreement text (6), interface views (11), the 2.x blob (13): not needed.
        r.skip(tag & 7);
    }
  }
  if (contractId === '') throw missing(start, 'contract_id (2)');
  if (templateId === undefined) throw missing(start, 'template_id (3)');
  if (args === undefined) throw missing(start, 'create_arguments (4)');
  return {
    format: 'ledger-api-v1',
    contractId,
    templateId,
    ...(packageName === '' ? {} : { packageName }),
    argument: { form: 'value', value: decodeOtherRecord(buf, args.start, args.end, LEDGER_API_V1) },
    ...(key === undefined
      ? {}
      : {
          key: { value: { form: 'value', value: decodeOtherValue(buf, key.start, key.end, LEDGER_API_V1) } },
        }),
    signatories: [...new Set(signatories)].sort(),
    observers: withoutSignatories(observers, signatories),
    witnesses,
    ...(createdAt === undefined ? {} : { createdAt }),
    lfLine: '1',
  };
}

/** A created event of the v1 API in protobuf's JSON mapping. */
export function createdEventV1Json(slice: JsonSlice): SourceContract {
  const event: JsonMembers = slice.members();
  const args = event.require('createArguments', 'create_arguments');
  const key = event.get('contractKey', 'contract_key');
  const packageName = event.string('packageName', 'package_name');
  const createdAt = event.instant('createdAt', 'created_at');
  const signatories = event.strings('signatories');
  return {
    format: 'ledger-api-v1-json',
    contractId: event.contractId('contractId', 'contract_id'),
    templateId: templateOfJson(event.require('templateId', 'template_id')),
    ...(packageName === undefined ? {} : { packageName }),
    argument: { form: 'value', value: recordFromJson(args.parse(), args.path) },
    ...(key === undefined
      ? {}
      : { key: { value: { form: 'value', value: valueFromJson(key.parse(), key.path) } } }),
    signatories: [...new Set(signatories)].sort(),
    observers: withoutSignatories(event.strings('observers'), signatories),
    witnesses: event.strings('witnessParties', 'witness_parties'),
    ...(createdAt === undefined ? {} : { createdAt }),
    lfLine: '1',
  };
}
