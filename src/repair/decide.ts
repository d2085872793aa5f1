/**
 * From a difference to the agreed state, and from there to what each participant has to do (commitments spec, section
 * 5.6; legacy-import-and-recovery spec, section 2.3).
 */
import type { DiffState } from '../diff/classes.js';
import type { ComparedContract, Difference } from '../diff/difference.js';
import type { Policy } from './policy.js';

export type AgreedState =
  | { state: 'active'; synchronizer: string; reassignmentCounter: bigint }
  | { state: 'inactive' };

/** In the order in which a participant does them. */
export type RepairAction =
  | { kind: 'purge'; synchronizer: string; reassignmentCounter: bigint; wasInFlight: boolean }
  | { kind: 'import'; synchronizer: string; reassignmentCounter: bigint }
  /** The counter after the change; always sent as an override, so that all participants get the same. */
  | { kind: 'assign'; source: string; target: string; from: bigint; reassignmentCounter: bigint };

export interface Decision {
  /** Undefined: left as it is. */
  agreed: AgreedState | undefined;
  reason: string;
  /** By position of the input; inputs with nothing to do are left out. */
  actions: ReadonlyMap<number, readonly RepairAction[]>;
  /** The policy wants the contract active, but it is archived somewhere (pitfall D5). */
  archivedReadd: boolean;
}

export interface DecisionContext {
  policy: Policy;
  /** The synchronizer that is compared. */
  synchronizer: string;
  /** Where active contracts of it shall go. */
  targetSynchronizer: string | undefined;
  /** Participant uid per input. */
  participants: readonly string[];
  /** Name per input, for reasons. */
  names: readonly string[];
}

export function hasContentConflict(difference: Difference): boolean {
  return difference.classes.includes('stakeholders-differ') || difference.classes.includes('content-differs');
}

/** The agreed state of a difference without content conflict, and the way there. */
export function decide(difference: Difference, context: DecisionContext): Decision {
  const hosts = difference.states.filter((state) => state.expected);
  const shown = hosts.filter(isShown);
  const archived = hosts.filter((state) => state.state === 'archived');
  const wanted = wantedByPolicy(hosts, shown, context);
  if (wanted === undefined) {
    return {
      agreed: undefined,
      reason: 'no preferred participant hosts a stakeholder',
      actions: new Map(),
      archivedReadd: false,
    };
  }
  if (archived.length > 0) {
    return {
      agreed: { state: 'inactive' },
      reason: `archived on ${list(archived, context)}: an archived contract never becomes active again`,
      actions: toInactive(hosts, context),
      archivedReadd: wanted.active,
    };
  }
  if (!wanted.active) {
    return {
      agreed: { state: 'inactive' },
      reason: wanted.reason,
      actions: toInactive(hosts, context),
      archivedReadd: false,
    };
  }
  const best = wanted.from ?? highest(shown, context);
  let counter = completed(best);
  let reason = wanted.reason;
  const raised = hosts.filter(
    (state) => state.state === 'in-flight' && state.reassignmentCounter! >= counter,
  );
  if (raised.length > 0) {
    counter = raised.reduce((max, s) => (completed(s) > max ? completed(s) : max), counter);
    reason += `; counter above that of the unassignment on ${list(raised, context)}`;
  } else if (shown.some((state) => completed(state) !== counter)) {
    reason += wanted.from === undefined ? '; the highest counter is the latest assignation' : '';
  }
  return toActive(hosts, best.synchronizer ?? context.synchronizer, counter, reason, context);
}

/** What has to be done with a contract that all agree on: nothing, or its way to the target synchronizer. */
export function decideAgreed(contract: ComparedContract, context: DecisionContext): Decision {
  const hosts = contract.states.filter((state) => state.expected);
  const first = hosts.find((state) => state.state === 'active');
  if (first === undefined || context.targetSynchronizer === undefined) {
    return { agreed: undefined, reason: 'nothing to do', actions: new Map(), archivedReadd: false };
  }
  return toActive(
    hosts,
    first.synchronizer ?? context.synchronizer,
    first.reassignmentCounter!,
    hosts.length > 1 ? 'the same everywhere' : 'hosted by one participant',
    context,
  );
}

