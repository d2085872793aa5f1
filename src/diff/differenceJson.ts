/** One difference as a line of JSON; 64-bit integers as strings. */

import type { DiffState } from './classes.js';
import type { Difference } from './diff.js';

export interface DifferenceJson {
  contractId: string;
  class: string;
  classes: readonly string[];
  /** Content fields that differ. */
  fields: readonly string[];
  template: string | null;
  packageName: string | null;
  stakeholders: readonly string[] | null;
  signatories: readonly string[] | null;
  /** Microseconds since the epoch. */
  createdAt: string | null;
  /** What each input shows, by its name. */
  inputs: Record<string, DiffStateJson>;
  /** Pairs of inputs that differ, with their class. */
  pairs: readonly (readonly [left: string, right: string, differs: string])[];
  representativeDiffers: boolean;
}

export interface DiffStateJson {
  state: string;
  /** False: the participant hosts no stakeholder. */
  expected: boolean;
  reassignmentCounter?: string;
  synchronizer?: string;
  /** First half of the SHA-256 of `created_event_blob`. */
  contentDigest?: string;
  /** Record time, microseconds since the epoch. */
  at?: string;
}

export function differenceJson(difference: Difference, inputs: readonly string[]): DifferenceJson {
  const states: Record<string, DiffStateJson> = {};
  for (const state of difference.states) states[inputs[state.input]!] = stateJson(state);
  return {
    contractId: difference.contractId,
    class: difference.class,
    classes: difference.classes,
    fields: difference.fields,
    template: difference.template ?? null,
    packageName: difference.packageName ?? null,
    stakeholders: difference.stakeholders ?? null,
    signatories: difference.signatories ?? null,
    createdAt: difference.createdAt?.toString() ?? null,
    inputs: states,
    pairs: difference.pairs.map((pair) => [inputs[pair.left]!, inputs[pair.right]!, pair.class] as const),
    representativeDiffers: difference.representativeDiffers,
  };
}

function stateJson(state: DiffState): DiffStateJson {
  const json: DiffStateJson = { state: state.state, expected: state.expected };
  if (state.reassignmentCounter !== undefined)
    json.reassignmentCounter = state.reassignmentCounter.toString();
  if (state.synchronizer !== undefined) json.synchronizer = state.synchronizer;
  if (state.contentDigest !== undefined) json.contentDigest = state.contentDigest;
  if (state.at !== undefined) json.at = state.at.toString();
  return json;
}
