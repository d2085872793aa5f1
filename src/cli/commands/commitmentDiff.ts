/** `acs commitment diff` */

import { consoleComparison, type DiffPass } from '../../commitment/consoleComparison.js';
import { diffGroupDigests, isGroupDigests, readGroupDigests } from '../../commitment/groupDigests.js';
import {
  diffOpenCommitments,
  type OpenCommitmentDiff,
  type OpenCommitmentDifference,
} from '../../commitment/openCommitmentDiff.js';
import { usageError } from '../../io/error.js';
import { refuseReadOnce } from '../../io/readTwice.js';
import { parseByteSize } from '../byteSize.js';
import { defineCommand, EXIT } from '../command.js';
import type { CliContext } from '../context.js';
import { groupDigits, renderTable } from '../table.js';

export const commitmentDiffCommand = defineCommand({
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
      .option('memory', { type: 'string', default: '256MB', describe: 'about how much memory to use' }),
  async run(args, context) {
    const memoryBytes = parseByteSize(args.memory, '--memory');
    if (memoryBytes === 0) throw usageError('--memory must be above 0');
    await refuseReadOnce([args.local, args.remote]);
    if (await isGroupDigests(args.local)) {
      const local = await readGroupDigests(args.local);
      const differences = diffGroupDigests(local, await readGroupDigests(args.remote));
      await context.result({ differences }, () =>
        differences.length === 0
          ? `all ${local.groups.length} groups are equal`
          : renderTable(
              ['group', 'difference', 'contracts here', 'contracts there'],
              differences.map((d) => [d.group, d.kind, d.localContracts, d.remoteContracts]),
              { right: [2, 3] },
            ),
      );
      return differences.length === 0 ? EXIT.ok : EXIT.findings;
    }
    const pass: DiffPass = (use) => diffOpenCommitments(args.local, args.remote, use, { memoryBytes });
    const total =
      args.format === 'canton-mismatch'
        ? await consoleComparison(pass, async (text) => void (await context.write(text)))
        : await writeDifferences(pass, context, args.format === 'jsonl', args.limit);
    return total.onlyLocal + total.onlyRemote + total.counterDiffers === 0 ? EXIT.ok : EXIT.findings;
  },
});

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