function wantedByPolicy(
  hosts: readonly DiffState[],
  shown: readonly DiffState[],
  { policy, participants, names }: DecisionContext,
): { active: boolean; reason: string; from?: DiffState } | undefined {
  const count = `active on ${shown.length} of ${hosts.length}`;
  switch (policy.kind) {
    case 'union':
      return { active: true, reason: `union: ${count}` };
    case 'intersection':
      return { active: shown.length === hosts.length, reason: `intersection: ${count}` };
    case 'majority':
      return { active: 2 * shown.length > hosts.length, reason: `majority: ${count}` };
    case 'prefer': {
      for (const uid of policy.participants) {
        const state = hosts.find((host) => participants[host.input] === uid);
        if (state === undefined) continue;
        const reason = `prefer: ${state.state} on ${names[state.input]}`;
        return isShown(state) ? { active: true, reason, from: state } : { active: false, reason };
      }
      return undefined;
    }
  }
}

function isShown(state: DiffState): boolean {
  return state.state === 'active' || state.state === 'in-flight';
}

/** The counter the contract has once an unassignment is completed. */
function completed(state: DiffState): bigint {
  return state.state === 'in-flight' ? state.reassignmentCounter! + 1n : state.reassignmentCounter!;
}

/** The latest assignation; of equal ones that on the compared synchronizer, then by text. */
function highest(shown: readonly DiffState[], { synchronizer }: DecisionContext): DiffState {
  const rank = (state: DiffState): string =>
    state.synchronizer === synchronizer ? '' : (state.synchronizer ?? '');
  return shown.reduce((best, state) => {
    const [a, b] = [completed(state), completed(best)];
    return a > b || (a === b && rank(state) < rank(best)) ? state : best;
  });
}

function toInactive(hosts: readonly DiffState[], context: DecisionContext): Decision['actions'] {
  const actions = new Map<number, RepairAction[]>();
  for (const state of hosts) if (isShown(state)) actions.set(state.input, [purge(state, context)]);
  return actions;
}

function purge(state: DiffState, context: DecisionContext): RepairAction {
  return {
    kind: 'purge',
    synchronizer: state.synchronizer ?? context.synchronizer,
    reassignmentCounter: state.reassignmentCounter!,
    wasInFlight: state.state === 'in-flight',
  };
}

function toActive(
  hosts: readonly DiffState[],
  synchronizer: string,
  counter: bigint,
  reason: string,
  context: DecisionContext,
): Decision {
  const { targetSynchronizer: target } = context;
  // Only what is on the lost synchronizer moves; a contract that was moved on to a third one stays there.
  const moves = target !== undefined && synchronizer === context.synchronizer && synchronizer !== target;
  const agreed: AgreedState = {
    state: 'active',
    synchronizer: moves ? target : synchronizer,
    reassignmentCounter: moves ? counter + 1n : counter,
  };
  const actions = new Map<number, RepairAction[]>();
  for (const state of hosts) {
    const todo = actionsOf(state, synchronizer, counter, agreed, context);
    if (todo.length > 0) actions.set(state.input, todo);
  }
  return { agreed, reason, actions, archivedReadd: false };
}

/** `synchronizer` and `counter`: where an import brings the contract; from there it goes on to the agreed state. */
function actionsOf(
  state: DiffState,
  synchronizer: string,
  counter: bigint,
  agreed: Extract<AgreedState, { state: 'active' }>,
  context: DecisionContext,
): RepairAction[] {
  const onward: RepairAction[] =
    agreed.synchronizer === synchronizer
      ? []
      : [
          {
            kind: 'assign',
            source: synchronizer,
            target: agreed.synchronizer,
            from: counter,
            reassignmentCounter: agreed.reassignmentCounter,
          },
        ];
  if (state.state !== 'active')
    return [{ kind: 'import', synchronizer, reassignmentCounter: counter }, ...onward];
  const here = state.synchronizer ?? context.synchronizer;
  if (here === agreed.synchronizer) {
    if (state.reassignmentCounter === agreed.reassignmentCounter) return [];
    return [
      purge(state, context),
      { kind: 'import', synchronizer: here, reassignmentCounter: agreed.reassignmentCounter },
    ];
  }
  return [
    {
      kind: 'assign',
      source: here,
      target: agreed.synchronizer,
      from: state.reassignmentCounter!,
      reassignmentCounter: agreed.reassignmentCounter,
    },
  ];
}

function list(states: readonly DiffState[], { names }: DecisionContext): string {
  return states.map((state) => names[state.input]).join(', ');
}
