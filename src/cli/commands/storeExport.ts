/** `acs store export` */
import { manifestPath } from '../../contract/manifest.js';
import { usageError } from '../../io/error.js';
import { exportColumns } from '../../store/columnar.js';
import { exportSnapshot } from '../../store/exportSnapshot.js';
import { describeInFlight } from '../../store/history.js';
import { DEFLATE_LEVEL } from '../../wire/deflate.js';
import { defineCommand, EXIT } from '../command.js';
import { columnarJson, exportJson } from '../storeJson.js';
import { askFilter, askOptions, dbPositional, sourceOption } from '../storeOptions.js';
import { groupDigits, humanBytes } from '../table.js';

export const storeExportCommand = defineCommand({
  command: 'export <db>',
  describe: 'write the active contracts at an offset as a snapshot file, or all intervals as columns',
  details:
    'A snapshot file holds the very bytes a participant exports, in its order, as one gzip member. A\n' +
    'contract in flight cannot be imported and has no record: it is named on standard error and in the\n' +
    'JSON, and the exit status is 3. `--in-flight keep` writes the empty records a real export has;\n' +
    'Canton refuses to import such a file.\n' +
    'With --format parquet, csv or jsonl, OUT is a folder: one file per source and synchronizer with every\n' +
    'interval in which a contract was active, for DuckDB, Spark or Trino (docs/STORE.md).',
  examples: [
    ['acs store export acs.db --source p1 --offset 1050 -o p1-1050.acs.gz', 'for an import'],
    ['acs store export acs.db --party alice::1220ab… -o alice.acs.gz --manifest', 'one party, with manifest'],
    ['acs store export acs.db --format parquet -o columns', 'every source, for a larger machine'],
  ],
  exitStatus: { 0: 'written whole', 3: 'written; contracts in flight are not in the file' },
  options: (y) =>
    askOptions(sourceOption(dbPositional(y)))
      .option('output', {
        type: 'string',
        alias: 'o',
        demandOption: true,
        describe: 'file (or -), or folder',
      })
      .option('format', {
        choices: ['acs', 'parquet', 'csv', 'jsonl'] as const,
        default: 'acs' as const,
        describe: 'snapshot file, or columns',
      })
      .option('in-flight', {
        choices: ['list', 'keep', 'refuse'] as const,
        default: 'list' as const,
        describe: 'contracts in flight: leave out and list, write empty records, or fail',
      })
      .option('manifest', { type: 'boolean', default: false, describe: 'write OUT.manifest.json too' })
      .option('level', { type: 'number', describe: `deflate level, 0 to 9 (default ${DEFLATE_LEVEL})` })
      .option('blobs', {
        type: 'boolean',
        default: false,
        describe: 'columns: the contracts themselves too',
      }),
  async run(args, context) {
    if (args.format !== 'acs') {
      if (args.output === '-') throw usageError('columns are written to a folder, not to standard output');
      const progress = context.progress(`export ${args.output}`, 'rows');
      const result = await exportColumns(args.db, args.output, {
        ...askFilter(args),
        sources: args.source === undefined ? undefined : [args.source],
        format: args.format,
        blobs: args.blobs,
        onProgress: (rows) => progress.update(rows),
      });
      progress.finish();
      for (const message of result.partial) context.warn({ code: 'PARTIAL', message });
      if (result.leftOver.length > 0) {
        context.warn({
          code: 'COLUMNS_LEFT_OVER',
          message: `${result.leftOver.length} files of an earlier export lie in the folder too, and who reads it reads them: remove them, or write to another folder`,
          count: result.leftOver.length,
          examples: result.leftOver.slice(0, 10),
        });
      }
      await context.result(
        columnarJson(result),
        () =>
          `${groupDigits(result.rows)} intervals\n${result.files.map((f) => `  ${f.path}  ${groupDigits(f.rows)}`).join('\n')}`,
      );
      return EXIT.ok;
    }
    const progress = context.progress(`export ${args.output}`, 'contracts');
    const result = await exportSnapshot(args.db, args.output, {
      ...askFilter(args),
      source: args.source,
      inFlight: args['in-flight'],
      manifest: args.manifest,
      ...(args.level === undefined ? {} : { level: args.level }),
      onProgress: (contracts) => progress.update(contracts),
    });
    progress.finish();
    if (result.partial !== undefined)
      context.warn({ code: 'PARTIAL', message: result.partial, source: result.source });
    const leaving = result.inFlight.filter((r) => r.kind === 'unassigned');
    const missing = leaving.length + result.unnamedInFlight;
    if (missing > 0) {
      context.warn({
        code: 'IN_FLIGHT',
        source: result.source,
        message: `${missing} contracts are in flight and ${args['in-flight'] === 'keep' ? 'stand as empty records' : 'not in the file'}`,
        count: missing,
        examples: leaving.slice(0, 10).map((r) => r.contractId),
      });
      for (const r of leaving) context.note(`  ${r.contractId}  ${describeInFlight(r)}`);
    }
    if (args.output !== '-') {
      await context.result(
        exportJson(result, manifestPath(args.output)),
        () =>
          `${result.path}: ${groupDigits(result.contracts)} contracts of ${result.source} at offset ${result.offset}, ${humanBytes(result.compressedBytes)}`,
      );
    }
    return missing > 0 ? EXIT.loss : EXIT.ok;
  },
});
