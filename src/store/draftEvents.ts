/**
 * What storing a created event needs that does not depend on the store, worked out beforehand, on another thread: where
 * its parts are, that it can be rebuilt from them, and numbers for what repeats (stakeholder sets with their layout,
 * templates, packages, synchronizers). The numbers are those of one drafter; whoever stores the events learns what they
 * stand for from the first event of each. An event that is not plain, or has an error to be told in its turn, has no
 * draft: it takes the long way.
 */
import { BlobView } from '../contract/blob.js';
import { eventBuilder } from '../contract/eventFromBlob.js';
import { type EventPieces, SHAPE, templateField } from '../contract/eventPieces.js';
import { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { Interner, wholeHash } from '../wire/interner.js';
import { lengthDelimited } from '../wire/lengthDelimited.js';
import { partiesEnd, partiesStart, shapeOf } from './eventShape.js';
import { idHash } from './idHash.js';
import { layoutParties } from './intern.js';

/** Places of the numbers in a draft. Positions are into the batch. */
export const DRAFT = {
  /** -1: there is no draft. -2: an archive; then only id, hash, template, node and span are set. */
  blobStart: 0,
  blobEnd: 1,
  idStart: 2,
  idEnd: 3,
  /** See {@link idHash}. */
  hash: 4,
  createdAt: 5,
  /** Stakeholder set and layout together. */
  group: 6,
  template: 7,
  /** -1: none named. */
  package: 8,
  shape: 9,
  ledgerOffset: 10,
  nodeId: 11,
  /** Of a frame. */
  synchronizer: 12,
  counter: 13,
  /** Of an event of an update: where it is, or for an archive its template. */
  start: 12,
  end: 13,
} as const;

export const DRAFT_WIDTH = 14;

/** Different sets, layouts, templates a drafter remembers; events with further ones get no draft. */
const CAPACITY = 1 << 17;

/** Fills the draft of an event at `at`; false: it gets none. */
export type EventDrafter = (record: RecordView, out: Float64Array, at: number) => boolean;

/** `frames`: the records are whole frames of a snapshot; else bare created events. */
export function eventDrafter(frames: boolean): EventDrafter {
  let record = new RecordView();
  const blob = new BlobView();
  const builder = eventBuilder();
  const sets = new Interner(CAPACITY, wholeHash);
  const layouts = new Interner(CAPACITY, wholeHash);
  const templates = new Interner(CAPACITY, wholeHash);
  const packages = new Interner(CAPACITY, wholeHash);
  const synchronizers = new Interner(CAPACITY, wholeHash);
  const templateFields: Buffer[] = [];
  /** Where the package name ends inside the bytes of a template: the same bytes cut elsewhere are another one. */
  const templateCuts: number[] = [];
  const layoutBytes: Buffer[] = [];
  const packageFields: Buffer[] = [];
  const synchronizerFields: Buffer[] = [];
  /** The layout and group seen last with each set. */
  const lastLayout: number[] = [];
  const lastGroup: number[] = [];
  const groups = new Map<number, number>();
  let lastTemplate = -1;
  let lastPackage = -1;
  let lastSynchronizer = -1;
  const pieces: EventPieces = {
    offset: 0,
    nodeId: 0,
    template: NONE,
    parties: NONE,
    representative: NONE,
    shape: 0,
  };

  /** The number of the blob's party lists, or -1 when they do not stand in the usual order. */
  function setOf(): number {
    const { buf, signatoryBorders, observerBorders } = blob;
    if (blob.hasKey || signatoryBorders.length === 0) return -1;
    const first = signatoryBorders[0];
    const size = signatoryBorders[1] - first;
    const start = first - (size < 0x80 ? 2 : 3);
    if (buf[start] !== 0x2a || (size < 0x80 && buf[start + 1] !== size)) return -1;
    let end = signatoryBorders[signatoryBorders.length - 1];
    if (observerBorders.length > 0) {
      if (observerBorders[0] < end) return -1;
      end = observerBorders[observerBorders.length - 1];
    }
    return sets.id(buf, start, end);
  }

  /** Set and layout as one number; -1 when they contradict each other. */
  function groupOf(set: number): number {
    const start = partiesStart(record);
    if (start < 0) return -1;
    const layout = layouts.id(record.buf, start, partiesEnd(record), lastLayout[set] ?? -1);
    if (layout < 0) return -1;
    layoutBytes[layout] ??= Buffer.from(record.buf.subarray(start, partiesEnd(record)));
    pieces.parties = layoutBytes[layout];
    if (lastLayout[set] === layout) return lastGroup[set];
    const key = set * CAPACITY + layout;
    let group = groups.get(key);
    if (group === undefined) {
      group = contradicts(layoutBytes[layout], blob) ? -1 : groups.size;
      groups.set(key, group);
    }
    lastLayout[set] = layout;
    lastGroup[set] = group;
    return group;
  }

  function templateOf(): number {
    const { buf, packageNameStart, packageNameEnd, templateStart, templateEnd } = blob;
    if (packageNameEnd > templateStart) return -1;
    const template = templates.id(buf, packageNameStart, templateEnd, lastTemplate);
    if (template < 0) return -1;
    const cut = packageNameEnd - packageNameStart;
    if (templateFields[template] === undefined) {
      templateFields[template] = templateField(blob.templateId);
      templateCuts[template] = cut;
    } else if (templateCuts[template] !== cut) return -1;
    pieces.template = templateFields[template];
    lastTemplate = template;
    return template;
  }

  /** -2: no draft. */
  function packageOf(): number {
    const start = record.eventFields[2 * EVENT.representativePackageId];
    const end = record.eventFields[2 * EVENT.representativePackageId + 1];
    pieces.representative = NONE;
    if (start < 0 || start === end) return -1;
    const number = packages.id(record.buf, start, end, lastPackage);
    if (number < 0) return -2;
    packageFields[number] ??= lengthDelimited(15, packages.text(number));
    pieces.representative = packageFields[number];
    lastPackage = number;
    return number;
  }

  /** What a frame has around its event; false: no draft. */
  function envelope(out: Float64Array, at: number): boolean {
    const { synchronizerStart: start, synchronizerEnd: end } = record;
    const counter = record.counterIsZero ? 0 : Number(record.reassignmentCounter);
    const synchronizer = synchronizers.id(record.buf, start, end, lastSynchronizer);
    if (synchronizer < 0 || counter > MOST) return false;
    lastSynchronizer = synchronizer;
    synchronizerFields[synchronizer] ??= lengthDelimited(2, synchronizers.text(synchronizer));
    out[at + DRAFT.synchronizer] = synchronizer;
    out[at + DRAFT.counter] = counter;
    return true;
  }

  /** The pieces give the bytes of the record. */
  function rebuilds(blobStart: number, blobEnd: number, out: Float64Array, at: number): boolean {
    const from = frames ? record.start : record.eventStart;
    const to = frames ? record.end : record.eventEnd;
    return frames
      ? builder.isFrame(
          blob,
          blobStart,
          blobEnd,
          pieces,
          synchronizerFields[out[at + DRAFT.synchronizer]],
          out[at + DRAFT.counter],
          from,
          to,
        )
      : builder.isEvent(blob, blobStart, blobEnd, pieces, from, to);
  }

  /** Fills the draft at `at`; false: there is none. */
  function draft(out: Float64Array, at: number): boolean {
    const f = record.eventFields;
    const blobStart = f[2 * EVENT.createdEventBlob];
    const blobEnd = f[2 * EVENT.createdEventBlob + 1];
    if (blobStart < 0 || blobStart === blobEnd) return false;
    blob.parse(record.buf, blobStart, blobEnd);
    const set = setOf();
    if (set < 0) return false;
    const shape = shapeOf(record, blob);
    if ((shape & SHAPE.noParties) !== 0) return false;
    // The layout that came last with this set; rebuilding shows whether it is this one's too.
    const guess = lastGroup[set] >= 0 ? lastLayout[set] : -1;
    let group = guess >= 0 ? lastGroup[set] : groupOf(set);
    if (guess >= 0) pieces.parties = layoutBytes[guess];
    const template = templateOf();
    const number = packageOf();
    const offset = Number(record.ledgerOffset);
    const createdAt = blob.createdAtNumber;
    if (group < 0 || template < 0 || number < -1 || !(Math.abs(offset) <= MOST) || Number.isNaN(createdAt))
      return false;
    pieces.offset = offset;
    pieces.nodeId = record.nodeId;
    pieces.shape = shape;
    if (frames && !envelope(out, at)) return false;
    if (!rebuilds(blobStart, blobEnd, out, at)) {
      if (guess < 0) return false;
      group = groupOf(set);
      if (group < 0 || lastLayout[set] === guess || !rebuilds(blobStart, blobEnd, out, at)) return false;
    }
    out[at + DRAFT.blobStart] = blobStart;
    out[at + DRAFT.blobEnd] = blobEnd;
    out[at + DRAFT.idStart] = blob.contractIdStart;
    out[at + DRAFT.idEnd] = blob.contractIdEnd;
    out[at + DRAFT.hash] = idHash(record.buf, blob.contractIdStart, blob.contractIdEnd);
    out[at + DRAFT.createdAt] = createdAt;
    out[at + DRAFT.group] = group;
    out[at + DRAFT.template] = template;
    out[at + DRAFT.package] = number;
    out[at + DRAFT.shape] = shape;
    out[at + DRAFT.ledgerOffset] = offset;
    out[at + DRAFT.nodeId] = pieces.nodeId;
    return true;
  }

  return (event, out, at) => {
    record = event;
    return !event.inFlight && draft(out, at);
  };
}

const NONE: Buffer = Buffer.alloc(0);
const MOST = Number.MAX_SAFE_INTEGER;

/** Signatories or observers of the layout are not those of the blob, which has no key. */
function contradicts(layout: Buffer, blob: BlobView): boolean {
  const parties = layoutParties(layout);
  const signatories = new Set(blob.nonMaintainerSignatories);
  const observers = new Set(blob.nonSignatoryStakeholders);
  return (
    signatories.size + observers.size !== parties.signatories.length + parties.observers.length ||
    parties.signatories.some((party) => !signatories.has(party)) ||
    parties.observers.some((party) => !observers.has(party))
  );
}
