/**
 * Does the created event say what the blob says? An import uses the blob alone; other readers show the event
 * (snapshot-format spec, section 10 item 4). Fields that a minimal record leaves out are not compared.
 */
import { EVENT } from '../snapshot/record.js';
import { Interner } from '../wire/interner.js';
import { WireReader } from '../wire/reader.js';
import type { BlobView } from './blob.js';
import { readTemplateSegments } from './blob.js';
import type { ContractView } from './contractView.js';
import { hexMatches, recordDifference, valueDifference } from './lapiCompare.js';
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

/** A comparer with a small cache of template ids; use one per file. */
export function eventComparer(): (view: ContractView) => EventDifference[] {
  const eventTemplates = new Interner(10_000);
  const blobTemplates = new Interner(10_000);
  const templateVerdicts = new Map<number, boolean>();
  const none: EventDifference[] = [];

  function sameTemplate(view: ContractView, blob: BlobView): boolean {
    const { record } = view;
    const start = record.eventFields[2 * EVENT.templateId];
    const a = eventTemplates.id(record.buf, start, record.eventFields[2 * EVENT.templateId + 1]);
    const b = blobTemplates.id(blob.buf, blob.templateStart, blob.templateEnd);
    const key = a < 0 || b < 0 ? -1 : a * 16384 + b;
    const known = key < 0 ? undefined : templateVerdicts.get(key);
    if (known !== undefined) return known;
    const x = record.templateId;
    const y = readTemplateSegments(new WireReader(blob.buf, blob.templateStart, blob.templateEnd));
    const same =
      x !== undefined &&
      x.packageId === y.packageId &&
      x.moduleName === y.moduleName &&
      x.entityName === y.entityName;
    if (key >= 0) templateVerdicts.set(key, same);
    return same;
  }

  return (view) => {
    const { record } = view;
    const { blob } = view;
    const fields = record.eventFields;
    let found = none;
    const report = (field: EventDifference['field'], event: () => string, inBlob: () => string): void => {
      if (found === none) found = [];
      found.push({ field, event: event(), blob: inBlob() });
    };
    const span = (field: number) => ({ start: fields[2 * field], end: fields[2 * field + 1] });

    const id = span(EVENT.contractId);
    if (
      id.start >= 0 &&
      !hexMatches(record.buf, id.start, id.end, blob.buf, blob.contractIdStart, blob.contractIdEnd)
    ) {
      report(
        'contractId',
        () => record.contractId,
        () => blob.contractId,
      );
    }
    if (fields[2 * EVENT.templateId] >= 0 && !sameTemplate(view, blob)) {
      report(
        'templateId',
        () => JSON.stringify(record.templateId),
        () => JSON.stringify(blob.templateId),
      );
    }
    const name = span(EVENT.packageName);
    if (
      name.start >= 0 &&
      record.buf.compare(blob.buf, blob.packageNameStart, blob.packageNameEnd, name.start, name.end) !== 0
    ) {
      report(
        'packageName',
        () => record.packageName,
        () => blob.packageName,
      );
    }
    const created = record.createdAtMicros;
    if (created !== undefined && created !== blob.createdAt) {
      report(
        'createdAt',
        () => formatMicros(created),
        () => formatMicros(blob.createdAt),
      );
    }
    if (fields[2 * EVENT.signatories] >= 0) {
      if (!samePartyList(view, EVENT.signatories, blob.signatoryBorders, blob.hasKey)) {
        const blobList = blob.signatories;
        if (!sameSet(record.signatories, blobList)) {
          report(
            'signatories',
            () => record.signatories.join(', '),
            () => blobList.join(', '),
          );
        }
      }
      if (!samePartyList(view, EVENT.observers, blob.observerBorders, false)) {
        const blobList = blob.nonSignatoryStakeholders;
        if (!sameSet(record.observers, blobList)) {
          report(
            'observers',
            () => record.observers.join(', '),
            () => blobList.join(', '),
          );
        }
      }
    }
    const args = span(EVENT.createArguments);
    if (args.start >= 0) {
      const path = recordDifference(record.buf, args, blob.buf, {
        start: blob.argumentStart,
        end: blob.argumentEnd,
      });
      if (path !== undefined)
        report(
          'createArguments',
          () => `differs at field ${path}`,
          () => `differs at field ${path}`,
        );
    }
    const key = span(EVENT.contractKey);
    if (key.start >= 0 !== blob.hasKey && (key.start >= 0 || args.start >= 0)) {
      report(
        'contractKey',
        () => (key.start >= 0 ? 'present' : 'absent'),
        () => (blob.hasKey ? 'present' : 'absent'),
      );
    } else if (key.start >= 0) {
      const path = valueDifference(record.buf, key, blob.buf, {
        start: blob.keyValueStart,
        end: blob.keyValueEnd,
      });
      if (path !== undefined)
        report(
          'contractKey',
          () => `differs at ${path || 'root'}`,
          () => `differs at ${path || 'root'}`,
        );
    }
    const hash = span(EVENT.contractKeyHash);
    if (
      hash.start >= 0 &&
      record.buf.compare(blob.buf, blob.keyHashStart, blob.keyHashEnd, hash.start, hash.end) !== 0
    ) {
      report(
        'contractKeyHash',
        () => record.buf.toString('hex', hash.start, hash.end),
        () => blob.keyHash.toString('hex'),
      );
    }
    return found;
  };
}

/** Fast comparison in stored order; false means "look closer". */
function samePartyList(view: ContractView, field: number, borders: number[], merged: boolean): boolean {
  if (merged) return false;
  const blobBuf = view.blob.buf;
  let i = 0;
  let same = true;
  view.record.eachString(field, (buf, start, end) => {
    if (i >= borders.length || buf.compare(blobBuf, borders[i], borders[i + 1], start, end) !== 0)
      same = false;
    i += 2;
  });
  return same && i === borders.length;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const x = new Set(a);
  const y = new Set(b);
  return x.size === y.size && [...x].every((party) => y.has(party));
}
