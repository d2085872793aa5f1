/**
 * Ledger API messages in protobuf's JSON mapping, turned into their protobuf bytes: so that a stream recorded as JSON
 * lines is read by the same decoder as a binary one. Names may be camelCase or as in the `.proto` file; 64-bit numbers
 * may be strings or numbers below 2^53; times are RFC 3339; unknown names are errors.
 */

import { parseMicros } from '../contract/time.js';
import { AcsError } from '../io/error.js';
import { writeTimestamp } from '../snapshot/encodeRecord.js';
import { WireWriter } from '../wire/writer.js';

type Scalar =
  | 'string'
  | 'bytes'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'sint64'
  | 'uint64'
  | 'sfixed64'
  | 'timestamp'
  | 'empty'
  | 'anything';

interface Field {
  number: number;
  type: Scalar | LedgerMessage;
  repeated: boolean;
  /** Members of a oneof and proto3 optionals are written even when they have their default value. */
  presence: boolean;
  enumValues?: Record<string, number>;
}

export type LedgerMessage = keyof typeof SCHEMA;

/**
 * `number name type`; `*` after the type: repeated; `!`: presence is tracked (oneof or optional). In ascending order, so
 * the bytes come out as a participant writes them.
 */
const SCHEMA = {
  GetUpdatesResponse:
    '1 transaction Transaction!,2 reassignment Reassignment!,3 offset_checkpoint OffsetCheckpoint!,4 topology_transaction TopologyTransaction!',
  Transaction:
    '1 update_id string,2 command_id string,3 workflow_id string,4 effective_at timestamp,5 events Event*,6 offset int64,7 synchronizer_id string,8 trace_context TraceContext,9 record_time timestamp,10 external_transaction_hash bytes!,11 paid_traffic_cost int64!,12 transaction_hash bytes!',
  Reassignment:
    '1 update_id string,2 command_id string,3 workflow_id string,4 offset int64,5 events ReassignmentEvent*,6 trace_context TraceContext,7 record_time timestamp,8 synchronizer_id string,9 paid_traffic_cost int64!',
  TraceContext: '1 traceparent string!,2 tracestate string!',
  Event: '1 created CreatedEvent!,2 archived ArchivedEvent!,3 exercised ExercisedEvent!',
  ReassignmentEvent: '1 unassigned UnassignedEvent!,2 assigned AssignedEvent!',
  CreatedEvent:
    '1 offset int64,2 node_id int32,3 contract_id string,4 template_id Identifier,5 contract_key Value,6 create_arguments Record,7 created_event_blob bytes,8 interface_views InterfaceView*,9 witness_parties string*,10 signatories string*,11 observers string*,12 created_at timestamp,13 package_name string,14 acs_delta bool,15 representative_package_id string,16 contract_key_hash bytes',
  InterfaceView:
    '1 interface_id Identifier,2 view_status Status,3 view_value Record,4 implementation_package_id string',
  Status: '1 code int32,2 message string,3 details anything*',
  ArchivedEvent:
    '1 offset int64,2 node_id int32,3 contract_id string,4 template_id Identifier,5 witness_parties string*,6 package_name string,7 implemented_interfaces Identifier*',
  ExercisedEvent:
    '1 offset int64,2 node_id int32,3 contract_id string,4 template_id Identifier,5 interface_id Identifier,6 choice string,7 choice_argument Value,8 acting_parties string*,9 consuming bool,10 witness_parties string*,11 last_descendant_node_id int32,12 exercise_result Value,13 package_name string,14 implemented_interfaces Identifier*,15 acs_delta bool',
  UnassignedEvent:
    '1 reassignment_id string,2 contract_id string,3 template_id Identifier,4 source string,5 target string,6 submitter string,7 reassignment_counter uint64,8 assignment_exclusivity timestamp,9 witness_parties string*,10 package_name string,11 offset int64,12 node_id int32',
  AssignedEvent:
    '1 source string,2 target string,3 reassignment_id string,4 submitter string,5 reassignment_counter uint64,6 created_event CreatedEvent',
  OffsetCheckpoint: '1 offset int64,2 synchronizer_times SynchronizerTime*',
  SynchronizerTime: '1 synchronizer_id string,2 record_time timestamp',
  TopologyTransaction:
    '1 update_id string,2 offset int64,3 synchronizer_id string,4 record_time timestamp,5 events TopologyEvent*,6 trace_context TraceContext',
  TopologyEvent:
    '1 participant_authorization_changed Authorization!,2 participant_authorization_revoked Authorization!,3 participant_authorization_added Authorization!,4 participant_authorization_onboarding Authorization!',
  Authorization: '1 party_id string,2 participant_id string,3 participant_permission PERMISSION',
  GetActiveContractsResponse:
    '1 workflow_id string,2 active_contract ActiveContract!,3 incomplete_unassigned IncompleteUnassigned!,4 incomplete_assigned IncompleteAssigned!,5 stream_continuation_token bytes',
  ActiveContract: '1 created_event CreatedEvent,2 synchronizer_id string,3 reassignment_counter uint64',
  IncompleteUnassigned: '1 created_event CreatedEvent,2 unassigned_event UnassignedEvent',
  IncompleteAssigned: '1 assigned_event AssignedEvent',
  Identifier: '1 package_id string,2 module_name string,3 entity_name string',
  Value:
    '1 unit empty!,2 bool bool!,3 int64 sint64!,4 date int32!,5 timestamp sfixed64!,6 numeric string!,7 party string!,8 text string!,9 contract_id string!,10 optional Optional!,11 list List!,12 text_map TextMap!,13 gen_map GenMap!,14 record Record!,15 variant Variant!,16 enum Enum!',
  Record: '1 record_id Identifier,2 fields RecordField*',
  RecordField: '1 label string,2 value Value',
  Variant: '1 variant_id Identifier,2 constructor string,3 value Value',
  Enum: '1 enum_id Identifier,2 constructor string',
  List: '1 elements Value*',
  Optional: '1 value Value',
  TextMap: '1 entries TextMapEntry*',
  TextMapEntry: '1 key string,2 value Value',
  GenMap: '1 entries GenMapEntry*',
  GenMapEntry: '1 key Value,2 value Value',
} as const;

