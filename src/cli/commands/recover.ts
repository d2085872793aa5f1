/** `acs recover` */
import { type RecoverResult, recoverSnapshot } from '../../recover/recover.js';
import { defineCommand, EXIT } from '../command.js';
import { warnOfStaleManifest } from '../staleManifest.js';
import { groupDigits, humanBytes, renderTable } from '../table.js';
import { snapshotFileOptions, writeOptions } from '../writeOptions.js';

export const recoverCommand = defineCommand({
  command: 'recover <file>',
  describe: 'save what can be saved from a damaged snapshot and say what is lost',
  details:
    'Saves every whole record up to the damage and, behind it, what the bytes prove: further gzip\n' +
    'members, data behind a full flush (files written by acs have one per MiB), pieces whose checksum\n' +
    'is in the manifest, and frames whose nested lengths agree and whose content decodes. Where the file\n' +
    'is known to be damaged, a record whose event contradicts its blob is not kept. The\n' +
    'empty records of contracts in flight are left out. What is lost is listed in bytes, and in\n' +
    'records where that is known. The contracts themselves are not authenticated.',
  examples: [
    ['acs recover cut.acs.gz -o saved.acs.gz', 'an export whose transfer was cut'],
    ['acs recover --json bad.acs.gz -o saved.acs.gz', 'the losses as JSON'],
  ],
  exitStatus: {
    0: 'nothing is missing: only the container was mended',
    3: 'written, but something is lost or the content contradicts its checksum',
  },
  options: (y) =>
    writeOptions(
      y.positional('file', { type: 'string', demandOption: true, describe: 'snapshot file, or -' }),
    )
      .option('max-record-bytes', { type: 'number', describe: 'longest record accepted (default 64 MiB)' })
      .option('max-ratio', { type: 'number', describe: 'largest inflation accepted (default 300)' })
      .option('use-manifest', {
        type: 'boolean',
        default: true,
        describe: '--no-use-manifest ignores FILE.manifest.json',
      }),
  async run(args, context) {
    const progress = context.progress(`recover ${args.file}`, 'records', { files: [args.file], passes: 3 });
    const result = await recoverSnapshot(args.file, args.output, {
      write: snapshotFileOptions(args),
      useManifest: args['use-manifest'],
      ...(args['max-record-bytes'] === undefined ? {} : { maxRecordBytes: args['max-record-bytes'] }),
      ...(args['max-ratio'] === undefined ? {} : { maxRatio: args['max-ratio'] }),
      onProgress: (records) => progress.update(records),
    });
    progress.finish();
    await warnOfStaleManifest(args, context);
    if (args.output !== '-') await context.result(result, () => describeResult(result));
    return result.whole ? EXIT.ok : EXIT.loss;
  },
});

const SHOWN = 20;

function describeResult(result: RecoverResult): string {
  const { trust, laterMembers } = result;
  const lines = [
    `${result.output}: ${groupDigits(result.contracts)} contracts saved, ${humanBytes(result.compressedBytes)}`,
    ...result.damage.map((d) => `  damage  byte ${d.byteOffset}: ${d.message} [${d.code}]`),
  ];
  if (result.inFlight > 0) {
    lines.push(`  ${result.inFlight} empty records of contracts in flight were left out`);
  }
  if (laterMembers.records > 0) {
    lines.push(
      `  ${groupDigits(laterMembers.records)} contracts come from gzip members that Canton would have ignored`,
    );
  }
  if (trust.suspect > 0) {
    lines.push(
      `  ${groupDigits(trust.suspect)} contracts are not covered by a checksum of a file known to be damaged: check them with acs verify`,
    );
  }
  if (trust.unchecked > 0) {
    lines.push(
      `  ${groupDigits(trust.unchecked)} contracts decode, but the checksum that would prove them is missing: check them with acs verify`,
    );
  }
  if (result.manifest !== 'none') lines.push(`  manifest ${result.manifest}`);
  if (result.whole) return [...lines, 'nothing is lost'].join('\n');
  lines.push(
    `lost: ${number(result.lostRecords, 'records')}, ${number(result.lostInflatedBytes, 'inflated bytes')}`,
  );
  if (result.losses.length > 0) {
    // Inflated bytes are counted from where the file could be read; mostly that is its beginning.
    const stretches = new Set(result.losses.map(({ stretch }) => stretch).filter((at) => at !== undefined));
    const rows = result.losses
      .slice(0, SHOWN)
      .map((loss) => [
        loss.level === 'compressed'
          ? `file ${loss.start}`
          : `inflated ${loss.start}${stretches.size > 1 ? ` of what begins at file ${loss.stretch}` : ''}`,
        groupDigits(loss.bytes),
        loss.records ?? '?',
        `${loss.message} [${loss.code}]${loss.contractId === undefined ? '' : ` ${loss.contractId}`}`,
      ]);
    lines.push(renderTable(['at byte', 'bytes', 'records', 'why'], rows, { right: [1, 2] }));
    if (result.lossCount > SHOWN) lines.push(`… and ${result.lossCount - SHOWN} more (--json lists 1000)`);
  }
  return lines.join('\n');
}

function number(n: number | null, what: string): string {
  return n === null ? `an unknown number of ${what}` : `${groupDigits(n)} ${what}`;
}
