/** A source contract as one JSON line that loses nothing: the neutral form of every reader. */
import { formatMicros } from '../contract/time.js';
import { decodeValue } from '../contract/valueDecoder.js';
import { readJson } from '../wire/jsonReader.js';
import { valueToTypedJson } from './ledgerApiJsonValue.js';
import type { SourceContract, SourceValue } from './sourceContract.js';

/**
 * Keys: format, contractId, templateId, packageName?, argument, key?, signatories, observers, witnesses?, createdAt?,
 * synchronizerId?, reassignmentCounter?, offset?, nodeId?, authenticationData? (hex), salt? (hex), blob? (base64).
 * `argument` is `{"value": JSON of a Ledger API value}` or, where the types are not known, `{"json": as the source has it}`.
 */
export function neutralJson(contract: SourceContract): string {
  const { templateId, key } = contract;
  const members: string[] = [];
  const add = (name: string, json: string | undefined): void => {
    if (json !== undefined) members.push(`"${name}":${json}`);
  };
  const text = (value: string | undefined): string | undefined =>
    value === undefined ? undefined : JSON.stringify(value);
  const number = (value: bigint | number | undefined): string | undefined =>
    value === undefined ? undefined : `"${value}"`;
  add('format', text(contract.format));
  add('contractId', text(contract.contractId));
  add('templateId', text(`${templateId.packageId}:${templateId.moduleName}:${templateId.entityName}`));
  add('packageName', text(contract.packageName));
  add('argument', valueJson(contract.argument));
  if (key !== undefined) {
    const maintainers =
      key.maintainers === undefined ? '' : `,"maintainers":${JSON.stringify(key.maintainers)}`;
    const hash = key.hash === undefined ? '' : `,"hash":"${key.hash.toString('hex')}"`;
    add('key', `${valueJson(key.value).slice(0, -1)}${maintainers}${hash}}`);
  }
  add('signatories', JSON.stringify(contract.signatories));
  add('observers', JSON.stringify(contract.observers));
  add('witnesses', contract.witnesses === undefined ? undefined : JSON.stringify(contract.witnesses));
  add('createdAt', text(contract.createdAt === undefined ? undefined : formatMicros(contract.createdAt)));
  add('synchronizerId', text(contract.synchronizerId));
  add('reassignmentCounter', number(contract.reassignmentCounter));
  add('offset', number(contract.offset));
  add('nodeId', contract.nodeId === undefined ? undefined : String(contract.nodeId));
  add('representativePackageId', text(contract.representativePackageId));
  add('authenticationData', text(contract.authenticationData?.toString('hex')));
  add('salt', text(contract.legacySalt?.toString('hex')));
  add('blob', text(contract.blob?.toString('base64')));
  return `{${members.join(',')}}`;
}

function valueJson(value: SourceValue): string {
  if (value.form === 'json') {
    readJson(value.text);
    // Line breaks stand between tokens only; the text itself stays, with its order of keys and its digits.
    return `{"json":${value.text.replace(/[\r\n]+/g, ' ')}}`;
  }
  return `{"value":${JSON.stringify(valueToTypedJson(value.form === 'bytes' ? decodeValue(value.bytes) : value.value))}}`;
}
