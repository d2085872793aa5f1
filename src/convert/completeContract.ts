/**
 * A source contract as a record of format A, as far as it goes: what the source lacks is said by name, never made up
 * (snapshot-format spec, sections 3.3 and 9).
 */
import { type ContractInstance, encodeBlob } from '../contract/contractInstance.js';
import { decodeValue } from '../contract/valueDecoder.js';
import { encodeValue } from '../contract/valueEncoder.js';
import { type CreatedEventParts, encodeCreatedEvent, encodeFrame } from '../snapshot/encodeRecord.js';
import { plainRecord, plainValue } from './plainLedgerApiValue.js';
import type { SourceContract } from './sourceContract.js';
import { argumentOf, keyOf, resolvePackageId, type TypingOptions } from './typeSource.js';

/** What a record of format A needs and a source may lack. */
export const MISSING_PARTS = {
  'contract-id': 'a Canton contract id: `acs remap --seed …` gives new ones',
  'authentication-data': 'the salt, without which no id can be checked: `acs remap --seed …` gives new ids',
  'package-id': 'the package id of the template: give the DAR with --dar',
  'package-name': 'the package name: give the DAR with --dar',
  types: 'types for its JSON arguments: give the DAR with --dar',
  'created-at': 'the time of its creation: `acs remap --created-at …` sets one',
  synchronizer: 'the synchronizer id: give it with --synchronizer',
  'key-maintainers': 'the maintainers of its key: neither the Ledger API nor JSON has them',
  'key-hash': 'the hash of its key: give the DAR with --dar',
} as const;

export type MissingPart = keyof typeof MISSING_PARTS;

export interface CompletionOptions extends TypingOptions {
  /** For sources that name none. */
  readonly synchronizerId?: string | undefined;
  /** Computes the hash of a key (32 bytes) for contracts whose source lacks it; undefined when it cannot. */
  readonly keyHash?: ((instance: ContractInstance) => Buffer | undefined) | undefined;
}

export type Completed = { readonly frame: Buffer } | { readonly missing: readonly MissingPart[] };

/** A complete frame, or what is missing for one. Malformed values are errors. */
export function completeContract(contract: SourceContract, options: CompletionOptions = {}): Completed {
  const synchronizerId = contract.synchronizerId || options.synchronizerId;
  const counter = contract.reassignmentCounter ?? 0n;
  if (contract.blob !== undefined) {
    if (synchronizerId === undefined) return { missing: ['synchronizer'] };
    return { frame: encodeFrame(contract.event ?? eventOfBlob(contract), synchronizerId, counter) };
  }
  const missing = missingParts(contract, options, synchronizerId);
  if (missing.length > 0 || synchronizerId === undefined) return { missing };
  const event = completeEvent(contract, options);
  return event === undefined
    ? { missing: ['key-hash'] }
    : { frame: encodeFrame(event, synchronizerId, counter) };
}

/** What stands between this contract and a record of format A; empty when nothing does. */
export function missingParts(
  contract: SourceContract,
  options: CompletionOptions,
  synchronizerId: string | undefined,
): MissingPart[] {
  const missing: MissingPart[] = [];
  if (!/^(?:[0-9a-f]{2}){13,127}$/.test(contract.contractId)) missing.push('contract-id');
  if (contract.authenticationData === undefined) missing.push('authentication-data');
  const packageId = packageIdOf(contract, options);
  if (packageId === undefined) missing.push('package-id');
  if (packageNameOf(contract, options, packageId) === undefined) missing.push('package-name');
  const needsTypes = contract.argument.form === 'json' || contract.key?.value.form === 'json';
  if (needsTypes && options.compiler?.packages.get(packageId ?? '') === undefined) missing.push('types');
  if (contract.createdAt === undefined) missing.push('created-at');
  if (synchronizerId === undefined) missing.push('synchronizer');
  if (contract.key !== undefined) {
    if (contract.key.maintainers === undefined) missing.push('key-maintainers');
    if (contract.key.hash === undefined && options.keyHash === undefined) missing.push('key-hash');
  }
  return missing;
}

