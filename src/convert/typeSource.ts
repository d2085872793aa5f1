/** Giving the values of a source contract their bytes: JSON without types needs the package of its template. */

import type { LfValue } from '../contract/value.js';
import { decodeValue } from '../contract/valueDecoder.js';
import { formatTypeRef } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import type { TemplateId } from '../snapshot/eventValues.js';
import type { PlanCompiler, TemplatePlan, TypePlan } from '../typed/typePlan.js';
import { valueFromJson } from '../typed/valueFromJson.js';
import { readJson } from '../wire/jsonReader.js';
import { toStrictJson } from './daml2Json.js';
import type { SourceContract, SourceValue } from './sourceContract.js';

export interface TypingOptions {
  readonly compiler?: PlanCompiler | undefined;
  /** For references written in a form that is no hex. Without it they are errors of the typed reader. */
  readonly contractId?: ((id: string) => string) | undefined;
}

/** The template's plan, or undefined when no DAR has it. A `#name` package id means the highest version of that name. */
export function templatePlan(
  compiler: PlanCompiler | undefined,
  templateId: TemplateId,
): TemplatePlan | undefined {
  if (compiler === undefined) return undefined;
  const packageId = resolvePackageId(compiler, templateId);
  if (packageId === undefined) return undefined;
  return compiler.template(packageId, `${templateId.moduleName}:${templateId.entityName}`);
}

/** The id of a known package, for `#name` references and for templates without package. */
export function resolvePackageId(compiler: PlanCompiler, templateId: TemplateId): string | undefined {
  const { packages } = compiler;
  if (templateId.packageId.startsWith('#')) {
    return packages.byName(templateId.packageId.slice(1)).at(-1)?.packageId;
  }
  if (templateId.packageId !== '') return packages.get(templateId.packageId)?.packageId;
  const owners = packages
    .ids()
    .filter((id) =>
      packages.get(id)?.modules.get(templateId.moduleName)?.templates.has(templateId.entityName),
    );
  return owners.length === 1 ? owners[0] : undefined;
}

/** The argument as a value. Errors: `TYPES_MISSING`, and those of the JSON reader with the path. */
export function argumentOf(contract: SourceContract, options: TypingOptions): LfValue {
  return typed(contract.argument, contract, options, (plan) => plan.arg);
}

/** The key as a value, or undefined. */
export function keyOf(contract: SourceContract, options: TypingOptions): LfValue | undefined {
  const { key } = contract;
  if (key === undefined) return undefined;
  return typed(key.value, contract, options, (plan) => {
    if (plan.key === null) {
      throw new AcsError('TYPE_MISMATCH', 'the contract has a key but its template has none', {
        contractId: contract.contractId,
        found: formatTypeRef(plan.ref),
      });
    }
    return plan.key;
  });
}

function typed(
  value: SourceValue,
  contract: SourceContract,
  options: TypingOptions,
  planOf: (plan: TemplatePlan) => TypePlan,
): LfValue {
  if (value.form === 'value') return value.value;
  if (value.form === 'bytes') return decodeValue(value.bytes);
  const template = templatePlan(options.compiler, contract.templateId);
  if (template === undefined) throw typesMissing(contract);
  const plan = planOf(template);
  const node = readJson(value.text);
  const rules = { dialect: value.dialect, contractId: options.contractId ?? ((id: string) => id) };
  return valueFromJson(plan, toStrictJson(plan, node, rules));
}

function typesMissing({ contractId, templateId }: SourceContract): AcsError {
  return new AcsError('TYPES_MISSING', 'the arguments are JSON without types, and no DAR has the template', {
    contractId,
    expected: `${templateId.packageId}:${templateId.moduleName}:${templateId.entityName}`,
    hint: 'give the DAR that contains it with --dar',
  });
}
