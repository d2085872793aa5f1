/**
 * Changing parties and contract ids inside a value, at any depth (legacy-import spec, section 1.3; contract-id spec,
 * section 7.2). Maps whose keys change are sorted again; keys that become equal are a collision.
 */
import type { LfValue } from '../contract/value.js';
import { sortTextEntries } from '../contract/valueEncoder.js';
import { AcsError } from '../io/error.js';
import { PLAN_GEN_MAP, PLAN_OPTIONAL, PLAN_RECORD, PLAN_VARIANT, type TypePlan } from '../typed/typePlan.js';
import { compareScalars, compareValues } from '../typed/valueOrder.js';

export interface ValueChanges {
  party(party: string): string;
  /** Hex to hex. */
  contractId(id: string): string;
  /** Called for every text, text-map keys included. `path` gives the spot when asked. */
  text?(text: string, path: () => string): void;
  /** Keys of a map became equal. Throw to refuse; on return the last of them stays, as in the real engine. */
  keyCollision(path: () => string, entries: number): void;
}

/** Remaps values one after another; reused so that nothing is made per value but the value. */
export class ValueRemapper {
  private readonly changes: ValueChanges;
  private readonly path: (number | string)[] = [];
  private rootPlan: TypePlan | undefined;

  constructor(changes: ValueChanges) {
    this.changes = changes;
  }

  /** The value with its changes; the same object when nothing changes. `plan` gives labels and the order of map keys. */
  remap(value: LfValue, plan?: TypePlan): LfValue {
    this.rootPlan = plan;
    this.path.length = 0;
    return this.value(value, plan);
  }

  private readonly pathText = (): string => formatPath(this.path, this.rootPlan);

  private value(value: LfValue, plan: TypePlan | undefined): LfValue {
    switch (value.kind) {
      case 'party': {
        const party = this.changes.party(value.value);
        return party === value.value ? value : { kind: 'party', value: party };
      }
      case 'contractId': {
        const id = this.changes.contractId(value.value);
        return id === value.value ? value : { kind: 'contractId', value: id };
      }
      case 'text':
        this.changes.text?.(value.value, this.pathText);
        return value;
      case 'record':
        return this.record(value, plan);
      case 'list':
        return this.list(value, plan);
      case 'optional': {
        if (value.value === null) return value;
        const inner = this.value(value.value, plan?.element);
        return inner === value.value ? value : { kind: 'optional', value: inner };
      }
      case 'variant': {
        this.path.push(value.tag);
        const rank = plan?.kind === PLAN_VARIANT ? plan.ranks.get(value.tag) : undefined;
        const inner = this.value(value.value, rank === undefined ? undefined : plan?.parts[rank]);
        this.path.pop();
        return inner === value.value ? value : { kind: 'variant', tag: value.tag, value: inner };
      }
      case 'textMap':
        return this.textMap(value, plan);
      case 'genMap':
        return this.genMap(value, plan);
      default:
        return value;
    }
  }

  private record(value: LfValue & { kind: 'record' }, plan: TypePlan | undefined): LfValue {
    let changed: LfValue[] | undefined;
    const { fields } = value;
    for (let i = 0; i < fields.length; i++) {
      this.path.push(i);
      const field = this.value(fields[i], plan?.kind === PLAN_RECORD ? plan.fields[i] : undefined);
      this.path.pop();
      if (field !== fields[i]) {
        changed ??= [...fields];
        changed[i] = field;
      }
    }
    return changed === undefined ? value : { kind: 'record', fields: changed };
  }

  private list(value: LfValue & { kind: 'list' }, plan: TypePlan | undefined): LfValue {
    let changed: LfValue[] | undefined;
    const { items } = value;
    const element = plan?.element;
    for (let i = 0; i < items.length; i++) {
      this.path.push(i);
      const item = this.value(items[i], element);
      this.path.pop();
      if (item !== items[i]) {
        changed ??= [...items];
        changed[i] = item;
      }
    }
    return changed === undefined ? value : { kind: 'list', items: changed };
  }

  private textMap(value: LfValue & { kind: 'textMap' }, plan: TypePlan | undefined): LfValue {
    let changed: [string, LfValue][] | undefined;
    const { entries } = value;
    const element = plan?.element;
    for (let i = 0; i < entries.length; i++) {
      const [key, item] = entries[i];
      this.path.push(key);
      this.changes.text?.(key, this.pathText);
      const mapped = this.value(item, element);
      this.path.pop();
      if (mapped !== item) {
        changed ??= entries.map(([k, v]) => [k, v]);
        changed[i] = [key, mapped];
      }
    }
    return changed === undefined ? value : { kind: 'textMap', entries: changed };
  }

