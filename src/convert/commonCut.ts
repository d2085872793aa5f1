/** Whether several reads can be of one moment (legacy-import spec, 1.1, traps). */
import type { SourceFacts } from './readSource.js';
import type { SourceFinding } from './sourceContract.js';

/**
 * The finding `NO_COMMON_CUT`, or undefined. JSON API v1 answers name no moment at all; the others do, but offsets of
 * different participants cannot be compared: only files of one form with different offsets are reported.
 */
export function commonCutFinding(inputs: readonly SourceFacts[]): SourceFinding | undefined {
  const undated = inputs.filter(({ format }) => format === 'json-api-v1');
  if (undated.length > 1) {
    return {
      code: 'NO_COMMON_CUT',
      message:
        '/v1/query answers name no moment: contracts created or archived between two calls are missing or double',
      count: undated.length,
      examples: undated.slice(0, 10).map(({ file }) => file),
    };
  }
  const moments = new Map<string, Set<string>>();
  for (const { format, offset } of inputs) {
    if (offset === undefined) continue;
    const known = moments.get(format);
    if (known === undefined) moments.set(format, new Set([offset]));
    else known.add(offset);
  }
  const differing = [...moments].find(([, offsets]) => offsets.size > 1);
  if (differing === undefined) return undefined;
  return {
    code: 'NO_COMMON_CUT',
    message: `the ${differing[0]} inputs were read at different offsets (${[...differing[1]].slice(0, 3).join(', ')}): unless they are of different participants, contracts are missing or double`,
    count: differing[1].size,
    examples: inputs
      .filter(({ format }) => format === differing[0])
      .map(({ file }) => file)
      .slice(0, 10),
  };
}
