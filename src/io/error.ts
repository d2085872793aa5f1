/**
 * The one error type of acskit. Every failure a user can cause carries a stable `code`, what was expected,
 * what was found, the place in the input, and what to do next.
 */

/** Where in an input something went wrong. Byte offsets are into the stream named by `stream`. */
export interface Place {
  /** Path of the file, or `-` for standard input. */
  file?: string;
  /** 0-based byte offset. */
  byteOffset?: number;
  /** Which byte stream `byteOffset` counts: the file as stored, or its inflated content. Default `file`. */
  stream?: 'file' | 'inflated' | 'blob' | 'value' | 'dar' | 'record';
  /** 0-based index of the record (frame) in the snapshot. */
  record?: number;
  /** Contract id, lower-case hex. */
  contractId?: string;
  /** Path inside a value, e.g. `amount.currency` or `[3].owner`. */
  path?: string;
  /** 1-based line of a text file. */
  line?: number;
}

export interface AcsErrorDetail extends Place {
  expected?: string | undefined;
  found?: string | undefined;
  /** What the user can do next. */
  hint?: string | undefined;
  /** Exit status the command line uses for this error: 2 usage, 4 failed (default). */
  exitCode?: 2 | 4;
  cause?: unknown;
}

/** The shape printed with `--json`. */
export interface AcsErrorJson {
  code: string;
  message: string;
  expected?: string | undefined;
  found?: string | undefined;
  hint?: string | undefined;
  place?: Place;
}

const PLACE_KEYS = ['file', 'stream', 'byteOffset', 'record', 'contractId', 'path', 'line'] as const;

export class AcsError extends Error {
  readonly code: string;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly hint: string | undefined;
  readonly exitCode: 2 | 4;
  /** Filled in from the inside out: whoever knows the file or the record adds it with {@link locate}. */
  readonly place: Place = {};

  constructor(code: string, message: string, detail: AcsErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'AcsError';
    this.code = code;
    this.expected = detail.expected;
    this.found = detail.found;
    this.hint = detail.hint;
    this.exitCode = detail.exitCode ?? 4;
    this.locate(detail);
  }

  /** Adds what is not yet known of the place; what is already there (the inner, more exact place) stays. */
  locate(place: Place): this {
    for (const key of PLACE_KEYS) {
      if (this.place[key] === undefined && place[key] !== undefined) {
        (this.place as Record<string, unknown>)[key] = place[key];
      }
    }
    return this;
  }

  toJSON(): AcsErrorJson {
    const json: AcsErrorJson = { code: this.code, message: this.message };
    if (this.expected !== undefined) json.expected = this.expected;
    if (this.found !== undefined) json.found = this.found;
    if (this.hint !== undefined) json.hint = this.hint;
    if (Object.keys(this.place).length > 0) json.place = this.place;
    return json;
  }
}

/** The same error, with advice where it had none. */
export function withHint(error: AcsError, hint: string): AcsError {
  if (error.hint !== undefined) return error;
  const { code, message, expected, found, exitCode, cause, place } = error;
  return new AcsError(code, message, { ...place, expected, found, hint, exitCode, cause });
}

/** One line for a place, e.g. `a.acs.gz: record 17, inflated byte 2231, contract 00ab…`. */
export function describePlace(place: Place): string {
  const parts: string[] = [];
  if (place.line !== undefined) parts.push(`line ${place.line}`);
  if (place.record !== undefined) parts.push(`record ${place.record}`);
  if (place.byteOffset !== undefined) {
    parts.push(
      `${place.stream === undefined || place.stream === 'file' ? '' : `${place.stream} `}byte ${place.byteOffset}`,
    );
  }
  if (place.contractId !== undefined) parts.push(`contract ${place.contractId}`);
  if (place.path !== undefined) parts.push(`at ${place.path === '' ? '(root)' : place.path}`);
  const where = parts.join(', ');
  if (place.file === undefined) return where;
  return where === '' ? place.file : `${place.file}: ${where}`;
}

/** A mistake in how the tool was called. Exit status 2. */
export function usageError(message: string, hint?: string): AcsError {
  return new AcsError('USAGE', message, hint === undefined ? { exitCode: 2 } : { exitCode: 2, hint });
}
