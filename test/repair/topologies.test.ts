/**
 * Any participants, parties, hosting and differences, under every policy: after the plan nothing differs that must be
 * shared, commitments agree, nothing else changed, and the way back restores the inputs.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { hostingMapOf } from '../../src/commitment/hostingMap.js';
import type { ContractInstance } from '../../src/contract/contractInstance.js';
import type { InactiveStatus } from '../../src/diff/diffSource.js';
import { makePlan } from '../../src/repair/plan.js';
import { readPlan } from '../../src/repair/planJson.js';
import { parsePolicy } from '../../src/repair/policy.js';
import { simulatePlan } from '../../src/repair/simulate.js';
import { authentic, hostingJson, OTHER_SYNC, participant, SYNC } from '../diff/contracts.js';
import { rowsOf, storeView, type ViewRow } from './views.js';

const NAMES = ['p1', 'p2', 'p3', 'p4'];
const PARTIES = ['alice::1220aa', 'bob::1220bb', 'carol::1220cc', 'dave::1220dd'];

const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const folder = mkdtempSync(join(memory, 'acs-topologies-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Shown =
  | { kind: 'active'; counter: number; other: boolean }
  | { kind: 'in-flight'; counter: number }
  | { kind: 'absent' | 'archived' | 'purged' };

const shown: fc.Arbitrary<Shown> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('active' as const),
      counter: fc.constantFrom(0, 0, 0, 1, 3),
      other: fc.constant(false),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('active' as const),
      counter: fc.nat(3),
      other: fc.constant(true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('in-flight' as const),
      counter: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('absent' as const, 'archived' as const, 'purged' as const),
    }),
  },
);

const topology = fc.integer({ min: 2, max: 4 }).chain((count) =>
  fc.record({
    names: fc.constant(NAMES.slice(0, count)),
    hosts: fc.array(fc.subarray(NAMES.slice(0, count), { minLength: 1 }), { minLength: 4, maxLength: 4 }),
    contracts: fc.array(
      fc.record({
        signatories: fc.subarray(PARTIES, { minLength: 1, maxLength: 2 }),
        observers: fc.subarray(PARTIES, { maxLength: 2 }),
        states: fc.array(shown, { minLength: count, maxLength: count }),
      }),
      { maxLength: 6 },
    ),
    lost: fc.boolean(),
  }),
);

/** 1 000 topologies, a quarter for each policy; side by side, since much of the time is spent waiting for files. */
describe.concurrent('plans for any topology', () => {
  it.each(['union', 'intersection', 'majority', 'prefer'])(
    'agree by %s, touch nothing else, and can be taken back',
    { timeout: 600_000 },
    async (kind) => {
      let round = 0;
      const made = new Map<string, ContractInstance>();
      const contractOf = (n: number, signatories: string[], observers: string[]): ContractInstance => {
        const key = `${n} ${signatories} / ${observers}`;
        let contract = made.get(key);
        if (contract === undefined) {
          contract = authentic(n, signatories, observers);
          made.set(key, contract);
        }
        return contract;
      };
      await fc.assert(
        fc.asyncProperty(topology, async ({ names, hosts, contracts, lost }) => {
          const policy = kind === 'prefer' ? `prefer:${[...names].reverse().join()}` : kind;
          const parties = Object.fromEntries(
            names.map((name) => [name, PARTIES.filter((_, i) => hosts[i]!.includes(name))]),
          );
          const hosting = hostingMapOf(hostingJson(parties));
          let inFlight = 0;
          const views = names.map((name, p) => {
            const rows: ViewRow[] = [];
            const inactive: Record<string, InactiveStatus['state']> = {};
            contracts.forEach(({ signatories, observers, states }, n) => {
              const stakeholders = [...signatories, ...observers];
              // A participant shows what it hosts.
              if (!stakeholders.some((party) => parties[name]!.includes(party))) return;
              const instance = contractOf(n, signatories, observers);
              const state = states[p]!;
              if (state.kind === 'active') {
                rows.push({
                  instance,
                  synchronizerId: state.other ? OTHER_SYNC : SYNC,
                  reassignmentCounter: BigInt(state.counter),
                });
              } else if (state.kind === 'in-flight') {
                inFlight++;
                rows.push({ instance, reassignmentCounter: BigInt(state.counter), inFlight: true });
              } else if (state.kind !== 'absent') inactive[instance.contractId] = state.kind;
            });
            return storeView(name, rows, inactive);
          });
          const target = join(folder, `${kind}-${round++}`);
          await makePlan(views, target, {
            hosting,
            policy: parsePolicy(policy, participant),
            scripts: false,
            targetSynchronizer: lost ? 'new::1220ff' : undefined,
          });
          const simulation = await simulatePlan(target, [...views].reverse(), { inverse: true });
          expect(simulation.different).toBe(0);
          expect(simulation.commitmentsEqual).toBe(true);
          expect(simulation.leftBehind).toEqual({});
          if (inFlight === 0) expect(simulation.inverseDiffers).toBe(0);
          else expect(simulation.inverseDiffers).toBeLessThanOrEqual(inFlight);
          const plan = await readPlan(target);
          const decided = new Map(plan.decisions.map((decision) => [decision.contractId, decision]));
          for (const [p, name] of names.entries()) {
            const before = await rowsOf(views[p]!);
            const after = await rowsOf(simulation.views.find((view) => view.name === name)!);
            for (const id of new Set([...before.keys(), ...after.keys()])) {
              const decision = decided.get(id);
              const actions = decision?.actions[name];
              if (actions === undefined) expect(after.get(id)).toEqual(before.get(id));
              else if (decision!.agreed!.state === 'inactive') expect(after.get(id)).toBeUndefined();
              else {
                const { synchronizerId, reassignmentCounter } = decision!.agreed!;
                expect(after.get(id)).toHaveLength(1);
                expect(after.get(id)![0]).toMatch(
                  new RegExp(`^${synchronizerId} ${reassignmentCounter} active `),
                );
              }
            }
          }
          rmSync(target, { recursive: true, force: true });
        }),
        { numRuns: 250 },
      );
    },
  );
});
