/**
 * Daml dates, and strict reading of timestamps, as in the JSON Ledger API (daml-lf spec, section 3.3). Timestamps are
 * written by `formatTimestampValue`.
 */
import { MAX_DATE, MAX_TIMESTAMP, MIN_DATE, MIN_TIMESTAMP } from '../contract/value.js';

const DAY_MICROS = 86_400_000_000n;

/** Days since 1970-01-01 as `YYYY-MM-DD` (proleptic Gregorian, years 1 to 9999). */
export function formatDate(days: number): string {
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

function daysOf(year: number, month: number, day: number): number {
  const shiftedYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(shiftedYear / 400);
  const yearOfEra = shiftedYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

/** `undefined` when the text is no date of the years 1 to 9999. */
export function parseDate(text: string): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return undefined;
  const days = daysOf(Number(match[1]), Number(match[2]), Number(match[3]));
  // A day or month out of range comes back as another date.
  return days >= MIN_DATE && days <= MAX_DATE && formatDate(days) === text ? days : undefined;
}

/** An ISO date-time with `Z` or an offset. `undefined` when it is none, is out of range or is finer than microseconds. */
export function parseTimestamp(text: string): bigint | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/.exec(text);
  if (match === null) return undefined;
  const days = parseDate(match[1]);
  const [hour, minute, second] = [Number(match[2]), Number(match[3]), Number(match[4])];
  if (days === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  const fraction = (match[5] ?? '').padEnd(9, '0');
  if (!fraction.endsWith('000')) return undefined;
  let offsetMinutes = 0;
  if (match[6] !== 'Z') {
    const [hours, minutes] = match[6].slice(1).split(':').map(Number);
    if (hours > 18 || minutes > 59) return undefined;
    offsetMinutes = (hours * 60 + minutes) * (match[6][0] === '-' ? -1 : 1);
  }
  const seconds = hour * 3600 + minute * 60 + second - offsetMinutes * 60;
  const micros = BigInt(days) * DAY_MICROS + BigInt(seconds) * 1_000_000n + BigInt(fraction.slice(0, 6));
  return micros >= MIN_TIMESTAMP && micros <= MAX_TIMESTAMP ? micros : undefined;
}

function pad(n: number, width: number): string {
  return String(n).padStart(width, '0');
}
