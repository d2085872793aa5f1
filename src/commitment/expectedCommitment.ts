/** Whether a commitment is the one that was expected, as an operator has it from a node or from its log. */
import { commitmentOf, emptyState, parseCommitment } from './lthash16.js';

/**
 * `expected`: a whole commitment in hex, or the start of the hash that logs show (`SHA-256:e2c0cf0361cb...`). Throws what
 * {@link parseCommitment} throws. The function returned takes the commitment found; undefined, when nothing is shared, stands
 * for the commitment to nothing, with which a node answers when asked.
 */
export function expectedCommitment(expected: string): (found: Buffer | undefined) => boolean {
  const own = (found: Buffer | undefined): Buffer => found ?? commitmentOf(emptyState());
  const start = /^(?:SHA-256:)([0-9a-f]{6,64})(?:\.\.\.|…)?$/.exec(expected)?.[1];
  if (start !== undefined) return (found) => own(found).toString('hex').slice(4).startsWith(start);
  const wanted = parseCommitment(expected);
  return (found) => own(found).equals(wanted);
}
