/** The order of Daml-LF values, by which GenMap keys are sorted (contract-id spec, section 4.6). */

import type { LfValue } from '../contract/value.js';
import { compareCodePoints, sortTextEntries } from '../contract/valueEncoder.js';
import { formatType } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import { compareNumerics } from './numericText.js';
import type { TypePlan } from './typePlan.js';

/** Negative, 0 or positive. Both values must have the type of the plan; missing trailing fields count as None. */
export function compareValues(plan: TypePlan, a: LfValue, b: LfValue): number {
  const scalar = compareScalars(a, b);
  if (scalar !== undefined) return scalar;
  switch (a.kind) {
    case 'optional':
      if (b.kind === 'optional') {
        if (a.value === null || b.value === null) return Number(a.value !== null) - Number(b.value !== null);
        return compareValues(plan.element, a.value, b.value);
      }
      break;
    case 'list':
      if (b.kind === 'list') return compareLists(plan.element, a.items, b.items);
      break;
    case 'record':
      if (b.kind === 'record') return compareRecords(plan, a.fields, b.fields);
      break;
    case 'variant':
      if (b.kind === 'variant') {
        const order = rank(plan, a.tag) - rank(plan, b.tag);
        return order !== 0 ? order : compareValues(plan.parts[rank(plan, a.tag)], a.value, b.value);
      }
      break;
    case 'enum':
      if (b.kind === 'enum') return rank(plan, a.tag) - rank(plan, b.tag);
      break;
    case 'textMap':
      if (b.kind === 'textMap') {
        const left = sortTextEntries(a.entries);
        return compareEntries(compareCodePoints, plan.element, left, sortTextEntries(b.entries));
      }
      break;
    case 'genMap':
      if (b.kind === 'genMap') {
        const keys = (x: LfValue, y: LfValue) => compareValues(plan.element, x, y);
        return compareEntries(keys, plan.mapValue, a.entries, b.entries);
      }
      break;
  }
  throw new AcsError(
    'TYPE_MISMATCH',
    `values of different kinds cannot be ordered: ${a.kind} and ${b.kind}`,
    {
      expected: formatType(plan.type),
    },
  );
}

/** The order of two values of the same kind that hold no others; undefined for any other two. */
export function compareScalars(a: LfValue, b: LfValue): number | undefined {
  switch (a.kind) {
    case 'unit':
      if (b.kind === 'unit') return 0;
      break;
    case 'bool':
      if (b.kind === 'bool') return Number(a.value) - Number(b.value);
      break;
    case 'int64':
      if (b.kind === 'int64') return compareBigints(a.value, b.value);
      break;
    case 'timestamp':
      if (b.kind === 'timestamp') return compareBigints(a.value, b.value);
      break;
    case 'date':
      if (b.kind === 'date') return a.value - b.value;
      break;
    case 'numeric':
      if (b.kind === 'numeric') return compareNumerics(a.value, b.value);
      break;
    case 'text':
      if (b.kind === 'text') return compareCodePoints(a.value, b.value);
      break;
    case 'party':
      if (b.kind === 'party') return compareCodePoints(a.value, b.value);
      break;
    case 'contractId':
      // Hex of discriminator, then suffix: both are compared as bytes, a prefix being smaller.
      if (b.kind === 'contractId') return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
      break;
  }
  return undefined;
}

function compareBigints(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function rank(plan: TypePlan, tag: string): number {
  const found = plan.ranks.get(tag);
  if (found === undefined) {
    throw new AcsError('TYPE_UNKNOWN_CONSTRUCTOR', `${formatType(plan.type)} has no constructor ${tag}`, {
      expected: plan.names.join(', '),
      found: tag,
    });
  }
  return found;
}

function compareLists(element: TypePlan, a: readonly LfValue[], b: readonly LfValue[]): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const order = compareValues(element, a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

const NONE: LfValue = { kind: 'optional', value: null };

function compareRecords(plan: TypePlan, a: readonly LfValue[], b: readonly LfValue[]): number {
  const { fields } = plan;
  for (let i = 0; i < fields.length; i++) {
    const order = compareValues(fields[i], a[i] ?? NONE, b[i] ?? NONE);
    if (order !== 0) return order;
  }
  return 0;
}

/** Maps compare as the sequence key, value, key, value, … */
function compareEntries<K>(
  compareKeys: (a: K, b: K) => number,
  value: TypePlan,
  a: readonly (readonly [K, LfValue])[],
  b: readonly (readonly [K, LfValue])[],
): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const order = compareKeys(a[i][0], b[i][0]) || compareValues(value, a[i][1], b[i][1]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
