/**
 * Ledger API v2 values to Daml-LF values (daml-lf spec, sections 3.1 and 3.4). With a plan the result is in normal form:
 * labels are matched by name, numerics have the scale of their type, maps are sorted, trailing Nones are cut.
 */
import { contractIdValueProblem } from '../contract/contractId.js';
import { isParty } from '../contract/identifier.js';
import {
  type LfValue,
  MAX_DATE,
  MAX_TIMESTAMP,
  MAX_VALUE_DEPTH,
  MIN_DATE,
  MIN_TIMESTAMP,
} from '../contract/value.js';
import { checkNumeric } from '../contract/valueDecoder.js';
import { sortTextEntries } from '../contract/valueEncoder.js';
import { formatType } from '../dar/type.js';
import { WireMessage } from '../dar/wireMessage.js';
import { AcsError } from '../io/error.js';
import { LEDGER_API_FIELD } from './ledgerApiValueWriter.js';
import { normalizeNumeric } from './numericText.js';
import { fieldsWithoutTrailingNones } from './trailingNone.js';
import { checkFieldCount, kindOfPlan, mismatch, unknownConstructor } from './typeCheck.js';
import type { TypePlan } from './typePlan.js';
import { compareValues } from './valueOrder.js';
import { atRoot, atStep } from './valuePath.js';

const NONE: LfValue = { kind: 'optional', value: null };

/**
 * Reads a Ledger API `Record` (create arguments). Without a plan the fields come in the order given.
 * Errors: `WIRE_*`, `LEDGER_API_VALUE`, and those of the type check, with `place.path`.
 */
export function decodeLedgerApiRecord(bytes: Buffer, plan: TypePlan | null = null): LfValue {
  return rooted(() => {
    const value = readRecord(new WireMessage(bytes), 0);
    return plan === null ? strip(value) : normalize(plan, value);
  });
}

/** Reads a Ledger API `Value`. Errors as for {@link decodeLedgerApiRecord}. */
export function decodeLedgerApiValue(bytes: Buffer, plan: TypePlan | null = null): LfValue {
  return rooted(() => {
    const value = read(new WireMessage(bytes), 0);
    return plan === null ? strip(value) : normalize(plan, value);
  });
}

function rooted<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw atRoot(error);
  }
}

/** An LfValue whose records may remember labels. Structure and leaves are already checked. */
type Labelled =
  | Exclude<LfValue, { kind: 'optional' | 'list' | 'genMap' | 'textMap' | 'record' | 'variant' }>
  | { kind: 'optional'; value: Labelled | null }
  | { kind: 'list'; items: Labelled[] }
  | { kind: 'genMap'; entries: [Labelled, Labelled][] }
  | { kind: 'textMap'; entries: [string, Labelled][] }
  | { kind: 'record'; labels: string[]; fields: Labelled[] }
  | { kind: 'variant'; tag: string; value: Labelled };

const MEMBERS = Object.values(LEDGER_API_FIELD);

function bad(message: string, found?: string): AcsError {
  return new AcsError('LEDGER_API_VALUE', message, { found });
}

function required(message: WireMessage, field: number, what: string): WireMessage {
  const found = message.message(field);
  if (found === undefined) throw bad(`${what} is missing`);
  return found;
}

