/**
 * The strict type check of an import (contract-id spec, section 6; daml-lf spec, sections 3.5 and 4.3): what the
 * engine's translator refuses before it evaluates anything.
 */
import { type LfKind, type LfValue, MAX_VALUE_DEPTH } from '../contract/value.js';
import { formatType } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import { scaleOf } from './numericText.js';
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
  PLAN_VARIANT,
  type TypePlan,
} from './typePlan.js';
import { compareValues } from './valueOrder.js';
import { atRoot, atStep } from './valuePath.js';

export interface TypeCheckRules {
  /** A record may end in explicit Nones: true for contract ids of version `ca10` only. */
  readonly trailingNone: boolean;
}

/** Indexed by plan kind. */
const KIND_OF_PLAN: readonly LfKind[] = (() => {
  const kinds: LfKind[] = [];
  kinds[PLAN_INT64] = 'int64';
  kinds[PLAN_NUMERIC] = 'numeric';
  kinds[PLAN_TEXT] = 'text';
  kinds[PLAN_TIMESTAMP] = 'timestamp';
  kinds[PLAN_PARTY] = 'party';
  kinds[PLAN_BOOL] = 'bool';
  kinds[PLAN_UNIT] = 'unit';
  kinds[PLAN_DATE] = 'date';
  kinds[PLAN_RECORD] = 'record';
  kinds[PLAN_VARIANT] = 'variant';
  kinds[PLAN_ENUM] = 'enum';
  kinds[PLAN_LIST] = 'list';
  kinds[PLAN_OPTIONAL] = 'optional';
  kinds[PLAN_TEXT_MAP] = 'textMap';
  kinds[PLAN_GEN_MAP] = 'genMap';
  kinds[PLAN_CONTRACT_ID] = 'contractId';
  return kinds;
})();

/** The value kind that a plan expects. */
export function kindOfPlan(plan: TypePlan): LfKind {
  return KIND_OF_PLAN[plan.kind];
}

/**
 * Throws unless the engine would accept the value at the type. `place.path` names the spot. Codes:
 * `TYPE_MISMATCH` (wrong kind), `TYPE_NUMERIC_SCALE`, `TYPE_TRAILING_NONE`, `TYPE_MISSING_FIELD` (a field that is absent
 * is not Optional), `TYPE_EXTRA_FIELD` (a field the type lacks is not None), `TYPE_UNKNOWN_CONSTRUCTOR`,
 * `TYPE_GENMAP_ORDER`, `TYPE_CONTRACT_ID` (not suffixed), `VALUE_TOO_DEEP`; and, when a type cannot be resolved,
 * `PACKAGE_MISSING`, `TYPE_NOT_FOUND`, `TYPE_NOT_SERIALIZABLE`, `TYPE_ILL_KINDED`.
 */
export function checkValue(plan: TypePlan, value: LfValue, rules: TypeCheckRules): void {
  try {
    check(plan, value, rules, 0);
  } catch (error) {
    throw atRoot(error);
  }
}

export function mismatch(plan: TypePlan, value: LfValue): AcsError {
  return new AcsError('TYPE_MISMATCH', 'the value does not have the type of its field', {
    expected: formatType(plan.type),
    found: value.kind,
  });
}

export function unknownConstructor(plan: TypePlan, tag: string): AcsError {
  return new AcsError('TYPE_UNKNOWN_CONSTRUCTOR', `${formatType(plan.type)} has no constructor ${tag}`, {
    expected: plan.names.join(', '),
    found: tag,
  });
}

