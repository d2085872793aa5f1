/**
 * Ledger API v2: created events as source contracts, and `GetActiveContracts` responses, protobuf and JSON
 * (ledger-semantics spec, 2.1; snapshot-format spec, 3.3). Where an event carries its blob, the blob is authoritative.
 */
import { decodeBlob } from '../contract/contractInstance.js';
import { AcsError } from '../io/error.js';
import { encodeFrame } from '../snapshot/encodeRecord.js';
import type { TemplateId } from '../snapshot/eventValues.js';
import { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { borders } from '../wire/borders.js';
import { WireReader } from '../wire/reader.js';
import { type JsonMembers, type JsonSlice, MAX_INT32, MAX_INT64, MAX_UINT64 } from './jsonMembers.js';
import { recordFromJson, valueFromJson } from './ledgerApiJsonValue.js';
import { decodeOtherRecord, decodeOtherValue, LEDGER_API_V2 } from './protobufValue.js';
import type { SourceContract, SourceFormat, SourceKey, SourceValue } from './sourceContract.js';

/** What one response holds. */
export type ResponseItem =
  | { kind: 'contract'; contract: SourceContract }
  /** Unassigned and not yet assigned, or the other way round; not part of the active contracts. */
  | { kind: 'in-flight'; contractId: string }
  /** Nothing but a token or an offset. `offset` is set where the answer says to which moment it belongs. */
  | { kind: 'empty'; offset?: string };

/** The contract of a format-A record (or of a record rebuilt from an event). */
export function sourceOfRecord(record: RecordView, format: SourceFormat): SourceContract {
  const blob = record.createdEventBlob;
  const event = Buffer.from(record.buf.subarray(record.eventStart, record.eventEnd));
  const shared = {
    format,
    synchronizerId: record.synchronizerId,
    reassignmentCounter: record.reassignmentCounter,
    offset: record.ledgerOffset,
    nodeId: record.nodeId,
    ...(record.has(EVENT.witnessParties) ? { witnesses: record.witnessParties } : {}),
    representativePackageId: record.representativePackageId,
    event,
    lfLine: '2',
  } as const;
  if (blob !== undefined && blob.length > 0) {
    const copy = Buffer.from(blob);
    return { ...shared, ...contractOfBlob(copy), blob: copy };
  }
  const templateId = record.templateId;
  if (templateId === undefined) throw eventLacks('template_id', record.eventStart);
  const args = record.eventFields[2 * EVENT.createArguments];
  if (args < 0) throw eventLacks('create_arguments', record.eventStart);
  const keyStart = record.eventFields[2 * EVENT.contractKey];
  const hash = record.bytesField(EVENT.contractKeyHash);
  return {
    ...shared,
    contractId: record.contractId,
    templateId,
    ...(record.has(EVENT.packageName) ? { packageName: record.packageName } : {}),
    argument: {
      form: 'value',
      value: decodeOtherRecord(
        record.buf,
        args,
        record.eventFields[2 * EVENT.createArguments + 1],
        LEDGER_API_V2,
      ),
    },
    ...(keyStart < 0
      ? {}
      : {
          key: {
            value: {
              form: 'value' as const,
              value: decodeOtherValue(
                record.buf,
                keyStart,
                record.eventFields[2 * EVENT.contractKey + 1],
                LEDGER_API_V2,
              ),
            },
            ...(hash === undefined ? {} : { hash: Buffer.from(hash) }),
          },
        }),
    signatories: record.signatories,
    observers: record.observers,
    ...(record.createdAtMicros === undefined ? {} : { createdAt: record.createdAtMicros }),
  };
}

/** The fields a 3.x blob determines. `BLOB_*` errors. */
export function contractOfBlob(
  blob: Buffer,
): Pick<
  SourceContract,
  | 'contractId'
  | 'templateId'
  | 'packageName'
  | 'argument'
  | 'key'
  | 'signatories'
  | 'observers'
  | 'createdAt'
  | 'authenticationData'
  | 'instance'
> {
  const instance = decodeBlob(blob);
  const { key } = instance;
  return {
    instance,
    contractId: instance.contractId,
    templateId: instance.templateId,
    packageName: instance.packageName,
    argument: { form: 'bytes', bytes: instance.createArgument },
    ...(key === undefined
      ? {}
      : {
          key: {
            value: { form: 'bytes' as const, bytes: key.value },
            maintainers: key.maintainers,
            ...(key.hash.length > 0 ? { hash: key.hash } : {}),
          },
        }),
    signatories:
      key === undefined
        ? instance.nonMaintainerSignatories
        : [...new Set([...instance.nonMaintainerSignatories, ...key.maintainers])].sort(),
    observers: instance.nonSignatoryStakeholders,
    createdAt: instance.createdAt,
    authenticationData: instance.authenticationData,
  };
}

function eventLacks(field: string, byteOffset: number): AcsError {
  return new AcsError('EVENT_FIELD_MISSING', `a created event lacks ${field}`, {
    byteOffset,
    expected: field,
  });
}

const sharedRecord = new RecordView();

/** The body of one length-delimited `GetActiveContractsResponse`. */
export function readResponseV2(buf: Buffer, start: number, end: number, index: number): ResponseItem {
  const r = new WireReader(buf, start, end);
  let item: ResponseItem = { kind: 'empty' };
  while (r.pos < r.end) {
    const at = r.pos;
    const tag = r.tag();
    if (tag === 0x12) {
      const active = borders(r);
      item = { kind: 'contract', contract: activeContract(buf, active.start, active.end, index) };
    } else if (tag === 0x1a) {
      const incomplete = borders(r);
      item = { kind: 'in-flight', contractId: unassignedId(buf, incomplete.start, incomplete.end) };
    } else if (tag === 0x22) {
      const incomplete = borders(r);
      item = { kind: 'in-flight', contractId: assignedId(buf, incomplete.start, incomplete.end) };
    } else if (tag === 0x0a || tag === 0x2a) r.skip(2);
    else {
      throw new AcsError('RESPONSE_UNKNOWN_FIELD', 'not a GetActiveContracts response of the Ledger API v2', {
        byteOffset: at,
        expected: 'fields 1 to 5',
        found: `field ${tag >>> 3}, wire type ${tag & 7}`,
      });
    }
  }
  return item;
}

function activeContract(buf: Buffer, start: number, end: number, index: number): SourceContract {
  const r = new WireReader(buf, start, end);
  let event: Buffer | undefined;
  let synchronizerId = '';
  let counter = 0n;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) event = r.bytes();
    else if (tag === 0x12) synchronizerId = r.string();
    else if (tag === 0x18) counter = r.uint64();
    else r.skip(tag & 7);
  }
  if (event === undefined) throw eventLacks('created_event', start);
  return recordOfEvent(event, synchronizerId, counter, index, 'ledger-api-v2');
}

