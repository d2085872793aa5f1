/** The inputs of a comparison as a command takes them: `FILE`, `PARTICIPANT=FILE`, stores, `-`, globs. */

import type { HostingMap } from '../commitment/hostingMap.js';
import type { DiffSource } from '../diff/diffSource.js';
import { openDiffSource, parseInputSpec } from '../diff/openSource.js';
import { usageError } from '../io/error.js';
import type { ScanOptions } from '../snapshot/scan.js';
import { inputFiles } from './inputFiles.js';

export interface ComparisonInputOptions {
  hosting?: HostingMap | undefined;
  scan: ScanOptions;
  /** What `--record-time` says; every name in it has to be that of an input. */
  recordTimes?: ReadonlyMap<string, ReadonlyMap<string, bigint>> | undefined;
}

export async function openComparisonInputs(
  texts: readonly string[],
  options: ComparisonInputOptions,
): Promise<DiffSource[]> {
  const specs: string[] = [];
  for (const text of texts) {
    if (parseInputSpec(text).name === undefined) specs.push(...(await inputFiles([text])));
    else specs.push(text);
  }
  if (specs.filter((spec) => parseInputSpec(spec).path === '-').length > 1)
    throw usageError('standard input can be read only once');
  const sources = await Promise.all(specs.map((spec) => openDiffSource(spec, options)));
  for (const wanted of options.recordTimes?.keys() ?? []) {
    // A time that no input takes would leave the store of a mistyped one at its last offset.
    if (sources.some(({ name, participant }) => name === wanted || participant === wanted)) continue;
    throw usageError(
      `--record-time ${wanted}: no input is called that`,
      `the inputs are ${sources.map(({ name }) => name).join(', ')}`,
    );
  }
  return sources;
}
