/** Integers of a row as plain numbers, and as text where a double does not hold them: few do, and big integers are dear. */

/** SQL for such a column. */
export function exact(column: string): string {
  return `iif(${column} BETWEEN -9007199254740991 AND 9007199254740991, ${column}, CAST(${column} AS TEXT))`;
}

export function integer(value: number | string): number | bigint {
  return typeof value === 'string' ? BigInt(value) : value;
}
