/** `acs store changes` */
import { type Change, type ChangeKind, changesBetween } from '../../store/changes.js';
import { withStore } from '../../store/open.js';
import { defineCommand, EXIT } from '../command.js';
import { stringifyJson } from '../context.js';
import { changeJson } from '../storeJson.js';
import { dbPositional, filterOptions, requiredOffset, sourceOption } from '../storeOptions.js';
import { groupDigits, renderTable } from '../table.js';
import { shortId, shortUid } from './storeAt.js';

export const storeChangesCommand = defineCommand({
  command: 'changes <db>',
  describe: 'what became active, ended or moved between two offsets',
  details:
    'added: active at --to and not at --from; removed: the other way round; moved: active at both, on another\n' +
    'synchronizer or with another counter; transient: became active and ended in between.\n' +
    'The contracts at --to are those at --from, plus added, minus removed.',
  examples: [
    ['acs store changes acs.db --source p1 --from 1042 --to 1050', 'everything after 1042 up to 1050'],
  ],
  exitStatus: { 0: 'nothing changed', 1: 'something changed' },
  options: (y) =>
    filterOptions(sourceOption(dbPositional(y)))
      .option('from', { type: 'string', demandOption: true, describe: 'offset, exclusive' })
      .option('to', { type: 'string', demandOption: true, describe: 'offset, inclusive' })
      .option('limit', { type: 'number', default: 50, describe: 'changes listed in the table (0: all)' }),
  async run(args, context) {
    return withStore(args.db, {}, async ({ db }) => {
      const counts: Record<ChangeKind, number> = { added: 0, removed: 0, moved: 0, transient: 0 };
      const shown: Change[] = [];
      const changes = changesBetween(db, {
        source: args.source,
        from: requiredOffset(args.from, '--from'),
        to: requiredOffset(args.to, '--to'),
        parties: args.party,
        templates: args.template,
        synchronizers: args.synchronizer,
        allowPartial: args.partial,
      });
      let total = 0;
      for (const change of changes) {
        total++;
        counts[change.kind]++;
        if (context.json) {
          if (!(await context.write(`${stringifyJson(changeJson(change))}\n`))) break;
        } else if (args.limit === 0 || shown.length < args.limit) shown.push(change);
      }
      if (!context.json) {
        await context.result(null, () =>
          [
            Object.entries(counts)
              .map(([kind, n]) => `${kind} ${groupDigits(n)}`)
              .join(', '),
            renderTable(
              ['change', 'template', 'contract', 'before', 'after'],
              shown.map((c) => [
                c.kind,
                c.template,
                shortId(c.contractId),
                places(c.before),
                places(c.after),
              ]),
            ),
            ...(total > shown.length
              ? [`… and ${groupDigits(total - shown.length)} more (--limit, --json)`]
              : []),
          ].join('\n'),
        );
      }
      return total > 0 ? EXIT.findings : EXIT.ok;
    });
  },
});

function places(list: Change['before']): string {
  return list.map((p) => `${shortUid(p.synchronizer)} (${p.reassignmentCounter})`).join(', ') || '-';
}
