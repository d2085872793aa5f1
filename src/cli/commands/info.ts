/** `acs info` */
import { type SnapshotInfo, snapshotInfo } from '../../inspect/info.js';
import { AcsError } from '../../io/error.js';
import { defineCommand, EXIT } from '../command.js';
import { inputFiles } from '../inputFiles.js';
import { readOptions, scanOptions } from '../readOptions.js';
import { groupDigits, humanBytes, renderTable } from '../table.js';

export const infoCommand = defineCommand({
  command: 'info <files..>',
  describe: 'say what snapshot files hold: counts, sizes, parties, digest',
  details:
    'Reads each file once, in flat memory. Contracts are counted by template, package, synchronizer,\n' +
    'reassignment counter, contract-id version and party role. All gzip members are read; a second one\n' +
    'is pointed out, because Canton 3.4 and later ignore it. The content digest does not depend on the\n' +
    'order of the records: two files with the same contracts have the same digest.',
  examples: [
    ['acs info fixtures/snapshots/tiny.acs.gz', 'counts, sizes and digest of one file'],
    ["acs info --json 'exports/*.acs.gz'", 'one JSON object per file'],
    ['acs info --top 50 export.acs.gz', 'list up to 50 templates and parties'],
  ],
  exitStatus: {
    0: 'every file was read whole',
    1: 'a file has several gzip members, or bytes behind them',
    4: 'a file is damaged or could not be read; the others were looked at',
  },
  options: (y) =>
    readOptions(
      y.positional('files', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'snapshot files, globs, or -',
      }),
      'all',
    )
      .option('top', { type: 'number', default: 10, describe: 'rows per table' })
      .option('largest', { type: 'number', default: 5, describe: 'how many largest records to list' }),
  async run(args, context) {
    let status: number = EXIT.ok;
    for (const file of await inputFiles(args.files)) {
      const progress = context.progress(`info ${file}`, 'records', { files: [file] });
      const info = await snapshotInfo(file, {
        ...scanOptions(args),
        largest: args.largest,
        onProgress: (records) => progress.update(records),
      }).catch((error) => {
        if (error instanceof AcsError) return error;
        throw error;
      });
      progress.finish();
      if (info instanceof AcsError && info.code !== 'FORMAT_OTHER') {
        // The other files are looked at all the same.
        context.error(info);
        status = Math.max(status, info.exitCode);
        continue;
      }
      if (info instanceof AcsError) {
        // Recognised, and read by `acs convert`; counting is for format A.
        const other = { file, format: info.found, hint: info.hint };
        await context.result(
          other,
          () => `${file}\n  format          ${info.found}\n  next            ${info.hint}`,
        );
        continue;
      }
      if (info.gzip.members.length > 1 || info.gzip.trailingBytes > 0)
        status = Math.max(status, EXIT.findings);
      await context.result(info, () => describeInfo(info, args.top));
    }
    return status;
  },
});

function describeInfo(info: SnapshotInfo, top: number): string {
  const { gzip } = info;
  const ratio = gzip.compressedBytes > 0 ? (gzip.inflatedBytes / gzip.compressedBytes).toFixed(1) : '-';
  const lines = [
    `${info.file}`,
    `  format          ${info.format}`,
    `  contracts       ${groupDigits(info.contracts)}`,
    `  in flight       ${info.inFlight}${info.inFlight > 0 ? '  (empty records: contracts missing from the export; Canton refuses to import such a file)' : ''}`,
    `  compressed      ${humanBytes(gzip.compressedBytes)}, inflated ${humanBytes(gzip.inflatedBytes)} (${ratio} : 1)`,
    `  gzip members    ${gzip.members.length}`,
    `  created         ${info.createdAt === null ? '-' : `${info.createdAt.first} to ${info.createdAt.last}`}`,
    `  content digest  ${info.contentDigest}`,
    `  manifest        ${info.manifest}`,
  ];
  if (gzip.members.length > 1) {
    const lost = gzip.members.slice(1).reduce((sum, m) => sum + m.records, 0);
    lines.push(
      `  WARNING         Canton 3.4 and later read the first member only and would ignore ${groupDigits(lost)} records`,
    );
  }
  if (gzip.trailingBytes > 0)
    lines.push(`  WARNING         ${gzip.trailingBytes} bytes behind the last gzip member`);
  const section = (title: string, text: string): void => {
    lines.push('', `${title}`, indent(text));
  };
  section(
    'templates',
    table(['contracts', 'bytes', 'package', 'template'], info.byTemplate, top, (t) => [
      groupDigits(t.contracts),
      humanBytes(t.bytes),
      t.packageName,
      t.templateId,
    ]),
  );
  section(
    'packages',
    table(['contracts', 'name', 'package id'], info.byPackage, top, (p) => [
      groupDigits(p.contracts),
      p.packageName,
      p.packageId,
    ]),
  );
  section(
    'synchronizers',
    table(['contracts', 'synchronizer'], info.bySynchronizer, top, (s) => [
      groupDigits(s.contracts),
      s.synchronizerId,
    ]),
  );
  section(
    'reassignment counters',
    table(['contracts', 'counter'], info.byReassignmentCounter, top, (c) => [
      groupDigits(c.contracts),
      c.reassignmentCounter,
    ]),
  );
  section(
    'contract-id versions',
    table(['contracts', 'version'], info.byContractIdVersion, top, (v) => [
      groupDigits(v.contracts),
      v.version,
    ]),
  );
  if (info.representedByOtherPackage > 0) {
    lines.push(
      '',
      `represented by another package than that of their creation: ${groupDigits(info.representedByOtherPackage)}`,
    );
  }
  section(
    `parties (${info.parties.truncated ? 'more than ' : ''}${groupDigits(info.parties.distinct)})`,
    table(['signatory', 'observer', 'party'], info.parties.byRole, top, (p) => [
      groupDigits(p.signatory),
      groupDigits(p.observer),
      p.party,
    ]),
  );
  const sizes = [
    ['record', info.recordBytes],
    ['blob', info.blobBytes],
  ] as const;
  section(
    'sizes in bytes',
    renderTable(
      ['', 'min', 'p50', 'p90', 'p99', 'max'],
      sizes.flatMap(([name, s]) => (s === null ? [] : [[name, s.min, s.p50, s.p90, s.p99, s.max]])),
      { right: [1, 2, 3, 4, 5] },
    ),
  );
  section(
    'largest records',
    table(['bytes', 'record', 'contract'], info.largest, top, (l) => [
      groupDigits(l.bytes),
      l.record,
      l.contractId,
    ]),
  );
  return lines.join('\n');
}

function table<T>(
  head: string[],
  rows: readonly T[],
  top: number,
  row: (item: T) => (string | number)[],
): string {
  const shown = renderTable(head, rows.slice(0, top).map(row), { right: [0] });
  return rows.length > top ? `${shown}\n… and ${rows.length - top} more (--top)` : shown;
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
