/** JSON Ledger API v2: entries of `/v2/state/active-contracts`, plain and paged (legacy-import spec, form L6). */
import { AcsError } from '../io/error.js';
import { type JsonSlice, MAX_UINT64 } from './jsonMembers.js';
import { type ArgumentReader, eventOfJson, type ResponseItem } from './ledgerApiV2.js';

export const untypedArgument: ArgumentReader = (slice) => ({
  form: 'json',
  text: slice.text,
  dialect: 'canton3',
});

/** `{"workflowId","contractEntry":{"JsActiveContract":{…}}}`. */
export function activeContractEntry(slice: JsonSlice): ResponseItem {
  const entry = slice.members().require('contractEntry').members();
  const active = entry.get('JsActiveContract');
  if (active !== undefined) {
    const members = active.members();
    return {
      kind: 'contract',
      contract: eventOfJson(
        members.require('createdEvent').members(),
        'json-ledger-api-v2',
        untypedArgument,
        {
          synchronizerId: members.string('synchronizerId') ?? '',
          counter: members.integer(MAX_UINT64, 'reassignmentCounter') ?? 0n,
        },
      ),
    };
  }
  const unassigned = entry.get('JsIncompleteUnassigned');
  if (unassigned !== undefined) {
    const event = unassigned.members().require('unassignedEvent').members();
    return { kind: 'in-flight', contractId: event.string('contractId') ?? '' };
  }
  const assigned = entry.get('JsIncompleteAssigned');
  if (assigned !== undefined) {
    const event = assigned.members().require('assignedEvent').members();
    return {
      kind: 'in-flight',
      contractId: event.require('createdEvent').members().string('contractId') ?? '',
    };
  }
  if (entry.names().includes('JsEmpty')) return { kind: 'empty' };
  throw new AcsError('RESPONSE_UNKNOWN_FIELD', 'not an active-contracts entry of the JSON Ledger API v2', {
    path: `${slice.path}.contractEntry`,
    expected: 'JsActiveContract, JsIncompleteAssigned, JsIncompleteUnassigned or JsEmpty',
    found: entry.names().join(', '),
  });
}