const PERMISSIONS: Record<string, number> = {
  PARTICIPANT_PERMISSION_UNSPECIFIED: 0,
  PARTICIPANT_PERMISSION_SUBMISSION: 1,
  PARTICIPANT_PERMISSION_CONFIRMATION: 2,
  PARTICIPANT_PERMISSION_OBSERVATION: 3,
};

/** Deeper JSON than this is no ledger message: values nest at most 100 levels, a level is at most four messages. */
const MAX_DEPTH = 600;

/** The protobuf bytes of a message given as parsed JSON. Throws `JSON_MESSAGE` with the path of the fault. */
export function encodeLedgerJson(message: LedgerMessage, json: unknown): Buffer {
  const w = new WireWriter(4096);
  writeMessage(w, message, json, message, 0);
  return w.finish();
}

const compiled = new Map<string, { fields: Field[]; names: Map<string, Field> }>();

function fieldsOf(message: LedgerMessage): { fields: Field[]; names: Map<string, Field> } {
  const known = compiled.get(message);
  if (known !== undefined) return known;
  const fields: Field[] = [];
  const names = new Map<string, Field>();
  for (const text of SCHEMA[message].split(',')) {
    const [number, name, spec] = text.split(' ');
    const type = spec.replace(/[*!]$/, '');
    const field: Field = {
      number: Number(number),
      type: (type === 'PERMISSION' ? 'int32' : type) as Field['type'],
      repeated: spec.endsWith('*'),
      presence: spec.endsWith('!'),
    };
    if (type === 'PERMISSION') field.enumValues = PERMISSIONS;
    fields.push(field);
    names.set(name, field);
    names.set(
      name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase()),
      field,
    );
  }
  const entry = { fields, names };
  compiled.set(message, entry);
  return entry;
}

