/** The `old → new` contract id map of a remap: one line per contract whose id changed, sorted by old id. */
import { createAtomicFile } from '../io/atomicFile.js';
import { csvLine } from './csv.js';

const CHUNK_LINES = 4096;

/** Writes `old_contract_id,new_contract_id` lines. With `hex` all ids are known to be hex, and need no look for commas. */
export async function writeIdMap(
  path: string,
  entries: Iterable<readonly [old: string, fresh: string]>,
  hex: boolean,
): Promise<void> {
  const file = await createAtomicFile(path);
  try {
    let lines: string[] = [csvLine(['old_contract_id', 'new_contract_id'])];
    for (const entry of entries) {
      lines.push(hex ? `${entry[0]},${entry[1]}\n` : csvLine(entry));
      if (lines.length >= CHUNK_LINES) {
        await file.write(bytesOf(lines));
        lines = [];
      }
    }
    if (lines.length > 0) await file.write(bytesOf(lines));
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
}

function bytesOf(lines: readonly string[]): Buffer {
  return Buffer.from(lines.join(''));
}
