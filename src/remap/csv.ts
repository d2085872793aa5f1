/** Comma-separated values (RFC 4180): the few rows of maps and the many of id maps and placements. */
import { AcsError } from '../io/error.js';

/** Rows of cells; empty lines are skipped. Lines end with LF, CR LF or CR. Errors: `CSV_MALFORMED` with the line. */
export function parseCsv(text: string): { line: number; cells: string[] }[] {
  const rows: { line: number; cells: string[] }[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let wasQuoted = false;
  let line = 1;
  let start = 1;
  const endCell = (): void => {
    cells.push(wasQuoted ? cell : cell.trim());
    cell = '';
    wasQuoted = false;
  };
  const endRow = (): void => {
    endCell();
    if (cells.length > 1 || cells[0] !== '') rows.push({ line: start, cells });
    cells = [];
    start = line;
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '"') {
        if (text[i + 1] === '"') {
          cell += '"';
          i++;
        } else quoted = false;
      } else {
        if (c === '\n') line++;
        cell += c;
      }
    } else if (c === '"') {
      if (cell.trim() !== '' || wasQuoted) {
        throw new AcsError('CSV_MALFORMED', 'a quote stands inside an unquoted cell', { line, found: cell });
      }
      cell = '';
      quoted = true;
      wasQuoted = true;
    } else if (c === ',') endCell();
    else if (c === '\n' || (c === '\r' && text[i + 1] !== '\n')) {
      line++;
      endRow();
    } else if (c !== '\r' && !(wasQuoted && c === ' ')) {
      if (wasQuoted) throw new AcsError('CSV_MALFORMED', 'text follows a quoted cell', { line, found: c });
      cell += c;
    }
  }
  if (quoted) throw new AcsError('CSV_MALFORMED', 'a quoted cell never ends', { line: start });
  endRow();
  return rows;
}

/** One line, with its newline. */
export function csvLine(cells: readonly (string | number | bigint)[]): string {
  return `${cells
    .map((cell) => {
      const text = String(cell);
      return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(',')}\n`;
}
