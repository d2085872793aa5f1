/** `acs commitment` */
import type { SchemeName } from '../../commitment/commitmentScheme.js';
import type { CounterParticipantCommitment } from '../../commitment/commitments.js';
import { expectedCommitment } from '../../commitment/expectedCommitment.js';
import { type GroupDigestList, groupDigests, groupName, readSalt } from '../../commitment/groupDigests.js';
import { participantUid, readHostingMap } from '../../commitment/hostingMap.js';
import { commitmentLogText } from '../../commitment/lthash16.js';
import { SCHEMES, schemeOf } from '../../commitment/schemes.js';
import { parseMicros } from '../../contract/time.js';
import { usageError } from '../../io/error.js';
import { type ComputedCommitments, computeCommitments } from '../../store/computeCommitments.js';
import { defineCommand, EXIT } from '../command.js';
import type { CliContext } from '../context.js';
import { warnOfOtherSynchronizer } from '../hostingSynchronizer.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { parseOffset } from '../storeOptions.js';
import { groupDigits, renderTable } from '../table.js';
import { commitmentDiffCommand } from './commitmentDiff.js';
import { commitmentOpenCommand } from './commitmentOpen.js';

export const commitmentCommand = defineCommand({
  command: 'commitment [file]',
  describe: 'compute the ACS commitments of a participant from a snapshot or store; compare opened ones',
  details:
    'Prints, per counter-participant, the hash that the participant exchanges when the file holds its\n' +
    'active contracts at a tick. It equals what the node logs and returns if the file was exported for\n' +
    'every party the participant hosts, nothing excluded, and the hosting map is that of the tick. The\n' +
    'hash covers contract ids, reassignment counters and the grouping by stakeholders, not payloads.\n' +
    'A store answers for any offset or tick (--at); with --keep it keeps the running states, and the next\n' +
    'question costs only what changed in between.',
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
      'acs commitment acs.db --source p1 --at 2026-01-31T12:00:05Z --participant participant1 --hosting hosting.json --keep',
      'what the store gives for a tick',
    ],
    [
      'acs commitment p1.acs.gz --participant participant1 --hosting hosting.json --with participant2 --group-digests --salt-file salt > groups.json',
      'a list for the other operator that shows no contract and no party',
    ],
  ],
  exitStatus: { 0: 'computed; with --expect: equal', 1: 'the commitment is not the expected one' },
  subcommands: [commitmentDiffCommand, commitmentOpenCommand],
  options: (y) =>
    readOptions(y.positional('file', { type: 'string', describe: 'snapshot file, store, or -' }))
      .option('participant', { type: 'string', describe: 'the participant the file is from' })
      .option('hosting', { type: 'string', describe: 'hosting map (JSON)' })
      .option('synchronizer', {
        type: 'string',
        describe: 'synchronizer id; default: the hosting map’s',
      })
      .option('source', { type: 'string', describe: 'store: the source; default the only one' })
      .option('offset', { type: 'string', describe: 'store: ledger offset; default the head' })
      .option('at', {
        type: 'string',
        describe: 'store: a tick, e.g. 2026-01-31T12:00:05Z, instead of an offset',
      })
      .option('keep', {
        type: 'boolean',
        default: false,
        describe: 'store: keep the running states for the next time',
      })
      .option('with', { type: 'string', describe: 'only this counter-participant' })
      .option('expect', {
        type: 'string',
        describe: 'the commitment to compare with: 1220…, or SHA-256:… as a log shows it',
      })
      .option('scheme', {
        choices: Object.keys(SCHEMES) as SchemeName[],
        default: 'blake2xb-groups' as SchemeName,
        describe: 'blake2xb-groups up to protocol version 35; blake3-pairs is the alpha after it',
      })
      .option('group-digests', {
        type: 'boolean',
        default: false,
        describe: 'print the list of group digests for the participant named with --with',
      })
      .option('salt-file', {
        type: 'string',
        describe: 'file with the secret the two operators agreed on',
      })
      .option('show-parties', {
        type: 'boolean',
        default: false,
        describe: 'name the parties behind each group digest; for your own eyes',
      })
      .option('threads', {
        type: 'number',
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
    warnOfOtherSynchronizer(context, hosting, args.synchronizer);
    const counterParticipant = args.with === undefined ? undefined : participantUid(hosting, args.with);
    if (
      counterParticipant !== undefined &&
      counterParticipant === participantUid(hosting, args.participant)
    ) {
      throw usageError(`--with ${args.with}: a participant has no commitment with itself`);
    }
    const expects = args.expect === undefined ? undefined : expectedCommitment(args.expect);
    const salt = args['salt-file'] === undefined ? '' : await readSalt(args['salt-file']);
    const progress = context.progress(`commitment ${args.file}`, 'bytes', { files: [args.file] });
    const found = await computeCommitments(args.file, {
      ...args,
      hosting,
      participant: args.participant,
      scheme: schemeOf(args.scheme),
      scan: scanOptions(args),
      offset: parseOffset(args.offset, '--offset'),
      at: args.at === undefined ? undefined : parseMicros(args.at),
    });
    progress.finish();
    warnAbout(found, context);
    if (args['group-digests']) {
      const list = groupDigests(schemeOf(args.scheme), found.rows(), {
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
    const expected = expects?.(commitments[0]?.commitment);
    await context.result(
      {
        file: found.file,
        participant: participantUid(hosting, args.participant),
        synchronizerId: found.synchronizer,
        scheme: args.scheme,
        contracts: found.contracts,
        onOtherSynchronizers: found.elsewhere,
        inFlight: found.inFlight,
        ...(found.store === undefined ? {} : storeFacts(found.store)),
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

/** That a store is behind is told by a warning. */
function storeFacts({ behind: _, ...facts }: NonNullable<ComputedCommitments['store']>): object {
  return facts;
}

function warnAbout(found: ComputedCommitments, context: CliContext): void {
  if (found.contracts === 0 && found.elsewhere > 0) {
    context.warn({
      code: 'COMMITMENT_NO_CONTRACTS',
      message: `the file has no contract on ${found.synchronizer}, but ${found.elsewhere} on others`,
      file: found.file,
    });
  }
  if (found.store?.behind === true) {
    context.warn({
      code: 'COMMITMENT_STORE_BEHIND',
      message: `${found.store.source} was last seen on ${found.synchronizer} before the tick: updates up to it may be missing`,
      file: found.file,
    });
  }
  if (found.inFlight > 0) {
    context.warn({
      code: 'COMMITMENT_IN_FLIGHT',
      message: `${found.inFlight} contracts in flight are in no commitment`,
      file: found.file,
      count: found.inFlight,
    });
  }
}

function describeCommitments(
  found: ComputedCommitments,
  commitments: readonly CounterParticipantCommitment[],
  expected: boolean | undefined,
): string {
  const lines = [
    `${found.file}: ${groupDigits(found.contracts)} contracts on ${found.synchronizer}` +
      (found.elsewhere > 0 ? ` (${groupDigits(found.elsewhere)} on others)` : '') +
      (found.store === undefined ? '' : `, ${found.store.source} at offset ${found.store.offset}`),
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

/** The list with the parties of each group, which must not be handed to anyone else. */
function withParties(list: GroupDigestList, found: ComputedCommitments, salt: string): unknown {
  const names = new Map<string, readonly string[]>();
  for (const { parties } of found.rows()) names.set(groupName(parties, salt), parties);
  return { ...list, groups: list.groups.map((g) => ({ ...g, parties: names.get(g.group) })) };
}
