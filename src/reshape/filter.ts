/**
 * `acs filter`: a snapshot with only the contracts that meet conditions. Kept records are copied byte for byte; the
 * result is one gzip member, whole or not at all. Memory does not grow with the file.
 */
import { manifestPath } from '../contract/manifest.js';
import { createSnapshotFile, type SnapshotFileOptions } from '../contract/snapshotFile.js';
import type { ByteInput } from '../io/input.js';
import { refuseInputAsOutput } from '../io/inputAsOutput.js';
import { compileConditions, type FilterConditions } from './conditions.js';
import { openReshapeInput, type ReshapeReadOptions } from './reshapeInput.js';

export interface FilterOptions {
  read?: ReshapeReadOptions;
  write?: SnapshotFileOptions;
  /**
   * What to do with the empty records of contracts in flight, which make a real import refuse the whole file
   * (running-nodes spec, "Import"). By default a plain copy (no condition) keeps them, so that its inflated bytes are
   * those of the input, and a filtered file, which nobody takes for the original, does not have them.
   */
  inFlight?: 'keep' | 'drop';
}

export interface FilterResult {
  input: string;
  output: string;
  /** Contracts read, kept and dropped; in-flight records are counted apart. */
  contracts: number;
  kept: number;
  dropped: number;
  /** Empty records of contracts in flight that were read; those that were copied; their places, the first 100. */
  inFlight: number;
  inFlightKept: number;
  inFlightRecords: number[];
  /** What party and synchronizer prefixes stood for. */
  resolved: Record<string, string>;
  /** Full party and synchronizer ids, and patterns of templates and packages, that nothing in the file meets. */
  unmatched: string[];
  /** Listed contract ids that the file does not hold. */
  missingContractIds: { count: number; first: string[] };
  compressedBytes: number;
  inflatedBytes: number;
  /** Path of the manifest, null when none was written. */
  manifestFile: string | null;
}

const MAX_LISTED = 100;

/**
 * Reads `input` once and writes `output`. Throws `NAME_*` for party or synchronizer prefixes that name none or several,
 * and whatever reading throws; then no output is left.
 */
export async function filterSnapshot(
  input: ByteInput,
  output: string,
  conditions: FilterConditions = {},
  options: FilterOptions = {},
): Promise<FilterResult> {
  await refuseInputAsOutput([input], output);
  const selection = compileConditions(conditions);
  const source = await openReshapeInput(input, options.read);
  const keepInFlight = (options.inFlight ?? (selection.none ? 'keep' : 'drop')) === 'keep';
  let inFlight = 0;
  let inFlightKept = 0;
  const inFlightRecords: number[] = [];
  let contracts = 0;
  let kept = 0;
  const origin = { ...source.origin };
  // The parties of the export no longer describe a part of it.
  if (!selection.none) delete origin.parties;
  const file = await createSnapshotFile(output, { origin, ...options.write });
  try {
    await source.scan(
      (record) => {
        if (record.inFlight) {
          if (inFlight++ < MAX_LISTED) inFlightRecords.push(record.index);
          if (!keepInFlight) return;
          inFlightKept++;
          file.writeRecord(record);
          return;
        }
        contracts++;
        if (!selection.keeps(record) || selection.ambiguous) return;
        kept++;
        file.writeRecord(record);
      },
      () => file.ready(),
    );
    const names = selection.finish();
    const written = await file.finish();
    return {
      input: source.name,
      output,
      contracts,
      kept,
      dropped: contracts - kept,
      inFlight,
      inFlightKept,
      inFlightRecords,
      ...names,
      missingContractIds: conditions.contractIds?.missing(MAX_LISTED) ?? { count: 0, first: [] },
      compressedBytes: written.compressedBytes,
      inflatedBytes: written.inflatedBytes,
      manifestFile: written.manifest === undefined ? null : manifestPath(output),
    };
  } catch (error) {
    await file.abort();
    throw error;
  }
}
