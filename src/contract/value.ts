/**
 * The Daml-LF value model as found in `created_event_blob` (snapshot-format spec, section 5.3): untyped and
 * positional. Labels, type names and ranks come from packages (src/dar).
 */

/** Depth limit of Canton's coder: the root is level 0, level 100 is the deepest allowed. */
export const MAX_VALUE_DEPTH = 100;

export type LfValue =
  | { readonly kind: 'unit' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int64'; readonly value: bigint }
  /** Days since 1970-01-01. */
  | { readonly kind: 'date'; readonly value: number }
  /** Microseconds since 1970-01-01T00:00:00Z. */
  | { readonly kind: 'timestamp'; readonly value: bigint }
  /** The text as stored, e.g. `100.0000000000`: its trailing zeros carry the scale. */
  | { readonly kind: 'numeric'; readonly value: string }
  | { readonly kind: 'party'; readonly value: string }
  | { readonly kind: 'text'; readonly value: string }
  /** Lower-case hex of the raw id. */
  | { readonly kind: 'contractId'; readonly value: string }
  | { readonly kind: 'optional'; readonly value: LfValue | null }
  | { readonly kind: 'list'; readonly items: readonly LfValue[] }
  | { readonly kind: 'genMap'; readonly entries: readonly (readonly [LfValue, LfValue])[] }
  | { readonly kind: 'textMap'; readonly entries: readonly (readonly [string, LfValue])[] }
  | { readonly kind: 'record'; readonly fields: readonly LfValue[] }
  | { readonly kind: 'variant'; readonly tag: string; readonly value: LfValue }
  | { readonly kind: 'enum'; readonly tag: string };

export type LfKind = LfValue['kind'];

/** Field numbers of the `Value` oneof in the blob; the Ledger API's differ. */
export const LF_FIELD = {
  unit: 1,
  bool: 2,
  int64: 3,
  date: 4,
  timestamp: 5,
  numeric: 6,
  party: 7,
  text: 8,
  contractId: 9,
  optional: 10,
  list: 11,
  genMap: 12,
  record: 13,
  variant: 14,
  enum: 15,
  textMap: 16,
} as const;

export const MIN_DATE = -719162;
export const MAX_DATE = 2932896;
export const MIN_TIMESTAMP = -62135596800000000n;
export const MAX_TIMESTAMP = 253402300799999999n;
