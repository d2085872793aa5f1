/** Arguments and keys with the names of their types, for `acs cat --dar`. */
import { decodeValue } from '../contract/valueDecoder.js';
import type { PackageSet } from '../dar/type.js';
import { AcsError } from '../io/error.js';
import { contractLabeller } from '../typed/contractLabeller.js';
import type { JsonOptions } from '../typed/valueToJson.js';
import type { ArgumentRenderer } from './catFields.js';

export interface LabelledArgumentOptions extends JsonOptions {
  /** Told of every contract that has to be printed positionally, and why. */
  readonly onPositional?: (contractId: string, reason: AcsError) => void;
}

/**
 * Prints arguments and keys as the JSON Ledger API does, from the blob and the types of the best package at hand: the
 * representative one, else that of creation, else others of the same name. Without a fitting package a contract is
 * printed positionally.
 */
export function labelledRenderer(
  packages: PackageSet,
  options: LabelledArgumentOptions = {},
): ArgumentRenderer {
  const label = contractLabeller(packages, options);
  return (view) => {
    const { blob } = view;
    const { packageId, moduleName, entityName } = blob.templateId;
    const labelled = label({
      creation: packageId,
      representative: view.representativePackageId,
      packageName: blob.packageName,
      template: `${moduleName}:${entityName}`,
      argument: decodeValue(blob.buf, blob.argumentStart, blob.argumentEnd),
      key: blob.hasKey ? decodeValue(blob.buf, blob.keyValueStart, blob.keyValueEnd) : undefined,
    });
    if (labelled instanceof AcsError) {
      options.onPositional?.(view.contractId, labelled);
      return undefined;
    }
    return {
      packageId: labelled.packageId,
      createArgument: labelled.argument,
      ...(labelled.key === null ? {} : { contractKey: labelled.key }),
    };
  };
}
