/**
 * JSON of the 2.x line brought to the rules of the 3.x one before it is typed: numbers instead of strings, records as
 * arrays, unknown keys, the older form of nested Optionals (daml-lf spec, section 3.3, last column), and contract ids
 * that are no hex.
 */

import {
  PLAN_CONTRACT_ID,
  PLAN_GEN_MAP,
  PLAN_INT64,
  PLAN_LIST,
  PLAN_NUMERIC,
  PLAN_OPTIONAL,
  PLAN_RECORD,
  PLAN_TEXT_MAP,
  PLAN_VARIANT,
  type TypePlan,
} from '../typed/typePlan.js';
import type { JsonNode } from '../wire/jsonReader.js';

export interface JsonRules {
  dialect: 'canton3' | 'daml2';
  /** Turns a contract id as the source writes it into hex; ids that are hex already pass through it too. */
  contractId: (id: string) => string;
}

/** The same JSON in the strict 3.x form. What fits neither form is left as it is: the typed reader names it. */
export function toStrictJson(plan: TypePlan, node: JsonNode, rules: JsonRules): JsonNode {
  switch (plan.kind) {
    case PLAN_CONTRACT_ID:
      return node.kind === 'string' ? { kind: 'string', value: rules.contractId(node.value) } : node;
    case PLAN_INT64:
      return rules.dialect === 'daml2' && node.kind === 'number'
        ? { kind: 'string', value: node.text }
        : node;
    case PLAN_NUMERIC:
      return rules.dialect === 'daml2' ? numeric(plan.scale, node) : node;
    case PLAN_OPTIONAL:
      return optional(plan, node, rules);
    case PLAN_LIST:
      return node.kind === 'array' ? items(plan.element, node.items, rules) : node;
    case PLAN_TEXT_MAP:
      return node.kind === 'object'
        ? {
            kind: 'object',
            members: mapMembers(node.members, (item) => toStrictJson(plan.element, item, rules)),
          }
        : node;
    case PLAN_GEN_MAP:
      return node.kind === 'array'
        ? { kind: 'array', items: node.items.map((pair) => mapPair(plan, pair, rules)) }
        : node;
    case PLAN_RECORD:
      return record(plan, node, rules);
    case PLAN_VARIANT:
      return variant(plan, node, rules);
    default:
      return node;
  }
}

function items(plan: TypePlan, nodes: readonly JsonNode[], rules: JsonRules): JsonNode {
  return { kind: 'array', items: nodes.map((item) => toStrictJson(plan, item, rules)) };
}

function mapPair(plan: TypePlan, pair: JsonNode, rules: JsonRules): JsonNode {
  if (pair.kind !== 'array' || pair.items.length !== 2) return pair;
  return {
    kind: 'array',
    items: [
      toStrictJson(plan.element, pair.items[0], rules),
      toStrictJson(plan.mapValue, pair.items[1], rules),
    ],
  };
}

function mapMembers(
  members: ReadonlyMap<string, JsonNode>,
  use: (node: JsonNode, name: string) => JsonNode,
): Map<string, JsonNode> {
  return new Map([...members].map(([name, node]) => [name, use(node, name)]));
}

/** Digits that are zero may be cut or added; a value that does not fit the scale stays and is refused later. */
function numeric(scale: number, node: JsonNode): JsonNode {
  if (node.kind !== 'string' && node.kind !== 'number') return node;
  const text = node.kind === 'string' ? node.value : node.text;
  const match = /^([+-]?\d+)(?:\.(\d*))?$/.exec(text);
  if (match === null) return node.kind === 'number' ? { kind: 'string', value: text } : node;
  let digits = match[2] ?? '';
  while (digits.length > scale && digits.endsWith('0')) digits = digits.slice(0, -1);
  return { kind: 'string', value: digits === '' ? match[1] : `${match[1]}.${digits}` };
}

/**
 * 2.x: None is `null`; inside another Optional Some x is `[x]` and None `[]`. 3.x: the array form holds at every level
 * of nested Optionals. The outermost level of 2.x has no array.
 */
function optional(plan: TypePlan, node: JsonNode, rules: JsonRules): JsonNode {
  if (node.kind === 'null') return node;
  if (rules.dialect !== 'daml2' || plan.element.kind !== PLAN_OPTIONAL) {
    if (plan.jsonArrayForm && node.kind === 'array') return items(plan.element, node.items, rules);
    return toStrictJson(plan.element, node, rules);
  }
  return some(plan, innerOptional(plan.element, node, rules));
}

/** The 2.x form of an Optional that is itself the element of one: `[]` or `[x]`. */
function innerOptional(plan: TypePlan, node: JsonNode, rules: JsonRules): JsonNode {
  if (node.kind !== 'array' || node.items.length > 1) return node;
  if (node.items.length === 0) return plan.jsonArrayForm ? { kind: 'array', items: [] } : { kind: 'null' };
  const inner =
    plan.element.kind === PLAN_OPTIONAL
      ? innerOptional(plan.element, node.items[0], rules)
      : toStrictJson(plan.element, node.items[0], rules);
  return some(plan, inner);
}

function some(plan: TypePlan, node: JsonNode): JsonNode {
  return plan.jsonArrayForm ? { kind: 'array', items: [node] } : node;
}

function record(plan: TypePlan, node: JsonNode, rules: JsonRules): JsonNode {
  if (rules.dialect === 'daml2' && node.kind === 'array' && node.items.length === plan.names.length) {
    return {
      kind: 'object',
      members: new Map(
        plan.names.map((name, i) => [name, toStrictJson(plan.fields[i], node.items[i], rules)]),
      ),
    };
  }
  if (node.kind !== 'object') return node;
  const members = new Map<string, JsonNode>();
  for (const [name, item] of node.members) {
    const rank = plan.ranks.get(name);
    members.set(name, rank === undefined ? item : toStrictJson(plan.fields[rank], item, rules));
  }
  return { kind: 'object', members };
}

function variant(plan: TypePlan, node: JsonNode, rules: JsonRules): JsonNode {
  if (node.kind !== 'object') return node;
  const tag = node.members.get('tag');
  const rank = tag?.kind === 'string' ? plan.ranks.get(tag.value) : undefined;
  if (rank === undefined) return node;
  return {
    kind: 'object',
    members: mapMembers(node.members, (item, name) =>
      name === 'value' ? toStrictJson(plan.parts[rank], item, rules) : item,
    ),
  };
}
