/** The differences of two opened commitments in the JSON of the Canton console's `compare`, which the mismatch runbook takes. */
import type { OpenCommitmentDiff, OpenCommitmentDifference } from './openCommitmentDiff.js';

/** Compares the two once, e.g. with `diffOpenCommitments`, and hands over each difference; always the same ones. */
export type DiffPass = (
  use: (difference: OpenCommitmentDifference) => unknown,
) => Promise<OpenCommitmentDiff>;

/**
 * Writes that JSON: one list after the other, so the files are compared once for each. `write` is awaited. Returns the
 * totals.
 */
export async function consoleComparison(
  pass: DiffPass,
  write: (text: string) => Promise<void>,
): Promise<OpenCommitmentDiff> {
  const lists = [
    ['cidsOnlyLocal', 'only-local'],
    ['cidsOnlyRemote', 'only-remote'],
    ['differentReassignmentCounters', 'counter-differs'],
  ] as const;
  let total: OpenCommitmentDiff | undefined;
  await write('{\n');
  for (const [index, [name, kind]] of lists.entries()) {
    await write(`  "${name}": [`);
    let first = true;
    total = await pass((d) => {
      if (d.kind !== kind) return undefined;
      const separator = first ? '' : ',';
      first = false;
      return write(`${separator}\n    "${d.contractId}"`);
    });
    await write(`${first ? '' : '\n  '}]${index < lists.length - 1 ? ',' : ''}\n`);
  }
  await write('}\n');
  return total!;
}
