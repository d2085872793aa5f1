/** `acs commitment` */
import { readFile } from 'node:fs/promises';
import type { CounterParticipantCommitment } from '../../commitment/commitments.js';
import {
  diffGroupDigests,
  type GroupDigestList,
  groupDigests,
  groupName,
  parseGroupDigests,
} from '../../commitment/groupDigests.js';
import { participantUid, readHostingMap } from '../../commitment/hostingMap.js';
import { commitmentLogText, parseCommitment } from '../../commitment/lthash16.js';
import { openCommitmentLine, openCommitmentMessage } from '../../commitment/openCommitment.js';
import {
  diffOpenCommitments,
  type OpenCommitmentDiff,
  type OpenCommitmentDifference,
} from '../../commitment/openCommitmentDiff.js';
import { openSnapshot } from '../../commitment/openSnapshot.js';
import { SCHEMES, type SchemeName, schemeOf } from '../../commitment/scheme.js';
import { commitmentsOfSnapshot, type SnapshotCommitments } from '../../commitment/snapshotStates.js';
import { createAtomicFile } from '../../io/atomicFile.js';
import { usageError } from '../../io/error.js';
import { fileError, readChunks } from '../../io/input.js';
import { defineCommand, EXIT } from '../command.js';
import type { CliContext } from '../context.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { groupDigits, renderTable } from '../table.js';

