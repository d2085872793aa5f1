/** Views of participants in memory that know as much as a store: what is in flight, archived and purged. */
import { createHash } from 'node:crypto';
import { type ContractInstance, encodeBlob } from '../../src/contract/contractInstance.js';
import type { DiffSource, InactiveStatus } from '../../src/diff/diffSource.js';
import { participant, SYNC } from '../diff/contracts.js';

export interface ViewRow {
  instance: ContractInstance;
  synchronizerId?: string;
  reassignmentCounter?: bigint;
  inFlight?: boolean;
}

export function storeView(
  name: string,
  rows: readonly ViewRow[],
  inactive: Readonly<Record<string, InactiveStatus['state']>> = {},
  recordTimes: ReadonlyMap<string, bigint> = new Map(),
): DiffSource {
  const contracts = rows.map((row) => ({
    createdEventBlob: encodeBlob(row.instance),
    synchronizerId: row.synchronizerId ?? SYNC,
    reassignmentCounter: row.reassignmentCounter ?? 0n,
    representativePackageId: '',
    inFlight: row.inFlight === true,
  }));
  return {
    name,
    kind: 'store',
    participant: participant(name),
    async read(sink) {
      for (const contract of contracts) sink.contract(contract);
      return { contracts: contracts.length, inFlightUnknown: 0, recordTimes };
    },
    async inactive(ids) {
      return new Map(
        ids.flatMap((id) => (inactive[id] === undefined ? [] : [[id, { state: inactive[id] }]])),
      );
    },
    async digest() {
      const digest = createHash('sha256').update(JSON.stringify(inactive));
      for (const c of contracts)
        digest
          .update(c.createdEventBlob)
          .update(`${c.synchronizerId} ${c.reassignmentCounter} ${c.inFlight}`);
      return digest.digest('hex');
    },
  };
}

/** Every row a view shows, as text per contract. */
export async function rowsOf(view: DiffSource): Promise<Map<string, string[]>> {
  const rows = new Map<string, string[]>();
  const { rowSink } = await import('../../src/repair/simulatedView.js');
  await view.read(
    rowSink((row) => {
      const id = row.blob.contractId;
      const digest = createHash('sha256').update(row.bytes).digest('hex');
      const text = `${row.synchronizerId} ${row.reassignmentCounter} ${row.inFlight ? 'in-flight' : 'active'} ${digest}`;
      rows.set(id, [...(rows.get(id) ?? []), text].sort());
    }),
  );
  return rows;
}
