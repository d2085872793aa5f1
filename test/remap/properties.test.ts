import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BlobView } from '../../src/contract/blob.js';
import { type ContractInstance, encodeBlob } from '../../src/contract/contractInstance.js';
import type { LfValue } from '../../src/contract/value.js';
import { decodeValue } from '../../src/contract/valueDecoder.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { authenticate } from '../../src/hash/authenticate.js';
import { writeAuthenticationData } from '../../src/hash/authenticationData.js';
import { withComputedId } from '../../src/hash/computeContractId.js';
import { partyMap } from '../../src/remap/partyMap.js';
import { remapContracts } from '../../src/remap/remap.js';
import { compareUntyped, ValueRemapper } from '../../src/remap/remapValue.js';
import { encodeRecord } from '../../src/snapshot/encodeRecord.js';
import { readAll } from '../convert/readAll.js';

const OLD = Array.from({ length: 6 }, (_, i) => `p${i}::1220${'aa'.repeat(32)}`);
/** The order of the new ids is not that of the old ones, so that maps have to be sorted again. */
const NEW = OLD.map((_, i) => `q${(i * 5 + 3) % 7}::1220${'bb'.repeat(32)}`);
const toNew = new Map(OLD.map((party, i) => [party, NEW[i]]));
const toOld = new Map(OLD.map((party, i) => [NEW[i], party]));

const scalar: fc.Arbitrary<LfValue> = fc.oneof(
  fc.constant<LfValue>({ kind: 'unit' }),
  fc.boolean().map((value): LfValue => ({ kind: 'bool', value })),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((value): LfValue => ({ kind: 'int64', value })),
  fc.integer({ min: -719162, max: 2932896 }).map((value): LfValue => ({ kind: 'date', value })),
  fc.bigInt(-62135596800000000n, 253402300799999999n).map((value): LfValue => ({ kind: 'timestamp', value })),
  fc.integer({ min: -999, max: 999 }).map((n): LfValue => ({ kind: 'numeric', value: `${n}.50` })),
  fc.constantFrom(...OLD).map((value): LfValue => ({ kind: 'party', value })),
  fc
    .string()
    .filter((t) => !t.includes('\0'))
    .map((value): LfValue => ({ kind: 'text', value })),
  fc.constantFrom('Red', 'Green').map((tag): LfValue => ({ kind: 'enum', tag })),
);

/** Keys of one map have one type; enums and variants need a package to be ordered. */
const keyLists: fc.Arbitrary<LfValue[]> = fc.oneof(
  fc.array(fc.constantFrom(...OLD).map((value): LfValue => ({ kind: 'party', value }))),
  fc.array(fc.integer().map((n): LfValue => ({ kind: 'int64', value: BigInt(n) }))),
  fc.array(
    fc.tuple(fc.constantFrom(...OLD), fc.integer({ min: 0, max: 3 })).map(
      ([party, n]): LfValue => ({
        kind: 'record',
        fields: [
          { kind: 'int64', value: BigInt(n) },
          { kind: 'optional', value: { kind: 'party', value: party } },
        ],
      }),
    ),
  ),
  fc.array(
    fc
      .array(
        fc.constantFrom(...OLD).map((value): LfValue => ({ kind: 'party', value })),
        { maxLength: 3 },
      )
      .map((items): LfValue => ({ kind: 'list', items })),
  ),
);

const { value } = fc.letrec<{ value: LfValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.option(tie('value')).map((inner): LfValue => ({ kind: 'optional', value: inner })),
    fc.array(tie('value'), { maxLength: 4 }).map((items): LfValue => ({ kind: 'list', items })),
    fc.array(tie('value'), { maxLength: 4 }).map((fields): LfValue => ({ kind: 'record', fields })),
    fc
      .tuple(fc.constantFrom('Left', 'Right'), tie('value'))
      .map(([tag, inner]): LfValue => ({ kind: 'variant', tag, value: inner })),
    fc
      .uniqueArray(
        fc.tuple(
          fc.string().filter((t) => !t.includes('\0')),
          tie('value'),
        ),
        { selector: ([key]) => key, maxLength: 4 },
      )
      .map((entries): LfValue => ({ kind: 'textMap', entries })),
    fc
      .tuple(keyLists, fc.array(tie('value'), { minLength: 1, maxLength: 4 }))
      .map(([keys, values]): LfValue => {
        const sorted = [...keys]
          .sort(compareUntyped)
          .filter((key, i, all) => i === 0 || compareUntyped(all[i - 1], key) !== 0);
        return { kind: 'genMap', entries: sorted.map((key, i) => [key, values[i % values.length]]) };
      }),
  ),
}));

function partiesOf(of: LfValue): string[] {
  const found: string[] = [];
  new ValueRemapper({
    party: (party) => {
      found.push(party);
      return party;
    },
    contractId: (id) => id,
    keyCollision: () => undefined,
  }).remap(of);
  return found;
}

