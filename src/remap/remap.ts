/**
 * `acs remap`: new parties, packages, synchronizers, and the contract ids that follow from them, over all inputs at once
 * (contract-id spec, section 7). Two passes over the inputs. The first computes the new id of every contract: at once
 * where nothing is referred to, else, after all have been seen, in the order of the references. The second writes.
 */
import { basename, join } from 'node:path';
import { AcsError } from '../io/error.js';
import { refuseReadOnce } from '../io/readTwice.js';
import { refuseInputAsOutput } from '../reshape/distinctFiles.js';
import { firstPass } from './firstPass.js';
import { writeIdMap } from './idMapFile.js';
import type { RemapOptions } from './remapOptions.js';
import { type RemapResult, remapResult } from './remapResult.js';
import { changedContracts, type RemapState, remapState, sourceIdOf } from './remapState.js';
import { resolveReferences } from './resolveReferences.js';
import { secondPass } from './secondPass.js';

/** Remaps. With `refused` codes nothing was written. Errors: see {@link ContractPreparer.prepare} and the hasher. */
export async function remapContracts(inputs: readonly string[], options: RemapOptions): Promise<RemapResult> {
  await refuseReadOnce(inputs);
  const state = remapState(options);
  try {
    return await remap(state, inputs);
  } finally {
    state.kept.close();
  }
}

async function remap(state: RemapState, inputs: readonly string[]): Promise<RemapResult> {
  const { output, keepIds } = state.options;
  const outputs = outputPaths(inputs, output);
  const idMap = idMapPath(inputs, state.options);
  for (const path of [...outputs, ...(idMap === null ? [] : [idMap])])
    await refuseInputAsOutput(inputs, path);
  const facts = await firstPass(state, inputs);
  resolveReferences(state);
  const result = remapResult(state, facts);
  if (result.refused.length > 0) return result;
  if (keepIds === true && result.newIds > 0) throw idsWouldChange(state, result.newIds);
  for (const [i, input] of inputs.entries()) {
    result.outputs.push(await secondPass(state, input, facts[i], outputs[i]));
  }
  result.idMap = idMap;
  if (result.idMap !== null) await writeIdMap(result.idMap, state);
  return result;
}

/** Next to the output, unless said otherwise; none when the output is standard output. */
function idMapPath(inputs: readonly string[], { idMap, output }: RemapOptions): string | null {
  if (idMap !== undefined) return idMap;
  if (output === '-') return null;
  return `${inputs.length === 1 ? output : join(output, 'remap')}.id-map.csv`;
}

/** One input: the path itself. Several: files in a folder, named like the inputs. */
function outputPaths(inputs: readonly string[], output: string): string[] {
  if (inputs.length === 1) return [output];
  const names = inputs.map(
    (input) =>
      `${basename(input).replace(/(\.acs)?(\.gz|\.json|\.jsonl|\.bin|\.txt|\.zst|\.zstd)?$/, '')}.acs.gz`,
  );
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) {
    throw new AcsError('OUTPUT_NAMES_CLASH', 'two inputs would be written to the same file', {
      found: repeated,
      hint: 'rename one of the inputs',
      exitCode: 2,
    });
  }
  return names.map((name) => join(output, name));
}

function idsWouldChange(state: RemapState, count: number): AcsError {
  let example = '';
  for (const number of changedContracts(state)) {
    example = sourceIdOf(state, number);
    break;
  }
  return new AcsError('IDS_WOULD_CHANGE', `${count} contract ids cannot be kept`, {
    contractId: example,
    expected: 'contracts with an importable id whose content stays as it is',
    hint: 'leave out --keep-ids: an id is a hash of the content',
  });
}
