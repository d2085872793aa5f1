/** The shape of `plan.json`, and reading it back. Counters are decimal strings. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DiffSummaryJson } from '../diff/differenceJson.js';
import { AcsError } from '../io/error.js';
import { fileError } from '../io/input.js';
import { faultyPlanField } from './planShape.js';
import type { PlanWarning } from './warnings.js';

export const PLAN_FORMAT = 'acskit-plan/1';
export const PLAN_FILE = 'plan.json';
/** Where the inputs were, by participant name, relative to the plan; not part of what operators agree on. */
export const INPUTS_FILE = 'inputs.json';
/** In the form of `sha256sum`. */
export const PLAN_DIGEST_FILE = 'plan.sha256';
export const INVERSE_FOLDER = 'inverse';

export interface PlanInput {
  participant: string;
  name: string;
  kind: string;
  /** SHA-256 of all the input shows. */
  digest: string;
  contracts: number;
}

/**
 * One call to a participant, or several of the same kind when the list is long. `sha256` is that of the file, of an
 * import file that of its inflated content: compressed bytes may differ between releases of zlib.
 */
export type PlanOperation =
  | { op: 'purge'; synchronizerId: string; alias: string; file: string; contracts: number; sha256: string }
  | {
      op: 'import';
      synchronizerId: string;
      alias: string;
      file: string;
      contracts: number;
      sha256: string;
      highestCounter: string;
    }
  | {
      op: 'assign';
      synchronizerId: string;
      alias: string;
      targetSynchronizerId: string;
      targetAlias: string;
      file: string;
      contracts: number;
      sha256: string;
    };

export interface PlanParticipant {
  participant: string;
  name: string;
  /** Folder of its files, inside the plan. */
  folder: string;
  /** In the order in which they are done. */
  operations: PlanOperation[];
  /** What the operator does, one line each. */
  steps: string[];
}

export interface PlanActionJson {
  do: 'purge' | 'import' | 'assign';
  synchronizerId: string;
  targetSynchronizerId?: string;
  reassignmentCounter: string;
  /** The participant that the payload of an import is taken from. */
  payloadFrom?: string;
}

export interface PlanDecision {
  contractId: string;
  /** `same` for contracts that only move to the target synchronizer. */
  class: string;
  classes: readonly string[];
  templateId: string | null;
  stakeholders: readonly string[] | null;
  /** What each participant shows, by name. */
  states: Record<string, { state: string; synchronizerId?: string; reassignmentCounter?: string }>;
  /** Null: left as it is. */
  agreed: { state: 'active' | 'inactive'; synchronizerId?: string; reassignmentCounter?: string } | null;
  reason: string;
  actions: Record<string, PlanActionJson[]>;
}

export interface PlanJson {
  format: typeof PLAN_FORMAT;
  kind: 'plan' | 'inverse';
  tool: string;
  policy: string;
  synchronizerId: string;
  targetSynchronizerId: string | null;
  /** Alias per synchronizer id, as the participants know it. */
  aliases: Record<string, string>;
  /** SHA-256 of the hosting map in a canonical form. */
  hostingDigest: string;
  /** The hosting map the plan was made with. */
  hosting: unknown;
  /** Participants that host touched contracts and are not part of the plan. */
  waived: string[];
  inputs: PlanInput[];
  /** What was found before the repair; null in an inverse plan. */
  diff: Omit<DiffSummaryJson, 'spilledBytes'> | null;
  counts: {
    /** Contracts with an action. */
    touched: number;
    /** Differing contracts the policy leaves as they are. */
    left: number;
    /** Contracts that only move to the target synchronizer. */
    moved: number;
  };
  warnings: PlanWarning[];
  notChecked: readonly { code: string; name: string; reason: string }[];
  participants: PlanParticipant[];
  decisions: PlanDecision[];
}

/**
 * Reads `FOLDER/plan.json`. Throws `FILE_UNREADABLE` or `PLAN_MALFORMED`; `PLAN_CHANGED` when it is not the one whose
 * SHA-256 lies beside it.
 */
export async function readPlan(folder: string): Promise<PlanJson> {
  const path = join(folder, PLAN_FILE);
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw fileError(path, cause);
  });
  let plan: Partial<PlanJson> | null;
  try {
    plan = JSON.parse(text) as Partial<PlanJson> | null;
  } catch (cause) {
    throw malformed(path, 'JSON', cause instanceof Error ? cause.message : String(cause));
  }
  if (typeof plan !== 'object' || plan === null || plan.format !== PLAN_FORMAT) {
    throw malformed(path, PLAN_FORMAT, String((plan as { format?: unknown } | null)?.format));
  }
  await refuseChanged(folder, path, text);
  const fault = faultyPlanField(plan as Record<string, unknown>);
  if (fault !== undefined) throw malformed(path, `${fault} as \`acs plan\` writes it`, 'something else');
  return plan as PlanJson;
}

/** Without the digest beside it (a plan handed on alone) there is nothing to compare with. */
async function refuseChanged(folder: string, path: string, text: string): Promise<void> {
  const line = await readFile(join(folder, PLAN_DIGEST_FILE), 'utf8').catch(() => undefined);
  const expected = line?.trim().split(/\s/)[0];
  const found = createHash('sha256').update(text).digest('hex');
  if (expected === undefined || expected === found) return;
  throw new AcsError('PLAN_CHANGED', 'a file of the plan was changed after the plan was made', {
    file: path,
    expected: `SHA-256 ${expected}, as ${PLAN_DIGEST_FILE} says`,
    found,
    hint: 'make the plan anew',
  });
}

/** Paths of the inputs by participant name; empty when they were not files. Throws `PLAN_MALFORMED`. */
export async function readInputPaths(folder: string): Promise<Record<string, string>> {
  const path = join(folder, INPUTS_FILE);
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw fileError(path, cause);
  });
  try {
    const paths = JSON.parse(text) as Record<string, string>;
    return Object.fromEntries(Object.entries(paths).map(([name, at]) => [name, resolve(folder, at)]));
  } catch (cause) {
    throw malformed(
      path,
      'paths by participant name',
      cause instanceof Error ? cause.message : String(cause),
    );
  }
}

function malformed(file: string, expected: string, found: string): AcsError {
  return new AcsError('PLAN_MALFORMED', 'this is no plan', { file, expected, found });
}
