/** What the passes of a remap share. */
import { BlobView } from '../contract/blob.js';
import type { ContractIdVersion } from '../contract/contractId.js';
import { type FindingCollector, findingCollector } from '../convert/findingCollector.js';
import { hasherFor } from '../hash/computeContractId.js';
import type { ContractHasher } from '../hash/contractHasher.js';
import { type Spill, spill } from './byteSpill.js';
import { ContractTable, ID_NEW, ID_PENDING } from './contractTable.js';
import type { PartyMap } from './partyMap.js';
import type { PrepareOptions, PrepareReport } from './prepareContract.js';
import { type KeyCollision, REMAP_CODES, type RemapCode } from './remapFindings.js';
import type { RemapOptions } from './remapOptions.js';
import { type TextParties, textParties } from './textParties.js';

/** A contract whose references are not all known yet. */
export interface PendingContract {
  number: number;
  /** Of its blob, with everything but the references changed. */
  handle: number;
  references: number[];
  changed: boolean;
  version: ContractIdVersion | undefined;
  representativePackageId: string;
}

export interface RemapState {
  readonly options: RemapOptions;
  readonly prepareOptions: PrepareOptions;
  readonly table: ContractTable;
  readonly pending: PendingContract[];
  /** The blobs of {@link pending}; to be closed. */
  readonly kept: Spill;
  readonly hasher: ContractHasher;
  /** Reused wherever a blob is looked at in passing. */
  readonly view: BlobView;
  /** Finds the parties that change in texts. */
  readonly texts: TextParties;
  readonly findings: FindingCollector<RemapCode>;
  readonly collisions: KeyCollision[];
  /** Every party seen. */
  readonly parties: Set<string>;
  /** Old ids as the source writes them, where that is no hex. */
  readonly sourceIds: Map<number, string>;
  /** Synchronizers and packages that were renamed, by their old ids. */
  readonly renamed: Set<string>;
  /** Different contracts read. */
  contracts: number;
  minted: number;
}

export function remapState(options: RemapOptions): RemapState {
  return {
    options,
    prepareOptions: {
      map: options.map,
      compiler: options.compiler,
      mint: options.mint,
      packageMap: options.packageMap,
      synchronizerMap: options.synchronizerMap,
      synchronizerId: options.synchronizerId,
      createdAt: options.createdAt,
      mintVersion: options.mintVersion ?? 'V12',
    },
    table: new ContractTable(),
    pending: [],
    kept: spill(),
    hasher: hasherFor(options.compiler?.packages),
    view: new BlobView(),
    texts: textParties(changingParties(options.map)),
    findings: findingCollector(),
    collisions: [],
    parties: new Set(),
    sourceIds: new Map(),
    renamed: new Set(),
    contracts: 0,
    minted: 0,
  };
}

/** The parties that become others. */
export function changingParties({ entries }: PartyMap): string[] {
  return entries.filter((entry) => entry.old !== entry.new).map((entry) => entry.old);
}

/** What was reported once is not reported again. */
export const SILENT: PrepareReport = {
  add: () => undefined,
  collision: () => undefined,
  party: () => undefined,
};

export function addFinding({ findings }: RemapState, code: RemapCode, example?: string): void {
  findings.add(code, REMAP_CODES[code], example);
}

/** Records of format A go the short way, unless packages change or parties merge. */
export function hasShortWay({ longWay, packageMap, map }: RemapOptions): boolean {
  return longWay !== true && (packageMap?.size ?? 0) === 0 && map.merged.size === 0;
}

/** The number of an id in hex. */
export function numberOf(table: ContractTable, id: string): number {
  return table.number(Buffer.from(id, 'hex'));
}

/** What a reference becomes, in hex; it stays while the new id is not known. */
export function resolvedId(table: ContractTable, id: string): string {
  const number = numberOf(table, id);
  return table.stateOf(number) === ID_PENDING ? id : table.newId(number);
}

/** The old id of a contract as its source writes it. */
export function sourceIdOf({ sourceIds, table }: RemapState, number: number): string {
  return sourceIds.get(number) ?? table.oldId(number);
}

/** The contracts with a new id, ascending by the old one as its source writes it. */
export function changedContracts(state: RemapState): Iterable<number> {
  const { table } = state;
  const numbers: number[] = [];
  for (let number = 0; number < table.size; number++) {
    if (table.isContract(number) && table.stateOf(number) === ID_NEW) numbers.push(number);
  }
  if (state.sourceIds.size === 0) return table.sortByOldId(numbers);
  const pairs = numbers.map((number) => [sourceIdOf(state, number), number] as const);
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.map(([, number]) => number);
}
