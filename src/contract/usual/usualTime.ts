/** The time in a created event, as every writer writes it: seconds, then nanoseconds unless they are 0. */
import { I64 } from '../../wire/wasmAssembler.js';
import {
  below,
  both,
  byteAt,
  differ,
  either,
  equal,
  give,
  long,
  longBelow,
  longDivide,
  longPlus,
  longTimes,
  not,
  plus,
  type Routine,
  type Variable,
  type WasmProgram,
  when,
} from '../../wire/wasmProgram.js';
import type { ByteRoutines } from './byteRoutines.js';

/** Beyond these seconds microseconds are no longer exact in a double. */
const MAX_SECONDS = 2n ** 53n / 1_000_000n;

export interface UsualTime {
  /** `(start, end)`: microseconds since 1970 as a 64-bit number, less than 2^53. */
  micros: Routine;
  /** Whether the last time was usual; if not, it means nothing. */
  isUsual: Variable;
}

export function usualTime(program: WasmProgram, { smallVarint, next }: ByteRoutines): UsualTime {
  const isUsual = program.global();
  const micros = program.routine('usualTime', 2, I64);
  micros.body(([start, end], local) => {
    const seconds = local(I64);
    const nanos = local(I64);
    const whole = longTimes(seconds, long(1_000_000n));
    return [
      isUsual.set(0),
      when(not(both(below(start, end), equal(byteAt(start), 0x08))), give(long(0n))),
      seconds.set(smallVarint(plus(start, 1), end)),
      when(either(equal(next, 0), not(longBelow(seconds, long(MAX_SECONDS)))), give(long(0n))),
      when(equal(next, end), isUsual.set(1), give(whole)),
      when(differ(byteAt(next), 0x10), give(long(0n))),
      nanos.set(smallVarint(plus(next, 1), end)),
      isUsual.set(both(equal(next, end), longBelow(nanos, long(1_000_000_000n)))),
      longPlus(whole, longDivide(nanos, long(1000n))),
    ];
  });
  return { micros, isUsual };
}
