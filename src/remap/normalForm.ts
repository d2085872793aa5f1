/**
 * A value in the form the 3.x engine writes: numerics at their scale, map keys ascending, records cut after their last
 * field that is not None (daml-lf spec, section 3.4). Used for contracts that get a new id; others keep their bytes.
 */
import type { LfValue } from '../contract/value.js';
import { sortTextEntries } from '../contract/valueEncoder.js';
import { AcsError } from '../io/error.js';
import { normalizeNumeric } from '../typed/numericText.js';
import { kindOfPlan } from '../typed/typeCheck.js';
import type { TypePlan } from '../typed/typePlan.js';
import { compareValues } from '../typed/valueOrder.js';
import { atStep } from '../typed/valuePath.js';

/** Errors: `TYPE_MISMATCH`, `TYPE_NUMERIC_SCALE`, with the path. What else is wrong the type check says later. */
export function normalForm(plan: TypePlan, value: LfValue): LfValue {
  if (value.kind !== kindOfPlan(plan)) {
    throw new AcsError('TYPE_MISMATCH', 'the value does not have the type of its field', {
      expected: kindOfPlan(plan),
      found: value.kind,
      path: '',
    });
  }
  switch (value.kind) {
    case 'numeric': {
      const text = normalizeNumeric(value.value.replace(/\.$/, ''), plan.scale);
      if (text === undefined) {
        throw new AcsError('TYPE_NUMERIC_SCALE', 'a numeric does not fit the scale of its type', {
          expected: `${plan.scale} digits after the point`,
          found: value.value,
          path: '',
        });
      }
      return { kind: 'numeric', value: text };
    }
    case 'optional':
      return value.value === null
        ? value
        : { kind: 'optional', value: normalForm(plan.element, value.value) };
    case 'list':
      return { kind: 'list', items: value.items.map((item, i) => at(plan.element, item, `[${i}]`)) };
    case 'textMap':
      return {
        kind: 'textMap',
        entries: sortTextEntries(
          value.entries.map(
            ([key, item]) => [key, at(plan.element, item, `[${JSON.stringify(key)}]`)] as const,
          ),
        ),
      };
    case 'genMap': {
      const entries = value.entries.map(
        ([key, item], i) =>
          [at(plan.element, key, `[${i}][0]`), at(plan.mapValue, item, `[${i}][1]`)] as const,
      );
      return { kind: 'genMap', entries: entries.sort((a, b) => compareValues(plan.element, a[0], b[0])) };
    }
    case 'record': {
      const fields = value.fields.map((field, i) =>
        i < plan.fields.length ? at(plan.fields[i], field, plan.names[i]) : field,
      );
      let n = fields.length;
      while (n > 0) {
        const last = fields[n - 1];
        if (last.kind !== 'optional' || last.value !== null) break;
        n--;
      }
      return { kind: 'record', fields: fields.slice(0, n) };
    }
    case 'variant': {
      const rank = plan.ranks.get(value.tag);
      if (rank === undefined) return value;
      return { kind: 'variant', tag: value.tag, value: at(plan.parts[rank], value.value, value.tag) };
    }
    default:
      return value;
  }
}

function at(plan: TypePlan, value: LfValue, step: string): LfValue {
  try {
    return normalForm(plan, value);
  } catch (error) {
    throw atStep(error, step);
  }
}
