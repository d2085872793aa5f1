/** What is told of a Package message that cannot be read. */
import { AcsError } from '../io/error.js';

/** The text when it fits the grammar; `what` it is goes into the error. */
export function checked(text: string, grammar: RegExp, what: string): string {
  if (!grammar.test(text))
    throw malformed(`not a valid ${what}`, String(grammar), JSON.stringify(text.slice(0, 100)));
  return text;
}

export function malformed(message: string, expected?: string, found?: string): AcsError {
  return new AcsError('DALF_MALFORMED', message, { expected, found });
}

export function badIndex(what: string, index: number, count: number): AcsError {
  return malformed(`${what} index out of range`, `less than ${count}`, `${index}`);
}

export function tooDeep(): AcsError {
  return new AcsError(
    'DALF_TOO_LARGE',
    'the types of the package are nested too deeply or repeated too often',
  );
}
