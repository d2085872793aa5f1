/**
 * Storing what a created event says: the contract once, and per event the few values that rebuild its bytes. Every
 * event is rebuilt and compared before its original is let go.
 */
import { BlobView } from '../contract/blob.js';
import { ContractView } from '../contract/contractView.js';
import { eventComparer } from '../contract/eventAgainstBlob.js';
import { eventBuilder } from '../contract/eventFromBlob.js';
import { type EventPieces, SHAPE } from '../contract/eventPieces.js';
import { AcsError } from '../io/error.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { type ContractRows, contractRows } from './contractRows.js';
import { DRAFT } from './draftEvents.js';
import type { DraftNames } from './draftNames.js';
import { partiesEnd, partiesStart, RAW_SHAPE, shapeOf } from './eventShape.js';
import { idHash } from './idHash.js';
import type { LayoutRow, StoreInterner } from './intern.js';
import type { Db } from './open.js';
import type { StoreRows } from './storeRows.js';

/** Reused from event to event. */
export interface Payload {
  contract: number;
  /** True when the contract was not known before. */
  isNew: boolean;
  set: number;
  template: number;
  layout: LayoutRow | undefined;
  package: number | undefined;
  shape: number;
  /** Bytes to keep beside, when they cannot be rebuilt; a copy. */
  raw: Buffer | undefined;
  rawForm: 1 | 2;
  /** How the event contradicts its blob or the stored contract; empty when it does not. */
  mismatch: { kind: 'stakeholders' | 'payload'; detail: string } | undefined;
  /** A witness is no stakeholder. */
  witnessOutside: boolean;
  /** `created_event.offset` and `node_id`. */
  ledgerOffset: bigint;
  nodeId: number;
}

export interface Payloads {
  /**
   * `frame`: the record is a whole snapshot frame, to be given back byte for byte; else a bare event of a stream.
   * Undefined, and nothing stored, when its stakeholder set is not accepted.
   */
  take(record: RecordView, sync: number, frame: boolean): Payload | undefined;
  /**
   * The same for an event that was drafted. `unknown`, and nothing stored: something about it has not been seen before,
   * or has to be looked at closely; then {@link take} it, and {@link learn}.
   */
  takeDraft(
    buf: Buffer,
    drafts: Float64Array,
    at: number,
    names: DraftNames,
  ): Payload | undefined | 'unknown';
  /** Notes what the numbers of a draft stand for; `payload` is what {@link take} gave for its event. */
  learn(drafts: Float64Array, at: number, names: DraftNames, payload: Payload | undefined): void;
  readonly contracts: ContractRows;
}

const EMPTY = Buffer.alloc(0);

