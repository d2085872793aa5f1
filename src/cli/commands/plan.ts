/** `acs plan`, `acs plan simulate`, `acs plan show` */
import { hostingMapOf, participantUid, readHostingMap } from '../../commitment/hostingMap.js';
import { synchronizerIdProblem } from '../../contract/identifier.js';
import { diffSummaryJson } from '../../diff/differenceJson.js';
import { usageError } from '../../io/error.js';
import { describePlan, describeSimulation } from '../../repair/describePlan.js';
import { makePlan } from '../../repair/plan.js';
import { readInputPaths, readPlan } from '../../repair/planJson.js';
import { parsePolicy } from '../../repair/policy.js';
import { simulatePlan } from '../../repair/simulate.js';
import { parseByteSize } from '../byteSize.js';
import { defineCommand, EXIT } from '../command.js';
import { openComparisonInputs } from '../comparisonInputs.js';
import { darOptions, loadDarArgs } from '../darOptions.js';
import { warnOfOtherSynchronizer } from '../hostingSynchronizer.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { parseRecordTimes, recordTimeOption } from '../recordTimes.js';
import { sourceFiles } from '../sourceFiles.js';

const simulateCommand = defineCommand({
  command: 'simulate <plan> [inputs..]',
  describe: 'apply a plan to copies of its inputs by the rules of the real participants and compare again',
  details:
    'Every operation is done as the participant would do it: active contracts are skipped on import,\n' +
    'archived ones refused, counters checked, rows of other synchronizers dropped; one refused contract\n' +
    'fails the whole operation. Then the copies are compared and the commitments of every pair computed.\n' +
    'The inputs are those of the plan, found by their path, unless they are named; either way they must\n' +
    'be byte for byte what the plan was made from.',
  examples: [
    ['acs plan simulate recovery', 'prove a plan before anything is done'],
    ['acs plan simulate recovery --inverse', 'and that its way back restores the inputs'],
    ['acs plan simulate recovery P1=now1.acs.gz P2=now2.acs.gz', 'are fresh exports still what was planned?'],
  ],
  exitStatus: {
    0: 'nothing differs any more and the commitments agree',
    1: 'something still differs',
  },
  options: (y) =>
    readOptions(
      y
        .positional('plan', { type: 'string', demandOption: true, describe: 'folder of the plan' })
        .positional('inputs', {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: 'PARTICIPANT=FILE',
        }),
    )
      .option('inverse', { type: 'boolean', default: false, describe: 'simulate the way back too' })
      .option('memory', { type: 'string', default: '512MB', describe: 'about how much memory to use' }),
  async run(args, context) {
    const plan = await readPlan(args.plan);
    const hosting = hostingMapOf(plan.hosting);
    const scan = scanOptions(args);
    const paths = args.inputs.length > 0 ? {} : await readInputPaths(args.plan);
    const inputs =
      args.inputs.length > 0
        ? args.inputs
        : plan.inputs.map(({ name }) => {
            const path = paths[name];
            if (path === undefined)
              throw usageError(`where is the input of ${name}?`, 'name it: PARTICIPANT=FILE');
            return `${name}=${path}`;
          });
    const sources = await openComparisonInputs(inputs, { hosting, scan });
    const progress = context.progress('simulate', 'bytes', sourceFiles(sources, args.inverse ? 8 : 5));
    const { views: _, ...simulation } = await simulatePlan(args.plan, sources, {
      inverse: args.inverse,
      memoryBytes: parseByteSize(args.memory, '--memory'),
    });
    progress.finish();
    await context.result({ ...simulation, after: simulation.after.map(diffSummaryJson) }, () =>
      describeSimulation({ ...simulation, views: [] }),
    );
    const proven =
      simulation.different === 0 &&
      simulation.commitmentsEqual &&
      Object.keys(simulation.leftBehind).length === 0 &&
      (simulation.inverseDiffers ?? 0) === 0;
    return proven ? EXIT.ok : EXIT.findings;
  },
});

const showCommand = defineCommand({
  command: 'show <plan>',
  describe: 'print a plan for review',
  examples: [
    ['acs plan show recovery', 'inputs, operations, warnings and the first decisions'],
    ['acs plan show recovery --top 1000', 'with more decisions'],
  ],
  exitStatus: { 0: 'printed' },
  options: (y) =>
    y
      .positional('plan', { type: 'string', demandOption: true, describe: 'folder of the plan' })
      .option('top', { type: 'number', default: 20, describe: 'decisions listed' }),
  async run(args, context) {
    const plan = await readPlan(args.plan);
    await context.result(plan, () => describePlan(plan, args.top));
    return EXIT.ok;
  },
});

