/**
 * Ledger API values in protobuf's JSON mapping (what grpcurl and ScalaPB print): `{"party":"…"}`, `{"record":{"fields":[…]}}`.
 * Every value names its kind, so no package is needed.
 */
import { isDottedName, isParty } from '../contract/identifier.js';
import {
  type LfValue,
  MAX_DATE,
  MAX_TIMESTAMP,
  MAX_VALUE_DEPTH,
  MIN_DATE,
  MIN_TIMESTAMP,
} from '../contract/value.js';
import { sortTextEntries } from '../contract/valueEncoder.js';
import { AcsError } from '../io/error.js';
import { parseInstant } from './instant.js';
import { MAX_INT64 } from './jsonMembers.js';
import { numericText } from './protobufValue.js';

type Json = Record<string, unknown>;

/** `create_arguments`: `{"recordId"?, "fields":[{"label"?, "value":{…}}]}`. */
export function recordFromJson(json: unknown, path = ''): LfValue {
  return record(json, path, 0);
}

/** A value object. */
export function valueFromJson(json: unknown, path = ''): LfValue {
  return value(json, path, 0);
}

/** True for the JSON of a protobuf record; a record of untyped JSON has the labels of its own type instead. */
export function looksLikeProtobufRecord(json: unknown): boolean {
  if (!isObject(json)) return false;
  const names = Object.keys(json);
  if (names.some((name) => name !== 'recordId' && name !== 'record_id' && name !== 'fields')) return false;
  const fields = json.fields;
  return (
    Array.isArray(fields) &&
    fields.every(
      (field) =>
        isObject(field) &&
        isObject(field.value) &&
        Object.keys(field).every((k) => k === 'label' || k === 'value'),
    )
  );
}

