/**
 * New ids for contracts that have nothing to check an id with: discriminator and salt come from a seed and the old id,
 * so that every run and every participant's file agree (contract-id spec, section 7.5: the discriminator is free, and
 * no participant can know the salt).
 */
import { createHmac } from 'node:crypto';
import { writeAuthenticationData } from '../hash/authenticationData.js';
import { AcsError } from '../io/error.js';

export interface Mint {
  /** `00` and 32 bytes as hex: the id without its suffix. */
  localId(oldId: string): string;
  /** The authentication data of a blob, around the salt. */
  authenticationData(oldId: string): Buffer;
}

const MIN_SEED_BYTES = 16;

/** Error: `SEED_TOO_SHORT`. */
export function mint(seed: string | Uint8Array): Mint {
  const key = typeof seed === 'string' ? Buffer.from(seed) : Buffer.from(seed);
  if (key.length < MIN_SEED_BYTES) {
    throw new AcsError('SEED_TOO_SHORT', 'the seed is too short to keep salts secret', {
      expected: `at least ${MIN_SEED_BYTES} bytes`,
      found: `${key.length}`,
      exitCode: 2,
    });
  }
  const derive = (purpose: string, oldId: string): Buffer =>
    createHmac('sha256', key).update(`acskit/${purpose}/1\0${oldId}`).digest();
  return {
    localId: (oldId) => `00${derive('discriminator', oldId).toString('hex')}`,
    authenticationData: (oldId) => writeAuthenticationData(derive('salt', oldId)),
  };
}