function read(message: WireMessage, depth: number): Labelled {
  if (depth > MAX_VALUE_DEPTH) throw new AcsError('VALUE_TOO_DEEP', 'values are nested too deeply');
  const arm = message.arm(MEMBERS);
  switch (arm) {
    case LEDGER_API_FIELD.unit:
      return { kind: 'unit' };
    case LEDGER_API_FIELD.bool:
      return { kind: 'bool', value: message.bool(arm) };
    case LEDGER_API_FIELD.int64:
      return { kind: 'int64', value: message.sint(arm) };
    case LEDGER_API_FIELD.date: {
      const value = message.int(arm);
      if (value < MIN_DATE || value > MAX_DATE) throw bad('a date is out of range', `${value}`);
      return { kind: 'date', value };
    }
    case LEDGER_API_FIELD.timestamp: {
      const value = message.fixed64(arm);
      if (value < MIN_TIMESTAMP || value > MAX_TIMESTAMP)
        throw bad('a timestamp is out of range', `${value}`);
      return { kind: 'timestamp', value };
    }
    case LEDGER_API_FIELD.numeric:
      return { kind: 'numeric', value: message.string(arm) ?? '' };
    case LEDGER_API_FIELD.party: {
      const value = message.string(arm) ?? '';
      if (!isParty(value)) throw bad('not a valid party id', JSON.stringify(value.slice(0, 100)));
      return { kind: 'party', value };
    }
    case LEDGER_API_FIELD.text: {
      const value = message.string(arm) ?? '';
      if (value.includes('\0')) throw bad('a text contains the character U+0000');
      return { kind: 'text', value };
    }
    case LEDGER_API_FIELD.contractId: {
      const value = message.string(arm) ?? '';
      const raw = Buffer.from(value, 'hex');
      const hex = /^[0-9a-f]*$/.test(value) && raw.length * 2 === value.length;
      if (!hex || contractIdValueProblem(raw, 0, raw.length) !== undefined) {
        throw bad('not a valid contract id', JSON.stringify(value.slice(0, 100)));
      }
      return { kind: 'contractId', value };
    }
    default:
      return readContainer(message, arm, depth);
  }
}

function readContainer(message: WireMessage, arm: number, depth: number): Labelled {
  const body = arm === 0 ? undefined : message.message(arm);
  if (body === undefined) throw bad('a value has no member');
  switch (arm) {
    case LEDGER_API_FIELD.optional: {
      const inner = body.message(1);
      return { kind: 'optional', value: inner === undefined ? null : read(inner, depth + 1) };
    }
    case LEDGER_API_FIELD.list:
      return { kind: 'list', items: body.messages(1).map((item, i) => readAt(item, depth, `[${i}]`)) };
    case LEDGER_API_FIELD.textMap: {
      const entries = body.messages(1).map((entry): [string, Labelled] => {
        const key = entry.string(1) ?? '';
        return [
          key,
          readAt(required(entry, 2, 'the value of a map entry'), depth, `[${JSON.stringify(key)}]`),
        ];
      });
      if (new Set(entries.map(([key]) => key)).size !== entries.length)
        throw bad('a text map has a key twice');
      return { kind: 'textMap', entries };
    }
    case LEDGER_API_FIELD.genMap:
      return {
        kind: 'genMap',
        entries: body
          .messages(1)
          .map((entry, i): [Labelled, Labelled] => [
            readAt(required(entry, 1, 'the key of a map entry'), depth, `[${i}][0]`),
            readAt(required(entry, 2, 'the value of a map entry'), depth, `[${i}][1]`),
          ]),
      };
    case LEDGER_API_FIELD.record:
      return readRecord(body, depth);
    case LEDGER_API_FIELD.variant: {
      const tag = body.string(2) ?? '';
      return { kind: 'variant', tag, value: readAt(required(body, 3, 'the value of a variant'), depth, tag) };
    }
    default:
      return { kind: 'enum', tag: body.string(2) ?? '' };
  }
}

function readAt(message: WireMessage, depth: number, step: string): Labelled {
  try {
    return read(message, depth + 1);
  } catch (error) {
    throw atStep(error, step);
  }
}

function readRecord(message: WireMessage, depth: number): Labelled {
  const labels: string[] = [];
  const fields = message.messages(2).map((field, i) => {
    const label = field.string(1) ?? '';
    labels.push(label);
    return readAt(required(field, 2, 'the value of a field'), depth, label === '' ? `[${i}]` : label);
  });
  return { kind: 'record', labels, fields };
}

/** Drops the labels. */
function strip(value: Labelled): LfValue {
  switch (value.kind) {
    case 'optional':
      return { kind: 'optional', value: value.value === null ? null : strip(value.value) };
    case 'list':
      return { kind: 'list', items: value.items.map(strip) };
    case 'textMap':
      return {
        kind: 'textMap',
        entries: sortTextEntries(value.entries.map(([key, item]): [string, LfValue] => [key, strip(item)])),
      };
    case 'genMap':
      return { kind: 'genMap', entries: value.entries.map(([key, item]) => [strip(key), strip(item)]) };
    case 'record':
      return { kind: 'record', fields: value.fields.map(strip) };
    case 'variant':
      return { kind: 'variant', tag: value.tag, value: strip(value.value) };
    case 'numeric':
      checkNumeric(value.value);
      return value;
    default:
      return value;
  }
}