export const planCommand = defineCommand({
  command: 'plan <inputs..>',
  describe: 'agree on one set of contracts and write what each participant has to do',
  details:
    'Compares the inputs as `acs diff --hosting` does and writes a folder: plan.json with every decision\n' +
    'and its reason; per participant import files (payloads authenticated first), purge lists,\n' +
    'change-assignation lists with counters, the steps in order, the same as grpcurl requests and as a\n' +
    'console script; and the way back in inverse/. Refuses when contents conflict, when a payload cannot\n' +
    'be authenticated, or when a participant that hosts a touched contract is missing. The same inputs\n' +
    'give the same plan in any order; all operators should agree on the SHA-256 of plan.json.',
  examples: [
    [
      'acs plan participant1.acs.gz participant2.acs.gz --hosting hosting.json --policy union -o repair --dar model.dar',
      'contracts that one side lacks are added there',
    ],
    [
      'acs plan P1=a.acs.gz P2=b.acs.gz --hosting h.json --policy intersection --target-synchronizer new::1220… -o recovery',
      'a lost synchronizer: agree, then move everything to a new one',
    ],
    ['acs plan simulate repair', 'prove it without a node'],
  ],
  exitStatus: { 0: 'written; read its warnings' },
  options: (y) =>
    recordTimeOption(
      darOptions(
        readOptions(
          y.positional('inputs', {
            type: 'string',
            array: true,
            demandOption: true,
            describe: 'FILE or PARTICIPANT=FILE, at least two; a store as STORE[#SOURCE][@OFFSET]',
          }),
        ),
      ),
    )
      .option('hosting', { type: 'string', demandOption: true, describe: 'hosting map (JSON)' })
      .option('policy', {
        type: 'string',
        demandOption: true,
        describe: 'intersection, union, majority or prefer:PARTICIPANT[,PARTICIPANT…]',
      })
      .option('output', { type: 'string', alias: 'o', demandOption: true, describe: 'folder to write' })
      .option('synchronizer', {
        type: 'string',
        describe: 'synchronizer id; default: that of the hosting map',
      })
      .option('target-synchronizer', { type: 'string', describe: 'move every active contract there' })
      .option('alias', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'SYNCHRONIZER=ALIAS as the participants call it; default: the name in front of ::',
      })
      .option('waive', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'a participant that hosts touched contracts and is no part of the plan',
      })
      .option('memory', { type: 'string', default: '512MB', describe: 'about how much memory to use' })
      .option('allow-skew', {
        type: 'boolean',
        default: false,
        describe: 'plan from inputs cut at different record times',
      }),
  subcommands: [simulateCommand, showCommand],
  async run(args, context) {
    const hosting = await readHostingMap(args.hosting);
    const uid = (name: string): string => participantUid(hosting, name);
    warnOfOtherSynchronizer(context, hosting, args.synchronizer);
    const scan = scanOptions(args);
    const recordTimes = parseRecordTimes(args.recordTime, args.synchronizer ?? hosting.synchronizerId);
    const sources = await openComparisonInputs(args.inputs, { hosting, scan, recordTimes });
    const packages = args.dar.length > 0 ? await loadDarArgs(args, context) : undefined;
    const progress = context.progress('plan', 'contracts', sourceFiles(sources, 3));
    const { plan, sha256, folder, unusedAliases } = await makePlan(sources, args.output, {
      hosting,
      policy: parsePolicy(args.policy, uid),
      synchronizer: args.synchronizer,
      targetSynchronizer: args['target-synchronizer'],
      aliases: new Map(args.alias.map(parseAlias)),
      waived: args.waive.map(uid),
      packages,
      memoryBytes: parseByteSize(args.memory, '--memory'),
      allowSkew: args['allow-skew'],
      onProgress: (contracts) => progress.update(contracts),
    });
    progress.finish();
    for (const id of unusedAliases) {
      context.warn({ code: 'UNUSED_ALIAS', message: `--alias: the plan does nothing on ${id}`, id });
    }
    await context.result(
      { folder, sha256, ...plan },
      () => `${describePlan(plan)}\n\nwritten to ${folder}; plan.json has SHA-256 ${sha256}`,
    );
    return EXIT.ok;
  },
});

function parseAlias(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1) throw usageError(`--alias ${text}: SYNCHRONIZER=ALIAS is needed`);
  const synchronizer = text.slice(0, at);
  const problem = synchronizerIdProblem(synchronizer);
  if (problem !== undefined)
    throw usageError(`--alias ${text}: ${synchronizer} is no logical synchronizer id: ${problem}`);
  return [synchronizer, text.slice(at + 1)];
}
