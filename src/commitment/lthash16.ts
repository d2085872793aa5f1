/**
 * LtHash16 states (commitments spec, sections 1.1 and 1.5): 1024 lanes of 16 bits, little endian, 2048 bytes. A state is
 * the lane-wise sum, modulo 2^16, of the 2048-byte expansions of its elements: a hash of a multiset. All zero = empty.
 */
import { createHash } from 'node:crypto';
import { AcsError } from '../io/error.js';

/** Size of a state and of an element's expansion, in bytes. */
export const LTHASH_BYTES = 2048;

/** Hash purpose of a commitment (34), as the four bytes that go before the state. */
const COMMITMENT_PURPOSE = Buffer.from([0, 0, 0, 34]);

/** Multihash prefix of a SHA-256: algorithm 0x12, 32 bytes. */
const SHA256_MULTIHASH = Buffer.from([0x12, 0x20]);

/** Size of a commitment in bytes: multihash prefix and SHA-256. */
export const COMMITMENT_BYTES = 34;

/** A new empty state. */
export function emptyState(): Uint8Array {
  return new Uint8Array(LTHASH_BYTES);
}

/** Adds `other` to `state`, lane by lane, in place. Adding two states gives the state of both multisets together. */
export function addState(state: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < LTHASH_BYTES; i += 2) {
    const low = state[i]! + other[i]!;
    state[i] = low;
    state[i + 1] = state[i + 1]! + other[i + 1]! + (low >> 8);
  }
}

/** Subtracts `other` from `state`, lane by lane, in place. */
export function subtractState(state: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < LTHASH_BYTES; i += 2) {
    const low = state[i]! - other[i]!;
    state[i] = low;
    state[i + 1] = state[i + 1]! - other[i + 1]! + (low >> 8);
  }
}

export function isEmptyState(state: Uint8Array): boolean {
  for (let i = 0; i < state.length; i++) if (state[i] !== 0) return false;
  return true;
}

export function statesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Checks a stored state's size. Throws `COMMITMENT_BAD_STATE`. */
export function checkState(state: Uint8Array): void {
  if (state.length !== LTHASH_BYTES) {
    throw new AcsError('COMMITMENT_BAD_STATE', 'a stored LtHash16 state has the wrong size', {
      expected: `${LTHASH_BYTES} bytes`,
      found: `${state.length} bytes`,
    });
  }
}

/** A state from its hexadecimal form. Throws `COMMITMENT_BAD_STATE`. */
export function stateFromHex(hex: string): Uint8Array {
  if (!/^[0-9a-fA-F]*$/.test(hex)) {
    throw new AcsError('COMMITMENT_BAD_STATE', 'a stored LtHash16 state is not hexadecimal', {
      expected: `${2 * LTHASH_BYTES} hexadecimal digits`,
      found: hex.slice(0, 40),
    });
  }
  const state = new Uint8Array(Buffer.from(hex, 'hex'));
  checkState(state);
  return state;
}

export function stateToHex(state: Uint8Array): string {
  return Buffer.from(state.buffer, state.byteOffset, state.length).toString('hex');
}

/** What travels: `1220` and the SHA-256 of the purpose (34, four bytes) and the 2048 bytes; 34 bytes. */
export function commitmentOf(state: Uint8Array): Buffer {
  checkState(state);
  const hash = createHash('sha256').update(COMMITMENT_PURPOSE).update(state).digest();
  return Buffer.concat([SHA256_MULTIHASH, hash]);
}

/** Parses a commitment given as hexadecimal text (`1220…`, 68 digits). Throws `COMMITMENT_BAD_HASH`. */
export function parseCommitment(hex: string): Buffer {
  if (!/^1220[0-9a-fA-F]{64}$/.test(hex)) {
    throw new AcsError('COMMITMENT_BAD_HASH', 'not a commitment', {
      expected: '1220 and 64 hexadecimal digits',
      found: hex.length > 80 ? `${hex.slice(0, 80)}…` : hex,
      exitCode: 2,
    });
  }
  return Buffer.from(hex, 'hex');
}

/** How a node's log shows a commitment: the hash name and the first 12 digits, e.g. `SHA-256:e2c0cf0361cb...`. */
export function commitmentLogText(commitment: Uint8Array): string {
  return `SHA-256:${Buffer.from(commitment.subarray(2, 8)).toString('hex')}...`;
}
