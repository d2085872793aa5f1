/** Whether parsed JSON has the shape of `plan.json`, as far as its readers rely on it: a plan may be damaged or handmade. */

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const count: Check = (value) => Number.isSafeInteger(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const mapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
const shape =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]));

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A path of one step: nothing outside of the plan's folder. */
const fileName: Check = (value) => typeof value === 'string' && /^[\w-][\w.-]*$/.test(value);

const operation: Check = (value) =>
  shape({ op: text, synchronizerId: text, alias: text, file: fileName, contracts: count, sha256: text })(
    value,
  ) &&
  isObject(value) &&
  (value.op === 'purge' ||
    (value.op === 'import' && text(value.highestCounter)) ||
    (value.op === 'assign' && text(value.targetSynchronizerId) && text(value.targetAlias)));

const FIELDS: Readonly<Record<string, Check>> = {
  kind: (value) => value === 'plan' || value === 'inverse',
  tool: text,
  policy: text,
  synchronizerId: text,
  targetSynchronizerId: orNull(text),
  aliases: mapOf(text),
  hosting: isObject,
  waived: listOf(text),
  inputs: listOf(shape({ participant: text, name: text, kind: text, digest: text, contracts: count })),
  diff: orNull(shape({ compared: count, different: count, byClass: mapOf(count) })),
  counts: mapOf(count),
  warnings: listOf(shape({ code: text, name: text, message: text, count, examples: listOf(text) })),
  notChecked: listOf(shape({ code: text, name: text, reason: text })),
  participants: listOf(
    shape({
      participant: text,
      name: text,
      folder: fileName,
      operations: listOf(operation),
      steps: listOf(text),
    }),
  ),
  decisions: listOf(
    shape({
      contractId: text,
      class: text,
      states: mapOf(shape({ state: text })),
      agreed: orNull(shape({ state: text })),
      reason: text,
      actions: mapOf(listOf(shape({ do: text }))),
    }),
  ),
};

/** The first field that is missing or wrong; undefined when all are there. */
export function faultyPlanField(plan: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(FIELDS).find((name) => !FIELDS[name]!(plan[name]));
}
