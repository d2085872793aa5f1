/** A set of LtHash16 states, addressed by slot number, to which elements are added and from which they are removed. */

/** How an element is expanded to 2048 bytes. */
export type Expansion = 'blake2xb' | 'blake3';

export type EngineKind = 'wasm' | 'javascript';

export interface LtHashEngine {
  readonly kind: EngineKind;
  /** Opens an empty state and returns its slot. */
  open(): number;
  /** Gives the slot back. */
  close(slot: number): void;
  /** Adds (sign 1) or removes (sign -1) one element. The bytes are copied; the work may be done later. */
  change(slot: number, element: Uint8Array, sign: 1 | -1): void;
  /** Adds (sign 1) or subtracts (sign -1) a whole 2048-byte state or expansion, lane by lane. */
  combine(slot: number, state: Uint8Array, sign: 1 | -1): void;
  /** The state's 2048 bytes, all changes included; copied to `into` when given. */
  read(slot: number, into?: Uint8Array): Uint8Array;
  /** Replaces the state. */
  write(slot: number, state: Uint8Array): void;
  /** The expansion of one element, 2048 bytes; copied to `into` when given. */
  expand(element: Uint8Array, into?: Uint8Array): Uint8Array;
}
