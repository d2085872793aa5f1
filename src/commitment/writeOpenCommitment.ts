/** Writing the contracts that two participants share into a file, as an opened commitment. */
import { createAtomicFile } from '../io/atomicFile.js';
import type { ByteInput } from '../io/input.js';
import { refuseInputAsOutput } from '../io/inputAsOutput.js';
import { type OpenCommitmentForm, openCommitmentLine, openCommitmentMessage } from './openCommitment.js';
import { type OpenSnapshotOptions, openSnapshot } from './openSnapshot.js';

/**
 * Writes what {@link openSnapshot} finds to `output`, whole or not at all, in the form that a node streams or in the one
 * that the console writes (one JSON object per line, no line feed behind the last). Returns how many contracts they are.
 */
export async function writeOpenCommitment(
  input: ByteInput,
  output: string,
  form: OpenCommitmentForm,
  options: OpenSnapshotOptions,
): Promise<number> {
  await refuseInputAsOutput([input], output);
  const file = await createAtomicFile(output);
  try {
    let first = true;
    const contracts = await openSnapshot(input, options, async (batch) => {
      if (form === 'node') await file.write(Buffer.concat(batch.map(openCommitmentMessage)));
      else await file.write(Buffer.from(`${first ? '' : '\n'}${batch.map(openCommitmentLine).join('\n')}`));
      first = false;
    });
    await file.commit();
    return contracts;
  } catch (error) {
    await file.abort();
    throw error;
  }
}
