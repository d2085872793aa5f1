/**
 * Proving a plan without a node: every participant's operations are done on a copy of its input by the rules of the real
 * participant, then the copies are compared again and their commitments computed.
 */
import { join } from 'node:path';
import { commitmentsOf } from '../commitment/commitments.js';
import { GroupStates } from '../commitment/groups.js';
import { type HostingMap, hostingMapOf } from '../commitment/hostingMap.js';
import { diffInputs } from '../diff/diff.js';
import type { DiffSource } from '../diff/diffSource.js';
import type { DiffSummary } from '../diff/summary.js';
import { AcsError, usageError } from '../io/error.js';
import { sha256OfFile } from './fileDigests.js';
import type { OperationOutcome } from './participantModel.js';

import { INVERSE_FOLDER, PLAN_FILE, type PlanJson, readPlan } from './planJson.js';
import { rowSink, simulateParticipant } from './simulatedView.js';

export interface SimulateOptions {
  memoryBytes?: number | undefined;
  temporaryFolder?: string | undefined;
  /** Go on with the way back and compare with the inputs. */
  inverse?: boolean | undefined;
}

/** What two participants send each other about one synchronizer; null: nothing is shared. */
export interface PredictedCommitment {
  synchronizerId: string;
  left: string;
  right: string;
  /** 34-byte multihash, hex: as left computes it, as right does. */
  before: readonly [string | null, string | null];
  after: readonly [string | null, string | null];
  equal: boolean;
}

export interface Simulation {
  participants: { name: string; operations: OperationOutcome[] }[];
  /** Per synchronizer what differs after the plan. */
  after: DiffSummary[];
  /** Contracts that still differ, of those the plan is about. */
  different: number;
  /** Contracts that differ on other synchronizers and were not compared for the plan. */
  differentOutside: number;
  commitments: PredictedCommitment[];
  /** On the synchronizer compared and on the target; others are told, not counted. */
  commitmentsEqual: boolean;
  /** Contracts still on the synchronizer that was to be left, by participant; empty without target synchronizer. */
  leftBehind: Record<string, number>;
  /** Contracts in which the state after plan and way back differs from the inputs; null when not asked for. */
  inverseDiffers: number | null;
  /** The views after the plan, by participant. */
  views: DiffSource[];
}

/**
 * Simulates the plan in `folder` on `sources`, one per participant of the plan in any order. Throws `PLAN_STALE` when an
 * input is not what the plan was made from, `PLAN_CHANGED`, `PLAN_MALFORMED`, `SIMULATE_REFUSED`.
 */
export async function simulatePlan(
  folder: string,
  sources: readonly DiffSource[],
  options: SimulateOptions = {},
): Promise<Simulation> {
  const plan = await readPlan(folder);
  if (plan.kind !== 'plan') {
    throw new AcsError('PLAN_MALFORMED', 'this is the way back of a plan', {
      file: folder,
      hint: 'simulate the plan itself with --inverse',
      exitCode: 2,
    });
  }
  const hosting = hostingMapOf(plan.hosting);
  const inputs = await matchInputs(plan, sources);
  const done = await applyPlan(plan, folder, inputs, hosting);
  const views = done.map(({ view }) => view);
  const synchronizers = Object.keys(plan.aliases);
  const touched = new Set(plan.decisions.map((decision) => decision.contractId));
  const after: DiffSummary[] = [];
  let different = 0;
  let differentOutside = 0;
  for (const synchronizer of synchronizers) {
    const summary = await diffInputs(views, {
      ...options,
      hosting,
      synchronizer,
      allowSkew: true,
      onDifference: ({ contractId }) => {
        // Contracts that were on other synchronizers only are not what the plan is about.
        if (synchronizer === plan.synchronizerId || touched.has(contractId)) different++;
        else differentOutside++;
      },
    });
    after.push(summary);
  }
  const commitments = await predictCommitments(inputs, views, hosting, synchronizers);
  const planned = [plan.synchronizerId, plan.targetSynchronizerId];
  return {
    participants: plan.participants.map(({ name }, i) => ({ name, operations: done[i]!.outcomes })),
    after,
    different,
    differentOutside,
    commitments,
    commitmentsEqual: commitments.every((pair) => pair.equal || !planned.includes(pair.synchronizerId)),
    leftBehind: plan.targetSynchronizerId === null ? {} : await countOn(views, plan.synchronizerId),
    inverseDiffers:
      options.inverse === true ? await wayBack(plan, folder, inputs, views, hosting, options) : null,
    views,
  };
}

/** The inputs in the order of the plan, checked to be those it was made from. */
async function matchInputs(plan: PlanJson, sources: readonly DiffSource[]): Promise<DiffSource[]> {
  const inputs: DiffSource[] = [];
  for (const input of plan.inputs) {
    const [source, second] = sources.filter((s) => s.participant === input.participant);
    if (second !== undefined)
      throw usageError(`two inputs are views of ${input.name}`, 'give one view per participant');
    if (source === undefined) {
      throw new AcsError('PLAN_STALE', 'an input of the plan is missing', { expected: input.participant });
    }
    const digest = await source.digest?.();
    if (digest !== input.digest) {
      throw new AcsError('PLAN_STALE', `the input of ${input.name} is not the one the plan was made from`, {
        file: source.path,
        expected: `SHA-256 ${input.digest}`,
        found: digest ?? 'unknown',
        hint: 'contracts may have changed since: make the plan anew',
      });
    }
    inputs.push(Object.create(source, { name: { value: input.name } }) as DiffSource);
  }
  return inputs;
}

