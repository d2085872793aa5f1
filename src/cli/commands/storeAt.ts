/** `acs store at` */
import {
  type ActiveRow,
  activeRows,
  countActive,
  countByTemplate,
  resolveQuestion,
} from '../../store/ask.js';
import { withStore } from '../../store/open.js';
import { defineCommand, EXIT } from '../command.js';
import { stringifyJson } from '../context.js';
import { activeCountJson, activeJson } from '../storeJson.js';
import { askFilter, askOptions, dbPositional, sourceOption } from '../storeOptions.js';
import { groupDigits, renderTable } from '../table.js';

export const storeAtCommand = defineCommand({
  command: 'at <db>',
  describe: 'the active contracts of a source at an offset',
  details:
    'An offset counts with everything that happened at it. A contract that is active on two synchronizers\n' +
    'is listed twice. Contracts in flight are not active: see `acs store inflight`. Offsets before the base\n' +
    'or behind the last known one are refused, and so is a party outside the filter of the base.',
  examples: [
    ['acs store at acs.db --party alice::1220ab…', 'what alice sees now'],
    ['acs store at acs.db --source p1 --offset 1050 --count', 'how many, by template'],
    ['acs store at acs.db --template Acme.Iou:Iou --json', 'one JSON object per contract'],
  ],
  exitStatus: { 0: 'answered' },
  options: (y) =>
    askOptions(sourceOption(dbPositional(y)))
      .option('count', {
        type: 'boolean',
        default: false,
        describe: 'only counts, by synchronizer and template',
      })
      .option('limit', { type: 'number', default: 50, describe: 'contracts listed in the table (0: all)' }),
  async run(args, context) {
    return withStore(args.db, {}, async ({ db }) => {
      const q = resolveQuestion(db, args.source, askFilter(args));
      if (q.partial !== undefined)
        context.warn({ code: 'PARTIAL', message: q.partial, source: q.source.name });
      if (args.count) {
        const byTemplate = countByTemplate(db, q);
        const contracts = byTemplate.reduce((sum, c) => sum + c.contracts, 0);
        await context.result(
          {
            source: q.source.name,
            offset: q.offset,
            contracts,
            byTemplate: byTemplate.map(activeCountJson),
            partial: q.partial ?? null,
          },
          () =>
            `${groupDigits(contracts)} contracts of ${q.source.name} at offset ${q.offset}\n${renderTable(
              ['contracts', 'template', 'package', 'synchronizer'],
              byTemplate.map((c) => [groupDigits(c.contracts), c.template, c.packageId, c.synchronizer]),
              { right: [0] },
            )}`,
        );
        return EXIT.ok;
      }
      if (context.json) {
        for (const row of activeRows(db, q))
          if (!(await context.write(`${stringifyJson(activeJson(row))}\n`))) break;
        return EXIT.ok;
      }
      const total = countActive(db, q);
      const shown: ActiveRow[] = [];
      for (const row of activeRows(db, q)) {
        if (args.limit > 0 && shown.length >= args.limit) break;
        shown.push(row);
      }
      const rest = total - shown.length;
      await context.result(
        null,
        () =>
          `${groupDigits(total)} contracts of ${q.source.name} at offset ${q.offset}\n${renderTable(
            ['since', 'counter', 'template', 'contract', 'synchronizer', 'stakeholders'],
            shown.map((r) => [
              r.since,
              r.reassignmentCounter,
              `${r.moduleName}:${r.entityName}`,
              shortId(r.contractId),
              shortUid(r.synchronizer),
              [...r.signatories, ...r.observers].map(shortUid).join(' '),
            ]),
            { right: [0, 1] },
          )}${rest > 0 ? `\n… and ${groupDigits(rest)} more (--limit, --json)` : ''}`,
      );
      return EXIT.ok;
    });
  },
});

/** Enough of an id to recognise it in a table. */
export function shortId(id: string): string {
  return id.length > 20 ? `${id.slice(0, 14)}…${id.slice(-4)}` : id;
}

/** `alice::1220ab12…`. */
export function shortUid(uid: string): string {
  const at = uid.indexOf('::');
  return at < 0 || uid.length - at <= 12 ? uid : `${uid.slice(0, at + 10)}…`;
}
