/** `acs cat` */
import { type CatOptions, catFields, catSnapshot, parseFields, rowJson } from '../../inspect/cat.js';
import { labelledRenderer } from '../../inspect/labelledArgument.js';
import { usageError } from '../../io/error.js';
import { defineCommand, EXIT } from '../command.js';
import { darOptions, loadDarArgs } from '../darOptions.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { renderTable } from '../table.js';

/** Rows of a table are laid out together, so only so many are taken. */
const TABLE_ROWS = 10_000;
const FLUSH_CHARS = 1 << 18;

export const catCommand = defineCommand({
  command: 'cat <file>',
  describe: 'print the contracts of a snapshot, one JSON line each',
  details:
    'Every field of the created event; fields of the blob that differ from it appear in blobDiffers.\n' +
    'Arguments come from the blob. With --dar they are printed with their names, as the JSON Ledger API\n' +
    'does, and argumentPackageId names the package used. Without a package that fits they are\n' +
    'positional (argumentForm says so).\n' +
    '64-bit integers are strings. Empty records of in-flight contracts are skipped and counted.',
  examples: [
    ['acs cat export.acs.gz', 'all contracts'],
    ['acs cat --limit 3 --fields contractId,templateId,signatories export.acs.gz', 'a quick look'],
    ['acs cat --dar acme-iou-1.1.0.dar export.acs.gz', 'arguments with names and types'],
    ['acs cat --contract 00ab… --blob export.acs.gz', 'one contract with its blob in base64'],
    ['acs cat --format csv --fields contractId,createdAt export.acs.gz > list.csv', 'for a spreadsheet'],
  ],
  exitStatus: { 0: 'printed', 1: 'a contract named with --contract is not in the file' },
  options: (y) =>
    darOptions(
      readOptions(
        y.positional('file', { type: 'string', demandOption: true, describe: 'snapshot file or -' }),
      ),
    )
      .option('fields', { type: 'string', array: true, describe: 'fields to print, comma-separated' })
      .option('blob', { type: 'boolean', default: false, describe: 'print created_event_blob as base64' })
      .option('limit', { type: 'number', describe: 'stop after so many contracts' })
      .option('contract', {
        type: 'string',
        array: true,
        describe: 'only the contract with this id; may be repeated',
      })
      .option('format', {
        choices: ['jsonl', 'csv', 'table'] as const,
        default: 'jsonl' as const,
        describe: 'output form',
      }),
  async run(args, context) {
    if (context.json && args.format !== 'jsonl')
      throw usageError(`--json and --format ${args.format} contradict`);
    const options: CatOptions = { ...scanOptions(args), blob: args.blob };
    if (args.fields !== undefined) options.fields = parseFields(args.fields.flatMap((f) => f.split(',')));
    if (args.limit !== undefined) options.limit = args.limit;
    const wanted =
      args.contract === undefined ? undefined : new Set(args.contract.map((id) => id.toLowerCase()));
    if (wanted !== undefined) options.contracts = wanted;
    let positional = 0;
    let positionalReason = '';
    if (args.dar.length > 0) {
      options.render = labelledRenderer(await loadDarArgs(args, context), {
        onPositional: (contractId, reason) => {
          if (positional++ === 0) positionalReason = `${reason.message} (contract ${contractId})`;
        },
      });
    }
    const fields = catFields(options);
    const idColumn = fields.indexOf('contractId');
    const missing = new Set(wanted);
    const table: string[][] = [];
    let pending = args.format === 'csv' ? `${fields.join(',')}\n` : '';
    let printed = 0;
    let open = true;
    if (args.format === 'table') options.limit = Math.min(options.limit ?? TABLE_ROWS, TABLE_ROWS);
    const facts = await catSnapshot(
      args.file,
      (row) => {
        printed++;
        if (idColumn >= 0 && row[idColumn] !== undefined) missing.delete(JSON.parse(row[idColumn]) as string);
        if (args.format === 'jsonl') pending += rowJson(row, fields);
        else if (args.format === 'csv') pending += `${row.map(csvCell).join(',')}\n`;
        else table.push(row.map((cell) => plainText(cell)));
      },
      {
        ...options,
        afterChunk: async () => {
          if (pending.length < FLUSH_CHARS) return;
          open = await context.write(pending);
          pending = '';
          if (!open) throw new ReaderGone();
        },
      },
    ).catch((error) => {
      if (error instanceof ReaderGone) return undefined;
      throw error;
    });
    if (facts === undefined) return EXIT.ok;
    if (args.format === 'table') pending = `${renderTable([...fields], table)}\n`;
    if (pending !== '') await context.write(pending);
    if (positional > 0) {
      context.warn({
        code: 'POSITIONAL',
        message: `${positional} contracts are printed positionally, the first because: ${positionalReason}`,
        file: args.file,
      });
    }
    if (facts.inFlight > 0) {
      context.warn({
        code: 'IN_FLIGHT_RECORD',
        message: `${facts.inFlight} contracts were in flight at the export and are not in the file`,
        file: args.file,
      });
    }
    if (wanted !== undefined && idColumn >= 0 && missing.size > 0) {
      for (const contractId of missing) {
        context.warn({
          code: 'CONTRACT_NOT_FOUND',
          message: `not in ${args.file}: ${contractId}`,
          contractId,
        });
      }
      return EXIT.findings;
    }
    return wanted !== undefined && printed < wanted.size && args.limit === undefined
      ? EXIT.findings
      : EXIT.ok;
  },
});

/** The pipe's reader closed it: stop reading, no error. */
class ReaderGone extends Error {}

/** A JSON text as a plain cell: strings lose their quotes. */
function plainText(json: string | undefined): string {
  if (json === undefined) return '';
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

function csvCell(json: string | undefined): string {
  const text = plainText(json);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
