import { type Borders, borders } from './borders.js';
import type { WireReader } from './reader.js';

/** Canton's `UntypedVersionedMessage`, in which a message of some version travels as bytes. */
export interface VersionedMessage {
  /** Of the last one; undefined when there is none. */
  data: Borders | undefined;
  /** 0 when absent. */
  version: number;
}

/** Reads one up to the end of `r`; other fields are skipped. */
export function readVersionedMessage(r: WireReader): VersionedMessage {
  let data: Borders | undefined;
  let version = 0;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) data = borders(r);
    else if (tag === 0x10) version = r.int32();
    else r.skip(tag & 7);
  }
  return { data, version };
}