function recordOfEvent(
  event: Buffer,
  synchronizerId: string,
  counter: bigint,
  index: number,
  format: SourceFormat,
): SourceContract {
  const frame = encodeFrame(event, synchronizerId, counter);
  let bodyStart = 0;
  while (frame[bodyStart++] >= 0x80);
  return sourceOfRecord(sharedRecord.parse(frame, 0, bodyStart, frame.length, 0, index), format);
}

/** `IncompleteUnassigned{1 created_event, 2 unassigned_event}`: the id of the unassigned event counts, see running-nodes. */
function unassignedId(buf: Buffer, start: number, end: number): string {
  const r = new WireReader(buf, start, end);
  let id = '';
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x12) {
      const inner = borders(r);
      id = fieldString(buf, inner.start, inner.end, 2);
    } else r.skip(tag & 7);
  }
  return id;
}

/** `IncompleteAssigned{1 assigned_event{6 created_event}}`. */
function assignedId(buf: Buffer, start: number, end: number): string {
  const r = new WireReader(buf, start, end);
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag !== 0x0a) {
      r.skip(tag & 7);
      continue;
    }
    const assigned = borders(r);
    const inner = new WireReader(buf, assigned.start, assigned.end);
    while (inner.pos < inner.end) {
      const innerTag = inner.tag();
      if (innerTag === 0x32) {
        const created = borders(inner);
        return fieldString(buf, created.start, created.end, 3);
      }
      inner.skip(innerTag & 7);
    }
  }
  return '';
}

function fieldString(buf: Buffer, start: number, end: number, field: number): string {
  const r = new WireReader(buf, start, end);
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === ((field << 3) | 2)) return r.string();
    r.skip(tag & 7);
  }
  return '';
}

/** One `GetActiveContractsResponse` in protobuf's JSON mapping. */
export function readResponseV2Json(slice: JsonSlice): ResponseItem {
  const response = slice.members();
  const active = response.get('activeContract', 'active_contract');
  if (active !== undefined) {
    const members = active.members();
    const event = members.require('createdEvent', 'created_event').members();
    return {
      kind: 'contract',
      contract: eventOfJson(event, 'ledger-api-v2-json', typedArgument, {
        synchronizerId: members.string('synchronizerId', 'synchronizer_id') ?? '',
        counter: members.integer(MAX_UINT64, 'reassignmentCounter', 'reassignment_counter') ?? 0n,
      }),
    };
  }
  const unassigned = response.get('incompleteUnassigned', 'incomplete_unassigned');
  if (unassigned !== undefined) {
    const event = unassigned.members().require('unassignedEvent', 'unassigned_event').members();
    return { kind: 'in-flight', contractId: event.string('contractId', 'contract_id') ?? '' };
  }
  const assigned = response.get('incompleteAssigned', 'incomplete_assigned');
  if (assigned !== undefined) {
    const event = assigned.members().require('assignedEvent', 'assigned_event').members();
    const created = event.require('createdEvent', 'created_event').members();
    return { kind: 'in-flight', contractId: created.string('contractId', 'contract_id') ?? '' };
  }
  const known = new Set([
    'workflowId',
    'workflow_id',
    'streamContinuationToken',
    'stream_continuation_token',
  ]);
  if (response.names().some((name) => !known.has(name))) {
    throw new AcsError('RESPONSE_UNKNOWN_FIELD', 'not a GetActiveContracts response of the Ledger API v2', {
      expected: 'activeContract, incompleteUnassigned or incompleteAssigned',
      found: response.names().join(', '),
    });
  }
  return { kind: 'empty' };
}

