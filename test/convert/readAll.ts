/** Reads a whole source into memory, or expects it to be refused. */
import { readSource } from '../../src/convert/readSource.js';
import type { SourceContract } from '../../src/convert/sourceContract.js';
import type { ReadSourceOptions } from '../../src/convert/sourceReading.js';
import { AcsError } from '../../src/io/error.js';

export async function readAll(input: Uint8Array | string, options: ReadSourceOptions = {}) {
  const contracts: SourceContract[] = [];
  const facts = await readSource(input, (contract) => contracts.push(contract), options);
  return { contracts, facts };
}

export async function failure(
  input: Uint8Array | string,
  options: ReadSourceOptions = {},
): Promise<AcsError> {
  try {
    await readAll(input, options);
  } catch (error) {
    if (error instanceof AcsError) return error;
    throw error;
  }
  throw new Error('it was read');
}
