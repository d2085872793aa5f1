/** The published schemas of schemas/json, and what every JSON output has to hold to. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

const FOLDER = fileURLToPath(new URL('../../schemas/json/', import.meta.url));
const ENDING = '.schema.json';

export type Schema = Record<string, unknown>;

/** By name, without the ending. */
export const SCHEMAS: ReadonlyMap<string, Schema> = new Map(
  readdirSync(FOLDER)
    .sort()
    .map((file) => [
      file.slice(0, -ENDING.length),
      JSON.parse(readFileSync(`${FOLDER}${file}`, 'utf8')) as Schema,
    ]),
);

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
for (const schema of SCHEMAS.values()) ajv.addSchema(schema);

/** What is wrong with a document; empty when it fits the schema and holds no number that JSON readers would change. */
export function schemaFaults(name: string, document: unknown): string[] {
  const validate = ajv.getSchema(`${name}${ENDING}`) as ValidateFunction | undefined;
  if (validate === undefined) return [`there is no schemas/json/${name}${ENDING}`];
  const faults = validate(document)
    ? []
    : (validate.errors ?? []).map(
        ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
      );
  return [...faults, ...unsafeNumbers(document, '')];
}

/** Numbers that are no integers or reach 2^53. */
function unsafeNumbers(value: unknown, path: string): string[] {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? [] : [`${path} is the number ${value}`];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => unsafeNumbers(member, `${path}/${key}`));
}

/** Text that is one JSON document or one per line. */
export function jsonDocuments(text: string): unknown[] {
  const lines = text.split('\n').filter((line) => line !== '');
  try {
    return lines.map((line) => JSON.parse(line) as unknown);
  } catch {
    return [JSON.parse(text) as unknown];
  }
}

/** Visits every subschema with its place. */
export function eachSubschema(
  schema: unknown,
  use: (schema: Schema, place: string) => void,
  place = '',
): void {
  if (typeof schema !== 'object' || schema === null) return;
  if (Array.isArray(schema)) {
    for (const [i, each] of schema.entries()) eachSubschema(each, use, `${place}/${i}`);
    return;
  }
  const node = schema as Schema;
  use(node, place);
  for (const key of ['properties', '$defs', 'patternProperties']) {
    for (const [name, each] of Object.entries((node[key] as Schema | undefined) ?? {}))
      eachSubschema(each, use, `${place}/${key}/${name}`);
  }
  for (const key of ['items', 'prefixItems', 'additionalProperties', 'oneOf', 'anyOf', 'allOf'])
    eachSubschema(node[key], use, `${place}/${key}`);
}

/** The schema a `$ref` leads to. */
export function resolveRef(name: string, ref: string): Schema {
  const [file, pointer = ''] = ref.split('#') as [string, string?];
  let node: unknown = SCHEMAS.get(file === '' ? name : file.slice(0, -ENDING.length));
  for (const step of pointer.split('/').slice(1)) node = (node as Schema)[step];
  return node as Schema;
}
