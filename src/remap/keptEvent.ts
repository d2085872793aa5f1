/**
 * The event of a contract that keeps its id and its blob: what stands beside these may change all the same, the list of
 * witnesses and the package that represents it.
 */
import { EVENT } from '../snapshot/recordBorders.js';
import { WireReader } from '../wire/reader.js';
import { WireWriter } from '../wire/writer.js';

export interface EventChanges {
  /** Undefined: they stay. */
  readonly witnesses: readonly string[] | undefined;
  readonly representativePackageId: string | undefined;
}

/** The serialized event with the changes in the places of what they replace; every other field byte for byte. */
export function keptEvent(event: Buffer, { witnesses, representativePackageId }: EventChanges): Buffer {
  if (witnesses === undefined && representativePackageId === undefined) return event;
  const r = new WireReader(event);
  const w = new WireWriter(event.length + 256);
  let listed = false;
  while (r.pos < r.end) {
    const start = r.pos;
    const tag = r.tag();
    const field = tag >>> 3;
    r.skip(tag & 7);
    if (field === EVENT.witnessParties && witnesses !== undefined) {
      if (!listed) for (const party of witnesses) w.stringField(field, party);
      listed = true;
    } else if (field === EVENT.representativePackageId && representativePackageId !== undefined) {
      w.stringField(field, representativePackageId);
    } else w.raw(event.subarray(start, r.pos));
  }
  return w.finish();
}
