/** How a created event is laid out compared with what its blob gives: see {@link SHAPE}. */
import type { BlobView } from '../contract/blob.js';
import { SHAPE } from '../contract/eventPieces.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';

/** Bit of `event.shape` beside those of {@link SHAPE}: the bytes are in event_raw. */
export const RAW_SHAPE = 256;

/** What the event lacks, though the blob has it. */
export function shapeOf(record: RecordView, blob: BlobView): number {
  const f = record.eventFields;
  let shape = 0;
  if (f[2 * EVENT.templateId] < 0) shape |= SHAPE.noTemplate;
  if (f[2 * EVENT.createArguments] < 0) shape |= SHAPE.noArguments;
  if (f[2 * EVENT.signatories] < 0) shape |= SHAPE.noParties;
  if (f[2 * EVENT.createdAt] < 0) shape |= SHAPE.noCreatedAt;
  if (f[2 * EVENT.packageName] < 0) shape |= SHAPE.noPackageName;
  if (f[2 * EVENT.acsDelta] < 0) shape |= SHAPE.noAcsDelta;
  if (blob.hasKey) {
    if (f[2 * EVENT.contractKey] < 0) shape |= SHAPE.noKey;
    if (f[2 * EVENT.contractKeyHash] < 0) shape |= SHAPE.noKeyHash;
  }
  return shape;
}

const PARTY_LISTS = [EVENT.witnessParties, EVENT.signatories, EVENT.observers];

/**
 * Where the party lists (fields 9 to 11) begin, with their tag, when nothing else stands between them and they follow one
 * another in this order, in the shortest form; else -1.
 */
export function partiesStart(record: RecordView): number {
  const place = { tag: 0, start: -1, end: -1, together: true };
  for (const field of PARTY_LISTS) {
    place.tag = (field << 3) | 2;
    record.eachString(field, goOn, place);
  }
  return place.together ? place.start : -1;
}

/** Takes the next party of the lists. */
function goOn(
  buf: Buffer,
  start: number,
  end: number,
  place: { tag: number; start: number; end: number; together: boolean },
): void {
  let prefix = 2;
  for (let rest = (end - start) >>> 7; rest > 0; rest >>>= 7) prefix++;
  const at = start - prefix;
  if (place.end < 0) place.start = at;
  // A length in a longer form than needed makes the byte looked at another one, or the party begin behind the one before.
  if ((place.end >= 0 && place.end !== at) || buf[at] !== place.tag) place.together = false;
  place.end = end;
}

export function partiesEnd(record: RecordView): number {
  const f = record.eventFields;
  return Math.max(f[2 * EVENT.witnessParties + 1], f[2 * EVENT.signatories + 1], f[2 * EVENT.observers + 1]);
}
