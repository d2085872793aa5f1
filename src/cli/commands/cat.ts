/** `acs cat` */
import {
  type CatFacts,
  type CatOptions,
  catFields,
  catJsonLines,
  catSnapshot,
  parseFields,
} from '../../inspect/cat.js';
import { catCsv, plainCell } from '../../inspect/catCsv.js';
import { labelledRenderer } from '../../inspect/labelledArgument.js';
import { usageError } from '../../io/error.js';
import { checkContractId } from '../../reshape/contractIdList.js';
import { defineCommand, EXIT } from '../command.js';
import { darOptions, loadDarArgs } from '../darOptions.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { renderTable } from '../table.js';
import { watchTrailingBytes } from '../trailingBytes.js';

/** Rows of a table are laid out together, so only so many are taken. */
const TABLE_ROWS = 10_000;

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
  exitStatus: {
    0: 'printed',
    1: 'a contract named with --contract is not in the file',
    4: 'failed; what was printed ends before the place that the error names',
  },
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
        describe: `output form; a table has at most ${TABLE_ROWS} rows, all laid out together`,
      }),
  async run(args, context) {
    if (context.json && args.format !== 'jsonl')
      throw usageError(`--json and --format ${args.format} contradict`);
    const trailing = watchTrailingBytes();
    const options: CatOptions = { ...scanOptions(args), onFacts: trailing.onFacts, blob: args.blob };
    if (args.fields !== undefined) options.fields = parseFields(args.fields.flatMap((f) => f.split(',')));
    if (args.limit !== undefined) options.limit = args.limit;
    const wanted =
      args.contract === undefined ? undefined : new Set(args.contract.map((id) => id.toLowerCase()));
    for (const id of wanted ?? []) checkContractId(id);
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
    const missing = new Set(wanted);
    options.onFound = (contractId) => missing.delete(contractId);
    const table: string[][] = [];
    const limit = args.limit ?? Number.POSITIVE_INFINITY;
    // One more than a table holds, to know that there is more.
    if (args.format === 'table') options.limit = Math.min(limit, TABLE_ROWS + 1);
    const printTable = async (): Promise<void> => {
      const rows = table.slice(0, TABLE_ROWS);
      await context.write(`${renderTable([...fields], rows)}\n`);
    };
    const print = async (text: string | Uint8Array): Promise<void> => {
      if (!(await context.write(text))) throw new ReaderGone();
    };
    const read = (): Promise<CatFacts> => {
      if (args.format === 'jsonl') return catJsonLines(args.file, print, options);
      if (args.format === 'csv') return catCsv(args.file, print, options);
      return catSnapshot(args.file, (row) => table.push(row.map(plainCell)), options);
    };
    if (!context.resultsOnTerminal) context.progress(`cat ${args.file}`, 'bytes', { files: [args.file] });
    const facts = await read().catch(async (error) => {
      if (error instanceof ReaderGone) return undefined;
      if (table.length > 0) await printTable();
      throw error;
    });
    context.endProgress();
    if (facts === undefined) return EXIT.ok;
    if (table.length > TABLE_ROWS) {
      context.warn({
        code: 'TABLE_CUT',
        message: `the table holds the first ${TABLE_ROWS} contracts; use --format jsonl or csv for all`,
        file: args.file,
      });
    }
    if (args.format === 'table') await printTable();
    if (positional > 0) {
      context.warn({
        code: 'POSITIONAL',
        message: `${positional} contracts are printed positionally, the first because: ${positionalReason}`,
        file: args.file,
      });
    }
    trailing.warn(context);
    if (facts.inFlight > 0) {
      context.warn({
        code: 'IN_FLIGHT_RECORD',
        message: `${facts.inFlight} contracts were in flight at the export and are not in the file`,
        file: args.file,
      });
    }
    // What --limit cut off may hold the others.
    if (wanted === undefined || facts.printed >= limit) return EXIT.ok;
    for (const contractId of missing) {
      context.warn({
        code: 'CONTRACT_NOT_FOUND',
        message: `not in ${args.file}: ${contractId}`,
        contractId,
      });
    }
    return missing.size > 0 ? EXIT.findings : EXIT.ok;
  },
});

/** The pipe's reader closed it: stop reading, no error. */
class ReaderGone extends Error {}
