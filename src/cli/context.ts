/** What a command sees of the world: where results and talk go. stdout is the result, stderr is talk. */
import type { Writable } from 'node:stream';
import type { AcsError } from '../io/error.js';
import { describePlace } from '../io/error.js';
import { writeError } from '../io/input.js';
import { type Extent, type Progress, type ProgressMode, startProgress } from './progress.js';
import { visibleLine, visibleText } from './visibleText.js';

/** Something the user should know; nothing stops because of it. Shape: schemas/json/warning.schema.json. */
export interface CliWarning {
  readonly code: string;
  readonly message: string;
  readonly file?: string;
  /** Input of a comparison, by its name there. */
  readonly input?: string;
  /** Participant of a store. */
  readonly source?: string;
  readonly contractId?: string;
  /** Party or synchronizer id. */
  readonly id?: string;
  readonly count?: number;
  readonly examples?: readonly string[];
  /** 0-based. */
  readonly records?: readonly number[];
  /** What contracts lack. */
  readonly part?: string;
  /** Contract-id version, or `lf1`. */
  readonly label?: string;
}

export interface CliContext {
  /** True with `--json`: results are JSON. */
  readonly json: boolean;
  /** Writes text to standard output, waiting when the reader is slow. False when the reader has gone away. */
  write(text: string | Uint8Array): Promise<boolean>;
  /** Prints a result: the JSON with `--json`, else the text. A missing final newline is added. */
  result(json: unknown, text: () => string): Promise<void>;
  /** A line of talk on standard error, with `--json` as a JSON line; silent with `--quiet`. */
  note(text: string): void;
  /** A warning on standard error; with `--json` as a JSON line. */
  warn(warning: CliWarning): void;
  /** An error that is not the end of the command, as it would be printed at the end; for the exit status see the error. */
  error(error: AcsError): void;
  /** True when results appear on a terminal, where a bar would run through them. */
  readonly resultsOnTerminal: boolean;
  /** Progress on standard error; how much there is to do, if known, gives the ETA. */
  progress(label: string, unit: string, extent?: Extent): Progress;
  /** Resolves when nothing of what was written has failed; throws `DISK_FULL` or `FILE_UNWRITABLE`. */
  written(): Promise<void>;
  /** Takes away what progress is still shown: a command that fails does not finish it. */
  endProgress(): void;
}

export interface ContextOptions {
  json: boolean;
  quiet: boolean;
  progress: ProgressMode;
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable & { isTTY?: boolean };
}

export function createContext(options: ContextOptions): CliContext {
  const { stdout, stderr } = options;
  let closed = false;
  let failure: NodeJS.ErrnoException | undefined;
  let progress: Progress | undefined;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader went away (a pipe into `head`): stop quietly. All else (a full disk) is for whoever writes to hear.
    if (error.code === 'EPIPE') closed = true;
    else failure ??= error;
  });
  const refuseFailed = (): void => {
    if (failure !== undefined) throw writeError('standard output', failure);
  };
  const context: CliContext = {
    json: options.json,
    async write(text) {
      refuseFailed();
      if (closed || stdout.destroyed) return false;
      if (!stdout.write(text)) await drainedOrGone(stdout);
      return !closed;
    },
    async result(json, text) {
      const body = options.json ? stringifyJson(json) : visibleText(text());
      await context.write(body.endsWith('\n') ? body : `${body}\n`);
    },
    note(text) {
      if (!options.quiet)
        stderr.write(`${options.json ? stringifyJson({ note: text }) : visibleText(text)}\n`);
    },
    warn(warning) {
      stderr.write(
        options.json
          ? `${stringifyJson({ warning })}\n`
          : `warning: ${visibleLine(warning.message)} [${warning.code}]\n`,
      );
    },
    error(error) {
      stderr.write(`${options.json ? stringifyJson({ error }) : describeError(error)}\n`);
    },
    resultsOnTerminal: stdout.isTTY === true,
    progress(label, unit, extent) {
      const mode = options.quiet ? 'none' : options.progress;
      progress = startProgress({ label, unit, extent, mode, stderr });
      return progress;
    },
    async written() {
      // A failed write is told in the next turn.
      await new Promise((done) => setImmediate(done));
      refuseFailed();
    },
    endProgress: () => progress?.finish(),
  };
  return context;
}

/** Resolves when the stream takes more, or never will. */
function drainedOrGone(stream: Writable): Promise<void> {
  const events = ['drain', 'error', 'close'];
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) stream.removeListener(event, done);
      resolve();
    };
    for (const event of events) stream.once(event, done);
  });
}

/** JSON with 64-bit integers as strings. */
export function stringifyJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? v.toString() : v), indent);
}

/** An error for people: message, place, expectation, next step. No stack trace. */
export function describeError(error: AcsError): string {
  const lines = [`error: ${visibleLine(error.message)} [${error.code}]`];
  const place = describePlace(error.place);
  if (place !== '') lines.push(`  where:    ${visibleLine(place)}`);
  if (error.expected !== undefined) lines.push(`  expected: ${visibleLine(error.expected)}`);
  if (error.found !== undefined) lines.push(`  found:    ${visibleLine(error.found)}`);
  if (error.hint !== undefined) lines.push(`  next:     ${visibleText(error.hint)}`);
  return lines.join('\n');
}
