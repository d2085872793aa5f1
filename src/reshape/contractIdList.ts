/** A set of contract ids to look for, read from a text file; about 150 bytes of memory per id. */
import { AcsError } from '../io/error.js';
import { type ByteInput, inputName, readChunks } from '../io/input.js';

export interface ContractIdList {
  readonly size: number;
  /** True when the raw id `buf[start, end)` is in the list; the id then counts as found. */
  take(buf: Buffer, start: number, end: number): boolean;
  /** Ids never taken, in the order given; at most `limit`. */
  missing(limit: number): { count: number; first: string[] };
}

/** First lines of CSV files: ours (`acs cat --format csv`) and others'. */
const HEADERS = new Set(['contractId', 'contract_id']);

const HEX_ID = /^(?:[0-9a-f]{2}){1,127}$/;

export function contractIdList(ids: Iterable<string>): ContractIdList {
  const numbers = new Map<string, number>();
  for (const id of ids) {
    checkContractId(id);
    const raw = Buffer.from(id, 'hex').toString('latin1');
    if (!numbers.has(raw)) numbers.set(raw, numbers.size);
  }
  const found = new Uint8Array(numbers.size);
  return {
    size: numbers.size,
    take(buf, start, end) {
      const number = numbers.get(buf.toString('latin1', start, end));
      if (number === undefined) return false;
      found[number] = 1;
      return true;
    },
    missing(limit) {
      let count = 0;
      const first: string[] = [];
      for (const [raw, number] of numbers) {
        if (found[number] === 1) continue;
        if (count++ < limit) first.push(Buffer.from(raw, 'latin1').toString('hex'));
      }
      return { count, first };
    },
  };
}

/**
 * Reads one contract id per line (lower-case hex). Empty lines and lines starting with `#` are skipped, and what
 * follows the id after a blank, comma or tab is ignored, so the first column of a CSV works too.
 */
export async function readContractIds(input: ByteInput): Promise<string[]> {
  const ids: string[] = [];
  const file = inputName(input);
  let rest = '';
  let line = 0;
  const take = (text: string): void => {
    line++;
    // Spreadsheets begin a file with a byte order mark.
    const word = /^(?:\u00ef\u00bb\u00bf)?\s*"?([^\s,;"]*)/.exec(text)?.[1] ?? '';
    if (word === '' || word.startsWith('#') || (line === 1 && HEADERS.has(word))) return;
    if (!HEX_ID.test(word)) throw badId(word).locate({ file, line });
    ids.push(word);
  };
  for await (const chunk of readChunks(input)) {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > 1 << 16) throw badId(`${rest.slice(0, 40)}…`).locate({ file, line: line + 1 });
    for (const text of lines) take(text);
  }
  take(rest);
  return ids;
}

/** Error: `CONTRACT_ID_MALFORMED`, a usage mistake. */
export function checkContractId(id: string): void {
  if (!HEX_ID.test(id)) throw badId(id);
}

function badId(found: string): AcsError {
  return new AcsError('CONTRACT_ID_MALFORMED', 'not a contract id', {
    expected: 'lower-case hexadecimal digits, 2 to 254 of them',
    found: found.length > 300 ? `${found.slice(0, 300)}…` : found,
    exitCode: 2,
  });
}
