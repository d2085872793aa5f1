/** Progress on standard error: a bar with rate and ETA on a terminal, JSON lines otherwise. */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import type CliProgress from 'cli-progress';
import { onReadOf } from '../io/readMeter.js';

/** The bar is loaded when it is shown. */
const require = createRequire(import.meta.url);

export type ProgressMode = 'auto' | 'bar' | 'json' | 'none';

/** How much there is to do: so many of the unit, or files that are read from end to end so many times. */
export type Extent = { readonly total: number } | FilesToRead;

/** With the unit `bytes` the position is what was read of the files; else it is told with {@link Progress.update}. */
export interface FilesToRead {
  readonly files: readonly string[];
  /** How often the work reads each file. 1 unless told. */
  readonly passes?: number;
}

export interface Progress {
  /** Sets the absolute position. Cheap: call it as often as convenient. */
  update(done: number): void;
  finish(): void;
}

export interface ProgressOptions {
  label: string;
  unit: string;
  extent?: Extent | undefined;
  mode: ProgressMode;
  stderr: Writable & { isTTY?: boolean };
}

const JSON_INTERVAL_MS = 5000;
const BAR_DELAY_MS = 500;
const BAR_STEPS = 1000;
/** Some work looks at the beginning of a file before it reads it. */
const LOOK_SHARE = 0.02;

export function startProgress(options: ProgressOptions): Progress {
  const { extent, stderr } = options;
  const mode = options.mode === 'auto' ? (stderr.isTTY ? 'bar' : 'json') : options.mode;
  if (mode === 'none') return { update: () => undefined, finish: () => undefined };
  const started = Date.now();
  const bytesToRead = extent !== undefined && 'files' in extent ? sizeOf(extent) : undefined;
  let done = 0;
  let bytesRead = 0;

  const show = mode === 'bar' ? barOf(options) : linesOf(options);
  const tick = (): void => {
    const now = Date.now();
    show.at(now - started, () => state(now));
  };
  const deaf =
    bytesToRead === undefined
      ? undefined
      : onReadOf((extent as FilesToRead).files, (bytes) => {
          bytesRead += bytes;
          if (options.unit === 'bytes') done = bytesRead;
          tick();
        });
  return {
    update(position) {
      done = position;
      tick();
    },
    finish() {
      deaf?.();
      show.end();
    },
  };

  function state(now: number): State {
    const seconds = (now - started) / 1000;
    const fraction = howFar();
    const etaSeconds = fraction === undefined ? undefined : Math.round((seconds * (1 - fraction)) / fraction);
    const total = extent !== undefined && 'total' in extent ? extent.total : undefined;
    return { done, seconds, rate: Math.round(done / seconds), total, fraction, etaSeconds };
  }

  /** Above 0, at most 1; undefined when nothing is known, or when what was known turned out wrong. */
  function howFar(): number | undefined {
    const part =
      bytesToRead !== undefined
        ? bytesRead / bytesToRead
        : extent !== undefined && 'total' in extent
          ? done / extent.total
          : undefined;
    return part !== undefined && part > 0 && part <= 1 + LOOK_SHARE ? Math.min(part, 1) : undefined;
  }
}

interface State {
  readonly done: number;
  readonly seconds: number;
  readonly rate: number;
  readonly total: number | undefined;
  readonly fraction: number | undefined;
  readonly etaSeconds: number | undefined;
}

interface Display {
  at(elapsedMs: number, state: () => State): void;
  end(): void;
}

/** Bytes of all passes; undefined when an input is no regular file (standard input, a pipe). */
function sizeOf({ files, passes = 1 }: FilesToRead): number | undefined {
  let bytes = 0;
  for (const file of files) {
    const stat = file === '-' ? undefined : statSync(file, { throwIfNoEntry: false });
    if (stat?.isFile() !== true) return undefined;
    bytes += stat.size;
  }
  return bytes > 0 ? bytes * passes : undefined;
}

function linesOf({ label, unit, stderr }: ProgressOptions): Display {
  let last = 0;
  return {
    at(elapsedMs, state) {
      if (elapsedMs - last < JSON_INTERVAL_MS) return;
      last = elapsedMs;
      const { done, seconds, rate, total, fraction, etaSeconds } = state();
      const percent = fraction === undefined ? undefined : Math.floor(fraction * 100);
      const line = {
        progress: label,
        done,
        unit,
        rate,
        seconds: Math.round(seconds),
        total,
        percent,
        etaSeconds,
      };
      stderr.write(`${JSON.stringify(line)}\n`);
    },
    end: () => undefined,
  };
}

function barOf({ label, unit, stderr }: ProgressOptions): Display {
  let bar: CliProgress.SingleBar | undefined;
  let latest: State;
  const end = (): void => {
    bar?.stop();
    bar = undefined;
    process.off('exit', end);
  };
  return {
    at(elapsedMs, state) {
      if (bar === undefined && elapsedMs < BAR_DELAY_MS) return;
      latest = state();
      if (bar === undefined) {
        const cliProgress = require('cli-progress') as typeof CliProgress;
        bar = new cliProgress.SingleBar({
          stream: stderr as NodeJS.WriteStream,
          hideCursor: true,
          clearOnComplete: true,
          // What ends the program on a signal is ours; the cursor comes back with `exit`.
          gracefulExit: false,
          format: (options) => {
            const { done, rate, fraction, etaSeconds } = latest;
            const counted = `${done} ${unit}, ${rate}/s`;
            if (fraction === undefined || etaSeconds === undefined) return `${label} ${counted}`;
            const drawn = cliProgress.Format.BarFormat(fraction, options);
            return `${label} ${drawn} ${Math.floor(fraction * 100)}% ${counted}, ${duration(etaSeconds)} left`;
          },
        });
        bar.start(BAR_STEPS, 0, {});
        process.on('exit', end);
      }
      bar.update(Math.floor((latest.fraction ?? 0) * BAR_STEPS));
    },
    end,
  };
}

/** `42 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
