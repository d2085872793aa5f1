/** A plan in the making: what follows from each contract, one after another. */
import type { HostingMap } from '../commitment/hostingMap.js';
import type { ComparedContract, Difference } from '../diff/difference.js';
import type { DiffSource, DiffSourceFacts } from '../diff/diffSource.js';
import type { TextSpool } from '../diff/textSpool.js';
import { AcsError } from '../io/error.js';
import type { PayloadNeed } from './copyPayloads.js';
import {
  type Decision,
  type DecisionContext,
  decide,
  decideAgreed,
  hasContentConflict,
  type RepairAction,
} from './decide.js';
import { decisionJson, inverseJson } from './decisionJson.js';
import type { ParticipantFiles } from './planFolder.js';
import { collectWarnings, type WarningCollector } from './warnings.js';

const SHOWN_CONFLICTS = 5;
const MAX_COUNTER = (1n << 63n) - 1n;

export interface DraftParts {
  inputs: readonly DiffSource[];
  context: DecisionContext;
  hosting: HostingMap;
  /** Participants that stay out of the plan. */
  waived: readonly string[];
  forward: readonly ParticipantFiles[];
  inverse: readonly ParticipantFiles[];
  decisions: TextSpool;
  inverseDecisions: TextSpool;
}

/** Takes contract after contract, decides, and notes what follows. */
export function openDraft(parts: DraftParts) {
  const { inputs, context, hosting, forward, inverse, decisions, inverseDecisions } = parts;
  const warnings = collectWarnings();
  const inverseWarnings = collectWarnings();
  const needs: PayloadNeed[][] = inputs.map(() => []);
  const counts = { touched: 0, left: 0, moved: 0 };
  const synchronizers = new Set<string>([context.synchronizer]);
  if (context.targetSynchronizer !== undefined) synchronizers.add(context.targetSynchronizer);
  const present = new Set(context.participants);
  const waived = new Set(parts.waived);
  const conflicts: string[] = [];
  let conflictCount = 0;
  let missing: { contractId: string; participants: string[] } | undefined;
  let first = true;
  /** Record time of each input on the compared synchronizer, where known. */
  const cuts = new Map<number, bigint>();

  function take(contract: ComparedContract, decision: Decision, difference: Difference | undefined): void {
    if (decision.actions.size === 0 && difference === undefined) {
      warnUnhosted(contract, warnings);
      return;
    }
    if (decision.agreed === undefined) {
      counts.left++;
      warnings.add(
        'D6',
        'contracts that no preferred participant hosts are left as they are',
        contract.contractId,
      );
    } else counts.touched++;
    if (difference === undefined) counts.moved++;
    if (decision.archivedReadd) {
      warnings.add(
        'D5',
        'archived on a participant: it cannot be added again, so it is purged',
        contract.contractId,
      );
    }
    if (decision.actions.size > 0) checkTouched(contract);
    const payload = payloadSource(contract);
    for (const [input, actions] of decision.actions) noteActions(contract, input, actions, payload);
    const json = decisionJson(contract, decision, difference, context, payload);
    const line = JSON.stringify(json);
    decisions.write(`${first ? '' : ','}\n  ${line}`);
    inverseDecisions.write(`${first ? '' : ','}\n  ${JSON.stringify(inverseJson(json))}`);
    first = false;
  }

  function warnUnhosted(contract: ComparedContract, into: WarningCollector): void {
    if (context.targetSynchronizer === undefined) return;
    if (contract.states.some((s) => !s.expected && s.state === 'active')) {
      into.add(
        'D9',
        'shown by a participant that hosts none of the stakeholders: it cannot move',
        contract.contractId,
      );
    }
  }

  /** Everybody who hosts a touched contract has to act (spec section 5.7, item 2). */
  function checkTouched(contract: ComparedContract): void {
    warnUnhosted(contract, warnings);
    const absent = new Set<string>();
    for (const party of contract.stakeholders ?? []) {
      const hosts = hosting.parties.get(party) ?? [];
      if (hosts.length === 0) warnings.add('D9', `${party} is hosted nowhere`, contract.contractId);
      for (const host of hosts) {
        if (host.onboarding) {
          warnings.add('D3', `${party} is still being onboarded to ${host.participant}`, contract.contractId);
        }
        if (present.has(host.participant)) continue;
        if (waived.has(host.participant)) {
          warnings.add(
            'D6',
            `${host.participant} hosts touched contracts and is not part of the plan`,
            contract.contractId,
          );
        } else absent.add(host.participant);
      }
    }
    if (absent.size > 0) missing ??= { contractId: contract.contractId, participants: [...absent].sort() };
    const created = contract.createdAt;
    for (const [i, input] of inputs.entries()) {
      const cut = cuts.get(i);
      if (cut !== undefined && created !== undefined && created > cut) {
        throw new AcsError('PLAN_FUTURE_CREATED', 'a contract was created after the inputs were cut (D10)', {
          contractId: contract.contractId,
          expected: `at most ${cut} microseconds, the record time of ${input.name}`,
          found: `${created} microseconds`,
        });
      }
    }
  }

  /**
   * The participant with the lowest uid that shows the contract: all that have to show it show the same content. Those
   * that show it for no reason were not compared.
   */
  function payloadSource(contract: ComparedContract): number {
    const shown = contract.states.filter(
      (s) => (s.state === 'active' || s.state === 'in-flight') && s.contentDigest !== undefined,
    );
    return (shown.find((s) => s.expected) ?? shown[0])?.input ?? -1;
  }

  function noteActions(
    contract: ComparedContract,
    input: number,
    actions: readonly RepairAction[],
    payload: number,
  ): void {
    const { contractId } = contract;
    const state = contract.states.find((s) => s.input === input);
    if (state?.alsoOn !== undefined) {
      throw new AcsError(
        'PLAN_TWICE_ACTIVE',
        'a contract is active on several synchronizers of one participant',
        {
          file: inputs[input]!.name,
          contractId,
          expected: 'one at most',
          found: [state.synchronizer ?? context.synchronizer, ...state.alsoOn].join(', '),
          hint: 'the store of the participant is corrupt: purge the contract where it is not, then export and plan again',
        },
      );
    }
    for (const action of actions) {
      if (action.kind !== 'purge') checkCounter(contractId, action.reassignmentCounter);
      if (action.kind === 'assign') {
        synchronizers.add(action.source).add(action.target);
        forward[input]!.list(contractId, action);
        inverse[input]!.list(contractId, {
          kind: 'assign',
          source: action.target,
          target: action.source,
          from: action.reassignmentCounter,
          reassignmentCounter: action.from,
        });
        continue;
      }
      const { synchronizer, reassignmentCounter } = action;
      synchronizers.add(synchronizer);
      if (action.kind === 'import') {
        if (payload < 0) {
          throw new AcsError('PLAN_NO_PAYLOAD', 'no input has the payload of a contract to import', {
            contractId,
          });
        }
        if (reassignmentCounter > 0n) {
          warnings.add(
            'D4',
            `imports into ${inputs[input]!.name} hold reassignment counters above 0: it needs enable-all-ledger-api-reassignments`,
            contractId,
          );
        }
        needs[payload]!.push({ contractId, input, synchronizer, reassignmentCounter, direction: 'forward' });
        inverse[input]!.list(contractId, {
          kind: 'purge',
          synchronizer,
          reassignmentCounter,
          wasInFlight: false,
        });
        continue;
      }
      forward[input]!.list(contractId, action);
      if (action.wasInFlight) {
        inverseWarnings.add('D2', 'was in flight: the way back cannot put it there again', contractId);
      } else {
        needs[input]!.push({ contractId, input, synchronizer, reassignmentCounter, direction: 'inverse' });
      }
    }
  }

  /** Canton keeps a signed number of 64 bits and counts from 0. */
  function checkCounter(contractId: string, counter: bigint): void {
    if (counter >= 0n && counter <= MAX_COUNTER) return;
    throw new AcsError('PLAN_BAD_COUNTER', 'a contract would get a reassignment counter out of range', {
      contractId,
      expected: '0 … 2^63 - 1',
      found: counter.toString(),
      hint: 'the counter that an input shows is damaged; another policy may decide for another one',
    });
  }

  return {
    needs,
    warnings,
    inverseWarnings,
    counts,
    synchronizers,

    facts(facts: readonly DiffSourceFacts[]): void {
      facts.forEach(({ recordTimes, behind }, input) => {
        if (behind !== undefined) {
          warnings.add(
            'D8',
            'a store was last seen before the record time it is compared at',
            `input ${input + 1}: ${behind.lastSeen} instead of ${behind.recordTime}`,
          );
        }
        const cut = recordTimes.get(context.synchronizer);
        if (cut !== undefined) cuts.set(input, cut);
      });
    },

    difference(difference: Difference): void {
      if (hasContentConflict(difference)) {
        conflictCount++;
        if (conflicts.length < SHOWN_CONFLICTS) {
          const fields = difference.fields.length > 0 ? difference.fields.join(', ') : 'stakeholders';
          conflicts.push(`${difference.contractId} (${fields})`);
        }
        return;
      }
      if (difference.states.some((state) => state.state === 'in-flight')) {
        warnings.add(
          'D2',
          'in flight on a participant: the plan completes or ends the reassignment',
          difference.contractId,
        );
      }
      take(difference, decide(difference, context), difference);
    },

    other(contract: ComparedContract): void {
      take(contract, decideAgreed(contract, context), undefined);
    },

    /** Throws what stands in the way of the plan. */
    check(): void {
      if (conflictCount > 0) {
        throw new AcsError(
          'PLAN_CONTENT_CONFLICT',
          `${conflictCount} contracts have different contents under one id`,
          {
            expected: 'the same content on every participant',
            found: conflicts.join('; '),
            hint: 'one of the stores is corrupt; find out which with `acs verify`, no plan can repair it',
          },
        );
      }
      if (missing !== undefined) {
        throw new AcsError(
          'PLAN_HOST_MISSING',
          'a participant that hosts a touched contract is not among the inputs',
          {
            contractId: missing.contractId,
            expected: missing.participants.join(', '),
            hint: 'add its export, or waive it with --waive: then its operator has to do the same by other means',
          },
        );
      }
    },
  };
}
