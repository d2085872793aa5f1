/** From a stored payload to the event to append. */
import type { FindingCode } from './findings.js';
import { KIND, type NewEvent } from './ledgerState.js';
import type { Payload } from './payload.js';

/** Copies what the store keeps of a created event into a new event. */
export function fill(
  event: NewEvent,
  payload: Payload,
  kind: NewEvent['kind'],
  sync: number,
  counter: bigint,
): void {
  event.nodeId = payload.nodeId;
  event.kind = kind;
  event.contract = payload.contract;
  event.isNew = payload.isNew;
  event.sync = sync;
  event.counter = counter;
  event.layout = payload.layout?.pk ?? null;
  event.package = payload.package ?? null;
  event.shape = payload.shape;
  event.raw = payload.raw;
  event.rawForm = payload.rawForm;
  event.template = payload.template === 0 ? null : payload.template;
}

/** Findings about a created event as such. */
export function reportPayload(
  note: (code: FindingCode, off: bigint, contract: number, eventPk: number, detail: string) => void,
  payload: Payload,
  off: bigint,
  eventPk: number,
): void {
  if (payload.mismatch !== undefined) {
    note(
      payload.mismatch.kind === 'stakeholders' ? 'STAKEHOLDER_MISMATCH' : 'PAYLOAD_MISMATCH',
      off,
      payload.contract,
      eventPk,
      payload.mismatch.detail,
    );
  }
  if (payload.witnessOutside)
    note('WITNESS_OUTSIDE', off, payload.contract, eventPk, 'a witness is no stakeholder');
}

export function newEvent(off: bigint): NewEvent {
  return {
    off,
    nodeId: 0,
    kind: KIND.baseActive,
    contract: 0,
    isNew: false,
    sync: 0,
    counter: 0n,
    ledgerOffset: null,
    layout: null,
    package: null,
    shape: 0,
    raw: undefined,
    rawForm: 1,
    template: null,
    byRepair: false,
  };
}
