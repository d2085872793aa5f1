/**
 * JSON of values without their types, for when no DAR is at hand: every value is an object whose one key names its kind,
 * and record fields are numbered (daml-lf spec, section 4.5). Nothing is lost: it reads back to the same value.
 *
 * `{"record":{"_1":{"party":"alice"},"_2":{"optional":null},"_3":{"variant":{"tag":"A","value":{"int64":"1"}}}}}`
 */
import { contractIdValueProblem } from '../contract/contractId.js';
import { isDottedName, isParty } from '../contract/identifier.js';
import { formatMicros } from '../contract/time.js';
import type { LfKind, LfValue } from '../contract/value.js';
import { MAX_VALUE_DEPTH } from '../contract/value.js';
import { checkNumeric, sortTextEntries } from '../contract/valueCodec.js';
import { AcsError } from '../io/error.js';
import { type JsonNode, readJson } from './jsonReader.js';
import { formatDate, parseDate, parseTimestamp } from './timeText.js';
import { atRoot, atStep } from './valuePath.js';

/** JSON text of a value as it stands: trailing Nones stay, numerics keep their scale. */
export function valueToPositionalJson(value: LfValue): string {
  return `{"${value.kind}":${content(value)}}`;
}

function content(value: LfValue): string {
  switch (value.kind) {
    case 'unit':
      return '{}';
    case 'bool':
      return String(value.value);
    case 'int64':
      return `"${value.value}"`;
    case 'date':
      return `"${formatDate(value.value)}"`;
    case 'timestamp':
      return `"${formatMicros(value.value)}"`;
    case 'numeric':
    case 'party':
    case 'text':
    case 'contractId':
      return JSON.stringify(value.value);
    case 'optional':
      return value.value === null ? 'null' : valueToPositionalJson(value.value);
    case 'list':
      return `[${value.items.map(valueToPositionalJson).join()}]`;
    case 'genMap':
      return `[${value.entries
        .map(([key, item]) => `[${valueToPositionalJson(key)},${valueToPositionalJson(item)}]`)
        .join()}]`;
    case 'textMap':
      return `{${sortTextEntries(value.entries)
        .map(([key, item]) => `${JSON.stringify(key)}:${valueToPositionalJson(item)}`)
        .join()}}`;
    case 'record':
      return `{${value.fields.map((field, i) => `"_${i + 1}":${valueToPositionalJson(field)}`).join()}}`;
    case 'variant':
      return `{"tag":"${value.tag}","value":${valueToPositionalJson(value.value)}}`;
    case 'enum':
      return `"${value.tag}"`;
  }
}

/**
 * Reads what {@link valueToPositionalJson} writes.
 * Errors: `JSON_MALFORMED`, `JSON_WRONG_TYPE`, `JSON_BAD_VALUE`, `VALUE_TOO_DEEP`, with `place.path`.
 */
export function valueFromPositionalJson(json: string | JsonNode): LfValue {
  const node = typeof json === 'string' ? readJson(json) : json;
  try {
    return read(node, 0);
  } catch (error) {
    throw atRoot(error);
  }
}

function wrong(expected: string, found: string): AcsError {
  return new AcsError('JSON_WRONG_TYPE', 'not the positional JSON of a value', { expected, found });
}

function bad(kind: LfKind, text: string): AcsError {
  return new AcsError('JSON_BAD_VALUE', `not a valid ${kind}`, { found: JSON.stringify(text.slice(0, 100)) });
}

function string(node: JsonNode): string {
  if (node.kind !== 'string') throw wrong('a string', node.kind);
  return node.value;
}

function readAt(node: JsonNode, depth: number, step: string): LfValue {
  try {
    return read(node, depth + 1);
  } catch (error) {
    throw atStep(error, step);
  }
}

