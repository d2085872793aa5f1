/** Plain tables for people. */
import { createRequire } from 'node:module';
import type CliTable from 'cli-table3';
import { visibleLine } from './visibleText.js';

/** Loaded with the first table: most runs print none, and the start of a command counts. */
const require = createRequire(import.meta.url);

export interface TableOptions {
  /** Column numbers aligned to the right. */
  right?: readonly number[];
}

/** Rows under a heading; no colours, no box lines: easy to read and to cut. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly (string | number | bigint)[])[],
  options: TableOptions = {},
): string {
  const Table = require('cli-table3') as typeof CliTable;
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) => (options.right?.includes(i) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
  });
  for (const row of rows) table.push(row.map((cell) => visibleLine(String(cell))));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** `12 345 678`. */
export function groupDigits(n: number | bigint): string {
  return n.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ' ');
}

/** `1.5 MB`, decimal units. */
export function humanBytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let i = 0;
  let value = n;
  while (value >= 1000 && i < units.length - 1) {
    value /= 1000;
    i++;
  }
  return i === 0 ? `${n} B` : `${value.toFixed(value < 10 ? 2 : 1)} ${units[i]}`;
}
