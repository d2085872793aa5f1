/** What a remap is asked for. */
import type { SnapshotFileOptions } from '../contract/snapshotFile.js';
import type { ReadSourceOptions } from '../convert/sourceReading.js';
import type { PlanCompiler } from '../typed/typePlan.js';
import type { Mint } from './mint.js';
import type { PartyMap } from './partyMap.js';
import type { RemapCode } from './remapFindings.js';

export interface RemapOptions {
  readonly map: PartyMap;
  /** One input: a file. Several: a folder, one file per input, named like it. */
  readonly output: string;
  /** Where the id map goes. Default: next to the output. */
  readonly idMap?: string;
  readonly compiler?: PlanCompiler | undefined;
  readonly mint?: Mint | undefined;
  /** Version of minted ids. Default `V12`. */
  readonly mintVersion?: 'V10' | 'V11' | 'V12';
  readonly packageMap?: ReadonlyMap<string, string>;
  readonly synchronizerMap?: ReadonlyMap<string, string>;
  readonly synchronizerId?: string | undefined;
  readonly createdAt?: bigint | undefined;
  /** Codes that are no reason to refuse. */
  readonly allow?: ReadonlySet<RemapCode>;
  /** Refuse when any contract id would change. */
  readonly keepIds?: boolean;
  readonly read?: ReadSourceOptions;
  readonly file?: SnapshotFileOptions;
  readonly onProgress?: (pass: 1 | 2, contracts: number) => void;
  /**
   * Further threads that compute ids. Without it as many as pay, from some thousand contracts on; the result is the same
   * with any number.
   */
  readonly threads?: number;
  /** Takes the long way for every contract. For tests. */
  readonly longWay?: boolean;
}
