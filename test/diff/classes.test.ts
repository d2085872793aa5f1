/** The table of classes (commitments spec, section 5.5), row by row, for two and for three participants. */
import { describe, expect, it } from 'vitest';
import { hostingMapOf } from '../../src/commitment/hostingMap.js';
import { encodeBlob } from '../../src/contract/contractInstance.js';
import type { DiffClass } from '../../src/diff/classes.js';
import { diffInputs } from '../../src/diff/diff.js';
import type { Difference } from '../../src/diff/difference.js';
import type { DiffSource, InactiveStatus } from '../../src/diff/diffSource.js';
import {
  contractId,
  hostingJson,
  instance,
  OTHER_SYNC,
  participant,
  SYNC,
  type TestContract,
} from './contracts.js';

interface View {
  contracts: (TestContract & { inFlight?: boolean })[];
  inactive?: Record<string, InactiveStatus>;
}

/** A source that behaves as a store: it knows what is in flight, archived and purged. */
function view(name: string, { contracts, inactive }: View): DiffSource {
  return {
    name,
    kind: 'store',
    participant: participant(name),
    async read(sink) {
      for (const contract of contracts) {
        sink.contract({
          createdEventBlob: encodeBlob(contract.instance),
          synchronizerId: contract.synchronizerId ?? SYNC,
          reassignmentCounter: contract.reassignmentCounter ?? 0n,
          representativePackageId: contract.representativePackageId ?? '',
          inFlight: contract.inFlight === true,
        });
      }
      return { contracts: contracts.length, inFlightUnknown: 0, recordTimes: new Map() };
    },
    async inactive(ids) {
      return new Map(ids.flatMap((id) => (inactive?.[id] === undefined ? [] : [[id, inactive[id]]])));
    },
  };
}

const HOSTING = hostingMapOf(
  hostingJson({
    a: ['alice::1220aa'],
    b: ['bob::1220bb'],
    c: ['bob::1220bb', 'carol::1220cc'],
  }),
);

async function differences(views: Record<string, View>): Promise<Difference[]> {
  const found: Difference[] = [];
  await diffInputs(
    Object.entries(views).map(([name, content]) => view(name, content)),
    { hosting: HOSTING, onDifference: (difference) => void found.push(difference) },
  );
  return found;
}

const base: TestContract = { instance: instance(1) };
const id = contractId(1);

interface Row {
  name: string;
  other: View;
  expected?: DiffClass;
  classes?: DiffClass[];
  fields?: string[];
}

const ROWS: Row[] = [
  { name: 'same', other: { contracts: [base] } },
  {
    name: 'same, represented by another package',
    other: { contracts: [{ ...base, representativePackageId: 'cd'.repeat(32) }] },
  },
  {
    name: 'stakeholders differ',
    other: {
      contracts: [{ instance: instance(1, { nonSignatoryStakeholders: ['bob::1220bb', 'carol::1220cc'] }) }],
    },
    expected: 'stakeholders-differ',
  },
  ...(
    [
      ['argument', { createArgument: Buffer.from('other') }],
      ['package name', { packageName: 'iou2' }],
      ['template', { templateId: { packageId: 'ab'.repeat(32), moduleName: 'Iou', entityName: 'Iou2' } }],
      ['created at', { createdAt: 5n }],
      ['authentication data', { authenticationData: Buffer.from('x') }],
      [
        'signatories',
        { nonMaintainerSignatories: ['alice::1220aa', 'bob::1220bb'], nonSignatoryStakeholders: [] },
      ],
    ] as const
  ).map(
    ([field, changes]): Row => ({
      name: `content differs: ${field}`,
      other: { contracts: [{ instance: instance(1, changes as never) }] },
      expected: 'content-differs',
      fields: [field],
    }),
  ),
  {
    name: 'content differs: serialization version and key',
    other: {
      contracts: [
        {
          instance: instance(1, {
            serializationVersion: '2',
            nonMaintainerSignatories: [],
            key: { value: Buffer.from('k'), maintainers: ['alice::1220aa'], hash: Buffer.alloc(32, 7) },
          }),
        },
      ],
    },
    expected: 'content-differs',
    fields: ['serialization version', 'key'],
  },
  {
    name: 'counter differs',
    other: { contracts: [{ ...base, reassignmentCounter: 1n }] },
    expected: 'counter-differs',
  },
  {
    name: 'content and counter differ: the content comes first',
    other: { contracts: [{ instance: instance(1, { createdAt: 5n }), reassignmentCounter: 1n }] },
    expected: 'content-differs',
    classes: ['content-differs', 'counter-differs'],
  },
  {
    name: 'on another synchronizer',
    other: { contracts: [{ ...base, synchronizerId: OTHER_SYNC, reassignmentCounter: 1n }] },
    expected: 'other-synchronizer',
  },
  {
    name: 'in flight',
    other: { contracts: [{ ...base, reassignmentCounter: 1n, inFlight: true }] },
    expected: 'in-flight',
  },
  { name: 'only in', other: { contracts: [] }, expected: 'only-in' },
  {
    name: 'archived elsewhere',
    other: { contracts: [], inactive: { [id]: { state: 'archived', at: 7n } } },
    expected: 'archived-elsewhere',
  },
  {
    name: 'purged elsewhere',
    other: { contracts: [], inactive: { [id]: { state: 'purged' } } },
    expected: 'purged-elsewhere',
  },
];