async function applyPlan(
  plan: PlanJson,
  folder: string,
  inputs: readonly DiffSource[],
  hosting: HostingMap,
): Promise<Awaited<ReturnType<typeof simulateParticipant>>[]> {
  const done: Awaited<ReturnType<typeof simulateParticipant>>[] = [];
  for (const [i, participant] of plan.participants.entries()) {
    const hosts = (parties: readonly string[]): boolean =>
      parties.some((party) =>
        hosting.parties.get(party)?.some((h) => h.participant === participant.participant),
      );
    done.push(await simulateParticipant(inputs[i]!, folder, participant, hosts));
  }
  return done;
}

/** Does the inverse plan on top; returns how many contracts are not as they were. */
async function wayBack(
  plan: PlanJson,
  folder: string,
  inputs: readonly DiffSource[],
  views: readonly DiffSource[],
  hosting: HostingMap,
  options: SimulateOptions,
): Promise<number> {
  const inverseFolder = join(folder, INVERSE_FOLDER);
  const inverse = await readPlan(inverseFolder);
  const planDigest = await sha256OfFile(join(folder, PLAN_FILE));
  for (const { digest } of inverse.inputs) {
    if (digest === planDigest) continue;
    throw new AcsError('PLAN_CHANGED', 'the way back is not that of this plan', {
      file: inverseFolder,
      expected: `SHA-256 ${planDigest}`,
      found: digest,
      hint: 'make the plan anew',
    });
  }
  const back = await applyPlan(inverse, inverseFolder, views, hosting);
  let differs = 0;
  for (const [i, input] of inputs.entries()) {
    // Both are views of one participant here: compared as two inputs, without regard to hosting.
    const was: DiffSource = Object.create(input, {
      name: { value: `${plan.inputs[i]!.name} before` },
      participant: { value: undefined },
      inactive: { value: undefined },
    }) as DiffSource;
    const is: DiffSource = Object.create(back[i]!.view, {
      participant: { value: undefined },
      inactive: { value: undefined },
    }) as DiffSource;
    const summary = await diffInputs([was, is], { ...options, allowSkew: true });
    differs += summary.different;
  }
  return differs;
}

async function countOn(views: readonly DiffSource[], synchronizer: string): Promise<Record<string, number>> {
  const left: Record<string, number> = {};
  for (const view of views) {
    let count = 0;
    await view.read(
      rowSink((row) => {
        if (row.synchronizerId === synchronizer && !row.inFlight) count++;
      }),
    );
    if (count > 0) left[view.name] = count;
  }
  return left;
}

async function predictCommitments(
  before: readonly DiffSource[],
  after: readonly DiffSource[],
  hosting: HostingMap,
  synchronizers: readonly string[],
): Promise<PredictedCommitment[]> {
  const then = await commitmentTable(before, hosting, synchronizers);
  const now = await commitmentTable(after, hosting, synchronizers);
  const pairs: PredictedCommitment[] = [];
  for (const synchronizer of synchronizers) {
    for (let i = 0; i < after.length; i++) {
      for (let j = i + 1; j < after.length; j++) {
        const [a, b] = [after[i]!, after[j]!];
        const both = (table: typeof now) =>
          [
            table.get(`${synchronizer} ${a.participant} ${b.participant}`) ?? null,
            table.get(`${synchronizer} ${b.participant} ${a.participant}`) ?? null,
          ] as const;
        const [left, right] = both(now);
        pairs.push({
          synchronizerId: synchronizer,
          left: a.name,
          right: b.name,
          before: both(then),
          after: [left, right],
          equal: left === right,
        });
      }
    }
  }
  return pairs;
}

/** Commitment (hex) by synchronizer, sender and receiver. */
async function commitmentTable(
  views: readonly DiffSource[],
  hosting: HostingMap,
  synchronizers: readonly string[],
): Promise<Map<string, string>> {
  const table = new Map<string, string>();
  for (const view of views) {
    const states = new Map<string, GroupStates>();
    await view.read(
      rowSink((row) => {
        if (row.inFlight) return;
        const { blob } = row;
        if (!synchronizers.includes(row.synchronizerId)) return;
        let groups = states.get(row.synchronizerId);
        if (groups === undefined) {
          groups = new GroupStates();
          states.set(row.synchronizerId, groups);
        }
        groups.add(blob.contractId, row.reassignmentCounter, blob.stakeholders);
      }),
    );
    for (const [synchronizer, groups] of states) {
      for (const { counterParticipant, commitment } of commitmentsOf(groups, hosting, view.participant!)) {
        table.set(`${synchronizer} ${view.participant} ${counterParticipant}`, commitment.toString('hex'));
      }
    }
  }
  return table;
}