/** Every GenMap inside has strictly ascending keys. */
function sortedMaps(of: LfValue): boolean {
  switch (of.kind) {
    case 'genMap':
      return of.entries.every(
        ([key, item], i) =>
          (i === 0 || compareUntyped(of.entries[i - 1][0], key) < 0) && sortedMaps(key) && sortedMaps(item),
      );
    case 'textMap':
      return of.entries.every(([, item]) => sortedMaps(item));
    case 'list':
      return of.items.every(sortedMaps);
    case 'record':
      return of.fields.every(sortedMaps);
    case 'variant':
      return sortedMaps(of.value);
    case 'optional':
      return of.value === null || sortedMaps(of.value);
    default:
      return true;
  }
}

const remapWith = (map: Map<string, string>) =>
  new ValueRemapper({
    party: (party) => map.get(party) ?? party,
    contractId: (id) => id,
    keyCollision: () => {
      throw new Error('collision');
    },
  });

describe('remapping random values of every kind', () => {
  it('leaves no old party in a typed position, keeps the number of parties, sorts maps, and comes back', () => {
    const there = remapWith(toNew);
    const back = remapWith(toOld);
    fc.assert(
      fc.property(value, (original) => {
        const mapped = there.remap(original);
        const parties = partiesOf(mapped);
        expect(parties.every((party) => toOld.has(party))).toBe(true);
        expect(parties.map((party) => toOld.get(party)).sort()).toEqual(partiesOf(original).sort());
        expect(sortedMaps(mapped)).toBe(true);
        expect(encodeValue(back.remap(mapped))).toEqual(encodeValue(original));
        if (parties.length === 0) expect(mapped).toBe(original);
      }),
      { numRuns: 300 },
    );
  });
});