function check(plan: TypePlan, value: LfValue, rules: TypeCheckRules, depth: number): void {
  if (depth > MAX_VALUE_DEPTH) {
    throw new AcsError('VALUE_TOO_DEEP', 'values are nested too deeply', {
      expected: `at most ${MAX_VALUE_DEPTH} levels`,
    });
  }
  if (value.kind !== KIND_OF_PLAN[plan.kind]) throw mismatch(plan, value);
  switch (value.kind) {
    case 'numeric':
      if (scaleOf(value.value) !== plan.scale) {
        throw new AcsError('TYPE_NUMERIC_SCALE', 'a numeric does not have the scale of its type', {
          expected: `${plan.scale} digits after the point`,
          found: value.value,
        });
      }
      return;
    case 'contractId':
      if (!isSuffixed(value.value)) {
        throw new AcsError('TYPE_CONTRACT_ID', 'a contract id inside the value has no suffix', {
          expected: 'an absolute contract id',
          found: value.value,
        });
      }
      return;
    case 'optional':
      if (value.value !== null) check(plan.element, value.value, rules, depth + 1);
      return;
    case 'list':
      for (let i = 0; i < value.items.length; i++) {
        try {
          check(plan.element, value.items[i], rules, depth + 1);
        } catch (error) {
          throw atStep(error, `[${i}]`);
        }
      }
      return;
    case 'textMap':
      for (const [key, item] of value.entries) {
        try {
          check(plan.element, item, rules, depth + 1);
        } catch (error) {
          throw atStep(error, `[${JSON.stringify(key)}]`);
        }
      }
      return;
    case 'genMap':
      checkGenMap(plan, value.entries, rules, depth);
      return;
    case 'record':
      checkRecord(plan, value.fields, rules, depth);
      return;
    case 'variant': {
      const rank = plan.ranks.get(value.tag);
      if (rank === undefined) throw unknownConstructor(plan, value.tag);
      try {
        check(plan.parts[rank], value.value, rules, depth + 1);
      } catch (error) {
        throw atStep(error, value.tag);
      }
      return;
    }
    case 'enum':
      if (!plan.ranks.has(value.tag)) throw unknownConstructor(plan, value.tag);
      return;
    default:
      return;
  }
}

/** V1 ids are suffixed when they go on after the discriminator, V2 ids after the local part. */
function isSuffixed(hex: string): boolean {
  return hex.startsWith('00') ? hex.length > 66 : hex.length > 26;
}

function checkGenMap(
  plan: TypePlan,
  entries: readonly (readonly [LfValue, LfValue])[],
  rules: TypeCheckRules,
  depth: number,
): void {
  for (let i = 0; i < entries.length; i++) {
    const [key, item] = entries[i];
    try {
      check(plan.element, key, rules, depth + 1);
    } catch (error) {
      throw atStep(atStep(error, '[0]'), `[${i}]`);
    }
    try {
      check(plan.mapValue, item, rules, depth + 1);
    } catch (error) {
      throw atStep(atStep(error, '[1]'), `[${i}]`);
    }
    if (i > 0 && compareValues(plan.element, entries[i - 1][0], key) >= 0) {
      const error = new AcsError('TYPE_GENMAP_ORDER', 'the keys of a map are not strictly ascending', {
        expected: 'keys in the order of Daml-LF values, none twice',
      });
      throw atStep(error, `[${i}]`);
    }
  }
}

function checkRecord(plan: TypePlan, values: readonly LfValue[], rules: TypeCheckRules, depth: number): void {
  const { fields } = plan;
  const last = values.length > 0 ? values[values.length - 1] : undefined;
  if (!rules.trailingNone && last !== undefined && last.kind === 'optional' && last.value === null) {
    const name = plan.names[values.length - 1];
    throw atStep(
      new AcsError('TYPE_TRAILING_NONE', 'a record ends with an explicit None', {
        expected: 'trailing Nones left out (contract ids of version ca10 may have them)',
      }),
      name ?? `[${values.length - 1}]`,
    );
  }
  const n = Math.min(fields.length, values.length);
  for (let i = 0; i < n; i++) {
    try {
      check(fields[i], values[i], rules, depth + 1);
    } catch (error) {
      throw atStep(error, plan.names[i]);
    }
  }
  checkFieldCount(plan, values);
}

/**
 * The upgrade rule for records: absent fields must be Optional, and fields the type lacks must be None. Throws
 * `TYPE_MISSING_FIELD` or `TYPE_EXTRA_FIELD`.
 */
export function checkFieldCount(plan: TypePlan, values: readonly LfValue[]): void {
  const { fields } = plan;
  for (let i = values.length; i < fields.length; i++) {
    if (fields[i].kind !== PLAN_OPTIONAL) {
      throw atStep(
        new AcsError('TYPE_MISSING_FIELD', `the field ${plan.names[i]} is absent and not Optional`, {
          expected: `a value of type ${formatType(fields[i].type)}`,
          found: `${values.length} fields where ${formatType(plan.type)} has ${fields.length}`,
        }),
        plan.names[i],
      );
    }
  }
  for (let i = fields.length; i < values.length; i++) {
    const extra = values[i];
    if (extra.kind === 'optional' && extra.value === null) continue;
    throw atStep(
      new AcsError('TYPE_EXTRA_FIELD', `field ${i} is set but ${formatType(plan.type)} ends before it`, {
        expected: `at most ${fields.length} fields, or None`,
        found: extra.kind === 'optional' ? 'Some' : extra.kind,
        hint: 'the contract was made with a later version of the package: give that DAR',
      }),
      `[${i}]`,
    );
  }
}
