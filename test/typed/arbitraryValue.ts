/** Random values of a type, in normal form, for property tests. */
import fc from 'fast-check';
import type { LfValue } from '../../src/contract/value.js';
import { sortTextEntries } from '../../src/contract/valueEncoder.js';
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
} from '../../src/typed/typePlan.js';
import { compareValues } from '../../src/typed/valueOrder.js';

const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((each) => !each.includes('\0'));
const party = fc.stringMatching(/^[A-Za-z0-9:_-]{1,20}$/);

function numeric(scale: number): fc.Arbitrary<LfValue> {
  const limit = 10n ** 38n - 1n;
  return fc.bigInt({ min: -limit, max: limit }).map((unscaled) => {
    const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
    const point = digits.length - scale;
    return {
      kind: 'numeric',
      value: `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`,
    };
  });
}

export function arbitraryValue(plan: TypePlan, depth = 0): fc.Arbitrary<LfValue> {
  const maxLength = depth > 3 ? 0 : 3;
  switch (plan.kind) {
    case PLAN_UNIT:
      return fc.constant({ kind: 'unit' });
    case PLAN_BOOL:
      return fc.boolean().map((value) => ({ kind: 'bool', value }));
    case PLAN_INT64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({ kind: 'int64', value }));
    case PLAN_DATE:
      return fc.integer({ min: -719162, max: 2932896 }).map((value) => ({ kind: 'date', value }));
    case PLAN_TIMESTAMP:
      return fc
        .bigInt({ min: -62135596800000000n, max: 253402300799999999n })
        .map((value) => ({ kind: 'timestamp', value }));
    case PLAN_NUMERIC:
      return numeric(plan.scale);
    case PLAN_TEXT:
      return text.map((value) => ({ kind: 'text', value }));
    case PLAN_PARTY:
      return party.map((value) => ({ kind: 'party', value }));
    case PLAN_CONTRACT_ID:
      return fc
        .uint8Array({ minLength: 68, maxLength: 68 })
        .map((bytes) => ({ kind: 'contractId', value: `00${Buffer.from(bytes).toString('hex')}` }));
    case PLAN_OPTIONAL: {
      const none: LfValue = { kind: 'optional', value: null };
      if (depth > 6) return fc.constant(none);
      const some = arbitraryValue(plan.element, depth + 1).map(
        (value): LfValue => ({ kind: 'optional', value }),
      );
      return fc.oneof(fc.constant(none), some);
    }
    case PLAN_LIST:
      return depth > 3
        ? fc.constant({ kind: 'list', items: [] })
        : fc
            .array(arbitraryValue(plan.element, depth + 1), { maxLength })
            .map((items) => ({ kind: 'list', items }));
    case PLAN_TEXT_MAP:
      return fc
        .uniqueArray(fc.tuple(text, arbitraryValue(plan.element, depth + 1)), {
          maxLength,
          selector: ([key]) => key,
        })
        .map((entries) => ({ kind: 'textMap', entries: sortTextEntries(entries) }));
    case PLAN_GEN_MAP:
      return fc
        .array(fc.tuple(arbitraryValue(plan.element, depth + 1), arbitraryValue(plan.mapValue, depth + 1)), {
          maxLength,
        })
        .map((pairs) => {
          const sorted = [...pairs].sort(([a], [b]) => compareValues(plan.element, a, b));
          const entries = sorted.filter(
            ([key], i) => i === 0 || compareValues(plan.element, sorted[i - 1][0], key) !== 0,
          );
          return { kind: 'genMap', entries };
        });
    case PLAN_RECORD:
      return fc.tuple(...plan.fields.map((field) => arbitraryValue(field, depth + 1))).map((fields) => {
        let kept = fields.length;
        for (; kept > 0; kept--) {
          const last = fields[kept - 1];
          if (last.kind !== 'optional' || last.value !== null) break;
        }
        return { kind: 'record', fields: fields.slice(0, kept) };
      });
    case PLAN_ENUM:
      return fc.constantFrom(...plan.names).map((tag) => ({ kind: 'enum', tag }));
    default:
      return fc.nat({ max: plan.names.length - 1 }).chain((rank) =>
        arbitraryValue(plan.parts[rank], depth + 1).map(
          (value): LfValue => ({
            kind: 'variant',
            tag: plan.names[rank],
            value,
          }),
        ),
      );
  }
}
