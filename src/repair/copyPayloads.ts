/**
 * Copying payloads into import files. What is imported is authenticated first: its id has to belong to its content, else
 * a participant would refuse it, or take something nobody signed.
 */
import { BlobView } from '../contract/blob.js';
import { ContractView } from '../contract/contractView.js';
import type { PackageSet } from '../dar/type.js';
import type { DiffSink, DiffSource } from '../diff/diffSource.js';
import { authenticate } from '../hash/authenticate.js';
import type { Verdict } from '../hash/verdict.js';
import { AcsError } from '../io/error.js';
import { encodeRecord } from '../snapshot/encodeRecord.js';
import type { ParticipantFiles } from './planFolder.js';

/** A row that has to be written, with the payload of one input. */
export interface PayloadNeed {
  contractId: string;
  /** The participant (position of its input) that imports it. */
  input: number;
  synchronizer: string;
  reassignmentCounter: bigint;
  direction: 'forward' | 'inverse';
}

const SHOWN = 5;

type Refusal = Pick<Verdict, 'reason' | 'packageId'> & { code: string };

/**
 * `needs` per input that has the payload. Rows come in the order of the inputs, then of their contracts. Throws
 * `PLAN_PAYLOAD_UNAUTHENTIC` for contracts that a participant is to get anew, `PLAN_STALE` when an input no longer shows
 * a contract.
 */
export async function copyPayloads(
  inputs: readonly DiffSource[],
  needs: readonly (readonly PayloadNeed[])[],
  files: { forward: readonly ParticipantFiles[]; inverse: readonly ParticipantFiles[] },
  packages: PackageSet | undefined,
): Promise<void> {
  const refused: { contractId: string; verdict: Refusal }[] = [];
  for (const [position, input] of inputs.entries()) {
    const wanted = new Map<string, PayloadNeed[]>();
    for (const need of needs[position]!) {
      const list = wanted.get(need.contractId);
      if (list === undefined) wanted.set(need.contractId, [need]);
      else list.push(need);
    }
    if (wanted.size === 0) continue;
    const pending: Promise<void>[] = [];
    await input.read(
      payloadSink((contractId, blob, representativePackageId, view) => {
        const list = wanted.get(contractId);
        if (list === undefined) return;
        wanted.delete(contractId);
        if (list.some((need) => need.direction === 'forward')) {
          const verdict = verdictOn(view, representativePackageId, packages);
          if (verdict.code !== 'VALID') refused.push({ contractId, verdict });
        }
        for (const need of list) {
          const frame = encodeRecord({
            synchronizerId: need.synchronizer,
            reassignmentCounter: need.reassignmentCounter,
            createdEvent: { contractId, createdEventBlob: blob, representativePackageId },
          });
          const opening = files[need.direction][need.input]!.import(
            frame,
            need.synchronizer,
            need.reassignmentCounter,
          );
          if (opening !== undefined) pending.push(opening);
        }
      }),
      async () => {
        await Promise.all(pending.splice(0));
        for (const file of [...files.forward, ...files.inverse]) await file.ready();
      },
    );
    await Promise.all(pending);
    if (wanted.size > 0) {
      throw new AcsError('PLAN_STALE', `the input ${input.name} changed while the plan was made`, {
        contractId: [...wanted.keys()].sort()[0],
      });
    }
  }
  if (refused.length > 0) throw unauthentic(refused);
}

/** A content that cannot even be decoded is refused like one of another id. */
function verdictOn(
  view: BlobView,
  representativePackageId: string,
  packages: PackageSet | undefined,
): Refusal {
  try {
    return authenticate(
      view,
      packages === undefined ? { representativePackageId } : { representativePackageId, packages },
    );
  } catch (error) {
    if (error instanceof AcsError) return { code: error.code, reason: error.message };
    throw error;
  }
}

function unauthentic(refused: { contractId: string; verdict: Refusal }[]): AcsError {
  refused.sort((a, b) => (a.contractId < b.contractId ? -1 : 1));
  const packages = new Set(refused.map(({ verdict }) => verdict.packageId).filter((id) => id !== undefined));
  const legacy = refused.some(({ verdict }) => verdict.code === 'UNSUPPORTED_VERSION');
  return new AcsError(
    'PLAN_PAYLOAD_UNAUTHENTIC',
    `${refused.length} contracts to import could not be authenticated${legacy ? ' (D13: ids of Canton 2.x)' : ''}`,
    {
      expected: 'ids that belong to their contents',
      found: refused
        .slice(0, SHOWN)
        .map(
          ({ contractId, verdict }) =>
            `${contractId}: ${verdict.code}${verdict.reason === undefined ? '' : ` (${verdict.reason})`}`,
        )
        .join('; '),
      hint:
        packages.size > 0
          ? `give the DARs with --dar; wanted are the packages ${[...packages].sort().slice(0, SHOWN).join(', ')}`
          : 'look at them with `acs verify`; a participant would refuse them',
    },
  );
}

/** A sink that shows id, blob and representative package of every contract. The blob is valid during the call only. */
export function payloadSink(
  use: (contractId: string, blob: Buffer, representativePackageId: string, view: BlobView) => void,
): DiffSink {
  const contractView = new ContractView();
  const blobView = new BlobView();
  return {
    record(record) {
      if (record.inFlight) return;
      const view = contractView.of(record).blob;
      use(view.contractId, record.createdEventBlob!, record.representativePackageId, view);
    },
    opened() {
      throw new AcsError('PLAN_NO_PAYLOAD', 'an opened commitment shows no payloads');
    },
    contract(contract) {
      const view = blobView.parse(contract.createdEventBlob);
      use(view.contractId, contract.createdEventBlob, contract.representativePackageId, view);
    },
  };
}
