/** Rows of parameters for a statement, as VALUES takes them. */
export function rowsSql(columns: number, rows: number): string {
  return Array(rows)
    .fill(`(${Array(columns).fill('?').join(', ')})`)
    .join(', ');
}