function writeMessage(
  w: WireWriter,
  message: LedgerMessage,
  json: unknown,
  path: string,
  depth: number,
): void {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong(path, 'an object', json);
  if (depth > MAX_DEPTH) throw wrong(path, `at most ${MAX_DEPTH} levels`, 'deeper nesting');
  const { names } = fieldsOf(message);
  const present: [Field, unknown, string][] = [];
  for (const [name, value] of Object.entries(json)) {
    const field = names.get(name);
    if (field === undefined) throw wrong(`${path}.${name}`, `a field of ${message}`, name);
    if (value !== null) present.push([field, value, name]);
  }
  present.sort((a, b) => a[0].number - b[0].number);
  for (const [field, value, name] of present) {
    const here = `${path}.${name}`;
    if (!field.repeated) {
      writeField(w, field, value, here, depth, field.presence);
      continue;
    }
    if (!Array.isArray(value)) throw wrong(here, 'an array', value);
    value.forEach((item, i) => {
      writeField(w, field, item, `${here}[${i}]`, depth, true);
    });
  }
}

function writeField(
  w: WireWriter,
  field: Field,
  value: unknown,
  path: string,
  depth: number,
  always: boolean,
): void {
  const { number } = field;
  switch (field.type) {
    case 'string': {
      if (typeof value !== 'string') throw wrong(path, 'a string', value);
      if (always || value !== '') w.stringField(number, value);
      return;
    }
    case 'bytes': {
      if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value))
        throw wrong(path, 'base64', value);
      if (always || value !== '') w.bytesField(number, Buffer.from(value, 'base64'));
      return;
    }
    case 'bool': {
      if (typeof value !== 'boolean') throw wrong(path, 'true or false', value);
      if (always || value) w.tag(number, 0).varint(value ? 1 : 0);
      return;
    }
    case 'sfixed64': {
      w.tag(number, 1).sfixed64(integer(value, path));
      return;
    }
    case 'timestamp': {
      if (typeof value !== 'string') throw wrong(path, 'an RFC 3339 time', value);
      const micros = parseMicros(value);
      w.messageField(number, () => writeTimestamp(w, micros));
      return;
    }
    case 'empty':
      w.messageField(number, () => undefined);
      return;
    case 'anything':
      // google.protobuf.Any inside a failed interface view: its bytes are of no use here and cannot be rebuilt.
      w.messageField(number, () => undefined);
      return;
    case 'int32':
    case 'int64':
    case 'uint64':
    case 'sint64': {
      const named = typeof value === 'string' ? field.enumValues?.[value] : undefined;
      const n = named === undefined ? integer(value, path) : BigInt(named);
      if (!always && n === 0n) return;
      w.tag(number, 0);
      if (field.type === 'sint64') w.sint64(n);
      else w.varint64(n);
      return;
    }
    default: {
      const { type } = field;
      w.messageField(number, () => writeMessage(w, type, value, path, depth + 1));
    }
  }
}

function integer(value: unknown, path: string): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) {
    const n = BigInt(value);
    if (n >= -(2n ** 63n) && n < 2n ** 64n) return n;
  }
  throw wrong(path, 'a 64-bit integer, as a string when beyond 2^53', value);
}

function wrong(path: string, expected: string, found: unknown): AcsError {
  const text = typeof found === 'string' ? found : JSON.stringify(found);
  return new AcsError('JSON_MESSAGE', 'the JSON is not the message expected', {
    path,
    expected,
    found: text === undefined ? 'nothing' : text.slice(0, 80),
    hint: 'protobuf JSON mapping of Ledger API v2 messages, one message per line',
  });
}
