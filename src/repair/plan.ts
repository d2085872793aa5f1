/**
 * Making a plan: compare, decide, and write for every participant exactly what it has to do, together with the way back.
 * The same inputs give the same bytes, in whatever order they are named.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { partiesLeftOut } from '../commitment/hostedParties.js';
import type { HostingMap } from '../commitment/hostingMap.js';
import { synchronizerIdProblem } from '../contract/identifier.js';
import type { PackageSet } from '../dar/type.js';
import { diffInputs } from '../diff/diff.js';
import { type DiffSummaryJson, diffSummaryJson } from '../diff/differenceJson.js';
import type { DiffSource } from '../diff/diffSource.js';
import type { DiffSummary } from '../diff/summary.js';
import { openTextSpool, type TextSpool } from '../diff/textSpool.js';
import { createAtomicFile, removeWhenInterrupted, writeFileAtomic } from '../io/atomicFile.js';
import { AcsError, usageError } from '../io/error.js';
import { fileError, writeError } from '../io/input.js';
import { inputChanged, refuseReadOnce } from '../io/readTwice.js';
import { toolVersion } from '../io/toolVersion.js';
import { copyPayloads } from './copyPayloads.js';
import type { DecisionContext } from './decide.js';
import { sha256OfFile } from './fileDigests.js';
import { hostingJson } from './hostingJson.js';
import { openDraft } from './planDraft.js';
import {
  aliasFor,
  checkAliases,
  checkFolderNames,
  openParticipantFiles,
  type ParticipantFiles,
} from './planFolder.js';
import {
  INPUTS_FILE,
  INVERSE_FOLDER,
  PLAN_DIGEST_FILE,
  PLAN_FILE,
  PLAN_FORMAT,
  type PlanInput,
  type PlanJson,
  type PlanParticipant,
} from './planJson.js';
import { type Policy, policyText } from './policy.js';
import { NOT_CHECKED, type WarningCollector } from './warnings.js';

export interface PlanOptions {
  hosting: HostingMap;
  policy: Policy;
  /** Default: that of the hosting map. */
  synchronizer?: string | undefined;
  /** Move every active contract there: the synchronizer is lost. */
  targetSynchronizer?: string | undefined;
  /** Alias per synchronizer id as the participants know it; default: the name in front of `::`. */
  aliases?: ReadonlyMap<string, string> | undefined;
  /** Participants (uids) that host touched contracts and stay out of the plan: their operators act on their own. */
  waived?: readonly string[] | undefined;
  /** For authenticating imported contracts whose ids need their types. */
  packages?: PackageSet | undefined;
  memoryBytes?: number | undefined;
  temporaryFolder?: string | undefined;
  allowSkew?: boolean | undefined;
  /** False: no grpcurl requests, console script and page of steps; default true. */
  scripts?: boolean | undefined;
  onProgress?: ((contracts: number) => void) | undefined;
}

export interface MadePlan {
  folder: string;
  plan: Omit<PlanJson, 'decisions'>;
  /** SHA-256 of `plan.json`: what all operators have to agree on. */
  sha256: string;
  /** Synchronizers of {@link PlanOptions.aliases} on which the plan does nothing. */
  unusedAliases: string[];
}

/** What the old console's search cuts at when nobody asks for more (pitfall D1). */
const CONSOLE_LIMIT = 1000;

/**
 * Writes a plan into `folder`, which must not exist yet, or be empty. Throws `PLAN_CONTENT_CONFLICT`,
 * `PLAN_HOST_MISSING`, `PLAN_PAYLOAD_UNAUTHENTIC`, `PLAN_FUTURE_CREATED`, `FILE_EXISTS`, what {@link diffInputs} throws,
 * and usage errors; then nothing is written.
 */
