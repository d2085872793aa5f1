/**
 * A commitment scheme: which running states a contract changes, with which bytes, and how the states of one participant
 * combine into the digest it exchanges with another. Two schemes exist: `blake2xb-groups` (protocol versions up to 35)
 * and the alpha `blake3-pairs` (commitments spec, section 2.8).
 */
import type { HostingMap } from './hostingMap.js';
import type { Expansion, LtHashEngine } from './ltHashEngine.js';

/** A running state with its bytes, as a store keeps it. */
export interface GroupRow {
  /** As the parties of a running state: sorted. */
  parties: readonly string[];
  contracts: number;
  /** 2048 bytes; may be reused for the next row. */
  state: Uint8Array;
}

export type SchemeName = 'blake2xb-groups' | 'blake3-pairs';

/** What one participant exchanges with one counter-participant. */
export interface CounterParticipantDigest {
  /** Participant uid. */
  counterParticipant: string;
  /** Shared stakeholder groups (blake2xb-groups), or elements summed (blake3-pairs). */
  elements: number;
  /** Shared contracts; undefined in a scheme whose states do not tell. */
  contracts: number | undefined;
  /** 2048 bytes, not all zero. */
  digest: Uint8Array;
}

export interface CommitmentScheme {
  readonly name: SchemeName;
  readonly expansion: Expansion;
  /**
   * The running states that a contract of these stakeholders (sorted, each once) changes, each named by its parties:
   * the whole stakeholder set, or pairs of stakeholders.
   */
  statesOf(stakeholders: readonly string[]): readonly (readonly string[])[];
  /**
   * Completes a contract's element for the state of `parties`. The first `length` bytes of `into` are the contract id and
   * counter; they stay as they are. Returns the length of the element.
   */
  finishElement(into: Buffer, length: number, parties: readonly string[]): number;
  /**
   * The digest of `participant` (a uid) with every participant it shares contracts with, sorted by uid. Pairs whose digest
   * is all zero are left out: nothing is sent to them. The rows may come in any order; `engine` does the sums.
   */
  digests(
    rows: Iterable<GroupRow>,
    hosting: HostingMap,
    participant: string,
    engine: LtHashEngine,
  ): CounterParticipantDigest[];
}