function isObject(json: unknown): json is Json {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function wrong(path: string, expected: string, found: unknown): AcsError {
  return new AcsError('VALUE_JSON_WRONG', 'a Ledger API value in JSON has the wrong form', {
    path,
    expected,
    found: JSON.stringify(found)?.slice(0, 80) ?? 'nothing',
  });
}

function text(json: unknown, path: string): string {
  if (typeof json !== 'string') throw wrong(path, 'a string', json);
  return json;
}

function integer(json: unknown, path: string, least: bigint, most: bigint): bigint {
  let value: bigint | undefined;
  if (typeof json === 'string' && /^-?[0-9]{1,20}$/.test(json)) value = BigInt(json);
  if (typeof json === 'number' && Number.isSafeInteger(json)) value = BigInt(json);
  if (value === undefined) throw wrong(path, 'an integer (as a string when it is large)', json);
  if (value < least || value > most) throw wrong(path, `an integer from ${least} to ${most}`, json);
  return value;
}

function plainText(json: unknown, path: string): string {
  const value = text(json, path);
  if (value.includes('\0')) throw wrong(path, 'text without the character U+0000', json);
  return value;
}

/** A constructor. */
function name(json: unknown, path: string): string {
  const value = text(json, path);
  if (!isDottedName(value) || value.includes('.')) throw wrong(path, 'letters, digits, $ and _', json);
  return value;
}

function array(json: unknown, path: string): unknown[] {
  // An empty repeated field is left out.
  if (json === undefined || json === null) return [];
  if (!Array.isArray(json)) throw wrong(path, 'an array', json);
  return json;
}

function object(json: unknown, path: string): Json {
  if (!isObject(json)) throw wrong(path, 'an object', json);
  return json;
}

function record(json: unknown, path: string, depth: number): LfValue {
  const fields = array(object(json, path).fields, `${path}.fields`).map((field, i) => {
    const at = `${path}[${i}]`;
    return value(object(field, at).value, at, depth + 1);
  });
  return { kind: 'record', fields };
}

function value(json: unknown, path: string, depth: number): LfValue {
  if (depth > MAX_VALUE_DEPTH) {
    throw new AcsError('VALUE_TOO_DEEP', 'values are nested too deeply', {
      path,
      expected: `at most ${MAX_VALUE_DEPTH} levels`,
    });
  }
  const names = Object.keys(object(json, path));
  if (names.length !== 1) throw wrong(path, 'exactly one member naming the kind', json);
  const [kind] = names;
  const inner = (json as Json)[kind];
  switch (kind) {
    case 'unit':
      return { kind: 'unit' };
    case 'bool':
      if (typeof inner !== 'boolean') throw wrong(path, 'true or false', inner);
      return { kind: 'bool', value: inner };
    case 'int64':
      return { kind: 'int64', value: integer(inner, path, -(2n ** 63n), MAX_INT64) };
    case 'date':
      return { kind: 'date', value: Number(integer(inner, path, BigInt(MIN_DATE), BigInt(MAX_DATE))) };
    case 'timestamp': {
      const instant = typeof inner === 'string' ? parseInstant(inner) : undefined;
      const micros = instant === undefined ? inner : `${instant}`;
      return { kind: 'timestamp', value: integer(micros, path, MIN_TIMESTAMP, MAX_TIMESTAMP) };
    }
    case 'numeric':
      return { kind: 'numeric', value: numericText(text(inner, path)) };
    case 'party':
      if (typeof inner !== 'string' || !isParty(inner)) throw wrong(path, 'a party id', inner);
      return { kind: 'party', value: inner };
    case 'text':
      return { kind: 'text', value: plainText(inner, path) };
    case 'contractId':
    case 'contract_id':
      return { kind: 'contractId', value: text(inner, path) };
    case 'optional': {
      const some = object(inner, path).value;
      return {
        kind: 'optional',
        value: some === undefined || some === null ? null : value(some, path, depth + 1),
      };
    }
    case 'list':
      return {
        kind: 'list',
        items: array(object(inner, path).elements, path).map((item, i) =>
          value(item, `${path}[${i}]`, depth + 1),
        ),
      };
    case 'genMap':
    case 'gen_map':
      return {
        kind: 'genMap',
        entries: entries(inner, path).map(([k, v], i) => [
          value(k, `${path}[${i}].key`, depth + 1),
          value(v, `${path}[${i}].value`, depth + 1),
        ]),
      };
    case 'textMap':
    case 'text_map':
    case 'map':
      return { kind: 'textMap', entries: textEntries(inner, path, depth) };
    case 'record':
      return record(inner, path, depth);
    case 'variant': {
      const variant = object(inner, path);
      const tag = name(variant.constructor, path);
      return { kind: 'variant', tag, value: value(variant.value, `${path}.${tag}`, depth + 1) };
    }
    case 'enum':
      return { kind: 'enum', tag: name(object(inner, path).constructor, path) };
    default:
      throw wrong(path, 'a kind of Ledger API value', json);
  }
}

function textEntries(json: unknown, path: string, depth: number): [string, LfValue][] {
  const seen = new Set<string>();
  return entries(json, path).map(([k, v], i) => {
    const key = k === undefined ? '' : plainText(k, `${path}[${i}].key`);
    if (seen.has(key)) throw wrong(`${path}[${i}].key`, 'a key that the map does not have yet', key);
    seen.add(key);
    return [key, value(v, `${path}[${i}].value`, depth + 1)];
  });
}

function entries(json: unknown, path: string): [unknown, unknown][] {
  return array(object(json, path).entries, path).map((entry, i) => {
    const { key, value: item } = object(entry, `${path}[${i}]`);
    return [key, item];
  });
}

/** A value in the same mapping (v2 names). Trailing Nones stay, so that it reads back to the same value. */
export function valueToTypedJson(value: LfValue): Json {
  switch (value.kind) {
    case 'unit':
      return { unit: {} };
    case 'bool':
    case 'date':
    case 'numeric':
    case 'party':
    case 'text':
    case 'contractId':
      return { [value.kind]: value.value };
    case 'int64':
    case 'timestamp':
      return { [value.kind]: value.value.toString() };
    case 'optional':
      return { optional: value.value === null ? {} : { value: valueToTypedJson(value.value) } };
    case 'list':
      return { list: { elements: value.items.map(valueToTypedJson) } };
    case 'genMap':
      return {
        genMap: {
          entries: value.entries.map(([key, item]) => ({
            key: valueToTypedJson(key),
            value: valueToTypedJson(item),
          })),
        },
      };
    case 'textMap':
      return {
        textMap: {
          entries: sortTextEntries(value.entries).map(([key, item]) => ({
            key,
            value: valueToTypedJson(item),
          })),
        },
      };
    case 'record':
      return { record: { fields: value.fields.map((field) => ({ value: valueToTypedJson(field) })) } };
    case 'variant':
      return { variant: { constructor: value.tag, value: valueToTypedJson(value.value) } };
    case 'enum':
      return { enum: { constructor: value.tag } };
  }
}
