/**
 * The moments commitments are computed for (commitments spec, section 2.5). All times are microseconds since the epoch.
 * A tick is a whole second divisible by the reconciliation interval in force at that moment.
 */
import { AcsError } from '../io/error.js';

export interface ReconciliationInterval {
  /** Whole seconds. */
  seconds: number;
  /** In force for validFrom < t ≤ validUntil; without an end until further notice. */
  validFrom: bigint;
  validUntil?: bigint;
}

const SECOND = 1_000_000n;

function checkIntervals(intervals: readonly ReconciliationInterval[]): void {
  let end: bigint | undefined;
  for (const [i, { seconds, validFrom, validUntil }] of intervals.entries()) {
    const ordered = i === 0 || (end !== undefined && validFrom >= end);
    if (
      !Number.isSafeInteger(seconds) ||
      seconds < 1 ||
      !ordered ||
      (validUntil ?? validFrom + 1n) <= validFrom
    ) {
      throw new AcsError('TICK_BAD_INTERVAL', 'not a list of reconciliation intervals', {
        path: `[${i}]`,
        expected: 'whole seconds from 1 on, in order of time, without overlap',
        found: `${seconds} s for (${validFrom}, ${validUntil ?? '…'}]`,
      });
    }
    end = validUntil;
  }
}

/** The interval in force at `time`; in a gap the one before it goes on. Undefined before the first. */
function intervalAt(
  intervals: readonly ReconciliationInterval[],
  time: bigint,
): ReconciliationInterval | undefined {
  let found: ReconciliationInterval | undefined;
  for (const interval of intervals) if (interval.validFrom < time) found = interval;
  return found;
}

/** Whether `time` is a tick. Throws `TICK_BAD_INTERVAL`. */
export function isTick(time: bigint, intervals: readonly ReconciliationInterval[]): boolean {
  checkIntervals(intervals);
  const interval = intervalAt(intervals, time);
  return interval !== undefined && mod(time, BigInt(interval.seconds) * SECOND) === 0n;
}

/**
 * The latest tick strictly before `time`: the period that ends there is computed when the first event at `time` arrives.
 * Undefined when there is none since the first interval began.
 */
export function tickBefore(time: bigint, intervals: readonly ReconciliationInterval[]): bigint | undefined {
  checkIntervals(intervals);
  let before = time;
  for (;;) {
    const interval = intervalAt(intervals, before - 1n);
    if (interval === undefined) return undefined;
    const step = BigInt(interval.seconds) * SECOND;
    const tick = before - 1n - mod(before - 1n, step);
    if (tick > interval.validFrom) return tick;
    before = interval.validFrom + 1n;
  }
}

function mod(a: bigint, b: bigint): bigint {
  const rest = a % b;
  return rest < 0n ? rest + b : rest;
}
