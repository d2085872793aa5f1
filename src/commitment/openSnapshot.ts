/** Opening a commitment offline: the contracts of a snapshot that two participants share. */
import { ContractView } from '../contract/contractView.js';
import type { ByteInput } from '../io/input.js';
import { type ScanOptions, scanSnapshot } from '../snapshot/scan.js';
import { type HostingMap, hostsOfParties, participantUid } from './hostingMap.js';
import type { OpenedContract } from './openCommitment.js';

export interface OpenSnapshotOptions {
  hosting: HostingMap;
  /** Name, uid or id of the participant whose snapshot this is. */
  participant: string;
  counterParticipant: string;
  /** Logical synchronizer id. */
  synchronizer: string;
  scan?: ScanOptions;
}

/**
 * Hands over every contract on the synchronizer with a stakeholder hosted by each of the two participants, in file order,
 * and returns how many they are. `write` is awaited once per chunk of input.
 */
export async function openSnapshot(
  input: ByteInput,
  options: OpenSnapshotOptions,
  write: (contracts: OpenedContract[]) => Promise<void>,
): Promise<number> {
  const participant = participantUid(options.hosting, options.participant);
  const counterParticipant = participantUid(options.hosting, options.counterParticipant);
  const contract = new ContractView();
  let batch: OpenedContract[] = [];
  let count = 0;
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const full = batch;
    batch = [];
    await write(full);
  };
  await scanSnapshot(
    input,
    (record) => {
      if (record.inFlight || record.synchronizerId !== options.synchronizer) return;
      contract.of(record);
      const instance = contract.hasBlob ? contract.blob : undefined;
      const stakeholders =
        instance === undefined
          ? [...contract.signatories, ...contract.observers]
          : [...instance.signatories, ...instance.nonSignatoryStakeholders];
      const hosts = hostsOfParties(options.hosting, stakeholders);
      if (!hosts.has(participant) || !hosts.has(counterParticipant)) return;
      count++;
      batch.push({
        contractId: instance?.contractId ?? contract.contractId,
        reassignmentCounter: BigInt.asIntN(64, record.reassignmentCounter),
      });
    },
    { ...options.scan, afterChunk: flush },
  );
  await flush();
  return count;
}
