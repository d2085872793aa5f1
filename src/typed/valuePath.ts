/** Paths inside values, built from the inside out while an error travels up: `addresses[3].zip`. */
import { AcsError } from '../io/error.js';

/** Puts a step (`label` or `[3]`) in front of the path of an error; other errors pass unchanged. */
export function atStep(error: unknown, step: string): unknown {
  if (error instanceof AcsError) {
    const rest = error.place.path ?? '';
    error.place.path = rest === '' || rest.startsWith('[') ? `${step}${rest}` : `${step}.${rest}`;
  }
  return error;
}

/** Makes sure that a typing error has a path: that of the root is empty. */
export function atRoot(error: unknown): unknown {
  return error instanceof AcsError ? error.locate({ path: '' }) : error;
}
