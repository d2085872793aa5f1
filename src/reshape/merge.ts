/**
 * `acs merge`: several snapshots in one. Records keep their order, file after file; of equal contracts the first record
 * stays. Equal is what an import consumes: blob, representative package, synchronizer and counter; offset and witnesses
 * differ between two exports of the same contract and do not count.
 */
import { ContractView } from '../contract/contractView.js';
import { manifestPath } from '../contract/manifest.js';
import { createSnapshotFile, type SnapshotFileOptions } from '../contract/snapshotFile.js';
import { AcsError, describePlace, type Place, usageError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import { refuseInputAsOutput } from '../io/inputAsOutput.js';
import type { RecordView } from '../snapshot/record.js';
import { Interner } from '../wire/interner.js';
import { contractPlaces } from './contractPlaces.js';
import { openReshapeInput, type ReshapeReadOptions } from './reshapeInput.js';

export interface MergeOptions {
  /** All members of a file are read unless `members` says otherwise: joining them is what merging is for. */
  read?: ReshapeReadOptions;
  write?: SnapshotFileOptions;
}

export interface MergedInput {
  file: string;
  contracts: number;
  /** Contracts met before, in an earlier file or earlier in this one. */
  duplicates: number;
  inFlight: number;
  gzipMembers: number;
}

export interface MergeResult {
  output: string;
  inputs: MergedInput[];
  /** Contracts written. */
  contracts: number;
  duplicates: number;
  /** Empty records of contracts in flight; never written, since Canton refuses a file with one. */
  inFlight: number;
  /** Contracts that are active on more than one synchronizer; each of their records is kept. */
  severalSynchronizers: { count: number; first: SeveralSynchronizers[] };
  compressedBytes: number;
  inflatedBytes: number;
  /** Path of the manifest, null when none was written. */
  manifestFile: string | null;
}

export interface SeveralSynchronizers {
  contractId: string;
  places: [Place, Place];
}

const MAX_LISTED = 20;

/**
 * Throws `MERGE_CONFLICT`, naming both records, when a contract occurs twice on one synchronizer with different content;
 * then nothing is written. Memory: see {@link contractPlaces}.
 */
export async function mergeSnapshots(
  inputs: readonly ByteInput[],
  output: string,
  options: MergeOptions = {},
): Promise<MergeResult> {
  if (inputs.length === 0) throw usageError('nothing to merge');
  await refuseInputAsOutput(inputs, output);
  const places = contractPlaces();
  const synchronizers = new Interner(65_535);
  const contract = new ContractView();
  const merged: MergedInput[] = [];
  /** Ordinal of the first record of each input. */
  const firstOrdinals: number[] = [];
  const severalSynchronizers: MergeResult['severalSynchronizers'] = { count: 0, first: [] };
  let ordinal = 0;

  function placeOf(number: number): Place {
    let file = firstOrdinals.length - 1;
    while (firstOrdinals[file] > number) file--;
    return { file: merged[file].file, record: number - firstOrdinals[file] };
  }

  /** True when the record is to be written. */
  function isNew(record: RecordView, own: number): boolean {
    contract.of(record);
    const synchronizer = synchronizers.id(record.buf, record.synchronizerStart, record.synchronizerEnd);
    const met = places.meet(contract, synchronizer < 0 ? 65_535 : synchronizer, own);
    if (met.kind === 'new') return true;
    if (met.kind === 'duplicate') {
      merged[merged.length - 1].duplicates++;
      return false;
    }
    if (met.kind === 'conflict') throw conflict(contract, placeOf(met.ordinal), placeOf(own));
    if (severalSynchronizers.count++ < MAX_LISTED) {
      severalSynchronizers.first.push({
        contractId: contract.contractId,
        places: [placeOf(met.ordinal), placeOf(own)],
      });
    }
    return true;
  }

  const file = await createSnapshotFile(output, options.write);
  let written = 0;
  try {
    for (const input of inputs) {
      const source = await openReshapeInput(input, { members: 'all', ...options.read });
      const counts: MergedInput = {
        file: source.name,
        contracts: 0,
        duplicates: 0,
        inFlight: 0,
        gzipMembers: 0,
      };
      merged.push(counts);
      firstOrdinals.push(ordinal);
      const facts = await source.scan(
        (record) => {
          const own = ordinal++;
          if (record.inFlight) {
            counts.inFlight++;
            return;
          }
          counts.contracts++;
          if (!isNew(record, own)) return;
          file.writeRecord(record);
          written++;
        },
        () => file.ready(),
      );
      counts.gzipMembers = facts.gzip.members.length;
    }
    const result = await file.finish();
    return {
      output,
      inputs: merged,
      contracts: written,
      duplicates: merged.reduce((sum, input) => sum + input.duplicates, 0),
      inFlight: merged.reduce((sum, input) => sum + input.inFlight, 0),
      severalSynchronizers,
      compressedBytes: result.compressedBytes,
      inflatedBytes: result.inflatedBytes,
      manifestFile: result.manifest === undefined ? null : manifestPath(output),
    };
  } catch (error) {
    await file.abort();
    throw error;
  }
}

function conflict(contract: ContractView, first: Place, second: Place): AcsError {
  const { record } = contract;
  return new AcsError('MERGE_CONFLICT', 'a contract occurs twice with different content', {
    ...second,
    byteOffset: record.offset,
    stream: 'inflated',
    contractId: contract.contractId,
    expected: `the content of ${describePlace(first)}`,
    found: `another content in ${describePlace(second)} (counter ${BigInt.asIntN(64, record.reassignmentCounter)}, represented by ${contract.representativePackageId || 'its creation package'})`,
    hint: 'the exports were made at different offsets, or one was altered: compare the files, or take out the wrong record with `acs filter --contract ID --invert`',
  });
}
