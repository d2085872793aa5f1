import type { WireReader } from './reader.js';

/** Where the content of a length-delimited field lies in its buffer. */
export interface Borders {
  start: number;
  end: number;
}

/** Borders of the field whose tag was just read; the reader goes on behind it. */
export function borders(r: WireReader): Borders {
  const n = r.length();
  const start = r.pos;
  r.pos = start + n;
  return { start, end: start + n };
}
