/** Sizes on the command line: `512MB`, `1.5 GiB`, `800000`; numbers: `50k`. */
import { usageError } from '../io/error.js';

const UNITS: Record<string, number> = {
  '': 1,
  b: 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** Bytes meant by `text`; `option` is named in the usage error. */
export function parseByteSize(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = match === null ? undefined : UNITS[match[2]!.toLowerCase()];
  if (match === null || unit === undefined) {
    throw usageError(`${option}: ${JSON.stringify(text)} is no size`, 'write it like 512MB, 2GiB or 50k');
  }
  if (unit === 1 && match[1]!.includes('.'))
    throw usageError(`${option}: ${JSON.stringify(text)} is no whole number`);
  return Math.floor(Number(match[1]) * unit);
}
