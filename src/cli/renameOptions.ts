/** Ids on the command line: those of a synchronizer, and options of the form `--x old=new`, which may be repeated. */
import { synchronizerIdProblem } from '../contract/identifier.js';
import { usageError } from '../io/error.js';

/** `what` names the option in messages. An id on the left may be given once only; `problem` says why one is none. */
export function parseRenames(
  pairs: readonly string[],
  what: string,
  problem: (fresh: string) => string | undefined,
): Map<string, string> {
  const renames = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const old = pair.slice(0, at);
    const fresh = pair.slice(at + 1);
    if (at <= 0 || fresh === '') throw usageError(`${what} ${pair} is not of the form old=new`);
    const reason = problem(fresh);
    if (reason !== undefined) throw usageError(`${what} ${pair}: the new id is none: ${reason}`);
    const known = renames.get(old);
    if (known !== undefined && known !== fresh) throw usageError(`${what} gives ${old} two new names`);
    renames.set(old, fresh);
  }
  return renames;
}

/** `--synchronizer`, for what names none: a logical id. */
export function checkedSynchronizer(id: string | undefined): string | undefined {
  const reason = id === undefined ? undefined : synchronizerIdProblem(id);
  if (reason !== undefined) throw usageError(`--synchronizer ${id} is no synchronizer id: ${reason}`);
  return id;
}
