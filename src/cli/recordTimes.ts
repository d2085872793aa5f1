/** `--record-time PARTICIPANT=TIME`: when an export was cut, which a snapshot file does not say. */
import type { Argv } from 'yargs';
import { parseMicros } from '../contract/time.js';
import { usageError } from '../io/error.js';

/** Per input name or participant: the record time (microseconds) on `synchronizer`. */
export function parseRecordTimes(
  texts: readonly string[],
  synchronizer: string | undefined,
): ReadonlyMap<string, ReadonlyMap<string, bigint>> {
  const times = new Map<string, ReadonlyMap<string, bigint>>();
  if (texts.length > 0 && synchronizer === undefined)
    throw usageError(
      'a record time belongs to a synchronizer',
      'give --synchronizer or a hosting map that names it',
    );
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at <= 0) throw usageError(`--record-time ${text}: PARTICIPANT=TIME is needed`);
    const name = text.slice(0, at);
    if (times.has(name)) throw usageError(`--record-time ${name} is given more than once`);
    const value = text.slice(at + 1);
    const micros = /^-?\d+$/.test(value) ? BigInt(value) : parseMicros(value);
    times.set(name, new Map([[synchronizer!, micros]]));
  }
  return times;
}

/** Declares the option; read it with {@link parseRecordTimes}. */
export function recordTimeOption<T>(y: Argv<T>): Argv<T & { recordTime: string[] }> {
  return y.option('record-time', {
    type: 'string',
    array: true,
    default: [] as string[],
    describe:
      'PARTICIPANT=TIME (ISO or microseconds): record time at which that input was cut; chooses the offset of a store',
  }) as unknown as Argv<T & { recordTime: string[] }>;
}
