import type { Case, Measured, Result, SizeResults } from './case.d.mts';

/** Ratios, rate and missed promises of a case; `others` by the names in its `against`. */
export function judge(
  bench: Case,
  own: Measured,
  others: ReadonlyMap<string, Measured>,
  count: number,
): Result;

/** One size as Markdown. */
export function resultTable(size: SizeResults): string;
