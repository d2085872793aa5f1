/** Microsecond times as text and back. */
import { AcsError } from '../io/error.js';

/** ISO 8601 in UTC with 0, 3 or 6 digits of fraction, as event times are printed. */
export function formatMicros(micros: bigint): string {
  return isoText(micros, (digits) => (digits.endsWith('000') ? digits.slice(0, 3) : digits));
}

/** ISO 8601 in UTC; trailing zeros of the fraction are dropped one by one, as the JSON Ledger API prints values. */
export function formatTimestampValue(micros: bigint): string {
  return isoText(micros, (digits) => digits.replace(/0+$/, ''));
}

function isoText(micros: bigint, shorten: (sixDigits: string) => string): string {
  let seconds = micros / 1_000_000n;
  let rest = micros % 1_000_000n;
  if (rest < 0n) {
    rest += 1_000_000n;
    seconds -= 1n;
  }
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 0 || date.getUTCFullYear() > 9999)
    return `${micros} µs`;
  const base = date.toISOString().slice(0, 19);
  return `${base}${rest === 0n ? '' : `.${shorten(rest.toString().padStart(6, '0'))}`}Z`;
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d))?$/;

/** Reads an ISO 8601 time (a date alone is midnight UTC) as microseconds; digits below are floored. */
export function parseMicros(text: string): bigint {
  const match = ISO.exec(text);
  const millis = match === null ? Number.NaN : Date.parse(text.replace(/(\.\d{3})\d+/, '$1'));
  if (match === null || Number.isNaN(millis)) {
    throw new AcsError('BAD_TIME', 'not a time', {
      expected: '2026-01-31T12:00:00Z',
      found: text,
      exitCode: 2,
    });
  }
  const seconds = BigInt(Math.floor(millis / 1000));
  const fraction = BigInt((match[7] ?? '').padEnd(6, '0').slice(0, 6));
  return seconds * 1_000_000n + fraction;
}
