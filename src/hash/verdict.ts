/** What can be said of a contract and its id, with the reasons (contract-id spec, section 6). */
import type { ContractIdVersion } from '../contract/contractId.js';
import type { AcsError } from '../io/error.js';

export type VerdictCode =
  /** The id belongs to the content, and the content to its type as far as that could be checked (see the remarks). */
  | 'VALID'
  /** The id belongs to other content. */
  | 'MISMATCH'
  /** No id of a committed contract. */
  | 'MALFORMED_ID'
  /** An id of Canton 2.x. */
  | 'UNSUPPORTED_VERSION'
  /** The salt is missing or damaged, so that the id can never be checked. */
  | 'NO_AUTHENTICATION_DATA'
  /** A package is needed to tell. Never to be counted as valid. */
  | 'NEEDS_PACKAGE'
  /** The content does not have the type of its template in the representative package. */
  | 'ILL_TYPED';

export const VERDICT_CODES: readonly VerdictCode[] = [
  'VALID',
  'MISMATCH',
  'MALFORMED_ID',
  'UNSUPPORTED_VERSION',
  'NO_AUTHENTICATION_DATA',
  'NEEDS_PACKAGE',
  'ILL_TYPED',
];

export type RemarkCode =
  /**
   * On every valid contract: what only the Daml engine can tell was not checked, that is, the template's `ensure`, and
   * whether signatories, observers and key are those the template computes. It matters for contracts whose id was
   * recomputed; one with its original id had to pass when it was created.
   */
  | 'NOT_CHECKABLE_OFFLINE'
  /**
   * With MISMATCH: the id is that of the content, but the stored key hash is not that of the key. When the hash is wrong,
   * an import takes the contract, which then cannot be found by its key; when the key was changed, the engine refuses it.
   * Which of the two it is cannot be told offline.
   */
  | 'KEY_HASH_MISMATCH'
  /** No package at hand to compute the key hash. */
  | 'KEY_HASH_NOT_CHECKED'
  /** No package at hand to check the argument's type; the id alone is confirmed. */
  | 'TYPES_NOT_CHECKED'
  /** The representative package is not at hand; the types are those of another package of the same name. */
  | 'TYPES_OF_OTHER_PACKAGE'
  /** `ca11` does not bind in which field of a record a map is (spec, section 4.3). */
  | 'MAP_FIELD_NOT_BOUND'
  /** A signatory, observer or maintainer does not occur in the argument. Possible, but unusual. */
  | 'SUSPICIOUS_PARTY'
  /** The argument's bytes are not Canton's for its value. The id holds, but a participant that knows it refuses the copy. */
  | 'ENCODING_NOT_CANONICAL'
  /** Version V2 ids cannot be imported by Canton 3.4 or 3.5. */
  | 'VERSION_NOT_IMPORTABLE';

export interface Verdict {
  readonly code: VerdictCode;
  /** `V10`, `V11`, `V12`, `V2_0`, `ca02`, `local`, `malformed`, … */
  readonly version: string;
  /** In words; absent for valid contracts. */
  readonly reason?: string;
  /** MISMATCH: the id that the content has, lower-case hex; with `path` = `key` the key hash. */
  readonly expected?: string;
  /** Where in the argument (`amount`, `observers[2]`), in the key (`key`, `key.number`), or `package_name`. */
  readonly path?: string;
  /** ILL_TYPED: what the type asks for and what is there. */
  readonly expectedType?: string;
  readonly foundType?: string;
  /** NEEDS_PACKAGE: the package to give. */
  readonly packageId?: string;
  readonly remarks: readonly RemarkCode[];
}

const NO_REMARKS: readonly RemarkCode[] = [];
const validVerdicts = new Map<string, Verdict>();

export function valid(version: ContractIdVersion, remarks: readonly RemarkCode[]): Verdict {
  const key = remarks.length === 0 ? version : `${version} ${remarks.join(' ')}`;
  let verdict = validVerdicts.get(key);
  if (verdict === undefined) {
    verdict = { code: 'VALID', version, remarks: ['NOT_CHECKABLE_OFFLINE', ...remarks] };
    validVerdicts.set(key, verdict);
  }
  return verdict;
}

export function bad(code: VerdictCode, version: string, reason: string): Verdict {
  return { code, version, reason, remarks: NO_REMARKS };
}

export function needsPackage(version: string, packageId: string): Verdict {
  return { ...bad('NEEDS_PACKAGE', version, 'a package is not among the given DARs'), packageId };
}

function illTyped(version: string, error: AcsError): Verdict {
  return {
    ...bad('ILL_TYPED', version, error.message),
    path: error.place.path ?? '',
    ...(error.expected === undefined ? {} : { expectedType: error.expected }),
    ...(error.found === undefined ? {} : { foundType: error.found }),
  };
}

/** The verdict that an error of a typed walk (`PACKAGE_MISSING`, `TYPE_*`) stands for. */
export function typeVerdict(version: ContractIdVersion, error: AcsError): Verdict {
  return error.code === 'PACKAGE_MISSING'
    ? needsPackage(version, error.expected ?? '')
    : illTyped(version, error);
}