export function packageIdOf(contract: SourceContract, options: TypingOptions): string | undefined {
  const { packageId } = contract.templateId;
  if (packageId !== '' && !packageId.startsWith('#')) return packageId;
  return options.compiler === undefined ? undefined : resolvePackageId(options.compiler, contract.templateId);
}

export function packageNameOf(
  contract: SourceContract,
  options: TypingOptions,
  packageId: string | undefined,
): string | undefined {
  if (contract.packageName !== undefined && contract.packageName !== '') return contract.packageName;
  if (packageId === undefined) return undefined;
  return options.compiler?.packages.get(packageId)?.name ?? undefined;
}

function completeEvent(contract: SourceContract, options: CompletionOptions): Buffer | undefined {
  const argument = argumentOf(contract, options);
  const keyValue = keyOf(contract, options);
  const packageId = packageIdOf(contract, options) ?? '';
  const templateId = { ...contract.templateId, packageId };
  const maintainers = contract.key?.maintainers ?? [];
  const isMaintainer = new Set(maintainers);
  const instance: ContractInstance = {
    serializationVersion: keyValue === undefined ? '2.1' : '2',
    contractId: contract.contractId,
    packageName: packageNameOf(contract, options, packageId) ?? '',
    templateId,
    createArgument: contract.argument.form === 'bytes' ? contract.argument.bytes : encodeValue(argument),
    nonMaintainerSignatories: contract.signatories.filter((party) => !isMaintainer.has(party)),
    nonSignatoryStakeholders: [...contract.observers],
    createdAt: contract.createdAt ?? 0n,
    authenticationData: contract.authenticationData ?? Buffer.alloc(0),
  };
  if (keyValue !== undefined) {
    const key = {
      value: contract.key?.value.form === 'bytes' ? contract.key.value.bytes : encodeValue(keyValue),
      maintainers: [...maintainers],
      hash: contract.key?.hash ?? Buffer.alloc(0),
    };
    instance.key = key;
    if (key.hash.length === 0) {
      const hash = options.keyHash?.(instance);
      if (hash === undefined) return undefined;
      key.hash = hash;
    }
  }
  const parts: CreatedEventParts = {
    contractId: contract.contractId,
    templateId,
    createArguments: plainRecord(argument),
    createdEventBlob: encodeBlob(instance),
    witnessParties: contract.witnesses ?? [...contract.signatories, ...contract.observers].sort(),
    signatories: contract.signatories,
    observers: contract.observers,
    createdAt: instance.createdAt,
    packageName: instance.packageName,
    acsDelta: true,
    representativePackageId: contract.representativePackageId || packageId,
  };
  if (contract.offset !== undefined) parts.offset = contract.offset;
  if (contract.nodeId !== undefined) parts.nodeId = contract.nodeId;
  if (keyValue !== undefined && instance.key !== undefined) {
    parts.contractKey = plainValue(keyValue);
    parts.contractKeyHash = instance.key.hash;
  }
  return encodeCreatedEvent(parts);
}

/** An event around a blob that came without one (JSON forms): every field from the blob. */
function eventOfBlob(contract: SourceContract): Buffer {
  const { argument, key, blob, createdAt, packageName, offset, nodeId } = contract;
  const parts: CreatedEventParts = {
    contractId: contract.contractId,
    templateId: contract.templateId,
    createArguments: argument.form === 'bytes' ? plainRecord(decodeValue(argument.bytes)) : Buffer.alloc(0),
    createdEventBlob: blob ?? Buffer.alloc(0),
    witnessParties: contract.witnesses ?? [...contract.signatories, ...contract.observers].sort(),
    signatories: contract.signatories,
    observers: contract.observers,
    acsDelta: true,
    representativePackageId: contract.representativePackageId || contract.templateId.packageId,
  };
  if (createdAt !== undefined) parts.createdAt = createdAt;
  if (packageName !== undefined) parts.packageName = packageName;
  if (offset !== undefined) parts.offset = offset;
  if (nodeId !== undefined) parts.nodeId = nodeId;
  if (key?.value.form === 'bytes') {
    parts.contractKey = plainValue(decodeValue(key.value.bytes));
    if (key.hash !== undefined) parts.contractKeyHash = key.hash;
  }
  return encodeCreatedEvent(parts);
}
