/** The two commitment schemes, by name. */
import { AcsError } from '../io/error.js';
import { blake2xbGroups } from './blake2xbGroups.js';
import { blake3Pairs } from './blake3Pairs.js';
import type { CommitmentScheme, SchemeName } from './commitmentScheme.js';

export const SCHEMES: Record<SchemeName, CommitmentScheme> = {
  'blake2xb-groups': blake2xbGroups,
  'blake3-pairs': blake3Pairs,
};

/** A scheme by its name. Throws `COMMITMENT_UNKNOWN_SCHEME`. */
export function schemeOf(name: string): CommitmentScheme {
  if (!Object.hasOwn(SCHEMES, name)) {
    throw new AcsError('COMMITMENT_UNKNOWN_SCHEME', 'unknown commitment scheme', {
      expected: Object.keys(SCHEMES).join(' or '),
      found: name,
      exitCode: 2,
    });
  }
  return SCHEMES[name as SchemeName];
}
