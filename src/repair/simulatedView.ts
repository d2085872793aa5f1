/** A participant's view after its part of a plan: the input, changed as the real participant would change it. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { BlobView } from '../contract/blob.js';
import { ContractView } from '../contract/contractView.js';
import type { DiffSink, DiffSource, InactiveStatus } from '../diff/diffSource.js';
import { AcsError } from '../io/error.js';
import { readChunks } from '../io/input.js';
import type { RecordView } from '../snapshot/record.js';
import { scanSnapshot } from '../snapshot/scan.js';
import { checkFileDigests, requireDigest, sha256OfFile, sha256OfInflated } from './fileDigests.js';
import {
  changeAssignation,
  type ImportRow,
  importContracts,
  type ModelContract,
  type OperationOutcome,
  purgeContracts,
} from './participantModel.js';
import type { PlanParticipant } from './planJson.js';
import { readLines } from './repairScripts.js';

export interface SimulatedView {
  view: DiffSource;
  outcomes: OperationOutcome[];
}

const LOOKUP_BATCH = 500;
/** Most files are short, and there are many of them. */
const CHUNK_BYTES = 1 << 16;

/**
 * Does the operations of `participant` (files in `folder`) on a copy of `source`. `hosts` tells whether the participant
 * hosts one of the parties. Throws `PLAN_CHANGED` when a file is not the one the plan was made with and
 * `SIMULATE_REFUSED` when the participant would refuse an operation.
 */
export async function simulateParticipant(
  source: DiffSource,
  folder: string,
  participant: PlanParticipant,
  hosts: (parties: readonly string[]) => boolean,
): Promise<SimulatedView> {
  const lists = await readLists(folder, participant, hosts);
  await checkFileDigests(join(folder, participant.folder));
  const contracts = new Map<string, ModelContract>();
  for (const list of lists) {
    for (const id of list.ids) contracts.set(id, { states: [], contentDigest: undefined, hosted: false });
  }
  await fillStates(source, contracts, hosts);
  const outcomes = lists.map((list) => list.apply(contracts));
  const imports = participant.operations
    .filter((operation) => operation.op === 'import')
    .map((operation) => join(folder, participant.folder, operation.file));
  return { view: changedView(source, contracts, imports), outcomes };
}

interface OperationList {
  ids: readonly string[];
  apply(contracts: Map<string, ModelContract>): OperationOutcome;
}

async function readLists(
  folder: string,
  { name, operations, folder: own }: PlanParticipant,
  hosts: (parties: readonly string[]) => boolean,
): Promise<OperationList[]> {
  const lists: OperationList[] = [];
  for (const operation of operations) {
    const path = join(folder, own, operation.file);
    requireDigest(
      path,
      operation.sha256,
      await (operation.op === 'import' ? sha256OfInflated(path) : sha256OfFile(path)),
    );
    const { synchronizerId } = operation;
    if (operation.op === 'purge') {
      const ids: string[] = [];
      for await (const line of readLines(path)) ids.push(line);
      lists.push({ ids, apply: (contracts) => purgeContracts(name, contracts, synchronizerId, ids) });
    } else if (operation.op === 'import') {
      const rows = await readImport(path, hosts);
      lists.push({
        ids: rows.map((row) => row.contractId),
        apply: (contracts) => importContracts(name, contracts, synchronizerId, rows),
      });
    } else {
      const moves = new Map<string, bigint>();
      for await (const line of readLines(path)) {
        const entry = JSON.parse(line) as { id: string; reassignmentCounterOverride: string };
        moves.set(entry.id, BigInt(entry.reassignmentCounterOverride));
      }
      lists.push({
        ids: [...moves.keys()],
        apply: (contracts) =>
          changeAssignation(name, contracts, synchronizerId, operation.targetSynchronizerId, moves),
      });
    }
  }
  return lists;
}

async function readImport(
  path: string,
  hosts: (parties: readonly string[]) => boolean,
): Promise<ImportRow[]> {
  const rows: ImportRow[] = [];
  const view = new ContractView();
  await scanImport(path, (record) => {
    const { blob } = view.of(record);
    rows.push({
      contractId: blob.contractId,
      synchronizer: record.synchronizerId,
      reassignmentCounter: BigInt.asIntN(64, record.reassignmentCounter),
      contentDigest: digestOf(record.createdEventBlob!),
      hosted: hosts(blob.stakeholders),
    });
  });
  return rows;
}

async function scanImport(path: string, visit: (record: RecordView) => void): Promise<void> {
  await scanSnapshot(readChunks(path, CHUNK_BYTES), visit, { chunkBytes: CHUNK_BYTES });
}

