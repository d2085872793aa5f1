/** A contract's argument and key with names and types, by the best package at hand. */
import type { LfValue } from '../contract/value.js';
import { AcsError } from '../io/error.js';
import { type ContractPackages, packagesToTry } from './packageChoice.js';
import type { PlanCompiler, TemplatePlan } from './plan.js';
import { type JsonOptions, valueToJson } from './valueToJson.js';

export interface ContractToLabel extends ContractPackages {
  /** `Module:Entity`. */
  readonly template: string;
  readonly argument: LfValue;
  readonly key?: LfValue | undefined;
}

export type LabelledContract =
  /** JSON texts of the Ledger API, by the names of `packageId`. */
  | {
      readonly labelled: true;
      readonly packageId: string;
      readonly packageVersion: string | null;
      readonly argument: string;
      readonly key: string | null;
    }
  /** No package at hand fits, and why. */
  | { readonly labelled: false; readonly reason: AcsError };

/**
 * Names a contract's values with the first package of {@link packagesToTry} that fits. Contracts are never refused: when
 * no package fits, the reason (of the package tried first) is returned, and the caller prints values positionally.
 */
export function labelContract(
  compiler: PlanCompiler,
  contract: ContractToLabel,
  options: JsonOptions = {},
): LabelledContract {
  let reason: AcsError | undefined;
  for (const candidate of packagesToTry(compiler.packages, contract)) {
    try {
      const plan = compiler.template(candidate.packageId, contract.template);
      return {
        labelled: true,
        packageId: candidate.packageId,
        packageVersion: candidate.version,
        argument: valueToJson(plan.arg, contract.argument, options),
        key: contract.key === undefined ? null : valueToJson(keyPlan(plan), contract.key, options),
      };
    } catch (error) {
      if (!(error instanceof AcsError)) throw error;
      reason ??= error;
    }
  }
  return { labelled: false, reason: reason ?? noPackage(contract) };
}

function keyPlan(plan: TemplatePlan): NonNullable<TemplatePlan['key']> {
  if (plan.key === null) {
    throw new AcsError('TYPE_MISMATCH', `the contract has a key but ${plan.ref.name} has none`, { path: '' });
  }
  return plan.key;
}

function noPackage(contract: ContractPackages): AcsError {
  const wanted = contract.representative || contract.creation;
  return new AcsError('PACKAGE_MISSING', `no package named ${contract.packageName} is among the given DARs`, {
    expected: `package ${wanted}`,
    hint: 'give the DAR that contains it with --dar',
  });
}
