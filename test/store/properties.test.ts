/** Random streams: the algebra of changes, replays, and the equality of ways to the same state. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendUpdates } from '../../src/store/append.js';
import { activeRows, countActive, countByTemplate, resolveQuestion } from '../../src/store/ask.js';
import { changesBetween } from '../../src/store/changes.js';
import { checkStore } from '../../src/store/check.js';
import { type Db, withStore } from '../../src/store/open.js';
import { resetTo } from '../../src/store/rewind.js';
import { contract, S1, S2, type Step, streamOf, type TestContract, updateJson } from './streams.js';
import { storePath } from './temporaryStore.js';

const PARTIES = ['alice', 'bob', 'carol', 'dave'].map((p) => `${p}::1220aa`);
const ENTITIES = ['Thing', 'Deal', 'Note'];

/** A legal history of one participant on two synchronizers, made from random numbers. */
function history(numbers: readonly number[]): object[] {
  interface Live {
    contract: TestContract;
    sync: string;
    counter: bigint;
    flying?: string;
  }
  const live: Live[] = [];
  const messages: object[] = [];
  let offset = 0n;
  let made = 0;
  for (const n of numbers) {
    offset += BigInt(1 + (n % 3));
    const pick = live[n % Math.max(1, live.length)];
    const what = Math.floor(n / 7) % 10;
    let steps: Step[];
    let synchronizer: string;
    if (pick === undefined || what < 4) {
      const k = ++made;
      const c = contract(k, {
        signatories: [PARTIES[k % 4]],
        observers: k % 5 === 0 ? [] : [PARTIES[(k + 1 + (n % 3)) % 4]].filter((p) => p !== PARTIES[k % 4]),
        entity: ENTITIES[k % 3],
      });
      synchronizer = n % 2 === 0 ? S1 : S2;
      steps = [{ kind: 'create', contract: c }];
      live.push({ contract: c, sync: synchronizer, counter: 0n });
    } else if (pick.flying !== undefined) {
      synchronizer = pick.flying;
      steps = [
        { kind: 'assign', contract: pick.contract, from: pick.sync, to: pick.flying, counter: pick.counter },
      ];
      pick.sync = pick.flying;
      delete pick.flying;
    } else if (what < 7) {
      synchronizer = pick.sync;
      steps = [{ kind: 'archive', contract: pick.contract }];
      live.splice(live.indexOf(pick), 1);
    } else {
      synchronizer = pick.sync;
      const to = pick.sync === S1 ? S2 : S1;
      pick.counter += 1n;
      pick.flying = to;
      steps = [{ kind: 'unassign', contract: pick.contract, from: pick.sync, to, counter: pick.counter }];
    }
    messages.push(updateJson(steps, { offset, synchronizer }));
  }
  return messages;
}

const numbers = (maxLength: number) =>
  fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength });

interface Filter {
  parties?: string[];
  templates?: string[];
  synchronizers?: string[];
}

const filters: fc.Arbitrary<Filter> = fc.record(
  {
    parties: fc.subarray(PARTIES, { minLength: 1 }),
    templates: fc.subarray(
      ENTITIES.map((e) => `#test:Test.Main:${e}`),
      { minLength: 1 },
    ),
    synchronizers: fc.subarray([S1, S2], { minLength: 1 }),
  },
  { requiredKeys: [] },
);

function answer(db: Db, offset: bigint, filter: Filter): Set<string> {
  const q = resolveQuestion(db, undefined, { ...filter, offset });
  const rows = [...activeRows(db, q)].map(
    (r) => `${r.contractId} ${r.synchronizer} ${r.reassignmentCounter}`,
  );
  expect(countActive(db, q)).toBe(rows.length);
  expect(countByTemplate(db, q).reduce((sum, c) => sum + c.contracts, 0)).toBe(rows.length);
  expect(new Set(rows).size).toBe(rows.length);
  return new Set(rows);
}

async function storeOf(messages: readonly object[], batch = 1000): Promise<string> {
  const path = storePath();
  await appendUpdates(path, [streamOf(messages)], { source: 'p', begin: 0n, batch });
  return path;
}

describe('random histories', () => {
  it('ACS(b) = ACS(a) + added - removed, for random filters and offsets', async () => {
    await fc.assert(
      fc.asyncProperty(
        numbers(120),
        filters,
        fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
        async (list, filter, [x, y]) => {
          const path = await storeOf(history(list));
          await withStore(path, {}, ({ db }) => {
            const { head } = resolveQuestion(db, undefined, {}).source;
            const at = (share: number) => BigInt(Math.floor(Number(head) * share));
            const [a, b] = [at(Math.min(x, y)), at(Math.max(x, y))];
            const expected = answer(db, a, filter);
            for (const change of changesBetween(db, { ...filter, from: a, to: b })) {
              const line = (p: { synchronizer: string; reassignmentCounter: bigint }) =>
                `${change.contractId} ${p.synchronizer} ${p.reassignmentCounter}`;
              for (const place of change.before) expect(expected.delete(line(place))).toBe(true);
              for (const place of change.after) expected.add(line(place));
            }
            expect([...expected].sort()).toEqual([...answer(db, b, filter)].sort());
          });
        },
      ),
      { numRuns: 20, endOnFailure: true },
    );
  });

  it('any prefix twice, any batch size, and reset-to with a replay: the same state', async () => {
    await fc.assert(
      fc.asyncProperty(numbers(60), fc.integer({ min: 1, max: 20 }), fc.nat(), async (list, batch, cut) => {
        const messages = history(list);
        const whole = (await checkStore(await storeOf(messages))).digests.p;
        const path = await storeOf(messages.slice(0, 1 + (cut % messages.length)), batch);
        await appendUpdates(path, [streamOf(messages)], { source: 'p', batch });
        const check = await checkStore(path);
        expect(check.problems.filter((p) => p.level === 'E')).toEqual([]);
        expect(check.digests.p).toBe(whole);
        const head = await withStore(path, {}, ({ db }) => resolveQuestion(db, undefined, {}).source.head);
        await resetTo(path, { offset: head / 2n, apply: true });
        expect((await checkStore(path)).problems.filter((p) => p.level === 'E')).toEqual([]);
        await appendUpdates(path, [streamOf(messages)], { source: 'p' });
        expect((await checkStore(path)).digests.p).toBe(whole);
      }),
      { numRuns: 6, endOnFailure: true },
    );
  });

  it('ten thousand events: looking back equals having stopped there', async () => {
    let seed = 7;
    const list = Array.from({ length: 10_000 }, () => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return seed;
    });
    const messages = history(list);
    const path = await storeOf(messages);
    const half = await storeOf(messages.slice(0, 5000));
    const filter = { parties: [PARTIES[1]], templates: ['#test:Test.Main:Deal'] };
    const stopped = await withStore(half, {}, ({ db }) => {
      const { head } = resolveQuestion(db, undefined, {}).source;
      return { head, all: answer(db, head, {}), some: answer(db, head, filter) };
    });
    await withStore(path, {}, ({ db }) => {
      expect(answer(db, stopped.head, {})).toEqual(stopped.all);
      expect(answer(db, stopped.head, filter)).toEqual(stopped.some);
    });
    expect((await checkStore(path)).problems.filter((p) => p.level === 'E')).toEqual([]);
  });
});
