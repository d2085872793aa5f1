/** A contract's argument and key with names and types, by the best package at hand. */
import type { LfValue } from '../contract/value.js';
import { type ContractPackages, packagesToTry } from '../dar/packageChoice.js';
import type { PackageSet } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import { PlanCompiler, type TemplatePlan } from './typePlan.js';
import { type JsonOptions, valueToJson } from './valueToJson.js';

export interface ContractToLabel extends ContractPackages {
  /** `Module:Entity`. */
  readonly template: string;
  readonly argument: LfValue;
  readonly key?: LfValue | undefined;
}

/** JSON texts of the Ledger API, by the names of `packageId`. */
export interface LabelledContract {
  readonly packageId: string;
  readonly packageVersion: string | null;
  readonly argument: string;
  readonly key: string | null;
}

interface Candidate {
  readonly packageId: string;
  readonly version: string | null;
  readonly plan: TemplatePlan;
}

interface Candidates {
  readonly fitting: readonly Candidate[];
  /** Why the package that would be best is none of them. */
  readonly firstFailure: AcsError | undefined;
}

/**
 * Returns a function that names a contract's values with the first package of {@link packagesToTry} that fits. When none
 * fits it returns the reason (of the package tried first); nothing is thrown for a contract. Which packages come into
 * question is worked out once per template and pair of package ids.
 */
export function contractLabeller(
  packages: PackageSet,
  options: JsonOptions = {},
): (contract: ContractToLabel) => LabelledContract | AcsError {
  const compiler = new PlanCompiler(packages);
  const known = new Map<string, Candidates>();

  function candidates(contract: ContractToLabel): Candidates {
    const { creation, representative, packageName, template } = contract;
    const key = `${creation} ${representative ?? ''} ${packageName} ${template}`;
    let found = known.get(key);
    if (found === undefined) {
      found = findCandidates(compiler, contract);
      known.set(key, found);
    }
    return found;
  }

  return (contract) => {
    const { fitting, firstFailure } = candidates(contract);
    let reason = firstFailure;
    for (const { packageId, version, plan } of fitting) {
      try {
        const argument = valueToJson(plan.arg, contract.argument, options);
        const key = contract.key === undefined ? null : valueToJson(keyPlan(plan), contract.key, options);
        return { packageId, packageVersion: version, argument, key };
      } catch (error) {
        if (!(error instanceof AcsError)) throw error;
        reason ??= error;
      }
    }
    return reason ?? noPackage(contract);
  };
}

function findCandidates(compiler: PlanCompiler, contract: ContractToLabel): Candidates {
  const fitting: Candidate[] = [];
  let firstFailure: AcsError | undefined;
  for (const { packageId, version } of packagesToTry(compiler.packages, contract)) {
    try {
      fitting.push({ packageId, version, plan: compiler.template(packageId, contract.template) });
    } catch (error) {
      if (!(error instanceof AcsError)) throw error;
      if (fitting.length === 0) firstFailure ??= error;
    }
  }
  return { fitting, firstFailure };
}

function keyPlan(plan: TemplatePlan): NonNullable<TemplatePlan['key']> {
  if (plan.key === null) {
    throw new AcsError('TYPE_MISMATCH', `the contract has a key but ${plan.ref.name} has none`, { path: '' });
  }
  return plan.key;
}

function noPackage(contract: ContractPackages): AcsError {
  return new AcsError('PACKAGE_MISSING', `no package named ${contract.packageName} is among the given DARs`, {
    expected: `package ${contract.representative || contract.creation}`,
    hint: 'give the DAR that contains it with --dar',
  });
}
