/** Options of the form `--x old=new`, which may be repeated. */
import { usageError } from '../io/error.js';

/** `what` names the option in messages. An id on the left may be given once only. */
export function parseRenames(pairs: readonly string[], what: string): Map<string, string> {
  const renames = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const old = pair.slice(0, at);
    const fresh = pair.slice(at + 1);
    if (at <= 0 || fresh === '') throw usageError(`${what} ${pair} is not of the form old=new`);
    const known = renames.get(old);
    if (known !== undefined && known !== fresh) throw usageError(`${what} gives ${old} two new names`);
    renames.set(old, fresh);
  }
  return renames;
}
