/** Streams of updates made for tests: contracts, their events, and `GetUpdatesResponse` messages as bytes. */
import { encodeBlob } from '../../src/contract/contractInstance.js';
import { formatMicros } from '../../src/contract/time.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { encodeLedgerJson } from '../../src/ledger/ledgerApiJson.js';
import { lengthDelimited } from '../../src/wire/lengthDelimited.js';

export const S1 = `one::1220${'11'.repeat(32)}`;
export const S2 = `two::1220${'22'.repeat(32)}`;
export const PACKAGE = 'ab'.repeat(32);
const FIRST = 1_767_000_000_000_000n;

export interface TestContract {
  id: string;
  signatories: string[];
  observers: string[];
  blob: Buffer;
  createdAt: bigint;
  entity: string;
  text: string;
}

export function contract(
  n: number,
  options: { signatories?: string[]; observers?: string[]; entity?: string; text?: string } = {},
): TestContract {
  const id = `00${n.toString(16).padStart(64, '0')}ca121220${(n * 7 + 1).toString(16).padStart(64, '0')}`;
  const signatories = options.signatories ?? ['alice::1220aa'];
  const observers = options.observers ?? ['bob::1220bb'];
  const entity = options.entity ?? 'Thing';
  const text = options.text ?? `thing ${n}`;
  const createdAt = FIRST + BigInt(n);
  const blob = encodeBlob({
    serializationVersion: '2.1',
    contractId: id,
    packageName: 'test',
    templateId: { packageId: PACKAGE, moduleName: 'Test.Main', entityName: entity },
    createArgument: encodeValue({
      kind: 'record',
      fields: [
        { kind: 'party', value: signatories[0] },
        { kind: 'text', value: text },
      ],
    }),
    nonMaintainerSignatories: signatories,
    nonSignatoryStakeholders: observers,
    createdAt,
    authenticationData: Buffer.from('0a', 'hex'),
  });
  return { id, signatories, observers, blob, createdAt, entity, text };
}

export function createdEvent(c: TestContract, offset: bigint, node = 0) {
  return {
    offset: offset.toString(),
    nodeId: node,
    contractId: c.id,
    templateId: { packageId: PACKAGE, moduleName: 'Test.Main', entityName: c.entity },
    createArguments: {
      fields: [{ value: { party: c.signatories[0] } }, { value: { text: c.text } }],
    },
    createdEventBlob: c.blob.toString('base64'),
    witnessParties: [...c.signatories, ...c.observers].sort(),
    signatories: c.signatories,
    observers: c.observers,
    createdAt: formatMicros(c.createdAt),
    packageName: 'test',
    acsDelta: true,
    representativePackageId: PACKAGE,
  };
}

/** One event of an update. */
export type Step =
  | { kind: 'create'; contract: TestContract }
  | { kind: 'archive'; contract: TestContract }
  | {
      kind: 'unassign' | 'assign';
      contract: TestContract;
      from: string;
      to: string;
      counter: bigint;
      id?: string;
      /** Unassign: null for a participant that will not see the assignment. Default: set. */
      exclusivity?: null;
      submitter?: string;
    };

export interface UpdateOptions {
  offset: bigint;
  synchronizer: string;
  /** Microseconds; default grows with the offset. */
  recordTime?: bigint;
  updateId?: string;
  workflowId?: string;
  /** Default: shortly before the record time. */
  effectiveAt?: bigint;
}

/** The JSON of one `GetUpdatesResponse`. */
export function updateJson(steps: readonly Step[], options: UpdateOptions): object {
  const { offset } = options;
  const recordTime = options.recordTime ?? FIRST + offset * 1000n;
  const common = {
    updateId: options.updateId ?? `1220${offset.toString(16).padStart(64, '0')}`,
    commandId: 'command',
    ...(options.workflowId === undefined ? {} : { workflowId: options.workflowId }),
    offset: offset.toString(),
    synchronizerId: options.synchronizer,
    recordTime: formatMicros(recordTime),
  };
  const moves = steps.some((s) => s.kind === 'assign' || s.kind === 'unassign');
  if (!moves) {
    return {
      transaction: {
        ...common,
        effectiveAt: formatMicros(options.effectiveAt ?? recordTime - 1n),
        events: steps.map((s, node) =>
          s.kind === 'create'
            ? { created: createdEvent(s.contract, offset, node) }
            : {
                archived: {
                  offset: offset.toString(),
                  nodeId: node,
                  contractId: s.contract.id,
                  templateId: {
                    packageId: PACKAGE,
                    moduleName: 'Test.Main',
                    entityName: s.contract.entity,
                  },
                  packageName: 'test',
                },
              },
        ),
      },
    };
  }
  return {
    reassignment: {
      ...common,
      events: steps.map((s, node) => {
        if (s.kind !== 'assign' && s.kind !== 'unassign') throw new Error('mixed update');
        const part = {
          reassignmentId: s.id ?? reassignmentIdOf(s.contract, s.counter),
          source: s.from,
          target: s.to,
          submitter: s.submitter ?? 'alice::1220aa',
          reassignmentCounter: s.counter.toString(),
        };
        if (s.kind === 'assign')
          return { assigned: { ...part, createdEvent: createdEvent(s.contract, offset, node) } };
        return {
          unassigned: {
            ...part,
            contractId: s.contract.id,
            templateId: { packageId: PACKAGE, moduleName: 'Test.Main', entityName: s.contract.entity },
            packageName: 'test',
            offset: offset.toString(),
            nodeId: node,
            ...(s.exclusivity === null
              ? {}
              : { assignmentExclusivity: formatMicros(recordTime + 60_000_000n) }),
          },
        };
      }),
    },
  };
}

function reassignmentIdOf(c: TestContract, counter: bigint): string {
  return `001220${c.id.slice(10, 66)}${counter.toString(16).padStart(8, '0')}`;
}

export function checkpointJson(offset: bigint, times: Record<string, bigint> = {}): object {
  return {
    offsetCheckpoint: {
      offset: offset.toString(),
      synchronizerTimes: Object.entries(times).map(([synchronizerId, time]) => ({
        synchronizerId,
        recordTime: formatMicros(time),
      })),
    },
  };
}

/** Length-delimited protobuf of messages given as JSON. */
export function streamOf(messages: readonly object[]): Buffer {
  return Buffer.concat(
    messages.map((message) => {
      const body = encodeLedgerJson('GetUpdatesResponse', message);
      // The length prefix is what follows the tag of a bytes field.
      return lengthDelimited(1, body).subarray(1);
    }),
  );
}

/** One update per step, at the offsets 10, 20, 30 … */
export function oneByOne(steps: readonly Step[], firstOffset = 10n): object[] {
  return steps.map((step, i) =>
    updateJson([step], {
      offset: firstOffset + BigInt(i) * 10n,
      synchronizer: step.kind === 'assign' ? step.to : step.kind === 'unassign' ? step.from : syncOf(step),
    }),
  );
}

/** Where creates and archives of {@link oneByOne} happen; set with {@link on}. */
const places = new WeakMap<Step, string>();

export function on(synchronizer: string, step: Step): Step {
  places.set(step, synchronizer);
  return step;
}

function syncOf(step: Step): string {
  return places.get(step) ?? S1;
}
