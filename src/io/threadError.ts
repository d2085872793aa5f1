/** Errors on their way from one thread to another: structured cloning keeps neither class nor fields. */
import { AcsError, type AcsErrorJson } from './error.js';

export interface SentError {
  known: AcsErrorJson | undefined;
  exitCode: 2 | 4;
  /** Of an error that is none of ours. */
  text: string;
}

export function sendError(error: unknown): SentError {
  if (error instanceof AcsError)
    return { known: error.toJSON(), exitCode: error.exitCode, text: error.message };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { known: undefined, exitCode: 4, text };
}

/** The error as it was thrown on the other thread, without its cause. */
export function receiveError({ known, exitCode, text }: SentError): Error {
  if (known === undefined) return new Error(text);
  const { code, message, expected, found, hint, place } = known;
  return new AcsError(code, message, { ...place, expected, found, hint, exitCode });
}
