/**
 * Does the created event say what the blob says? An import uses the blob alone; other readers show the event
 * (snapshot-format spec, section 10 item 4). Fields that a minimal record leaves out are not compared.
 */
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { sameHex } from '../wire/hexDigits.js';
import { Interner } from '../wire/interner.js';
import { WireReader } from '../wire/reader.js';
import { sameBytes } from '../wire/sameBytes.js';
import type { BlobView } from './blob.js';
import { readTemplateSegments } from './blob.js';
import type { ContractView } from './contractView.js';
import { recordDifference, valueDifference } from './lapiCompare.js';
import { formatMicros } from './time.js';

export interface EventDifference {
  field:
    | 'contractId'
    | 'templateId'
    | 'packageName'
    | 'createdAt'
    | 'signatories'
    | 'observers'
    | 'createArguments'
    | 'contractKey'
    | 'contractKeyHash';
  event: string;
  blob: string;
}

/** A comparer with a small cache of template ids; use one per file. The common case, no difference, makes no garbage. */
export function eventComparer(): (view: ContractView) => EventDifference[] {
  const sameTemplate = templateComparer();
  const none: EventDifference[] = [];
  let found = none;

  function note(field: EventDifference['field'], event: string, blob: string): void {
    if (found === none) found = [];
    found.push({ field, event, blob });
  }

  function compareParties(view: ContractView, blob: BlobView): void {
    const { record } = view;
    if (blob.hasKey || !samePartyList(record, EVENT.signatories, blob, blob.signatoryBorders)) {
      const { signatories } = blob;
      if (!sameSet(record.signatories, signatories))
        note('signatories', record.signatories.join(', '), signatories.join(', '));
    }
    if (!samePartyList(record, EVENT.observers, blob, blob.observerBorders)) {
      const observers = blob.nonSignatoryStakeholders;
      if (!sameSet(record.observers, observers))
        note('observers', record.observers.join(', '), observers.join(', '));
    }
  }

  function compareValues({ buf, eventFields }: RecordView, blob: BlobView): void {
    const args = eventFields[2 * EVENT.createArguments];
    if (args >= 0) {
      const argsEnd = eventFields[2 * EVENT.createArguments + 1];
      const path = recordDifference(buf, args, argsEnd, blob.buf, blob.argumentStart, blob.argumentEnd);
      if (path !== undefined) {
        const where = path === '' ? 'differs as a whole' : `differs at field ${path}`;
        note('createArguments', where, where);
      }
    }
    const key = eventFields[2 * EVENT.contractKey];
    if (key >= 0 !== blob.hasKey) {
      // A minimal record leaves the key out together with the arguments.
      if (key >= 0 || args >= 0)
        note('contractKey', key >= 0 ? 'present' : 'absent', blob.hasKey ? 'present' : 'absent');
    } else if (key >= 0) {
      const keyEnd = eventFields[2 * EVENT.contractKey + 1];
      const path = valueDifference(buf, key, keyEnd, blob.buf, blob.keyValueStart, blob.keyValueEnd);
      if (path !== undefined)
        note('contractKey', `differs at ${path || 'root'}`, `differs at ${path || 'root'}`);
    }
  }

  return (view) => {
    const { record, blob } = view;
    const { buf, eventFields } = record;
    found = none;
    const id = eventFields[2 * EVENT.contractId];
    const idEnd = eventFields[2 * EVENT.contractId + 1];
    if (id >= 0 && !sameHex(buf, id, idEnd, blob.buf, blob.contractIdStart, blob.contractIdEnd))
      note('contractId', record.contractId, blob.contractId);
    if (eventFields[2 * EVENT.templateId] >= 0 && !sameTemplate(record, blob))
      note('templateId', JSON.stringify(record.templateId), JSON.stringify(blob.templateId));
    if (!sameField(record, EVENT.packageName, blob, blob.packageNameStart, blob.packageNameEnd))
      note('packageName', record.packageName, blob.packageName);
    if (!sameCreatedAt(record, blob))
      note('createdAt', formatMicros(record.createdAtMicros as bigint), formatMicros(blob.createdAt));
    if (eventFields[2 * EVENT.signatories] >= 0) compareParties(view, blob);
    compareValues(record, blob);
    if (!sameField(record, EVENT.contractKeyHash, blob, blob.keyHashStart, blob.keyHashEnd)) {
      const hash = record.bytesField(EVENT.contractKeyHash) as Buffer;
      note('contractKeyHash', hash.toString('hex'), blob.keyHash.toString('hex'));
    }
    return found;
  };
}

/** Template ids are encoded differently on the two sides, so each pair is compared once and remembered. */
function templateComparer(): (record: RecordView, blob: BlobView) => boolean {
  const eventTemplates = new Interner(10_000);
  const blobTemplates = new Interner(10_000);
  const verdicts = new Map<number, boolean>();
  let lastEvent = -1;
  let lastBlob = -1;
  let lastVerdict = false;
  return (record, blob) => {
    const start = record.eventFields[2 * EVENT.templateId];
    const end = record.eventFields[2 * EVENT.templateId + 1];
    const a = eventTemplates.id(record.buf, start, end, lastEvent);
    const b = blobTemplates.id(blob.buf, blob.templateStart, blob.templateEnd, lastBlob);
    const known = a >= 0 && b >= 0;
    if (known && a === lastEvent && b === lastBlob) return lastVerdict;
    let same = known ? verdicts.get(a * 16384 + b) : undefined;
    if (same === undefined) {
      const x = record.templateId;
      const y = readTemplateSegments(new WireReader(blob.buf, blob.templateStart, blob.templateEnd));
      same =
        x !== undefined &&
        x.packageId === y.packageId &&
        x.moduleName === y.moduleName &&
        x.entityName === y.entityName;
      if (known) verdicts.set(a * 16384 + b, same);
    }
    lastEvent = a;
    lastBlob = b;
    lastVerdict = same;
    return same;
  };
}

/** True when the event lacks the field, or it has the same bytes as `[start, end)` of the blob. */
function sameField(record: RecordView, field: number, blob: BlobView, start: number, end: number): boolean {
  const own = record.eventFields[2 * field];
  if (own < 0) return true;
  const ownEnd = record.eventFields[2 * field + 1];
  return ownEnd - own === end - start && sameBytes(record.buf, own, ownEnd, blob.buf, start);
}

function sameCreatedAt(record: RecordView, blob: BlobView): boolean {
  const micros = record.createdAtNumber;
  if (!Number.isNaN(micros) && micros === blob.createdAtNumber) return true;
  const exact = record.createdAtMicros;
  return exact === undefined || exact === blob.createdAt;
}

/** The list being compared; filled anew for each, so that no object is made per record. */
const matching = { buf: Buffer.alloc(0) as Buffer, borders: [] as readonly number[], at: 0, same: true };

function matchParty(buf: Buffer, start: number, end: number, list: typeof matching): void {
  const { borders, at } = list;
  list.at = at + 2;
  if (
    at >= borders.length ||
    borders[at + 1] - borders[at] !== end - start ||
    !sameBytes(buf, start, end, list.buf, borders[at])
  )
    list.same = false;
}

/** Fast comparison in stored order; false means "look closer". */
function samePartyList(
  record: RecordView,
  field: number,
  blob: BlobView,
  borders: readonly number[],
): boolean {
  matching.buf = blob.buf;
  matching.borders = borders;
  matching.at = 0;
  matching.same = true;
  record.eachString(field, matchParty, matching);
  return matching.same && matching.at === borders.length;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const x = new Set(a);
  const y = new Set(b);
  return x.size === y.size && [...x].every((party) => y.has(party));
}