export function payloads(
  db: Db,
  rows: StoreRows,
  intern: StoreInterner,
  accept?: (set: number) => boolean,
): Payloads {
  const contracts = contractRows(db, rows);
  const blob = new BlobView();
  const builder = eventBuilder();
  const view = new ContractView();
  let comparer: ReturnType<typeof eventComparer> | undefined;
  const pieces: EventPieces = {
    offset: 0n,
    nodeId: 0,
    template: EMPTY,
    parties: EMPTY,
    representative: EMPTY,
    shape: 0,
  };
  /** Of the draft before: the events of one update share it, and a big integer costs memory. */
  let lastOffset = 0;
  let lastLedgerOffset = 0n;
  const payload: Payload = {
    contract: 0,
    isNew: false,
    set: 0,
    template: 0,
    layout: undefined,
    package: undefined,
    shape: 0,
    raw: undefined,
    rawForm: 1,
    mismatch: undefined,
    witnessOutside: false,
    ledgerOffset: 0n,
    nodeId: 0,
  };

  /** The rebuilt bytes equal the original's. */
  function rebuilds(
    record: RecordView,
    blobStart: number,
    blobEnd: number,
    sync: number,
    frame: boolean,
  ): boolean {
    pieces.offset = payload.ledgerOffset;
    pieces.nodeId = payload.nodeId;
    pieces.template = intern.templateRow(payload.template).field;
    pieces.parties = payload.layout?.bytes ?? EMPTY;
    pieces.representative = payload.package === undefined ? EMPTY : intern.packageField(payload.package);
    pieces.shape = payload.shape;
    const from = frame ? record.start : record.eventStart;
    const to = frame ? record.end : record.eventEnd;
    try {
      return frame
        ? builder.isFrame(
            blob,
            blobStart,
            blobEnd,
            pieces,
            intern.synchronizerField(sync),
            record.counterIsZero ? 0 : record.reassignmentCounter,
            from,
            to,
          )
        : builder.isEvent(blob, blobStart, blobEnd, pieces, from, to);
    } catch (error) {
      // A value in a form the builder does not know: then the original bytes are kept.
      if (error instanceof AcsError) return false;
      throw error;
    }
  }

  /**
   * An event of a stream may carry labels, type ids or interface views, if its reader asked for them. An export has
   * none, so they are dropped when nothing else differs.
   */
  function isDecorated(record: RecordView): boolean {
    const start = record.eventFields[2 * EVENT.createArguments];
    return record.has(EVENT.interfaceViews) || (start >= 0 && record.buf[start] === 0x0a);
  }

  function withoutBlob(record: RecordView, frame: boolean): Payload | undefined {
    const templateStart = record.eventFields[2 * EVENT.templateId];
    const id = Buffer.from(record.contractId, 'hex');
    if (id.length === 0)
      throw new AcsError('EVENT_NO_CONTRACT_ID', 'a created event has neither blob nor contract id');
    payload.template =
      templateStart < 0
        ? 0
        : intern.templateAt(
            record.buf,
            templateStart,
            record.eventFields[2 * EVENT.templateId + 1],
            record.packageName,
          );
    payload.set = intern.setOf(record.signatories, record.observers);
    if (accept !== undefined && !accept(payload.set)) return undefined;
    const hash = idHash(id);
    const row = contracts.find(id, 0, id.length, hash);
    payload.isNew = row === undefined;
    if (row === undefined) {
      payload.contract = contracts.add(
        id,
        0,
        id.length,
        payload.template === 0 ? null : payload.template,
        payload.set,
        record.createdAtMicros ?? null,
        hash,
      );
    } else {
      payload.contract = row[0];
      if (row[2] !== null) payload.template = row[1] ?? 0;
      else {
        contracts.complete(
          row[0],
          payload.template === 0 ? row[1] : payload.template,
          payload.set,
          record.createdAtMicros ?? null,
        );
      }
    }
    keepRaw(record, frame);
    return payload;
  }

  function keepRaw(record: RecordView, frame: boolean): void {
    payload.shape |= RAW_SHAPE;
    payload.rawForm = frame ? 1 : 2;
    payload.raw = Buffer.from(
      frame
        ? record.buf.subarray(record.start, record.end)
        : record.buf.subarray(record.eventStart, record.eventEnd),
    );
  }

  return {
    contracts,
    take(record, sync, frame) {
      const f = record.eventFields;
      payload.raw = undefined;
      payload.mismatch = undefined;
      payload.witnessOutside = false;
      payload.layout = undefined;
      payload.shape = 0;
      payload.ledgerOffset = record.ledgerOffset;
      payload.nodeId = record.nodeId;
      const repStart = f[2 * EVENT.representativePackageId];
      payload.package =
        repStart < 0 || repStart === f[2 * EVENT.representativePackageId + 1]
          ? undefined
          : intern.package(record.buf, repStart, f[2 * EVENT.representativePackageId + 1]);
      const blobStart = f[2 * EVENT.createdEventBlob];
      const blobEnd = f[2 * EVENT.createdEventBlob + 1];
      if (blobStart < 0 || blobStart === blobEnd) return withoutBlob(record, frame);
      blob.parse(record.buf, blobStart, blobEnd);
      const { buf } = blob;
      payload.set = intern.set(blob);
      if (accept !== undefined && !accept(payload.set)) return undefined;
      payload.template = intern.template(blob);
      const hash = idHash(buf, blob.contractIdStart, blob.contractIdEnd);
      const row = contracts.find(buf, blob.contractIdStart, blob.contractIdEnd, hash);
      let known: Buffer | undefined;
      if (row === undefined) {
        payload.isNew = true;
        payload.contract = contracts.add(
          buf,
          blob.contractIdStart,
          blob.contractIdEnd,
          payload.template,
          payload.set,
          blob.createdAt,
          hash,
        );
        contracts.addBlob(payload.contract, buf, blobStart, blobEnd);
      } else {
        payload.isNew = false;
        payload.contract = row[0];
        known = contracts.blob(row[0]);
        if (known === undefined) {
          contracts.complete(row[0], payload.template, payload.set, blob.createdAt);
          contracts.addBlob(row[0], buf, blobStart, blobEnd);
          rows.flushContracts();
        }
      }
      payload.shape = shapeOf(record, blob);
      const parties = partiesStart(record);
      if (parties >= 0) payload.layout = intern.layout(record.buf, parties, partiesEnd(record), payload.set);
      else if (record.has(EVENT.signatories)) payload.shape |= SHAPE.noParties;
      const sameBlob = known === undefined || known.compare(buf, blobStart, blobEnd) === 0;
      // What is derived from events takes the contract as it is stored.
      if (!sameBlob && row !== undefined && row[1] !== null) payload.template = row[1];
      const agrees = sameBlob && payload.layout?.contradicts !== true;
      if (agrees && rebuilds(record, blobStart, blobEnd, sync, frame)) {
        payload.witnessOutside = payload.layout?.outside === true;
        // A stream cuts its witnesses to the parties asked for, or (LEDGER_EFFECTS) names others; an export does not.
        if (!frame && payload.layout !== undefined) payload.layout = intern.layoutFull(payload.layout);
        return payload;
      }
      comparer ??= eventComparer();
      const differences = comparer(view.of(record));
      if (!sameBlob) payload.mismatch = { kind: 'payload', detail: 'the blob differs from the stored one' };
      else if (differences.length > 0) {
        const about = differences.map((d) => d.field);
        payload.mismatch = {
          kind: about.some((x) => x === 'signatories' || x === 'observers') ? 'stakeholders' : 'payload',
          detail: `the event contradicts its blob: ${about.join(', ')}`,
        };
      } else if (!frame && isDecorated(record) && (parties >= 0 || !record.has(EVENT.signatories))) {
        if (payload.layout !== undefined) payload.layout = intern.layoutFull(payload.layout);
        return payload;
      }
      keepRaw(record, frame);
      return payload;
    },
    takeDraft(buf, drafts, at, names) {
      const blobStart = drafts[at + DRAFT.blobStart];
      if (blobStart < 0) return 'unknown';
      const group = names.groups[drafts[at + DRAFT.group]];
      // Its type is told faster than whether it is this text.
      if (typeof group === 'string') return undefined;
      const template = names.templates[drafts[at + DRAFT.template]];
      const named = drafts[at + DRAFT.package];
      const package_ = named < 0 ? undefined : names.packages[named];
      if (group === undefined || template === undefined || (named >= 0 && package_ === undefined))
        return 'unknown';
      const blobEnd = drafts[at + DRAFT.blobEnd];
      const idStart = drafts[at + DRAFT.idStart];
      const idEnd = drafts[at + DRAFT.idEnd];
      const hash = drafts[at + DRAFT.hash];
      const row = contracts.find(buf, idStart, idEnd, hash);
      payload.isNew = row === undefined;
      if (row === undefined) {
        const createdAt = drafts[at + DRAFT.createdAt];
        payload.contract = contracts.add(buf, idStart, idEnd, template, group.set, createdAt, hash);
        contracts.addBlob(payload.contract, buf, blobStart, blobEnd);
      } else {
        const known = contracts.blob(row[0]);
        if (known === undefined || known.compare(buf, blobStart, blobEnd) !== 0) return 'unknown';
        payload.contract = row[0];
      }
      payload.raw = undefined;
      payload.mismatch = undefined;
      payload.witnessOutside = group.outside;
      payload.set = group.set;
      payload.layout = group.layout;
      payload.template = template;
      payload.package = package_;
      payload.shape = drafts[at + DRAFT.shape];
      if (drafts[at + DRAFT.ledgerOffset] !== lastOffset) {
        lastOffset = drafts[at + DRAFT.ledgerOffset];
        lastLedgerOffset = BigInt(lastOffset);
      }
      payload.ledgerOffset = lastLedgerOffset;
      payload.nodeId = drafts[at + DRAFT.nodeId];
      return payload;
    },
    learn(drafts, at, names, taken) {
      if (drafts[at + DRAFT.blobStart] < 0) return;
      if (taken === undefined) {
        names.groups[drafts[at + DRAFT.group]] = 'refused';
        return;
      }
      const { raw, mismatch, set, layout, template, witnessOutside: outside } = taken;
      if (raw !== undefined || mismatch !== undefined || layout === undefined) return;
      names.groups[drafts[at + DRAFT.group]] = { set, layout, outside };
      names.templates[drafts[at + DRAFT.template]] = template;
      const named = drafts[at + DRAFT.package];
      if (named >= 0) names.packages[named] = taken.package;
    },
  };
}