function digestOf(blob: Buffer): string {
  return createHash('sha256').update(blob).digest('hex').slice(0, 32);
}

/** The states in which the input shows the touched contracts. */
async function fillStates(
  source: DiffSource,
  contracts: ReadonlyMap<string, ModelContract>,
  hosts: (parties: readonly string[]) => boolean,
): Promise<void> {
  await source.read(
    rowSink((row) => {
      const contract = contracts.get(row.blob.contractId);
      if (contract === undefined) return;
      contract.states.push({
        synchronizer: row.synchronizerId,
        state: row.inFlight ? 'in-flight' : 'active',
        reassignmentCounter: row.reassignmentCounter,
      });
      contract.contentDigest = digestOf(row.bytes);
      contract.hosted = hosts(row.blob.stakeholders);
    }),
  );
  if (source.inactive === undefined) return;
  const missing = [...contracts].filter(([, contract]) => contract.states.length === 0).map(([id]) => id);
  for (let from = 0; from < missing.length; from += LOOKUP_BATCH) {
    const known = await source.inactive(missing.slice(from, from + LOOKUP_BATCH));
    for (const [id, status] of known) {
      // Which synchronizer it was on does not matter: archived is archived, purged may be added anywhere.
      contracts.get(id)!.states.push({ synchronizer: '', state: status.state, reassignmentCounter: 0n });
    }
  }
}

interface Row {
  blob: BlobView;
  bytes: Buffer;
  synchronizerId: string;
  reassignmentCounter: bigint;
  representativePackageId: string;
  inFlight: boolean;
  /** Shows the row unchanged. */
  pass(sink: DiffSink): void;
}

/** A sink that sees records and contracts alike. The row is valid during the call only. */
export function rowSink(use: (row: Row) => void): DiffSink {
  const contractView = new ContractView();
  const blobView = new BlobView();
  return {
    record(record: RecordView) {
      if (record.inFlight) return;
      use({
        blob: contractView.of(record).blob,
        bytes: record.createdEventBlob!,
        synchronizerId: record.synchronizerId,
        reassignmentCounter: BigInt.asIntN(64, record.reassignmentCounter),
        representativePackageId: record.representativePackageId,
        inFlight: false,
        pass: (sink) => sink.record(record),
      });
    },
    opened() {
      throw new AcsError('PLAN_NO_PAYLOAD', 'an opened commitment shows no contracts to repair');
    },
    contract(contract) {
      use({
        blob: blobView.parse(contract.createdEventBlob),
        bytes: contract.createdEventBlob,
        synchronizerId: contract.synchronizerId,
        reassignmentCounter: contract.reassignmentCounter,
        representativePackageId: contract.representativePackageId,
        inFlight: contract.inFlight === true,
        pass: (sink) => sink.contract(contract),
      });
    },
  };
}

function changedView(
  source: DiffSource,
  contracts: ReadonlyMap<string, ModelContract>,
  imports: readonly string[],
): DiffSource {
  return {
    name: source.name,
    kind: source.kind,
    participant: source.participant,
    parties: source.parties,

    async read(sink, afterChunk) {
      const shown = new Set<string>();
      let count = 0;
      const showOnce = (row: Row, contract: ModelContract): void => {
        const id = row.blob.contractId;
        if (shown.has(id)) return;
        shown.add(id);
        for (const state of contract.states) {
          if (state.state !== 'active' && state.state !== 'in-flight') continue;
          count++;
          sink.contract({
            createdEventBlob: row.bytes,
            synchronizerId: state.synchronizer,
            reassignmentCounter: state.reassignmentCounter,
            representativePackageId: row.representativePackageId,
            inFlight: state.state === 'in-flight',
          });
        }
      };
      const facts = await source.read(
        rowSink((row) => {
          const contract = contracts.get(row.blob.contractId);
          if (contract === undefined) {
            count++;
            row.pass(sink);
          } else showOnce(row, contract);
        }),
        afterChunk,
      );
      for (const path of imports) {
        const added = rowSink((row) => showOnce(row, contracts.get(row.blob.contractId)!));
        await scanImport(path, (record) => added.record(record));
      }
      return { ...facts, contracts: count };
    },

    async inactive(ids) {
      const known = new Map<string, InactiveStatus>();
      const others: string[] = [];
      for (const id of ids) {
        const contract = contracts.get(id);
        if (contract === undefined) others.push(id);
        else {
          const state = contract.states.find((s) => s.state === 'archived' || s.state === 'purged');
          if (state !== undefined) known.set(id, { state: state.state as 'archived' | 'purged' });
        }
      }
      if (others.length > 0 && source.inactive !== undefined) {
        for (const [id, status] of await source.inactive(others)) known.set(id, status);
      }
      return known;
    },
  };
}
