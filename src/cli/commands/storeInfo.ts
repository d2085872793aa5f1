/** `acs store info` */
import { formatMicros } from '../../contract/time.js';
import { withStore } from '../../store/open.js';
import { type StoreInfo, storeInfo } from '../../store/storeInfo.js';
import { defineCommand, EXIT } from '../command.js';
import { storeInfoJson } from '../storeJson.js';
import { dbPositional } from '../storeOptions.js';
import { groupDigits, humanBytes } from '../table.js';

export const storeInfoCommand = defineCommand({
  command: 'info <db>',
  describe: 'what a store holds: sources, offsets, sizes, findings',
  examples: [['acs store info acs.db', 'sources with their offsets']],
  exitStatus: { 0: 'shown' },
  options: (y) => dbPositional(y),
  async run(args, context) {
    const info = await withStore(args.db, {}, storeInfo);
    await context.result(storeInfoJson(info), () => describe(info));
    return EXIT.ok;
  },
});

function describe(info: StoreInfo): string {
  const lines = [
    info.path,
    `  size              ${humanBytes(info.bytes)}${info.walBytes > 0 ? ` and ${humanBytes(info.walBytes)} of log` : ''}`,
    `  contracts         ${groupDigits(info.contracts)}`,
    `  parties           ${groupDigits(info.parties)} in ${groupDigits(info.stakeholderSets)} stakeholder sets`,
    `  templates         ${groupDigits(info.templates)}`,
  ];
  for (const s of info.sources) {
    lines.push(
      '',
      s.name,
      s.baseOffset === undefined
        ? '  no complete base'
        : `  offsets           ${s.baseOffset} to ${s.headOffset}${s.generation > 0 ? ` (reset ${s.generation} times)` : ''}`,
      `  active contracts  ${groupDigits(s.activeContracts)}`,
      `  in flight         ${groupDigits(s.inFlight)}`,
      `  updates, events   ${groupDigits(s.updates)}, ${groupDigits(s.events)}`,
    );
    if (s.filter !== undefined) lines.push(`  filtered by       ${s.filter.join(', ')}`);
    for (const [sync, time] of Object.entries(s.recordTimes))
      lines.push(`  record time       ${formatMicros(time)}  ${sync}`);
    for (const [code, n] of Object.entries(s.findings))
      lines.push(`  finding           ${code}: ${groupDigits(n)}`);
    for (const i of s.imports)
      lines.push(
        `  taken from        ${i.kind} ${i.file ?? ''}${i.atOffset === undefined ? '' : ` at ${i.atOffset}`}${i.status === 'complete' ? '' : ` (${i.status})`}`,
      );
  }
  return lines.join('\n');
}