describe('classes of a contract', () => {
  for (const row of ROWS) {
    it(`${row.name}, two participants`, async () => {
      for (const views of [
        { a: { contracts: [base] }, b: row.other },
        { a: row.other, b: { contracts: [base] } },
      ]) {
        const found = await differences(views);
        if (row.expected === undefined) expect(found).toEqual([]);
        else {
          expect(found).toHaveLength(1);
          expect(found[0]!.contractId).toBe(id);
          expect(found[0]!.class).toBe(row.expected);
          if (row.classes !== undefined) expect(found[0]!.classes).toEqual(row.classes);
          if (row.fields !== undefined) expect(found[0]!.fields).toEqual(row.fields);
          expect(found[0]!.pairs).toHaveLength(1);
        }
      }
    });

    it(`${row.name}, three participants`, async () => {
      const found = await differences({ a: { contracts: [base] }, b: { contracts: [base] }, c: row.other });
      if (row.expected === undefined) expect(found).toEqual([]);
      else {
        expect(found).toHaveLength(1);
        expect(found[0]!.class).toBe(row.expected);
        expect(found[0]!.pairs.map((pair) => [pair.left, pair.right, pair.class])).toEqual([
          [0, 2, row.expected],
          [1, 2, row.expected],
        ]);
      }
    });
  }

  it('names every class found between three participants', async () => {
    const found = await differences({
      a: { contracts: [base] },
      b: { contracts: [] },
      c: { contracts: [{ ...base, reassignmentCounter: 1n }] },
    });
    expect(found[0]!.classes).toEqual(['counter-differs', 'only-in']);
    expect(found[0]!.pairs.map((pair) => pair.class)).toEqual(['only-in', 'counter-differs', 'only-in']);
  });

  it('in flight on both sides is the same unless the counters or the synchronizers left differ', async () => {
    const flying = (counter: bigint, from = SYNC) => ({
      contracts: [{ ...base, reassignmentCounter: counter, inFlight: true, synchronizerId: from }],
    });
    expect((await differences({ a: flying(1n), b: flying(1n, OTHER_SYNC) }))[0]!.class).toBe('in-flight');
    expect(await differences({ a: flying(1n), b: flying(1n) })).toEqual([]);
    expect((await differences({ a: flying(1n), b: flying(2n) }))[0]!.class).toBe('in-flight');
  });

  it('leaves alone what only one participant hosts', async () => {
    const lonely = { instance: instance(2, { nonSignatoryStakeholders: [] }) };
    const found = await differences({ a: { contracts: [lonely] }, b: { contracts: [] } });
    expect(found).toEqual([]);
  });

  it('two participants that both lack a contract do not differ', async () => {
    const found = await differences({ a: { contracts: [base] }, b: { contracts: [] }, c: { contracts: [] } });
    expect(found[0]!.pairs.map((pair) => [pair.left, pair.right])).toEqual([
      [0, 1],
      [0, 2],
    ]);
  });
});
