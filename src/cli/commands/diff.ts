/** `acs diff` */
import { readHostingMap } from '../../commitment/hostingMap.js';
import { synchronizerIdProblem } from '../../contract/identifier.js';
import { openMismatchFile } from '../../diff/cantonMismatch.js';
import { comparedNothing, partialInputs, resultCautions } from '../../diff/cautions.js';
import { diffInputs } from '../../diff/diff.js';
import type { Difference } from '../../diff/difference.js';
import { differenceJson, diffSummaryJson } from '../../diff/differenceJson.js';
import type { DiffSource, DiffSourceFacts } from '../../diff/diffSource.js';
import { openHtmlReport } from '../../diff/htmlReport.js';
import type { DiffSummary } from '../../diff/summary.js';
import { createAtomicFile, writeFileAtomic } from '../../io/atomicFile.js';
import { usageError } from '../../io/error.js';
import { parseByteSize } from '../byteSize.js';
import { defineCommand, EXIT } from '../command.js';
import { openComparisonInputs } from '../comparisonInputs.js';
import { warnOfOtherSynchronizer } from '../hostingSynchronizer.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { parseRecordTimes, recordTimeOption } from '../recordTimes.js';
import { sourceFiles } from '../sourceFiles.js';
import { groupDigits, renderTable } from '../table.js';

export const diffCommand = defineCommand({
  command: 'diff <inputs..>',
  describe: 'compare two or more snapshots, stores or opened commitments contract by contract',
  details:
    'An input is FILE or PARTICIPANT=FILE; FILE is a snapshot, an opened commitment, or a store as\n' +
    'STORE[#SOURCE][@OFFSET], which also knows what is in flight, archived or purged. With a hosting map\n' +
    'only what two participants must share is compared: contracts with a stakeholder hosted by both.\n' +
    'Without one every contract is expected in every input. Classes: only-in, archived-elsewhere, purged-elsewhere, counter-differs,\n' +
    'content-differs (with the fields), stakeholders-differ, other-synchronizer, in-flight.\n' +
    'Memory stays within --memory whatever the size; what does not fit goes to temporary files.',
  examples: [
    ['acs diff a.acs.gz b.acs.gz', 'summary and the first differences'],
    [
      'acs diff participant1.acs.gz participant2.acs.gz --hosting hosting.json --html diff.html',
      'compare what the two must share, write a report for the browser',
    ],
    ['acs diff P1=a.acs.gz P2=b.acs.gz --hosting h.json --format jsonl', 'one JSON object per difference'],
    [
      'acs diff P1=a.acs.gz P2=remote.jsonl --hosting h.json --format canton-mismatch',
      "the file of the console's mismatch runbook",
    ],
  ],
  exitStatus: {
    0: 'no difference',
    1: 'at least one difference, or --synchronizer, --party or the hosting map leave nothing to compare',
  },
  options: (y) =>
    recordTimeOption(
      readOptions(
        y.positional('inputs', {
          type: 'string',
          array: true,
          demandOption: true,
          describe: 'FILE or PARTICIPANT=FILE, at least two; a store as STORE[#SOURCE][@OFFSET]',
        }),
      ),
    )
      .option('hosting', {
        type: 'string',
        describe: 'hosting map: compare only what participants must share',
      })
      .option('shared', {
        type: 'boolean',
        default: false,
        describe:
          'compare only what inputs must share; without --hosting their manifests have to name the parties',
      })
      .option('synchronizer', {
        type: 'string',
        describe: 'only contracts on this synchronizer (default: that of the hosting map)',
      })
      .option('party', {
        type: 'string',
        array: true,
        describe: 'only contracts with this stakeholder; several: with all of them',
      })
      .option('memory', { type: 'string', default: '512MB', describe: 'about how much memory to use' })
      .option('threads', {
        type: 'number',
        describe: 'snapshot files read at once, each on a thread of its own (default: as memory allows)',
      })
      .option('format', {
        choices: ['table', 'jsonl', 'canton-mismatch', 'html'] as const,
        default: 'table' as const,
        describe: 'what to print',
      })
      .option('output', {
        type: 'string',
        alias: 'o',
        describe: 'write it to this file; of other formats than table the summary is printed too',
      })
      .option('html', { type: 'string', describe: 'also write the HTML report to this file' })
      .option('top', { type: 'number', default: 20, describe: 'differences listed in the table' })
      .option('allow-skew', {
        type: 'boolean',
        default: false,
        describe: 'compare inputs cut at different record times',
      }),
  async run(args, context) {
    const hosting = args.hosting === undefined ? undefined : await readHostingMap(args.hosting);
    const problem = args.synchronizer === undefined ? undefined : synchronizerIdProblem(args.synchronizer);
    if (problem !== undefined)
      throw usageError(
        `${args.synchronizer} is no logical synchronizer id: ${problem}`,
        '`acs info` lists the synchronizers of a file',
      );
    warnOfOtherSynchronizer(context, hosting, args.synchronizer);
    const scan = scanOptions(args);
    const recordTimes = parseRecordTimes(args.recordTime, args.synchronizer ?? hosting?.synchronizerId);
    const sources = await openComparisonInputs(args.inputs, { hosting, scan, recordTimes });
    if (context.json && args.format === 'html' && args.output === undefined)
      throw usageError('--json and --format html contradict', 'write the report with --html FILE');
    if (args.format === 'canton-mismatch' && sources.length !== 2)
      throw usageError('the canton-mismatch format compares exactly two inputs');
    if (hosting !== undefined) for (const caution of partialInputs(sources, hosting)) context.warn(caution);
    const names = sources.map((source) => source.name);
    const listed: Difference[] = [];
    const html = args.format === 'html' || args.html !== undefined ? openHtmlReport(names) : undefined;
    const mismatch =
      args.format === 'canton-mismatch'
        ? openMismatchFile(args.synchronizer ?? hosting?.synchronizerId)
        : undefined;
    const file = args.output === undefined ? undefined : await createAtomicFile(args.output);
    const put = async (text: string | Uint8Array): Promise<void> => {
      if (file === undefined) await context.write(text);
      else await file.write(typeof text === 'string' ? Buffer.from(text) : text);
    };
    try {
      const progress = context.progress('diff', 'contracts', sourceFiles(sources));
      const done = new Map<DiffSource, number>();
      let facts: readonly DiffSourceFacts[] = [];
      const summary = await diffInputs(sources, {
        hosting,
        shared: args.shared,
        synchronizer: args.synchronizer,
        parties: args.party,
        memoryBytes: parseByteSize(args.memory, '--memory'),
        threads: args.threads,
        allowSkew: args['allow-skew'],
        onProgress: (source, contracts) => {
          done.set(source, contracts);
          let total = 0;
          for (const n of done.values()) total += n;
          progress.update(total);
        },
        onFacts: (found) => {
          facts = found;
        },
        onDifference: async (difference) => {
          if (listed.length < args.top) listed.push(difference);
          html?.add(difference);
          mismatch?.add(difference);
          if (args.format === 'jsonl') await put(`${JSON.stringify(differenceJson(difference, names))}\n`);
        },
      });
      progress.finish();
      const title = `acs diff ${names.join(' ')}`;
      if (args.html !== undefined) await writeFileAtomic(args.html, html!.render(summary, title));
      if (mismatch !== undefined) {
        for (const chunk of mismatch.read()) await put(chunk);
        if (mismatch.notShown > 0) {
          context.warn({
            code: 'DIFF_NOT_SHOWN',
            message: `${mismatch.notShown} contracts differ in something else than being active or their counters; this format cannot show that`,
            count: mismatch.notShown,
          });
        }
      } else if (args.format === 'html') await put(html!.render(summary, title));
      const json = {
        ...diffSummaryJson(summary),
        differences: listed.map((d) => differenceJson(d, names)),
      };
      const text = (): string => describeDiff(summary, listed, names);
      if (args.format === 'table' && file !== undefined)
        await put(`${context.json ? JSON.stringify(json) : text()}\n`);
      await file?.commit();
      // A file of another format leaves standard output to the summary.
      if ((args.format === 'table') === (file === undefined) && args.output !== '-')
        await context.result(json, text);
      const scope = { hosting, shared: args.shared, synchronizer: args.synchronizer };
      for (const caution of resultCautions(sources, scope, facts, summary)) context.warn(caution);
      return summary.different > 0 || comparedNothing(summary) ? EXIT.findings : EXIT.ok;
    } finally {
      mismatch?.close();
      await file?.abort();
    }
  },
});

