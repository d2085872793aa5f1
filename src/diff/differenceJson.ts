/** Differences and their summary as JSON; 64-bit integers as strings. */
import { formatMicros } from '../contract/time.js';

import type { DiffState } from './classes.js';
import type { Difference } from './difference.js';
import { type DiffSummary, UNKNOWN_TEMPLATE } from './summary.js';

export interface DifferenceJson {
  contractId: string;
  class: string;
  classes: readonly string[];
  /** Content fields that differ. */
  fields: readonly string[];
  templateId: string | null;
  packageName: string | null;
  stakeholders: readonly string[] | null;
  signatories: readonly string[] | null;
  /** ISO 8601. */
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
  synchronizerId?: string;
  /** First half of the SHA-256 of `created_event_blob`. */
  contentDigest?: string;
  /** Record time of the archival or purge, ISO 8601. */
  at?: string;
}

export function differenceJson(difference: Difference, inputs: readonly string[]): DifferenceJson {
  return {
    contractId: difference.contractId,
    class: difference.class,
    classes: difference.classes,
    fields: difference.fields,
    templateId: difference.template ?? null,
    packageName: difference.packageName ?? null,
    stakeholders: difference.stakeholders ?? null,
    signatories: difference.signatories ?? null,
    createdAt: difference.createdAt === undefined ? null : formatMicros(difference.createdAt),
    inputs: Object.fromEntries(difference.states.map((state) => [inputs[state.input]!, stateJson(state)])),
    pairs: difference.pairs.map((pair) => [inputs[pair.left]!, inputs[pair.right]!, pair.class] as const),
    representativeDiffers: difference.representativeDiffers,
  };
}

export type DiffSummaryJson = Omit<DiffSummary, 'inputs' | 'synchronizer' | 'byTemplate'> & {
  /** Record times as ISO 8601. */
  inputs: DiffSummary['inputs'];
  /** The synchronizer compared, or null for all. */
  synchronizerId: string | null;
  /** `templateId` is null where the template is not known. */
  byTemplate: (Omit<DiffSummary['byTemplate'][number], 'template'> & { templateId: string | null })[];
};

/** The summary under the field names of the other commands. */
export function diffSummaryJson(summary: DiffSummary): DiffSummaryJson {
  const { inputs, synchronizer, byTemplate, ...counts } = summary;
  return {
    inputs: inputs.map(({ recordTimes, ...input }) => ({
      ...input,
      recordTimes: Object.fromEntries(
        Object.entries(recordTimes).map(([id, micros]) => [id, formatMicros(BigInt(micros))]),
      ),
    })),
    synchronizerId: synchronizer,
    ...counts,
    byTemplate: byTemplate.map(({ template, ...rest }) => ({
      templateId: template === UNKNOWN_TEMPLATE ? null : template,
      ...rest,
    })),
  };
}

function stateJson(state: DiffState): DiffStateJson {
  const json: DiffStateJson = { state: state.state, expected: state.expected };
  if (state.reassignmentCounter !== undefined)
    json.reassignmentCounter = state.reassignmentCounter.toString();
  if (state.synchronizer !== undefined) json.synchronizerId = state.synchronizer;
  if (state.contentDigest !== undefined) json.contentDigest = state.contentDigest;
  if (state.at !== undefined) json.at = formatMicros(state.at);
  return json;
}
