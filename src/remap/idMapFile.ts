/** The `old → new` contract id map of a remap: one line per contract whose id changed, sorted by old id. */
import { type AtomicFile, createAtomicFile } from '../io/atomicFile.js';
import { newWords } from '../wire/sameBytes.js';
import { csvLine } from './csv.js';
import { changedContracts, type RemapState, sourceIdOf } from './remapState.js';

const CHUNK_BYTES = 1 << 20;
/** Two ids of 127 bytes in hex, comma and line feed. */
const MAX_HEX_LINE = 4 * 127 + 2;
const CHUNK_LINES = 4096;

export interface IdMapFile {
  /** Writes `old_contract_id,new_contract_id` lines and gives the file its name. */
  write(state: RemapState): Promise<void>;
  abort(): Promise<void>;
}

/** Opened before anything is written, so that a place where no map can be is known in time. */
export async function createIdMapFile(path: string, overwrite: boolean | undefined): Promise<IdMapFile> {
  const file = await createAtomicFile(path, overwrite === undefined ? {} : { overwrite });
  return {
    write: (state) => writeLines(file, state),
    abort: () => file.abort(),
  };
}

async function writeLines(file: AtomicFile, state: RemapState): Promise<void> {
  await file.write(Buffer.from(csvLine(['old_contract_id', 'new_contract_id'])));
  for (const chunk of state.sourceIds.size === 0 ? hexLines(state) : textLines(state)) {
    await file.write(chunk);
  }
  await file.commit();
}

/** All ids are known to be hex, and need no look for commas. A chunk is valid until the next one. */
function* hexLines(state: RemapState): Generator<Buffer> {
  const { table } = state;
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const words = newWords(chunk);
  let end = 0;
  for (const number of changedContracts(state)) {
    end = table.writeIdLine(number, words, end);
    if (end + MAX_HEX_LINE <= CHUNK_BYTES) continue;
    yield chunk.subarray(0, end);
    end = 0;
  }
  if (end > 0) yield chunk.subarray(0, end);
}

function* textLines(state: RemapState): Generator<Buffer> {
  let lines: string[] = [];
  for (const number of changedContracts(state)) {
    lines.push(csvLine([sourceIdOf(state, number), state.table.newId(number)]));
    if (lines.length < CHUNK_LINES) continue;
    yield Buffer.from(lines.join(''));
    lines = [];
  }
  if (lines.length > 0) yield Buffer.from(lines.join(''));
}
