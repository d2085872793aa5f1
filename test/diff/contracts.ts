/** Contracts and snapshot files made for tests of comparison and repair. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll } from 'vitest';
import { type ContractInstance, encodeBlob } from '../../src/contract/contractInstance.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { writeAuthenticationData } from '../../src/hash/authenticationData.js';
import { withComputedId } from '../../src/hash/computeContractId.js';
import { encodeRecord } from '../../src/snapshot/encodeRecord.js';

export const SYNC = 'sync::1220aa';
export const OTHER_SYNC = 'other::1220bb';

export interface TestContract {
  instance: ContractInstance;
  synchronizerId?: string;
  reassignmentCounter?: bigint;
  representativePackageId?: string;
}

export function contractId(n: number): string {
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  return `00${digest(`d${n}`)}ca121220${digest(`s${n}`)}`;
}

export function instance(n: number, changes: Partial<ContractInstance> = {}): ContractInstance {
  return {
    serializationVersion: '2.1',
    contractId: contractId(n),
    packageName: 'iou',
    templateId: { packageId: 'ab'.repeat(32), moduleName: 'Iou', entityName: 'Iou' },
    createArgument: Buffer.from(`argument ${n}`),
    nonMaintainerSignatories: ['alice::1220aa'],
    nonSignatoryStakeholders: ['bob::1220bb'],
    createdAt: 1_700_000_000_000_000n + BigInt(n),
    authenticationData: Buffer.from(`salt ${n}`),
    ...changes,
  };
}

export function frame(contract: TestContract): Buffer {
  return encodeRecord({
    synchronizerId: contract.synchronizerId ?? SYNC,
    reassignmentCounter: contract.reassignmentCounter ?? 0n,
    createdEvent: {
      contractId: contract.instance.contractId,
      createdEventBlob: encodeBlob(contract.instance),
      representativePackageId: contract.representativePackageId ?? '',
    },
  });
}

export function snapshotBytes(contracts: readonly TestContract[]): Buffer {
  return gzipSync(Buffer.concat(contracts.map(frame)));
}

/** A folder that goes away after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'acs-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function writeSnapshot(path: string, contracts: readonly TestContract[]): string {
  writeFileSync(path, snapshotBytes(contracts));
  return path;
}

export function participant(name: string): string {
  return `${name}::1220${Buffer.from(name).toString('hex')}`;
}

/** A hosting map in its JSON shape: participants by name with the parties they host. */
export function hostingJson(hosts: Record<string, readonly string[]>, synchronizer = SYNC): unknown {
  return {
    synchronizer_id: synchronizer,
    participants: Object.fromEntries(
      Object.entries(hosts).map(([name, parties]) => [
        name,
        { participant_uid: participant(name), hosts: parties },
      ]),
    ),
  };
}

/** A contract whose id belongs to its content (version `ca11`: no package is needed to tell). */
export function authentic(
  n: number,
  signatories: readonly string[],
  observers: readonly string[],
): ContractInstance {
  const salt = createHash('sha256').update(`salt ${n}`).digest();
  return withComputedId(
    instance(n, {
      createArgument: encodeValue({
        kind: 'record',
        fields: [
          { kind: 'int64', value: BigInt(n) },
          { kind: 'list', items: [...signatories, ...observers].map((value) => ({ kind: 'party', value })) },
        ],
      }),
      nonMaintainerSignatories: [...new Set(signatories)].sort(),
      nonSignatoryStakeholders: [...new Set(observers)]
        .filter((party) => !signatories.includes(party))
        .sort(),
      authenticationData: writeAuthenticationData(salt),
    }),
    { version: 'V11' },
  );
}
