/**
 * JSON to typed values, strictly (daml-lf spec, sections 3.3 and 3.4). The result is in normal form: numerics at their
 * scale, maps sorted, trailing Nones cut, so that its bytes are those the engine would write.
 */

import { contractIdValueProblem } from '../contract/contractId.js';
import { isParty } from '../contract/identifier.js';
import { type LfValue, MAX_VALUE_DEPTH } from '../contract/value.js';
import { sortTextEntries } from '../contract/valueEncoder.js';
import { formatType } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import { type JsonNode, readJson } from '../wire/jsonReader.js';
import { normalizeNumeric } from './numericText.js';
import { parseDate, parseTimestamp } from './timeText.js';
import { fieldsWithoutTrailingNones } from './trailingNone.js';
import { unknownConstructor } from './typeCheck.js';
import {
  PLAN_BOOL,
  PLAN_CONTRACT_ID,
  PLAN_DATE,
  PLAN_ENUM,
  PLAN_GEN_MAP,
  PLAN_INT64,
  PLAN_LIST,
  PLAN_NUMERIC,
  PLAN_OPTIONAL,
  PLAN_PARTY,
  PLAN_RECORD,
  PLAN_TEXT,
  PLAN_TEXT_MAP,
  PLAN_TIMESTAMP,
  PLAN_UNIT,
  type TypePlan,
} from './typePlan.js';
import { compareValues } from './valueOrder.js';
import { atRoot, atStep } from './valuePath.js';

const NONE: LfValue = { kind: 'optional', value: null };
const INT64 = /^[+-]?\d{1,40}$/;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/**
 * Reads a value of the plan's type. Accepts what the JSON Ledger API of Canton 3.5 accepts, without its leniencies:
 * unit must be `{}`, a variant has no other keys.
 * Errors: `JSON_MALFORMED`; `JSON_WRONG_TYPE`, `JSON_BAD_VALUE`, `JSON_MISSING_FIELD`, `JSON_UNKNOWN_FIELD`,
 * `JSON_DUPLICATE_KEY`, `TYPE_UNKNOWN_CONSTRUCTOR`, `VALUE_TOO_DEEP`, each with `place.path`.
 */
export function valueFromJson(plan: TypePlan, json: string | JsonNode): LfValue {
  const node = typeof json === 'string' ? readJson(json) : json;
  try {
    return read(plan, node, 0);
  } catch (error) {
    throw atRoot(error);
  }
}

function wrongType(plan: TypePlan, node: JsonNode, expected: string, hint?: string): AcsError {
  return new AcsError('JSON_WRONG_TYPE', `not the JSON of ${formatType(plan.type)}`, {
    expected,
    found: describe(node),
    hint,
  });
}

function describe(node: JsonNode): string {
  switch (node.kind) {
    case 'number':
      return `the number ${node.text.slice(0, 50)}`;
    case 'string':
      return JSON.stringify(node.value.slice(0, 50));
    case 'bool':
      return String(node.value);
    default:
      return node.kind;
  }
}

function badValue(plan: TypePlan, text: string, expected: string): AcsError {
  return new AcsError('JSON_BAD_VALUE', `not a valid ${formatType(plan.type)}`, {
    expected,
    found: JSON.stringify(text.slice(0, 100)),
  });
}

function stringOf(plan: TypePlan, node: JsonNode): string {
  if (node.kind === 'string') return node.value;
  const hint = node.kind === 'number' ? 'put the number in quotes' : undefined;
  throw wrongType(plan, node, 'a string', hint);
}

