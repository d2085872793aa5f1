/**
 * `acs remap`: new parties, packages, synchronizers, and the contract ids that follow from them, over all inputs at once
 * (contract-id spec, section 7). Two passes over the inputs. The first computes the new id of every contract: at once
 * where nothing is referred to, else, after all have been seen, in the order of the references. The second writes.
 */
import { basename, join, resolve } from 'node:path';
import { refuseExisting } from '../io/atomicFile.js';
import { AcsError, usageError } from '../io/error.js';
import { refuseInputAsOutput } from '../io/inputAsOutput.js';
import { refuseReadOnce } from '../io/readTwice.js';
import { firstPass } from './firstPass.js';
import { createIdMapFile } from './idMapFile.js';
import type { RemapOptions } from './remapOptions.js';
import { type RemapResult, remapResult } from './remapResult.js';
import { addFinding, changedContracts, type RemapState, remapState, sourceIdOf } from './remapState.js';
import { resolveReferences } from './resolveReferences.js';
import { secondPass, type Written } from './secondPass.js';

/** Remaps. With `refused` codes nothing was written. Errors: see {@link ContractPreparer.prepare} and the hasher. */
export async function remapContracts(inputs: readonly string[], options: RemapOptions): Promise<RemapResult> {
  await refuseReadOnce(inputs);
  const outputs = outputPaths(inputs, options.output);
  const idMap = idMapPath(inputs, options);
  for (const path of [...outputs, idMap ?? '-']) await refuseInputAsOutput(inputs, path);
  if (idMap !== null && outputs.some((path) => resolve(path) === resolve(idMap))) {
    throw new AcsError('OUTPUT_NAMES_CLASH', 'the id map would take the place of an output', {
      found: idMap,
      hint: 'give it another name with --id-map',
      exitCode: 2,
    });
  }
  if (options.file?.overwrite === false) {
    for (const path of [...outputs, idMap ?? '-']) if (path !== '-') await refuseExisting(path);
  }
  const state = remapState(options);
  try {
    return await remap(state, inputs, outputs, idMap);
  } finally {
    state.kept.close();
  }
}

async function remap(
  state: RemapState,
  inputs: readonly string[],
  outputs: readonly string[],
  idMap: string | null,
): Promise<RemapResult> {
  const { keepIds, file } = state.options;
  const facts = await firstPass(state, inputs);
  resolveReferences(state);
  const result = remapResult(state, facts);
  if (result.refused.length > 0) return result;
  if (keepIds === true && result.newIds > 0) throw idsWouldChange(state, result.newIds);
  const map = idMap === null ? undefined : await createIdMapFile(idMap, file?.overwrite);
  const written: Written[] = [];
  try {
    for (const [i, input] of inputs.entries()) {
      written.push(await secondPass(state, input, facts[i], outputs[i]));
    }
    // None has its name before all are whole.
    for (const each of written) {
      await each.file.finish();
      result.outputs.push(each.output);
    }
    result.idMap = idMap;
    addUnusedRenames(state);
    // The second pass has findings too.
    result.findings = state.findings.list();
    await map?.write(state);
  } catch (error) {
    for (const each of written) await each.file.abort();
    await map?.abort();
    throw error;
  }
  return result;
}

function addUnusedRenames(state: RemapState): void {
  const { synchronizerMap, packageMap } = state.options;
  for (const old of [...(synchronizerMap?.keys() ?? []), ...(packageMap?.keys() ?? [])]) {
    if (!state.renamed.has(old)) addFinding(state, 'UNUSED_RENAME', old);
  }
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
  if (output === '-')
    throw usageError(
      'several inputs become several files: standard output takes one',
      'name a folder with -o',
    );
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
