/** Microsecond times as text and back. */
import { AcsError } from '../io/error.js';

/** ISO 8601 in UTC with 0, 3 or 6 digits of fraction, as event times are printed. A number must be an exact integer. */
export function formatMicros(micros: bigint | number): string {
  return isoText(micros, (digits) => (digits.endsWith('000') ? digits.slice(0, 3) : digits));
}

/** ISO 8601 in UTC; trailing zeros of the fraction are dropped one by one, as the JSON Ledger API prints values. */
export function formatTimestampValue(micros: bigint): string {
  return isoText(micros, (digits) => digits.replace(/0+$/, ''));
}

/** The date and time of the last second printed: neighbouring contracts share it. */
let lastSecond = Number.NaN;
let lastBase = '';

function isoText(micros: bigint | number, shorten: (sixDigits: string) => string): string {
  // Years 1 to 9999 in microseconds exceed 2^53; a tenth of a second more or less would show, so split exactly.
  const exact = Number(micros);
  let seconds: number;
  let rest: number;
  if (typeof micros === 'number' || Number.isSafeInteger(exact)) {
    seconds = Math.floor(exact / 1_000_000);
    rest = exact - seconds * 1_000_000;
  } else {
    const whole = micros / 1_000_000n - (micros < 0n && micros % 1_000_000n !== 0n ? 1n : 0n);
    seconds = Number(whole);
    rest = Number(micros - whole * 1_000_000n);
  }
  if (seconds !== lastSecond) {
    const date = new Date(seconds * 1000);
    const year = date.getUTCFullYear();
    if (Number.isNaN(year) || year < 0 || year > 9999) return `${micros} µs`;
    lastBase = date.toISOString().slice(0, 19);
    lastSecond = seconds;
  }
  return rest === 0 ? `${lastBase}Z` : `${lastBase}.${shorten(`${1_000_000 + rest}`.slice(1))}Z`;
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d))?$/;

/** Reads an ISO 8601 time (a date alone is midnight UTC) as microseconds; digits below are floored. */
export function parseMicros(text: string): bigint {
  const match = ISO.exec(text);
  const millis = match === null ? Number.NaN : Date.parse(text.replace(/(\.\d{3})\d+/, '$1'));
  // A day that its month does not have would be one of the next month.
  const day =
    match === null
      ? 0
      : new Date(
          Date.UTC(2000 + (Number(match[1]) % 400), Number(match[2]) - 1, Number(match[3])),
        ).getUTCDate();
  if (match === null || Number.isNaN(millis) || day !== Number(match[3])) {
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