function read(plan: TypePlan, node: JsonNode, depth: number): LfValue {
  if (depth > MAX_VALUE_DEPTH) {
    throw new AcsError('VALUE_TOO_DEEP', 'values are nested too deeply', {
      expected: `at most ${MAX_VALUE_DEPTH} levels`,
    });
  }
  switch (plan.kind) {
    case PLAN_UNIT:
      if (node.kind !== 'object' || node.members.size > 0) throw wrongType(plan, node, '{}');
      return { kind: 'unit' };
    case PLAN_BOOL:
      if (node.kind !== 'bool') throw wrongType(plan, node, 'true or false');
      return { kind: 'bool', value: node.value };
    case PLAN_OPTIONAL:
      return readOptional(plan, node, depth);
    case PLAN_LIST:
      if (node.kind !== 'array') throw wrongType(plan, node, 'an array');
      return {
        kind: 'list',
        items: node.items.map((item, i) => readAt(plan.element, item, depth, `[${i}]`)),
      };
    case PLAN_TEXT_MAP:
      return readTextMap(plan, node, depth);
    case PLAN_GEN_MAP:
      return readGenMap(plan, node, depth);
    case PLAN_RECORD:
      return readRecord(plan, node, depth);
    case PLAN_ENUM: {
      const tag = stringOf(plan, node);
      if (!plan.ranks.has(tag)) throw unknownConstructor(plan, tag);
      return { kind: 'enum', tag };
    }
    default:
      return plan.kind < PLAN_RECORD || plan.kind === PLAN_CONTRACT_ID
        ? readScalar(plan, stringOf(plan, node))
        : readVariant(plan, node, depth);
  }
}

function readScalar(plan: TypePlan, text: string): LfValue {
  switch (plan.kind) {
    case PLAN_INT64: {
      const value = INT64.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined;
      if (value === undefined || value < MIN_INT64 || value > MAX_INT64) {
        throw badValue(plan, text, `an integer from ${MIN_INT64} to ${MAX_INT64}`);
      }
      return { kind: 'int64', value };
    }
    case PLAN_NUMERIC: {
      const value = normalizeNumeric(text, plan.scale);
      if (value === undefined) {
        throw badValue(
          plan,
          text,
          `a decimal with at most ${plan.scale} digits after the point and 38 in all`,
        );
      }
      return { kind: 'numeric', value };
    }
    case PLAN_TEXT:
      if (text.includes('\0')) throw badValue(plan, text, 'text without the character U+0000');
      return { kind: 'text', value: text };
    case PLAN_PARTY:
      if (!isParty(text)) throw badValue(plan, text, 'a party id: 1 to 255 of A-Z a-z 0-9 : _ - and space');
      return { kind: 'party', value: text };
    case PLAN_DATE: {
      const value = parseDate(text);
      if (value === undefined) throw badValue(plan, text, 'YYYY-MM-DD, 0001-01-01 to 9999-12-31');
      return { kind: 'date', value };
    }
    case PLAN_TIMESTAMP: {
      const value = parseTimestamp(text);
      if (value === undefined) {
        throw badValue(plan, text, 'YYYY-MM-DDThh:mm:ss[.ffffff]Z (or an offset), years 0001 to 9999');
      }
      return { kind: 'timestamp', value };
    }
    default: {
      const bytes = Buffer.from(text, 'hex');
      const isHex = /^[0-9a-f]+$/.test(text) && bytes.length * 2 === text.length;
      const problem = isHex ? contractIdValueProblem(bytes, 0, bytes.length) : 'not lower-case hex';
      if (problem !== undefined) throw badValue(plan, text, `a contract id in lower-case hex (${problem})`);
      return { kind: 'contractId', value: text };
    }
  }
}

function readAt(plan: TypePlan, node: JsonNode, depth: number, step: string): LfValue {
  try {
    return read(plan, node, depth + 1);
  } catch (error) {
    throw atStep(error, step);
  }
}

/** In array form None is `[]`; `null`, which older codecs write there, is unambiguous and read too. */
function readOptional(plan: TypePlan, node: JsonNode, depth: number): LfValue {
  if (node.kind === 'null') return NONE;
  if (!plan.jsonArrayForm) return { kind: 'optional', value: read(plan.element, node, depth + 1) };
  if (node.kind !== 'array' || node.items.length > 1) {
    throw wrongType(plan, node, '[] for None, or an array of one element');
  }
  if (node.items.length === 0) return NONE;
  const [inner] = node.items;
  // Inside an array form None has no other spelling than [].
  if (inner.kind === 'null' && plan.element.kind === PLAN_OPTIONAL) {
    throw atStep(wrongType(plan.element, inner, '[] for None'), '[0]');
  }
  return { kind: 'optional', value: readAt(plan.element, inner, depth, '[0]') };
}

