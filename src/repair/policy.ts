/** How participants agree on one set of contracts (commitments spec, section 5.6). */
import { usageError } from '../io/error.js';

export type Policy =
  /** Active when any participant that has to show the contract does. */
  | { kind: 'union' }
  /** Active when all of them do. */
  | { kind: 'intersection' }
  /** Active when more than half of them do. */
  | { kind: 'majority' }
  /**
   * The first of these participants (uids) that has to show the contract is right. Contracts that none of them has to
   * show stay as they are.
   */
  | { kind: 'prefer'; participants: readonly string[] };

/** `union`, `intersection`, `majority` or `prefer:P[,Q…]`; `uid` turns what the user calls a participant into its uid. */
export function parsePolicy(text: string, uid: (name: string) => string): Policy {
  if (text === 'union' || text === 'intersection' || text === 'majority') return { kind: text };
  if (text.startsWith('prefer:') && text.length > 7) {
    return {
      kind: 'prefer',
      participants: text
        .slice(7)
        .split(',')
        .map((name) => uid(name.trim())),
    };
  }
  throw usageError(
    `unknown policy ${JSON.stringify(text)}`,
    'intersection, union, majority or prefer:PARTICIPANT',
  );
}

export function policyText(policy: Policy): string {
  return policy.kind === 'prefer' ? `prefer:${policy.participants.join(',')}` : policy.kind;
}