function describeDiff(summary: DiffSummary, listed: readonly Difference[], names: readonly string[]): string {
  const lines = [
    renderTable(
      ['contracts', 'input', 'participant'],
      summary.inputs.map((i) => [groupDigits(i.contracts), i.name, i.participant ?? '']),
      { right: [0] },
    ),
    '',
    `synchronizer   ${summary.synchronizer ?? 'all'}`,
    `compared       ${groupDigits(summary.compared)}`,
    `same           ${groupDigits(summary.same)}`,
    `different      ${groupDigits(summary.different)}`,
    ...Object.entries(summary.byClass).map(([name, n]) => `  ${groupDigits(n).padStart(10)}  ${name}`),
  ];
  const { notShared, otherSynchronizer, notAsked } = summary.notCompared;
  if (notShared > 0) lines.push(`not shared     ${groupDigits(notShared)}`);
  if (otherSynchronizer > 0) lines.push(`elsewhere      ${groupDigits(otherSynchronizer)}`);
  if (notAsked > 0) lines.push(`filtered out   ${groupDigits(notAsked)}`);
  if (summary.shownWithoutHosting > 0) {
    lines.push(
      `not hosted     ${groupDigits(summary.shownWithoutHosting)}  (shown by a participant that hosts none of the stakeholders)`,
    );
  }
  if (summary.representativeDiffers > 0) {
    lines.push(
      `represented    ${groupDigits(summary.representativeDiffers)}  (by different packages; no difference of the contract)`,
    );
  }
  if (summary.pairs.length > 1 || summary.different > 0) {
    lines.push(
      '',
      renderTable(
        ['shared', 'same', 'different', 'only left', 'only right', 'left', 'right'],
        summary.pairs.map((p) => [
          groupDigits(p.shared),
          groupDigits(p.same),
          groupDigits(p.different),
          groupDigits(p.onlyLeft),
          groupDigits(p.onlyRight),
          p.left,
          p.right,
        ]),
        { right: [0, 1, 2, 3, 4] },
      ),
    );
  }
  if (listed.length > 0) {
    lines.push('', ...listed.flatMap((difference) => describeDifference(difference, names)));
    const more = summary.different - listed.length;
    if (more > 0) lines.push(`… and ${groupDigits(more)} more (--top, --format jsonl, --html)`);
  }
  return lines.join('\n');
}

function describeDifference(difference: Difference, names: readonly string[]): string[] {
  const fields = difference.fields.length > 0 ? ` (${difference.fields.join(', ')})` : '';
  const states = difference.states.map((state) => {
    const counter = state.reassignmentCounter === undefined ? '' : ` counter ${state.reassignmentCounter}`;
    return `${names[state.input]}: ${state.state}${counter}${state.expected ? '' : ' (not hosted)'}`;
  });
  return [
    difference.contractId,
    `  ${difference.classes.join(', ')}${fields}; ${difference.template ?? 'template unknown'}`,
    `  ${states.join('; ')}`,
  ];
}
