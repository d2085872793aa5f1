/** A decision about one contract as it stands in `plan.json`. */
import type { ComparedContract, Difference } from '../diff/difference.js';
import type { Decision, DecisionContext, RepairAction } from './decide.js';
import type { PlanActionJson, PlanDecision } from './planJson.js';

/** `payload` is the number of the input that gives the payload, below 0 when none does. */
export function decisionJson(
  contract: ComparedContract,
  decision: Decision,
  difference: Difference | undefined,
  { names }: DecisionContext,
  payload: number,
): PlanDecision {
  const { agreed } = decision;
  return {
    contractId: contract.contractId,
    class: difference?.class ?? 'same',
    classes: difference?.classes ?? [],
    templateId: contract.template ?? null,
    stakeholders: contract.stakeholders ?? null,
    states: Object.fromEntries(
      contract.states.map((state) => [
        names[state.input]!,
        {
          state: state.state,
          ...(state.synchronizer === undefined ? {} : { synchronizerId: state.synchronizer }),
          ...(state.reassignmentCounter === undefined
            ? {}
            : { reassignmentCounter: state.reassignmentCounter.toString() }),
        },
      ]),
    ),
    agreed:
      agreed === undefined
        ? null
        : agreed.state === 'inactive'
          ? { state: 'inactive' }
          : {
              state: 'active',
              synchronizerId: agreed.synchronizer,
              reassignmentCounter: agreed.reassignmentCounter.toString(),
            },
    reason: decision.reason,
    actions: Object.fromEntries(
      [...decision.actions].map(([input, actions]) => [
        names[input]!,
        actions.map((action) => actionJson(action, names[payload])),
      ]),
    ),
  };
}

function actionJson(action: RepairAction, payloadFrom: string | undefined): PlanActionJson {
  const reassignmentCounter = action.reassignmentCounter.toString();
  if (action.kind === 'assign') {
    return {
      do: 'assign',
      synchronizerId: action.source,
      targetSynchronizerId: action.target,
      reassignmentCounter,
    };
  }
  const json: PlanActionJson = { do: action.kind, synchronizerId: action.synchronizer, reassignmentCounter };
  if (action.kind === 'import' && payloadFrom !== undefined) json.payloadFrom = payloadFrom;
  return json;
}

/** The decision of the way back says only which contract it is about. */
export function inverseJson(json: PlanDecision): PlanDecision {
  return { ...json, agreed: null, reason: 'back to the state before the plan', actions: {} };
}
