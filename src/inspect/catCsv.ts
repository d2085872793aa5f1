/** The contracts of a snapshot as CSV, for spreadsheets. */
import type { ByteInput } from '../io/input.js';
import { type CatFacts, type CatOptions, type CatRow, catFields, catSnapshot } from './cat.js';

/**
 * A heading, then a line per chosen contract; absent fields are empty, objects and lists stand as JSON. Handed over in
 * portions of about a chunk of the file, each of which is awaited. When the file turns out damaged, what was read before is
 * handed over first.
 */
export async function catCsv(
  input: ByteInput,
  sink: (lines: string) => Promise<void> | void,
  options: CatOptions = {},
): Promise<CatFacts> {
  let pending = `${catFields(options).join(',')}\n`;
  const flush = async (): Promise<void> => {
    const text = pending;
    pending = '';
    if (text !== '') await sink(text);
  };
  const addRow = (row: CatRow): void => {
    pending += `${row.map(csvCell).join(',')}\n`;
  };
  try {
    return await catSnapshot(input, addRow, {
      ...options,
      async afterChunk() {
        await flush();
        await options.afterChunk?.();
      },
    });
  } finally {
    await flush();
  }
}

/** A JSON text as a plain cell: strings lose their quotes. */
export function plainCell(json: string | undefined): string {
  if (json === undefined) return '';
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

function csvCell(json: string | undefined): string {
  const text = plainCell(json);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
