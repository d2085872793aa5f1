/** `acs store sql` */
import { querySql } from '../../store/readOnlySql.js';
import { defineCommand, EXIT } from '../command.js';
import { stringifyJson } from '../context.js';
import { dbPositional } from '../storeOptions.js';
import { renderTable } from '../table.js';

export const storeSqlCommand = defineCommand({
  command: 'sql <db> <query>',
  describe: 'ask a store in SQL; nothing can be changed',
  details:
    'Views: active, intervals, events, parties, templates, reassignments, findings (docs/STORE.md has their\n' +
    'columns). With --json one object per row; BLOBs are hex.',
  examples: [
    ['acs store sql acs.db "SELECT source, count(*) FROM active GROUP BY 1"', 'active contracts per source'],
    ['acs store sql acs.db "SELECT * FROM findings" --json', 'every finding'],
  ],
  exitStatus: { 0: 'answered' },
  options: (y) =>
    dbPositional(y)
      .positional('query', { type: 'string', demandOption: true, describe: 'one SELECT' })
      .option('limit', { type: 'number', default: 1000, describe: 'rows in the table (0: all)' }),
  async run(args, context) {
    if (context.json) {
      await querySql(args.db, args.query, (row, columns) =>
        context.write(
          `${stringifyJson(Object.fromEntries(columns.map((name, i) => [name, cell(row[i])])))}\n`,
        ),
      );
      return EXIT.ok;
    }
    const rows: string[][] = [];
    const options = args.limit > 0 ? { maxRows: args.limit } : {};
    const answer = await querySql(
      args.db,
      args.query,
      (row) => {
        rows.push(row.map((value) => String(cell(value) ?? '')));
      },
      options,
    );
    await context.result(null, () => renderTable(answer.columns, rows));
    if (answer.more) context.note(`first ${args.limit} rows (--limit)`);
    return EXIT.ok;
  },
});

function cell(value: unknown): unknown {
  return Buffer.isBuffer(value) ? value.toString('hex') : value;
}