  private genMap(value: LfValue & { kind: 'genMap' }, plan: TypePlan | undefined): LfValue {
    const { entries } = value;
    const isMap = plan?.kind === PLAN_GEN_MAP;
    const keyPlan = isMap ? plan.element : undefined;
    const valuePlan = isMap ? plan.mapValue : undefined;
    let keysChanged = false;
    let changed = false;
    const mapped = entries.map(([key, item], i): readonly [LfValue, LfValue] => {
      this.path.push(i);
      const newKey = this.value(key, keyPlan);
      const newItem = this.value(item, valuePlan);
      this.path.pop();
      if (newKey !== key) keysChanged = true;
      if (newKey === key && newItem === item) return entries[i];
      changed = true;
      return [newKey, newItem];
    });
    if (!changed) return value;
    return { kind: 'genMap', entries: keysChanged ? this.sorted(mapped, keyPlan) : mapped };
  }

  /** Ascending keys; of equal keys the one that came last stays. */
  private sorted(
    entries: readonly (readonly [LfValue, LfValue])[],
    plan: TypePlan | undefined,
  ): (readonly [LfValue, LfValue])[] {
    let order: (readonly [LfValue, LfValue])[];
    const compare = (a: LfValue, b: LfValue): number =>
      plan === undefined ? compareUntyped(a, b) : compareValues(plan, a, b);
    try {
      // A stable sort: entries with equal keys stay in the order given.
      order = [...entries].sort((a, b) => compare(a[0], b[0]));
    } catch (error) {
      throw error instanceof AcsError ? error.locate({ path: this.pathText() }) : error;
    }
    const kept = order.filter(
      (entry, i) => i + 1 === order.length || compare(entry[0], order[i + 1][0]) !== 0,
    );
    if (kept.length < order.length) this.changes.keyCollision(this.pathText, order.length - kept.length);
    return kept;
  }
}

/** `owner.accounts[3]["x"]`: labels where the plan has them, else field numbers from 0. */
function formatPath(path: readonly (number | string)[], root: TypePlan | undefined): string {
  let text = '';
  let plan = root;
  for (const step of path) {
    while (plan?.kind === PLAN_OPTIONAL) plan = plan.element;
    if (typeof step === 'string') {
      const rank: number | undefined = plan?.kind === PLAN_VARIANT ? plan.ranks.get(step) : undefined;
      text += rank === undefined ? `[${JSON.stringify(step)}]` : `${text === '' ? '' : '.'}${step}`;
      plan = rank === undefined ? plan?.element : plan?.parts[rank];
    } else if (plan?.kind === PLAN_RECORD) {
      text += `${text === '' ? '' : '.'}${plan.names[step] ?? step}`;
      plan = plan.fields[step];
    } else {
      text += `[${step}]`;
      plan = plan === undefined ? undefined : plan.kind === PLAN_GEN_MAP ? plan.mapValue : plan.element;
    }
  }
  return text;
}

/**
 * The order of values as far as it needs no types (contract-id spec, section 4.6). Constructors are ordered by their
 * rank, which only the package knows: two different ones are an error `PACKAGE_MISSING`.
 */
export function compareUntyped(a: LfValue, b: LfValue): number {
  const scalar = compareScalars(a, b);
  if (scalar !== undefined) return scalar;
  switch (a.kind) {
    case 'optional':
      if (b.kind !== 'optional') break;
      if (a.value === null || b.value === null) return Number(a.value !== null) - Number(b.value !== null);
      return compareUntyped(a.value, b.value);
    case 'list':
      if (b.kind === 'list') return compareLists(a.items, b.items);
      break;
    case 'record':
      if (b.kind === 'record') return compareRecords(a.fields, b.fields);
      break;
    case 'variant':
      if (b.kind === 'variant' && a.tag === b.tag) return compareUntyped(a.value, b.value);
      if (b.kind === 'variant') throw needsRanks(a.tag, b.tag);
      break;
    case 'enum':
      if (b.kind === 'enum' && a.tag === b.tag) return 0;
      if (b.kind === 'enum') throw needsRanks(a.tag, b.tag);
      break;
    case 'textMap':
      if (b.kind !== 'textMap') break;
      return compareLists(flatText(a.entries), flatText(b.entries));
    case 'genMap':
      if (b.kind === 'genMap') return compareLists(a.entries.flat(), b.entries.flat());
      break;
  }
  throw new AcsError('TYPE_MISMATCH', 'two keys of a map have different types', {
    expected: a.kind,
    found: b.kind,
  });
}

function flatText(entries: readonly (readonly [string, LfValue])[]): LfValue[] {
  return sortTextEntries(entries).flatMap(([key, item]): LfValue[] => [{ kind: 'text', value: key }, item]);
}

function compareLists(a: readonly LfValue[], b: readonly LfValue[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareUntyped(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

const NONE: LfValue = { kind: 'optional', value: null };

/** Fields that are cut off at the end are None. */
function compareRecords(a: readonly LfValue[], b: readonly LfValue[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = compareUntyped(a[i] ?? NONE, b[i] ?? NONE);
    if (order !== 0) return order;
  }
  return 0;
}

function needsRanks(a: string, b: string): AcsError {
  return new AcsError(
    'PACKAGE_MISSING',
    'the order of map keys depends on constructors, whose order is in the package',
    {
      expected: 'the package of the contract',
      found: `keys with ${a} and ${b}`,
      hint: 'give the DAR that contains it with --dar',
    },
  );
}
