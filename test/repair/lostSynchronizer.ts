/**
 * The ledger of docs/recover-lost-synchronizer.md: six IOUs between Alice (participant1) and Bob (participant2). Made
 * here, with ids that a participant would compute too; `fixtures/lost-synchronizer` holds the files.
 */
import { createHash } from 'node:crypto';
import type { ContractInstance } from '../../src/contract/contractInstance.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import type { PackageSet } from '../../src/dar/type.js';
import { writeAuthenticationData } from '../../src/hash/authenticationData.js';
import { withComputedId } from '../../src/hash/computeContractId.js';

export const LOST = `lost-sync::1220${'11'.repeat(32)}`;
export const NEW = `new-sync::1220${'22'.repeat(32)}`;
const NAMESPACE = ['aa', 'bb'].map((byte) => `1220${byte.repeat(32)}`);
export const ALICE = `alice::${NAMESPACE[0]}`;
export const BOB = `bob::${NAMESPACE[1]}`;
const IOU_PACKAGE = '0e004d4f1312221fb630102c5dd9c685f56c1e1d45065eccce630692391711dd';

export const HOSTING = {
  synchronizer_id: LOST,
  participants: {
    participant1: { participant_uid: `participant1::${NAMESPACE[0]}`, hosts: [ALICE] },
    participant2: { participant_uid: `participant2::${NAMESPACE[1]}`, hosts: [BOB] },
  },
};

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function iou(issuer: string, owner: string, amount: number, packages: PackageSet): ContractInstance {
  return withComputedId(
    {
      serializationVersion: '2.1',
      contractId: `00${sha256(`discriminator ${amount}`).toString('hex')}ca121220${'00'.repeat(32)}`,
      packageName: 'acme-iou',
      templateId: { packageId: IOU_PACKAGE, moduleName: 'Acme.Iou', entityName: 'Iou' },
      createArgument: encodeValue({
        kind: 'record',
        fields: [
          { kind: 'party', value: issuer },
          { kind: 'party', value: owner },
          { kind: 'text', value: 'USD' },
          { kind: 'numeric', value: `${amount}.0000000000` },
          { kind: 'list', items: [] },
        ],
      }),
      nonMaintainerSignatories: [issuer],
      nonSignatoryStakeholders: [owner],
      createdAt: 1_767_225_600_000_000n + BigInt(amount),
      authenticationData: writeAuthenticationData(sha256(`salt ${amount}`)),
    },
    { packages, version: 'V12' },
  );
}

/** IOUs from Alice to Bob over 100, 120 and 140, and back over 110, 130 and 150; by contract id. */
export function ious(packages: PackageSet): ContractInstance[] {
  return [
    ...[100, 120, 140].map((amount) => iou(ALICE, BOB, amount, packages)),
    ...[110, 130, 150].map((amount) => iou(BOB, ALICE, amount, packages)),
  ].sort((a, b) => (a.contractId < b.contractId ? -1 : 1));
}