/** How a list of group digests starts, whatever the spacing. */
const GROUP_DIGESTS_START = /^\s*\{\s*"format"\s*:\s*"acs-group-digests\//;

const diffCommand = defineCommand({
  command: 'diff <local> <remote>',
  describe: 'compare two opened commitments, or two lists of group digests',
  details:
    'Opened commitments are read in the form the node streams (OpenCommitment) and in the form the\n' +
    'console writes (one JSON object per line). Large files are read several times rather than held\n' +
    'in memory. Two lists made with --group-digests tell in which stakeholder groups two participants\n' +
    'differ.',
  examples: [
    ['acs commitment diff mine.jsonl theirs.jsonl', 'contracts on one side only, counters that differ'],
    [
      'acs commitment diff mine.jsonl theirs.jsonl --format canton-mismatch > mismatch.json',
      'the file the runbook goes on with',
    ],
    ['acs commitment diff my-groups.json their-groups.json', 'groups that differ, by their hash'],
  ],
  exitStatus: { 0: 'the two are equal', 1: 'they differ' },
  options: (y) =>
    y
      .positional('local', { type: 'string', demandOption: true, describe: 'file of this participant' })
      .positional('remote', { type: 'string', demandOption: true, describe: 'file of the other participant' })
      .option('format', {
        choices: ['text', 'jsonl', 'canton-mismatch'] as const,
        default: 'text' as const,
        describe: 'text; one JSON line per difference; or the JSON of the mismatch runbook',
      })
      .option('limit', { type: 'number', default: 20, describe: 'differences listed in text' })
      .option('memory-mb', { type: 'number', default: 256, describe: 'memory for the comparison' }),
  async run(args, context) {
    if (!(args['memory-mb'] > 0)) throw usageError('--memory-mb must be above 0');
    const lists = await groupDigestFiles(args.local, args.remote);
    if (lists !== undefined) {
      const differences = diffGroupDigests(lists.local, lists.remote);
      await context.result({ differences }, () =>
        differences.length === 0
          ? `all ${lists.local.groups.length} groups are equal`
          : renderTable(
              ['group', 'difference', 'contracts here', 'contracts there'],
              differences.map((d) => [d.group, d.kind, d.localContracts, d.remoteContracts]),
              { right: [2, 3] },
            ),
      );
      return differences.length === 0 ? EXIT.ok : EXIT.findings;
    }
    const options = { memoryBytes: args['memory-mb'] * 1e6 };
    const pass: DiffPass = (use) => diffOpenCommitments(args.local, args.remote, use, options);
    const total =
      args.format === 'canton-mismatch'
        ? await writeMismatch(pass, context)
        : await writeDifferences(pass, context, args.format === 'jsonl', args.limit);
    return total.onlyLocal + total.onlyRemote + total.counterDiffers === 0 ? EXIT.ok : EXIT.findings;
  },
});

type DiffPass = (use: (difference: OpenCommitmentDifference) => unknown) => Promise<OpenCommitmentDiff>;

/** Lines are written as they are found; in text all are counted and the first ones listed. */
async function writeDifferences(
  pass: DiffPass,
  context: CliContext,
  lines: boolean,
  limit: number,
): Promise<OpenCommitmentDiff> {
  const listed: OpenCommitmentDifference[] = [];
  const total = await pass((d) => {
    if (lines) return context.write(`${differenceJson(d)}\n`);
    if (listed.length < limit) listed.push(d);
    return undefined;
  });
  if (lines) return total;
  await context.result(
    { ...total, differences: listed.map((d) => JSON.parse(differenceJson(d)) as unknown) },
    () => {
      const all = total.onlyLocal + total.onlyRemote + total.counterDiffers;
      const summary = renderTable(
        ['', 'contracts'],
        [
          ['local', groupDigits(total.local)],
          ['remote', groupDigits(total.remote)],
          ['same', groupDigits(total.same)],
          ['only local', groupDigits(total.onlyLocal)],
          ['only remote', groupDigits(total.onlyRemote)],
          ['counter differs', groupDigits(total.counterDiffers)],
        ],
        { right: [1] },
      );
      const rest = all > listed.length ? [`… and ${groupDigits(all - listed.length)} more (--limit)`] : [];
      return [summary, ...listed.map(describeDifference), ...rest].join('\n');
    },
  );
  return total;
}

function differenceJson(d: OpenCommitmentDifference): string {
  return d.kind === 'counter-differs'
    ? JSON.stringify({ kind: d.kind, contractId: d.contractId, local: `${d.local}`, remote: `${d.remote}` })
    : JSON.stringify({
        kind: d.kind,
        contractId: d.contractId,
        reassignmentCounter: `${d.reassignmentCounter}`,
      });
}

function describeDifference(d: OpenCommitmentDifference): string {
  return d.kind === 'counter-differs'
    ? `counter differs  ${d.contractId}  ${d.local} here, ${d.remote} there`
    : `${d.kind === 'only-local' ? 'only local ' : 'only remote'}      ${d.contractId}  counter ${d.reassignmentCounter}`;
}

/** The JSON of the console's `compare`: one list after the other, so the files are compared once for each. */
async function writeMismatch(pass: DiffPass, context: CliContext): Promise<OpenCommitmentDiff> {
  const lists = [
    ['cidsOnlyLocal', 'only-local'],
    ['cidsOnlyRemote', 'only-remote'],
    ['differentReassignmentCounters', 'counter-differs'],
  ] as const;
  let total: OpenCommitmentDiff | undefined;
  await context.write('{\n');
  for (const [index, [name, kind]] of lists.entries()) {
    await context.write(`  "${name}": [`);
    let first = true;
    total = await pass((d) => {
      if (d.kind !== kind) return undefined;
      const separator = first ? '' : ',';
      first = false;
      return context.write(`${separator}\n    "${d.contractId}"`);
    });
    await context.write(`${first ? '' : '\n  '}]${index < lists.length - 1 ? ',' : ''}\n`);
  }
  await context.write('}\n');
  return total!;
}

/** Both files as lists of group digests, when the first looks like one. */
async function groupDigestFiles(
  local: string,
  remote: string,
): Promise<{ local: GroupDigestList; remote: GroupDigestList } | undefined> {
  let head = '';
  for await (const chunk of readChunks(local, 4096)) {
    head = chunk.toString('utf8');
    break;
  }
  if (!GROUP_DIGESTS_START.test(head)) return undefined;
  const read = async (path: string): Promise<GroupDigestList> => {
    const text = await readFile(path, 'utf8').catch((cause) => {
      throw fileError(path, cause);
    });
    return parseGroupDigests(text);
  };
  return { local: await read(local), remote: await read(remote) };
}

const openCommand = defineCommand({
  command: 'open <file>',
  describe: 'write the contracts that two participants share, as an opened commitment',
  details:
    'What the OpenCommitment call of a node returns, taken from a snapshot: contract ids and\n' +
    'reassignment counters, no payloads. The other operator compares it with `acs commitment diff`.',
  examples: [
    [
      'acs commitment open p1.acs.gz --hosting hosting.json --participant participant1 --with participant2 -o mine.jsonl',
      'one JSON object per line',
    ],
  ],
  exitStatus: { 0: 'written' },
  options: (y) =>
    readOptions(y.positional('file', { type: 'string', demandOption: true, describe: 'snapshot file, or -' }))
      .option('hosting', { type: 'string', demandOption: true, describe: 'hosting map (JSON)' })
      .option('participant', {
        type: 'string',
        demandOption: true,
        describe: 'the participant the file is from',
      })
      .option('with', { type: 'string', demandOption: true, describe: 'the other participant' })
      .option('synchronizer', { type: 'string', describe: 'synchronizer id; default: the hosting map’s' })
      .option('form', {
        choices: ['console', 'node'] as const,
        default: 'console' as const,
        describe: 'JSON lines as the console writes, or the bytes a node streams',
      })
      .option('output', {
        type: 'string',
        alias: 'o',
        demandOption: true,
        describe: 'file to write, or - for standard output',
      }),
  async run(args, context) {
    const hosting = await readHostingMap(args.hosting);
    const synchronizer = args.synchronizer ?? hosting.synchronizerId;
    if (synchronizer === undefined) {
      throw usageError(
        'the hosting map names no synchronizer',
        'add --synchronizer, or synchronizer_id to the map',
      );
    }
    const out = await createAtomicFile(args.output);
    try {
      let first = true;
      const contracts = await openSnapshot(
        args.file,
        {
          hosting,
          participant: args.participant,
          counterParticipant: args.with,
          synchronizer,
          scan: scanOptions(args),
        },
        async (batch) => {
          if (args.form === 'node') await out.write(Buffer.concat(batch.map(openCommitmentMessage)));
          else
            await out.write(Buffer.from(`${first ? '' : '\n'}${batch.map(openCommitmentLine).join('\n')}`));
          first = false;
        },
      );
      await out.commit();
      if (args.output !== '-') {
        await context.result(
          { input: args.file, output: args.output, synchronizerId: synchronizer, contracts },
          () => {
            return `${args.output}: ${groupDigits(contracts)} shared contracts`;
          },
        );
      }
    } catch (error) {
      await out.abort();
      throw error;
    }
    return EXIT.ok;
  },
});

export const commitmentCommand = defineCommand({
  command: 'commitment [file]',
  describe: 'compute the ACS commitments of a participant from a snapshot; compare opened ones',
  details:
    'Prints, per counter-participant, the hash that the participant exchanges when the file holds its\n' +
    'active contracts at a tick. It equals what the node logs and returns if the file was exported for\n' +
    'every party the participant hosts, nothing excluded, and the hosting map is that of the tick. The\n' +
    'hash covers contract ids, reassignment counters and the grouping by stakeholders, not payloads.',
  examples: [
    [
      'acs commitment p1.acs.gz --participant participant1 --hosting hosting.json',
      'one line per counter-participant',
    ],
    [
      'acs commitment p1.acs.gz --participant participant1 --hosting hosting.json --with participant2 --expect 12204a4b…',
      'exit status 1 unless the commitment is that one',
    ],
    [
      'acs commitment p1.acs.gz --participant participant1 --hosting hosting.json --with participant2 --group-digests --salt-file salt > groups.json',
      'a list for the other operator that shows no contract and no party',
    ],
  ],
  exitStatus: { 0: 'computed; with --expect: equal', 1: 'the commitment is not the expected one' },
  subcommands: [diffCommand, openCommand],
  options: (y) =>
    readOptions(y.positional('file', { type: 'string', describe: 'snapshot file, or -' }))
      .option('participant', { type: 'string', global: false, describe: 'the participant the file is from' })
      .option('hosting', { type: 'string', global: false, describe: 'hosting map (JSON)' })
      .option('synchronizer', {
        type: 'string',
        global: false,
        describe: 'synchronizer id; default: the hosting map’s',
      })
      .option('with', { type: 'string', global: false, describe: 'only this counter-participant' })
      .option('expect', {
        type: 'string',
        global: false,
        describe: 'the commitment to compare with: 1220…, or SHA-256:… as a log shows it',
      })
      .option('scheme', {
        choices: Object.keys(SCHEMES) as SchemeName[],
        default: 'blake2xb-groups' as SchemeName,
        global: false,
        describe: 'blake2xb-groups up to protocol version 35; blake3-pairs is the alpha after it',
      })
      .option('group-digests', {
        type: 'boolean',
        default: false,
        global: false,
        describe: 'print the list of group digests for the participant named with --with',
      })
      .option('salt-file', {
        type: 'string',
        global: false,
        describe: 'file with the secret the two operators agreed on',
      })
      .option('show-parties', {
        type: 'boolean',
        default: false,
        global: false,
        describe: 'name the parties behind each group digest; for your own eyes',
      })
      .option('threads', {
        type: 'number',
        global: false,
        describe: 'threads to hash on beside the reading one',
      }),
  async run(args, context) {
    if (args.file === undefined) throw usageError('no snapshot file given', 'see `acs commitment --help`');
    if (args.participant === undefined || args.hosting === undefined) {
      throw usageError('--participant and --hosting are needed', 'see `acs commitment --help`');
    }
    if (args.with === undefined && (args['group-digests'] || args.expect !== undefined)) {
      throw usageError('--group-digests and --expect need --with', 'name the counter-participant');
    }
    const hosting = await readHostingMap(args.hosting);
    const counterParticipant = args.with === undefined ? undefined : participantUid(hosting, args.with);
    const found = await commitmentsOfSnapshot(args.file, {
      hosting,
      participant: args.participant,
      scheme: schemeOf(args.scheme),
      scan: scanOptions(args),
      ...(args.synchronizer === undefined ? {} : { synchronizer: args.synchronizer }),
      ...(args.threads === undefined ? {} : { threads: args.threads }),
    });
    warnAbout(found, context);
    if (args['group-digests']) {
      const salt = args['salt-file'] === undefined ? '' : await readSalt(args['salt-file']);
      const list = groupDigests(found.states.scheme, found.states.rows(), {
        hosting,
        participant: args.participant,
        counterParticipant: counterParticipant!,
        synchronizer: found.synchronizer,
        salt,
      });
      await context.write(
        `${JSON.stringify(args['show-parties'] ? withParties(list, found, salt) : list, null, 2)}\n`,
      );
      return EXIT.ok;
    }
    const commitments = found.commitments.filter(
      (c) => counterParticipant === undefined || c.counterParticipant === counterParticipant,
    );
    const expected = args.expect === undefined ? undefined : matches(args.expect, commitments[0]);
    await context.result(
      {
        file: found.facts.name,
        participant: participantUid(hosting, args.participant),
        synchronizerId: found.synchronizer,
        scheme: args.scheme,
        contracts: found.contracts,
        onOtherSynchronizers: found.elsewhere,
        inFlight: found.facts.inFlight,
        ...(expected === undefined ? {} : { expected: args.expect, equal: expected }),
        commitments: commitments.map((c) => ({
          counterParticipant: c.counterParticipant,
          commitment: c.commitment.toString('hex'),
          logged: commitmentLogText(c.commitment),
          elements: c.elements,
          contracts: c.contracts ?? null,
        })),
      },
      () => describeCommitments(found, commitments, expected),
    );
    return expected === false ? EXIT.findings : EXIT.ok;
  },
});

function warnAbout(found: SnapshotCommitments, context: CliContext): void {
  if (found.contracts === 0 && found.elsewhere > 0) {
    context.warn({
      code: 'COMMITMENT_NO_CONTRACTS',
      message: `the file has no contract on ${found.synchronizer}, but ${found.elsewhere} on others`,
      file: found.facts.name,
    });
  }
  if (found.facts.inFlight > 0) {
    context.warn({
      code: 'COMMITMENT_IN_FLIGHT',
      message: `${found.facts.inFlight} contracts in flight are in no commitment`,
      file: found.facts.name,
      count: found.facts.inFlight,
    });
  }
}

function describeCommitments(
  found: SnapshotCommitments,
  commitments: readonly CounterParticipantCommitment[],
  expected: boolean | undefined,
): string {
  const lines = [
    `${found.facts.name}: ${groupDigits(found.contracts)} contracts on ${found.synchronizer}` +
      (found.elsewhere > 0 ? ` (${groupDigits(found.elsewhere)} on others)` : ''),
  ];
  if (commitments.length === 0) lines.push('no shared contract: nothing is sent');
  else {
    lines.push(
      renderTable(
        ['counter-participant', 'contracts', 'groups', 'commitment'],
        commitments.map((c) => [
          c.counterParticipant,
          c.contracts === undefined ? '-' : groupDigits(c.contracts),
          groupDigits(c.elements),
          c.commitment.toString('hex'),
        ]),
        { right: [1, 2] },
      ),
    );
  }
  if (expected !== undefined) lines.push(expected ? 'equal to the expected one' : 'NOT the expected one');
  return lines.join('\n');
}

/** Whole commitments are compared; so is the start of the hash that logs show (`SHA-256:e2c0cf0361cb...`). */
function matches(expect: string, commitment: CounterParticipantCommitment | undefined): boolean {
  const found = commitment?.commitment.toString('hex');
  const start = /^(?:SHA-256:)([0-9a-f]{6,64})(?:\.\.\.|…)?$/.exec(expect)?.[1];
  if (start !== undefined) return found?.slice(4).startsWith(start) === true;
  return found === parseCommitment(expect).toString('hex');
}

async function readSalt(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw fileError(path, cause);
  });
  const salt = text.trim();
  if (salt === '')
    throw usageError(`${path} is empty`, 'write a long random text into it, the same on both sides');
  return salt;
}

/** The list with the parties of each group, which must not be handed to anyone else. */
function withParties(list: GroupDigestList, found: SnapshotCommitments, salt: string): unknown {
  const names = new Map<string, readonly string[]>();
  for (const group of found.states.groups()) names.set(groupName(group.parties, salt), group.parties);
  return { ...list, groups: list.groups.map((g) => ({ ...g, parties: names.get(g.group) })) };
}
