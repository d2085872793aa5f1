/** JSON API v1: contracts of `/v1/query` answers and of `/v1/stream/query` documents (legacy-import spec, forms L4, L5). */
import type { JsonSlice } from './jsonMembers.js';
import { templateOfJson, withoutSignatories } from './ledgerApiV2.js';
import type { SourceContract, SourceFormat } from './sourceContract.js';

/** One contract: `{"contractId","templateId","payload","signatories","observers","agreementText","key"?}`. */
export function contractOfJsonApi(slice: JsonSlice, format: SourceFormat): SourceContract {
  const contract = slice.members();
  const key = contract.get('key');
  const signatories = contract.strings('signatories');
  return {
    format,
    contractId: contract.contractId('contractId'),
    templateId: templateOfJson(contract.require('templateId')),
    argument: { form: 'json', text: contract.require('payload').text, dialect: 'daml2' },
    ...(key === undefined ? {} : { key: { value: { form: 'json', text: key.text, dialect: 'daml2' } } }),
    signatories: [...new Set(signatories)].sort(),
    observers: withoutSignatories(contract.strings('observers'), signatories),
  };
}

export type StreamEvent =
  | { kind: 'created'; contract: SourceContract }
  | { kind: 'archived'; contractId: string };

/** One element of a stream document's `events`. */
export function streamEvent(slice: JsonSlice): StreamEvent {
  const event = slice.members();
  const created = event.get('created');
  if (created !== undefined)
    return { kind: 'created', contract: contractOfJsonApi(created, 'json-api-v1-stream') };
  const archived = event.require('archived', 'created').members();
  return { kind: 'archived', contractId: archived.contractId('contractId') };
}
