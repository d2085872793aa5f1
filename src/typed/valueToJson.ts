/**
 * Typed values as the JSON of the Ledger API of Canton 3.5 (daml-lf spec, section 3.3). The text is written directly:
 * JavaScript objects would reorder keys that look like integers.
 */

import { formatTimestampValue } from '../contract/time.js';
import type { LfValue } from '../contract/value.js';
import { sortTextEntries } from '../contract/valueEncoder.js';
import { formatType } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import { normalizeNumeric, scaleOf } from './numericText.js';
import { formatDate } from './timeText.js';
import { checkFieldCount, kindOfPlan, mismatch, unknownConstructor } from './typeCheck.js';
import { PLAN_OPTIONAL, type TypePlan } from './typePlan.js';
import { atRoot, atStep } from './valuePath.js';

export interface JsonOptions {
  /**
   * An Optional that became nested through a type parameter prints Some None as `null`, like None: the server's JSON
   * loses that difference. By default such a value is refused with `JSON_LOSSY`; `true` prints it as the server does.
   */
  readonly allowLossy?: boolean;
}

/**
 * JSON text of a value. A numeric of another scale is rescaled when nothing is lost.
 * Errors: those of the type check, and `JSON_LOSSY`; with `place.path`.
 */
export function valueToJson(plan: TypePlan, value: LfValue, options: JsonOptions = {}): string {
  try {
    return write(plan, value, options);
  } catch (error) {
    throw atRoot(error);
  }
}

function write(plan: TypePlan, value: LfValue, options: JsonOptions): string {
  if (value.kind !== kindOfPlan(plan)) throw mismatch(plan, value);
  switch (value.kind) {
    case 'unit':
      return '{}';
    case 'bool':
      return value.value ? 'true' : 'false';
    case 'int64':
      return `"${value.value}"`;
    case 'numeric': {
      // A stored numeric of the right scale is in normal form unless it is a negative zero.
      if (scaleOf(value.value) === plan.scale && !value.value.startsWith('-')) return `"${value.value}"`;
      const text = normalizeNumeric(value.value, plan.scale);
      if (text === undefined) {
        throw new AcsError('TYPE_NUMERIC_SCALE', 'a numeric does not fit the scale of its type', {
          expected: `${plan.scale} digits after the point`,
          found: value.value,
        });
      }
      return `"${text}"`;
    }
    case 'party':
    case 'text':
      return JSON.stringify(value.value);
    case 'contractId':
      return `"${value.value}"`;
    case 'date':
      return `"${formatDate(value.value)}"`;
    case 'timestamp':
      return `"${formatTimestampValue(value.value)}"`;
    case 'optional':
      return writeOptional(plan, value.value, options);
    case 'list':
      return `[${value.items.map((item, i) => writeAt(plan.element, item, options, `[${i}]`)).join()}]`;
    case 'textMap': {
      const members = sortTextEntries(value.entries).map(([key, item]) => {
        const name = JSON.stringify(key);
        return `${name}:${writeAt(plan.element, item, options, `[${name}]`)}`;
      });
      return `{${members.join()}}`;
    }
    case 'genMap': {
      const pairs = value.entries.map(([key, item], i) => {
        const keyText = writeAt(plan.element, key, options, `[${i}][0]`);
        return `[${keyText},${writeAt(plan.mapValue, item, options, `[${i}][1]`)}]`;
      });
      return `[${pairs.join()}]`;
    }
    case 'record':
      return writeRecord(plan, value.fields, options);
    case 'variant': {
      const rank = plan.ranks.get(value.tag);
      if (rank === undefined) throw unknownConstructor(plan, value.tag);
      const payload = writeAt(plan.parts[rank], value.value, options, value.tag);
      return `{"tag":"${value.tag}","value":${payload}}`;
    }
    case 'enum':
      if (!plan.ranks.has(value.tag)) throw unknownConstructor(plan, value.tag);
      return `"${value.tag}"`;
  }
}

function writeAt(plan: TypePlan, value: LfValue, options: JsonOptions, step: string): string {
  try {
    return write(plan, value, options);
  } catch (error) {
    throw atStep(error, step);
  }
}

function writeOptional(plan: TypePlan, inner: LfValue | null, options: JsonOptions): string {
  if (inner === null) return plan.jsonArrayForm ? '[]' : 'null';
  const { element } = plan;
  const text = write(element, inner, options);
  if (plan.jsonArrayForm) return `[${text}]`;
  if (text === 'null' && element.kind === PLAN_OPTIONAL && options.allowLossy !== true) {
    throw new AcsError(
      'JSON_LOSSY',
      `Some None of ${formatType(plan.type)} cannot be told from None in this JSON`,
      {
        hint: 'allow lossy output to print it as null, as the JSON Ledger API does',
      },
    );
  }
  return text;
}

/** All fields in order, then the trailing `null`s cut: a None that prints as `[]` stays. */
function writeRecord(plan: TypePlan, values: readonly LfValue[], options: JsonOptions): string {
  checkFieldCount(plan, values);
  const { fields, names } = plan;
  const members: string[] = [];
  let kept = 0;
  for (let i = 0; i < fields.length; i++) {
    const text =
      i < values.length
        ? writeAt(fields[i], values[i], options, names[i])
        : writeOptional(fields[i], null, options);
    members.push(`"${names[i]}":${text}`);
    if (text !== 'null') kept = i + 1;
  }
  members.length = kept;
  return `{${members.join()}}`;
}
