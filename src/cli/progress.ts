/** Progress on standard error: a bar with rate and ETA on a terminal, JSON lines otherwise. */
import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import type CliProgress from 'cli-progress';

/** The bar is loaded when it is shown. */
const require = createRequire(import.meta.url);

export type ProgressMode = 'auto' | 'bar' | 'json' | 'none';

export interface Progress {
  /** Sets the absolute position. Cheap: call it as often as convenient. */
  update(done: number): void;
  finish(): void;
}

const JSON_INTERVAL_MS = 5000;
const BAR_DELAY_MS = 500;

export function startProgress(options: {
  label: string;
  unit: string;
  total?: number | undefined;
  mode: ProgressMode;
  stderr: Writable & { isTTY?: boolean };
}): Progress {
  const { label, unit, total, stderr } = options;
  const mode = options.mode === 'auto' ? (stderr.isTTY ? 'bar' : 'json') : options.mode;
  if (mode === 'none') return { update: () => undefined, finish: () => undefined };
  const started = Date.now();
  return mode === 'bar' ? bar() : lines();

  function lines(): Progress {
    let last = started;
    return {
      update(done) {
        const now = Date.now();
        if (now - last < JSON_INTERVAL_MS) return;
        last = now;
        const seconds = (now - started) / 1000;
        const rate = Math.round(done / seconds);
        const line: Record<string, unknown> = {
          progress: label,
          done,
          unit,
          rate,
          seconds: Math.round(seconds),
        };
        if (total !== undefined) {
          line.total = total;
          if (rate > 0) line.etaSeconds = Math.max(0, Math.round((total - done) / rate));
        }
        stderr.write(`${JSON.stringify(line)}\n`);
      },
      finish: () => undefined,
    };
  }

  function bar(): Progress {
    let single: CliProgress.SingleBar | undefined;
    return {
      update(done) {
        if (single === undefined) {
          if (Date.now() - started < BAR_DELAY_MS) return;
          const cliProgress = require('cli-progress') as typeof CliProgress;
          single = new cliProgress.SingleBar({
            stream: stderr as NodeJS.WriteStream,
            hideCursor: true,
            clearOnComplete: true,
            format: (o, params) => {
              const seconds = (Date.now() - started) / 1000;
              const rate = Math.round(params.value / seconds);
              if (total === undefined) return `${label} ${params.value} ${unit}, ${rate}/s`;
              const eta = rate > 0 ? `${Math.round((params.total - params.value) / rate)} s left` : '';
              return `${label} ${cliProgress.Format.BarFormat(params.progress, o)} ${Math.floor(params.progress * 100)}% ${rate} ${unit}/s ${eta}`;
            },
          });
          single.start(total ?? Number.MAX_SAFE_INTEGER, done, {});
        }
        single.update(done);
      },
      finish() {
        single?.stop();
      },
    };
  }
}
