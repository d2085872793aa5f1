/** The `old → new` contract id map of a remap: one line per contract whose id changed, sorted by old id. */
import { createAtomicFile } from '../io/atomicFile.js';
import { csvLine } from './csv.js';

const CHUNK_LINES = 4096;

/** Writes `old_contract_id,new_contract_id` lines. */
export async function writeIdMap(
  path: string,
  entries: Iterable<readonly [old: string, fresh: string]>,
): Promise<void> {
  const file = await createAtomicFile(path);
  try {
    let lines: string[] = [csvLine(['old_contract_id', 'new_contract_id'])];
    for (const entry of entries) {
      lines.push(csvLine(entry));
      if (lines.length >= CHUNK_LINES) {
        await file.write(Buffer.from(lines.join('')));
        lines = [];
      }
    }
    if (lines.length > 0) await file.write(Buffer.from(lines.join('')));
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
}