function read(node: JsonNode, depth: number): LfValue {
  if (depth > MAX_VALUE_DEPTH) {
    throw new AcsError('VALUE_TOO_DEEP', 'values are nested too deeply', {
      expected: `at most ${MAX_VALUE_DEPTH} levels`,
    });
  }
  if (node.kind !== 'object' || node.members.size !== 1) throw wrong('an object with one key', node.kind);
  const [[kind, body]] = node.members;
  switch (kind) {
    case 'unit':
      if (body.kind !== 'object' || body.members.size > 0) throw wrong('{}', body.kind);
      return { kind };
    case 'bool':
      if (body.kind !== 'bool') throw wrong('true or false', body.kind);
      return { kind, value: body.value };
    case 'optional':
      return { kind, value: body.kind === 'null' ? null : read(body, depth + 1) };
    case 'list':
      if (body.kind !== 'array') throw wrong('an array', body.kind);
      return { kind, items: body.items.map((item, i) => readAt(item, depth, `[${i}]`)) };
    case 'genMap':
      if (body.kind !== 'array') throw wrong('an array', body.kind);
      return { kind, entries: body.items.map((pair, i) => readPair(pair, depth, i)) };
    case 'textMap': {
      if (body.kind !== 'object') throw wrong('an object', body.kind);
      const entries = [...body.members].map(([key, item]): [string, LfValue] => {
        if (key.includes('\0')) throw bad('textMap', key);
        return [key, readAt(item, depth, `[${JSON.stringify(key)}]`)];
      });
      return { kind, entries: sortTextEntries(entries) };
    }
    case 'record':
      if (body.kind !== 'object') throw wrong('an object', body.kind);
      return {
        kind,
        fields: [...body.members].map(([label, field], i) => {
          if (label !== `_${i + 1}`) throw wrong(`the field _${i + 1}`, label);
          return readAt(field, depth, label);
        }),
      };
    case 'variant': {
      const tag = body.kind === 'object' ? body.members.get('tag') : undefined;
      const payload = body.kind === 'object' ? body.members.get('value') : undefined;
      if (body.kind !== 'object' || tag === undefined || payload === undefined || body.members.size !== 2) {
        throw wrong('{"tag": …, "value": …}', body.kind);
      }
      return { kind, tag: tagOf(tag), value: readAt(payload, depth, 'value') };
    }
    case 'enum':
      return { kind, tag: tagOf(body) };
    default:
      return readScalar(kind, string(body));
  }
}

function readPair(pair: JsonNode, depth: number, i: number): [LfValue, LfValue] {
  if (pair.kind !== 'array' || pair.items.length !== 2) throw wrong('a pair [key, value]', pair.kind);
  return [readAt(pair.items[0], depth, `[${i}][0]`), readAt(pair.items[1], depth, `[${i}][1]`)];
}

function tagOf(node: JsonNode): string {
  const tag = string(node);
  if (tag.includes('.') || !isDottedName(tag)) throw bad('enum', tag);
  return tag;
}

function readScalar(kind: string, text: string): LfValue {
  switch (kind) {
    case 'int64': {
      const value = /^-?\d{1,19}$/.test(text) ? BigInt(text) : undefined;
      if (value === undefined || BigInt.asIntN(64, value) !== value) throw bad(kind, text);
      return { kind, value };
    }
    case 'date': {
      const value = parseDate(text);
      if (value === undefined) throw bad(kind, text);
      return { kind, value };
    }
    case 'timestamp': {
      const value = parseTimestamp(text);
      if (value === undefined) throw bad(kind, text);
      return { kind, value };
    }
    case 'numeric':
      checkNumeric(text);
      return { kind, value: text };
    case 'party':
      if (!isParty(text)) throw bad(kind, text);
      return { kind, value: text };
    case 'text':
      if (text.includes('\0')) throw bad(kind, text);
      return { kind, value: text };
    case 'contractId': {
      const bytes = Buffer.from(text, 'hex');
      const hex = /^[0-9a-f]*$/.test(text) && bytes.length * 2 === text.length;
      if (!hex || contractIdValueProblem(bytes, 0, bytes.length) !== undefined) throw bad(kind, text);
      return { kind, value: text };
    }
    default:
      throw wrong('a kind of value, such as party or record', JSON.stringify(kind.slice(0, 50)));
  }
}