export async function makePlan(
  sources: readonly DiffSource[],
  folder: string,
  options: PlanOptions,
): Promise<MadePlan> {
  const inputs = sortedInputs(sources, options.hosting);
  // They are compared, hashed, and read again for the payloads.
  await refuseReadOnce(inputs.flatMap(({ path }) => path ?? []));
  checkFolderNames(inputs.map((input) => input.name));
  const context = decisionContext(inputs, options);
  for (const input of inputs) refusePartial(input, options.hosting);
  for (const uid of options.waived ?? []) {
    if (context.participants.includes(uid))
      throw usageError(`${uid} is waived, but its view is among the inputs`, 'leave out one of them');
  }
  await refuseExisting(folder);
  const target = await realpath(folder).catch(() => resolve(folder));
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(4).toString('hex')}.tmp`);
  const settled = removeWhenInterrupted(temporary);
  try {
    await mkdir(temporary, { recursive: true });
    const made = await writePlan(inputs, temporary, target, context, options);
    await takePlace(temporary, target);
    const unusedAliases = [...(options.aliases?.keys() ?? [])].filter((id) => !(id in made.plan.aliases));
    return { ...made, folder, unusedAliases };
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  } finally {
    settled();
  }
}

/** By participant, so that their order on the command line does not matter. */
function sortedInputs(sources: readonly DiffSource[], hosting: HostingMap): DiffSource[] {
  const names = new Map(hosting.participants.map(({ uid, name }) => [uid, name]));
  return sources
    .map((source) => {
      if (source.kind === 'opened-commitment') {
        throw usageError(
          `${source.name} is an opened commitment: it shows no payloads`,
          'plan from snapshots or stores',
        );
      }
      if (source.digest === undefined) throw usageError(`${source.name} cannot be read twice`);
      const name = source.participant === undefined ? undefined : names.get(source.participant);
      if (name === undefined) {
        throw usageError(
          `the input ${source.name} does not say whose view it is`,
          'write it as PARTICIPANT=FILE, with a participant of the hosting map',
        );
      }
      const named: DiffSource = Object.create(source, { name: { value: name } }) as DiffSource;
      return named;
    })
    .sort((a, b) => (a.participant! < b.participant! ? -1 : 1));
}

/** A view that lacks contracts by intention would have them imported again, or purged where they are (spec section 5.7). */
function refusePartial(input: DiffSource, hosting: HostingMap): void {
  const leftOut = partiesLeftOut(hosting, input);
  if (leftOut.length === 0) return;
  throw new AcsError('PLAN_PARTIAL_INPUT', 'an input holds the contracts of some parties only', {
    file: input.path,
    expected: `those of every party that ${input.name} hosts`,
    found: `nothing of ${leftOut.join(', ')} alone`,
    hint: 'export without a filter, or for every party the participant hosts',
  });
}

function decisionContext(inputs: readonly DiffSource[], options: PlanOptions): DecisionContext {
  const { hosting, policy, targetSynchronizer } = options;
  const synchronizer = options.synchronizer ?? hosting.synchronizerId;
  if (synchronizer === undefined) {
    throw usageError('which synchronizer is meant? the hosting map does not say', 'give --synchronizer');
  }
  for (const id of [synchronizer, targetSynchronizer]) {
    const problem = id === undefined ? undefined : synchronizerIdProblem(id);
    if (problem !== undefined) throw usageError(`${id} is no logical synchronizer id: ${problem}`);
  }
  if (targetSynchronizer === synchronizer) throw usageError('the target is the synchronizer itself');
  const participants = inputs.map((input) => input.participant!);
  if (policy.kind === 'prefer') {
    for (const uid of policy.participants) {
      if (!participants.includes(uid))
        throw usageError(`the preferred participant ${uid} is not among the inputs`);
    }
  }
  return {
    policy,
    synchronizer,
    targetSynchronizer,
    participants,
    names: inputs.map((input) => input.name),
  };
}

async function refuseExisting(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw fileError(folder, cause);
  });
  if (entries.length > 0) throw notEmpty(folder);
}

function notEmpty(folder: string): AcsError {
  return new AcsError('FILE_EXISTS', 'the folder of the plan is not empty', { file: folder, exitCode: 2 });
}

/** Only an empty folder is replaced: what another plan put there meanwhile stays. */
async function takePlace(temporary: string, target: string): Promise<void> {
  try {
    await rmdir(target).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause;
    });
    await rename(temporary, target);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw code === 'ENOTEMPTY' || code === 'EEXIST' ? notEmpty(target) : writeError(target, cause);
  }
}

async function writePlan(
  inputs: readonly DiffSource[],
  folder: string,
  target: string,
  context: DecisionContext,
  options: PlanOptions,
): Promise<{ plan: Omit<PlanJson, 'decisions'>; sha256: string }> {
  const aliases = options.aliases ?? new Map<string, string>();
  const open = (kind: 'plan' | 'inverse'): ParticipantFiles[] =>
    inputs.map((input) =>
      openParticipantFiles({
        folder: kind === 'plan' ? folder : join(folder, INVERSE_FOLDER),
        kind,
        participant: input.participant!,
        name: input.name,
        aliases,
        scripts: options.scripts !== false,
      }),
    );
  const forward = open('plan');
  const inverse = open('inverse');
  const decisions = openTextSpool();
  const inverseDecisions = openTextSpool();
  try {
    const draft = openDraft({
      inputs,
      context,
      hosting: options.hosting,
      waived: options.waived ?? [],
      forward,
      inverse,
      decisions,
      inverseDecisions,
    });
    const identities = await Promise.all(inputs.map(identityOf));
    const diff = await diffInputs(inputs, {
      hosting: options.hosting,
      synchronizer: context.synchronizer,
      memoryBytes: options.memoryBytes,
      temporaryFolder: options.temporaryFolder,
      allowSkew: options.allowSkew,
      onFacts: draft.facts,
      onDifference: draft.difference,
      onOther: context.targetSynchronizer === undefined ? undefined : draft.other,
      onProgress: (_input, contracts) => options.onProgress?.(contracts),
    });
    draft.check();
    checkAliases(aliases, draft.synchronizers);
    inputWarnings(diff, draft.warnings, options);
    await copyPayloads(inputs, draft.needs, { forward, inverse }, options.packages);
    const common = {
      format: PLAN_FORMAT as typeof PLAN_FORMAT,
      tool: toolVersion(),
      policy: policyText(context.policy),
      synchronizerId: context.synchronizer,
      targetSynchronizerId: context.targetSynchronizer ?? null,
      aliases: Object.fromEntries([...draft.synchronizers].sort().map((id) => [id, aliasFor(aliases, id)])),
      hostingDigest: createHash('sha256')
        .update(JSON.stringify(hostingJson(options.hosting)))
        .digest('hex'),
      hosting: hostingJson(options.hosting),
      waived: [...(options.waived ?? [])].sort(),
      counts: draft.counts,
    };
    const planInputs = await Promise.all(inputs.map((input, i) => describeInput(input, diff.inputs[i]!)));
    // The digest has to be that of what was compared.
    for (const [i, input] of inputs.entries())
      if ((await identityOf(input)) !== identities[i]) throw inputChanged({ file: input.path });
    const plan: Omit<PlanJson, 'decisions'> = {
      ...common,
      kind: 'plan',
      inputs: planInputs,
      diff: withoutSpill(diffSummaryJson(diff)),
      warnings: draft.warnings.list(),
      notChecked: NOT_CHECKED,
      participants: await finishAll(forward),
    };
    const sha256 = await writePlanJson(join(folder, PLAN_FILE), plan, decisions);
    const inverseSha256 = await writePlanJson(
      join(folder, INVERSE_FOLDER, PLAN_FILE),
      {
        ...common,
        kind: 'inverse',
        inputs: planInputs.map((input) => ({ ...input, digest: sha256 })),
        diff: null,
        warnings: draft.inverseWarnings.list(),
        notChecked: [],
        participants: await finishAll(inverse),
      },
      inverseDecisions,
    );
    await writeFileAtomic(join(folder, PLAN_DIGEST_FILE), `${sha256}  ${PLAN_FILE}\n`);
    await writeFileAtomic(join(folder, INVERSE_FOLDER, PLAN_DIGEST_FILE), `${inverseSha256}  ${PLAN_FILE}\n`);
    const paths = inputs
      .filter((input) => input.path !== undefined)
      .map((input) => [input.name, relative(target, resolve(input.path!)).split(sep).join('/')] as const);
    await writeFileAtomic(
      join(folder, INPUTS_FILE),
      `${JSON.stringify(Object.fromEntries(paths), null, 1)}\n`,
    );
    return { plan, sha256 };
  } finally {
    for (const files of [...forward, ...inverse]) await files.abort();
    decisions.close();
    inverseDecisions.close();
  }
}

/** How much went to temporary files is no part of a plan: it would differ with the memory given. */
function withoutSpill({ spilledBytes: _, ...summary }: DiffSummaryJson): PlanJson['diff'] {
  return summary;
}

async function finishAll(files: readonly ParticipantFiles[]): Promise<PlanParticipant[]> {
  const done: PlanParticipant[] = [];
  for (const file of files) done.push(await file.finish());
  return done;
}

async function describeInput(input: DiffSource, summary: DiffSummary['inputs'][number]): Promise<PlanInput> {
  return {
    participant: input.participant!,
    name: input.name,
    kind: input.kind,
    digest: await input.digest!(),
    contracts: summary.contracts,
  };
}

/** Tells a file from the one that takes its place. A store stands at an offset, and what it shows there stays. */
async function identityOf({ kind, path }: DiffSource): Promise<string> {
  if (kind === 'store' || path === undefined) return '';
  const { ino, size, mtimeNs } = await stat(path, { bigint: true }).catch((cause) => {
    throw fileError(path, cause);
  });
  return `${ino} ${size} ${mtimeNs}`;
}

/** The decisions stand one per line at the end: there may be many. */
async function writePlanJson(path: string, plan: object, decisions: TextSpool): Promise<string> {
  const file = await createAtomicFile(path);
  try {
    const head = JSON.stringify(plan, null, 1);
    await file.write(Buffer.from(`${head.slice(0, -2)},\n "decisions": [`));
    for (const chunk of decisions.read()) await file.write(chunk);
    await file.write(Buffer.from('\n ]\n}\n'));
    await file.commit();
  } finally {
    await file.abort();
  }
  return sha256OfFile(path);
}

function inputWarnings(diff: DiffSummary, warnings: WarningCollector, options: PlanOptions): void {
  for (const input of diff.inputs) {
    if (input.contracts === CONSOLE_LIMIT) {
      warnings.add(
        'D1',
        `exactly ${CONSOLE_LIMIT} contracts: a search of the console cuts there`,
        input.name,
      );
    }
    if (input.contracts === 0 && diff.different > 0)
      warnings.add('D1', 'no contracts at all: is the export complete?', input.name);
    if (input.inFlightUnknown > 0) {
      warnings.add(
        'D2',
        'contracts in flight are not in the file',
        `${input.name}: ${input.inFlightUnknown}`,
      );
    }
    const time = diff.synchronizer === null ? undefined : input.recordTimes[diff.synchronizer];
    if (time === undefined) warnings.add('D8', 'the record time of the input is not known', input.name);
    else if (options.allowSkew === true)
      warnings.add('D8', 'record times are allowed to differ', `${input.name}: ${time}`);
  }
  const foreign = diff.notCompared.otherSynchronizer;
  if (foreign > 0) {
    warnings.add('D7', 'contracts on other synchronizers are left alone', `${foreign} contracts`);
  }
}