describe('remapping random ledgers', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'acs-remap-props-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const SYNC = `s::1220${'cc'.repeat(32)}`;

  interface Draft {
    argument: LfValue;
    signatories: string[];
    observers: string[];
    /** Contracts before this one that it refers to. */
    refersTo: number[];
    version: 'ca10' | 'ca11';
  }

  const draft: fc.Arbitrary<Draft> = fc.record({
    argument: value,
    signatories: fc.uniqueArray(fc.constantFrom(...OLD), { minLength: 1, maxLength: 3 }),
    observers: fc.uniqueArray(fc.constantFrom(...OLD), { maxLength: 3 }),
    refersTo: fc.array(fc.nat({ max: 30 }), { maxLength: 2 }),
    version: fc.constantFrom('ca10' as const, 'ca11' as const),
  });

  function build(drafts: Draft[]): ContractInstance[] {
    const contracts: ContractInstance[] = [];
    drafts.forEach((d, i) => {
      const references =
        i === 0
          ? []
          : d.refersTo.map((n): LfValue => ({ kind: 'contractId', value: contracts[n % i].contractId }));
      const observers = d.observers.filter((party) => !d.signatories.includes(party));
      contracts.push(
        withComputedId({
          serializationVersion: '2.1',
          contractId: `00${Buffer.alloc(32, i + 1).toString('hex')}${d.version}1220${'00'.repeat(32)}`,
          packageName: 'p',
          templateId: { packageId: '11'.repeat(32), moduleName: 'M', entityName: 'T' },
          createArgument: encodeValue({
            kind: 'record',
            fields: [d.argument, { kind: 'list', items: references }],
          }),
          nonMaintainerSignatories: [...d.signatories].sort(),
          nonSignatoryStakeholders: observers.sort(),
          createdAt: BigInt(i) * 1000n,
          authenticationData: writeAuthenticationData(Buffer.alloc(32, i + 7)),
        }),
      );
    });
    return contracts;
  }

  function write(name: string, contracts: readonly ContractInstance[]): string {
    const frames = contracts.map((c) =>
      encodeRecord({
        synchronizerId: SYNC,
        reassignmentCounter: 0n,
        createdEvent: { contractId: c.contractId, createdEventBlob: encodeBlob(c) },
      }),
    );
    const file = join(folder, name);
    writeFileSync(file, gzipSync(Buffer.concat(frames)));
    return file;
  }

  const map = partyMap([...toNew].map(([old, fresh]) => ({ old, new: fresh })));
  const inverse = partyMap([...toNew].map(([old, fresh]) => ({ old: fresh, new: old })));

  it('every contract is valid, every reference resolves, no old party is left, and it comes back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(draft, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        async (drafts, reversed) => {
          const contracts = build(drafts);
          const order = reversed ? [...contracts].reverse() : contracts;
          const input = write('in.acs.gz', order);
          const output = join(folder, 'out.acs.gz');
          const result = await remapContracts([input], { map, output, allow: new Set(['TEXT_PARTY']) });
          expect(result.refused).toEqual([]);
          expect(result.newIds).toBe(contracts.length);
          const made = (await readAll(output)).contracts;
          const ids = new Set(made.map((c) => c.contractId));
          expect(ids.size).toBe(contracts.length);
          for (const [i, contract] of made.entries()) {
            const instance = contract.instance as ContractInstance;
            expect(authenticate(new BlobView().parse(contract.blob as Buffer)).code).not.toBe('MISMATCH');
            expect(withComputedId(instance).contractId).toBe(instance.contractId);
            expect(instance.contractId.slice(0, 66)).toBe(order[i].contractId.slice(0, 66));
            expect(
              [...instance.nonMaintainerSignatories, ...instance.nonSignatoryStakeholders].every((party) =>
                toOld.has(party),
              ),
            ).toBe(true);
            const argument = decodeValue(instance.createArgument);
            expect(partiesOf(argument).every((party) => toOld.has(party))).toBe(true);
            const references = (argument as LfValue & { kind: 'record' }).fields[1] as LfValue & {
              kind: 'list';
            };
            for (const item of references.items)
              expect(ids.has((item as { value: string }).value)).toBe(true);
          }
          const back = join(folder, 'back.acs.gz');
          await remapContracts([output], { map: inverse, output: back, allow: new Set(['TEXT_PARTY']) });
          expect((await readAll(back)).contracts.map((c) => c.blob)).toEqual(
            (await readAll(input)).contracts.map((c) => c.blob),
          );
        },
      ),
      { numRuns: 25 },
    );
  });

  it('a reference to a contract of another input is followed', async () => {
    const [first, second] = build([
      { argument: { kind: 'unit' }, signatories: [OLD[0]], observers: [], refersTo: [], version: 'ca10' },
      { argument: { kind: 'unit' }, signatories: [OLD[1]], observers: [], refersTo: [0], version: 'ca11' },
    ]);
    const result = await remapContracts([write('b.acs.gz', [second]), write('a.acs.gz', [first])], {
      map,
      output: join(folder, 'two'),
    });
    expect(result.refused).toEqual([]);
    const [b] = (await readAll(result.outputs[0].output)).contracts;
    const [a] = (await readAll(result.outputs[1].output)).contracts;
    expect(b.blob?.includes(Buffer.from(a.contractId, 'hex'))).toBe(true);
  });

  it('references in a circle are corrupt input', async () => {
    const ids = [1, 2].map((n) => `00${Buffer.alloc(32, n).toString('hex')}ca101220${'00'.repeat(32)}`);
    const outside = `00${Buffer.alloc(32, 9).toString('hex')}ca101220${'00'.repeat(32)}`;
    const circle = [outside, ...ids].map(
      (id, i): ContractInstance => ({
        ...build([
          { argument: { kind: 'unit' }, signatories: [OLD[0]], observers: [], refersTo: [], version: 'ca10' },
        ])[0],
        contractId: id,
        createArgument: encodeValue({ kind: 'record', fields: [{ kind: 'contractId', value: ids[i % 2] }] }),
      }),
    );
    await expect(
      remapContracts([write('c.acs.gz', circle)], {
        map,
        output: join(folder, 'c.out'),
        allow: new Set(['NOT_AUTHENTIC']),
      }),
    ).rejects.toMatchObject({
      code: 'REFERENCE_CYCLE',
      found: `${ids[0]} → ${ids[1]} → ${ids[0]}`,
      place: { contractId: ids[0] },
    });
  });

  it('a text with an old party is refused with its place, also inside a longer text', async () => {
    const text = `{"payTo":"${OLD[2]}"}`;
    const [contract] = build([
      {
        argument: { kind: 'list', items: [{ kind: 'text', value: text }] },
        signatories: [OLD[0]],
        observers: [],
        refersTo: [],
        version: 'ca10',
      },
    ]);
    const result = await remapContracts([write('t.acs.gz', [contract])], {
      map,
      output: join(folder, 't.out'),
    });
    expect(result.refused).toEqual(['TEXT_PARTY']);
    expect(result.findings.find((f) => f.code === 'TEXT_PARTY')?.examples[0]).toContain(
      `at [0][0]: ${OLD[2]}`,
    );
  });

  it('the id map is complete and sorted', async () => {
    const contracts = build(
      Array.from({ length: 5 }, (_, i) => ({
        argument: { kind: 'unit' } as LfValue,
        signatories: [OLD[i]],
        observers: [],
        refersTo: [],
        version: 'ca10' as const,
      })),
    );
    const output = join(folder, 'm.acs.gz');
    await remapContracts([write('m-in.acs.gz', contracts)], { map, output, idMap: join(folder, 'ids.csv') });
    const lines = readFileSync(join(folder, 'ids.csv'), 'utf8').trim().split('\n').slice(1);
    expect(lines.map((line) => line.split(',')[0])).toEqual(contracts.map((c) => c.contractId).sort());
    const ids = (await readAll(output)).contracts.map((c) => c.contractId).sort();
    expect(lines.map((line) => line.split(',')[1]).sort()).toEqual(ids);
  });
});