/** How the JSON of arguments is read: as typed protobuf JSON, or kept as text until the types are known. */
export type ArgumentReader = (slice: JsonSlice, kind: 'record' | 'value') => SourceValue;

export const typedArgument: ArgumentReader = (slice, kind) => ({
  form: 'value',
  value:
    kind === 'record' ? recordFromJson(slice.parse(), slice.path) : valueFromJson(slice.parse(), slice.path),
});

/** A created event of the v2 APIs in JSON, camel case or snake case. */
export function eventOfJson(
  event: JsonMembers,
  format: SourceFormat,
  argument: ArgumentReader,
  activation: { synchronizerId?: string; counter?: bigint },
): SourceContract {
  const blob = event.base64('createdEventBlob', 'created_event_blob');
  const templateId = templateOfJson(event.require('templateId', 'template_id'));
  const contractId = event.contractId('contractId', 'contract_id');
  const packageName = event.string('packageName', 'package_name');
  const offset = event.integer(MAX_INT64, 'offset');
  const nodeId = event.integer(MAX_INT32, 'nodeId', 'node_id');
  const witnesses = event.get('witnessParties', 'witness_parties');
  const createdAt = event.instant('createdAt', 'created_at');
  const representative = event.string('representativePackageId', 'representative_package_id') ?? '';
  const shared = {
    format,
    ...(activation.synchronizerId === undefined ? {} : { synchronizerId: activation.synchronizerId }),
    ...(activation.counter === undefined ? {} : { reassignmentCounter: activation.counter }),
    ...(offset === undefined ? {} : { offset }),
    ...(nodeId === undefined ? {} : { nodeId: Number(nodeId) }),
    ...(witnesses === undefined ? {} : { witnesses: event.strings('witnessParties', 'witness_parties') }),
    representativePackageId: representative,
    lfLine: '2',
  } as const;
  if (blob !== undefined) {
    const content = contractOfBlob(blob);
    // The blob is what counts; but it must be this contract's.
    const told = (id: string, { moduleName, entityName }: TemplateId): string =>
      `${id} ${moduleName}:${entityName}`;
    const [expected, found] = [told(contractId, templateId), told(content.contractId, content.templateId)];
    if (expected !== found) {
      throw new AcsError('BLOB_OF_OTHER_CONTRACT', 'a created event holds the blob of another contract', {
        path: event.slice.path,
        expected,
        found,
      });
    }
    return { ...shared, ...content, blob };
  }
  const key = event.get('contractKey', 'contract_key');
  const hash = event.base64('contractKeyHash', 'contract_key_hash');
  const sourceKey: SourceKey | undefined =
    key === undefined
      ? undefined
      : { value: argument(key, 'value'), ...(hash === undefined ? {} : { hash }) };
  return {
    ...shared,
    contractId,
    templateId,
    ...(packageName === undefined || packageName === '' ? {} : { packageName }),
    argument: argument(
      event.require('createArgument', 'createArguments', 'create_argument', 'create_arguments', 'payload'),
      'record',
    ),
    ...(sourceKey === undefined ? {} : { key: sourceKey }),
    signatories: [...new Set(event.strings('signatories'))].sort(),
    observers: withoutSignatories(event.strings('observers'), event.strings('signatories')),
    ...(createdAt === undefined ? {} : { createdAt }),
  };
}

/** Observers that are no signatories, ascending: some forms list a party under both. */
export function withoutSignatories(observers: readonly string[], signatories: readonly string[]): string[] {
  const signing = new Set(signatories);
  return [...new Set(observers)].filter((party) => !signing.has(party)).sort();
}

/** `pkg:Mod.Ule:Ent.Ity`, `#name:…`, old JSON's `Mod:Ent`, or the object form. */
export function templateOfJson(slice: JsonSlice): TemplateId {
  if (slice.first === '{') {
    const members = slice.members();
    return {
      packageId: members.string('packageId', 'package_id') ?? '',
      moduleName: members.requireString('moduleName', 'module_name'),
      entityName: members.requireString('entityName', 'entity_name'),
    };
  }
  const text = slice.parse();
  if (typeof text !== 'string') throw slice.wrong('a template id');
  const parts = text.split(':');
  if (parts.length === 3) return { packageId: parts[0], moduleName: parts[1], entityName: parts[2] };
  if (parts.length === 2) return { packageId: '', moduleName: parts[0], entityName: parts[1] };
  throw slice.wrong('package:Module:Entity');
}