function normalizeAt(plan: TypePlan, value: Labelled, step: string): LfValue {
  try {
    return normalize(plan, value);
  } catch (error) {
    throw atStep(error, step);
  }
}

/** Brings a value to the normal form of its type. */
function normalize(plan: TypePlan, value: Labelled): LfValue {
  if (value.kind !== kindOfPlan(plan)) throw mismatch(plan, strip(value));
  switch (value.kind) {
    case 'numeric': {
      const text = normalizeNumeric(value.value, plan.scale);
      if (text !== undefined) return { kind: 'numeric', value: text };
      throw new AcsError('TYPE_NUMERIC_SCALE', 'a numeric does not fit the scale of its type', {
        expected: `${plan.scale} digits after the point`,
        found: value.value,
      });
    }
    case 'optional':
      return { kind: 'optional', value: value.value === null ? null : normalize(plan.element, value.value) };
    case 'list':
      return { kind: 'list', items: value.items.map((item, i) => normalizeAt(plan.element, item, `[${i}]`)) };
    case 'textMap': {
      const entries = value.entries.map(([key, item]): [string, LfValue] => [
        key,
        normalizeAt(plan.element, item, `[${JSON.stringify(key)}]`),
      ]);
      return { kind: 'textMap', entries: sortTextEntries(entries) };
    }
    case 'genMap': {
      const entries = value.entries.map(([key, item], i): [LfValue, LfValue] => [
        normalizeAt(plan.element, key, `[${i}][0]`),
        normalizeAt(plan.mapValue, item, `[${i}][1]`),
      ]);
      entries.sort(([a], [b]) => compareValues(plan.element, a, b));
      for (let i = 1; i < entries.length; i++) {
        if (compareValues(plan.element, entries[i - 1][0], entries[i][0]) === 0) {
          throw new AcsError('TYPE_GENMAP_ORDER', 'a key occurs twice in a map');
        }
      }
      return { kind: 'genMap', entries };
    }
    case 'record':
      return normalizeRecord(plan, value.labels, value.fields);
    case 'variant': {
      const rank = plan.ranks.get(value.tag);
      if (rank === undefined) throw unknownConstructor(plan, value.tag);
      return {
        kind: 'variant',
        tag: value.tag,
        value: normalizeAt(plan.parts[rank], value.value, value.tag),
      };
    }
    case 'enum':
      if (!plan.ranks.has(value.tag)) throw unknownConstructor(plan, value.tag);
      return value;
    default:
      return value;
  }
}

/** Labelled fields are matched by name, others by position. */
function normalizeRecord(plan: TypePlan, labels: readonly string[], values: readonly Labelled[]): LfValue {
  const { fields, names } = plan;
  let ordered: readonly Labelled[] = values;
  if (labels.length > 0 && labels.every((label) => label !== '')) {
    const slots: Labelled[] = fields.map(() => ({ kind: 'optional', value: null }));
    const given = new Set<number>();
    values.forEach((value, i) => {
      const at = plan.ranks.get(labels[i]);
      if (at === undefined) {
        if (value.kind === 'optional' && value.value === null) return;
        throw atStep(
          new AcsError('TYPE_EXTRA_FIELD', `${formatType(plan.type)} has no field ${labels[i]}`, {
            expected: names.join(', '),
            found: labels[i],
          }),
          labels[i],
        );
      }
      if (given.has(at)) throw atStep(bad(`the field ${labels[i]} occurs twice`), labels[i]);
      given.add(at);
      slots[at] = value;
    });
    fields.forEach((field, i) => {
      if (given.has(i) || kindOfPlan(field) === 'optional') return;
      throw atStep(
        new AcsError('TYPE_MISSING_FIELD', `the field ${names[i]} is absent and not Optional`, {
          expected: `a value of type ${formatType(field.type)}`,
        }),
        names[i],
      );
    });
    ordered = slots;
  } else {
    checkFieldCount(plan, values.map(strip));
  }
  const normal = ordered.slice(0, fields.length).map((value, i) => normalizeAt(fields[i], value, names[i]));
  while (normal.length < fields.length) normal.push(NONE);
  return { kind: 'record', fields: normal.slice(0, fieldsWithoutTrailingNones(normal)) };
}