function readTextMap(plan: TypePlan, node: JsonNode, depth: number): LfValue {
  if (node.kind !== 'object') throw wrongType(plan, node, 'an object');
  const entries: [string, LfValue][] = [];
  for (const [key, item] of node.members) {
    const step = `[${JSON.stringify(key)}]`;
    if (key.includes('\0')) throw atStep(badValue(plan, key, 'keys without the character U+0000'), step);
    entries.push([key, readAt(plan.element, item, depth, step)]);
  }
  return { kind: 'textMap', entries: sortTextEntries(entries) };
}

function readGenMap(plan: TypePlan, node: JsonNode, depth: number): LfValue {
  if (node.kind !== 'array') throw wrongType(plan, node, 'an array of [key, value] pairs');
  const entries = node.items.map((pair, i): [LfValue, LfValue] => {
    if (pair.kind !== 'array' || pair.items.length !== 2) {
      throw atStep(wrongType(plan, pair, 'a pair [key, value]'), `[${i}]`);
    }
    return [
      readAt(plan.element, pair.items[0], depth, `[${i}][0]`),
      readAt(plan.mapValue, pair.items[1], depth, `[${i}][1]`),
    ];
  });
  const order = entries.map((_, i) => i);
  order.sort((a, b) => compareValues(plan.element, entries[a][0], entries[b][0]));
  for (let i = 1; i < order.length; i++) {
    if (compareValues(plan.element, entries[order[i - 1]][0], entries[order[i]][0]) === 0) {
      const error = new AcsError('JSON_DUPLICATE_KEY', 'a key occurs twice in a map', {
        found: `the same key at [${Math.min(order[i - 1], order[i])}]`,
      });
      throw atStep(error, `[${Math.max(order[i - 1], order[i])}]`);
    }
  }
  return { kind: 'genMap', entries: order.map((i) => entries[i]) };
}

function readRecord(plan: TypePlan, node: JsonNode, depth: number): LfValue {
  if (node.kind !== 'object') throw wrongType(plan, node, 'an object');
  for (const [key, item] of node.members) {
    if (plan.ranks.has(key) || item.kind === 'null') continue;
    throw atStep(
      new AcsError(
        'JSON_UNKNOWN_FIELD',
        `${formatType(plan.type)} has no field ${JSON.stringify(key.slice(0, 100))}`,
        {
          expected: plan.names.join(', '),
          found: key.slice(0, 100),
        },
      ),
      key,
    );
  }
  const values = plan.fields.map((field, i) => {
    const name = plan.names[i];
    const member = node.members.get(name);
    if (member !== undefined) return readAt(field, member, depth, name);
    if (field.kind === PLAN_OPTIONAL && !field.jsonArrayForm) return NONE;
    throw atStep(
      new AcsError('JSON_MISSING_FIELD', `the field ${name} is missing`, {
        expected: `a value of type ${formatType(field.type)}`,
        hint: field.kind === PLAN_OPTIONAL ? 'write None of a nested Optional as []' : undefined,
      }),
      name,
    );
  });
  return { kind: 'record', fields: values.slice(0, fieldsWithoutTrailingNones(values)) };
}

function readVariant(plan: TypePlan, node: JsonNode, depth: number): LfValue {
  if (node.kind !== 'object') throw wrongType(plan, node, '{"tag": …, "value": …}');
  const tagNode = node.members.get('tag');
  const payload = node.members.get('value');
  if (tagNode?.kind !== 'string' || payload === undefined || node.members.size !== 2) {
    throw wrongType(plan, node, '{"tag": …, "value": …}');
  }
  const rank = plan.ranks.get(tagNode.value);
  if (rank === undefined) throw unknownConstructor(plan, tagNode.value);
  return {
    kind: 'variant',
    tag: tagNode.value,
    value: readAt(plan.parts[rank], payload, depth, tagNode.value),
  };
}
