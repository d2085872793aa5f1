/** `acs store history` */
import { formatMicros } from '../../contract/time.js';
import { type ContractHistory, contractHistory, type HistoryEvent } from '../../store/history.js';
import { withStore } from '../../store/open.js';
import { defineCommand, EXIT } from '../command.js';
import { historyJson } from '../storeJson.js';
import { dbPositional } from '../storeOptions.js';
import { renderTable } from '../table.js';
import { shortUid } from './storeAt.js';

export const storeHistoryCommand = defineCommand({
  command: 'history <db> <contract>',
  describe: 'everything known of one contract, over all sources',
  details:
    'Offsets of different sources cannot be compared; within one source the events stand in its order,\n' +
    'which is causal per synchronizer only.',
  examples: [['acs store history acs.db 00f08e99…', 'its events, where it is now, and findings about it']],
  exitStatus: { 0: 'shown' },
  options: (y) =>
    dbPositional(y).positional('contract', {
      type: 'string',
      demandOption: true,
      describe: 'contract id in hex, or the beginning of one',
    }),
  async run(args, context) {
    const history = await withStore(args.db, {}, ({ db }) => contractHistory(db, args.contract));
    await context.result(historyJson(history), () => describe(history));
    return EXIT.ok;
  },
});

function describe(h: ContractHistory): string {
  const lines = [
    h.contractId,
    `  template     ${h.packageName === '' ? '' : `${h.packageName} `}${h.template}`,
    `  created      ${h.createdAt === undefined ? '-' : formatMicros(h.createdAt)}`,
    `  signatories  ${h.signatories.map(shortUid).join(' ')}`,
    `  observers    ${h.observers.map(shortUid).join(' ')}`,
  ];
  for (const s of h.status) {
    const where = s.synchronizers.length > 0 ? ` on ${s.synchronizers.map(shortUid).join(', ')}` : '';
    lines.push(`  ${s.source}: ${s.status}${where}${s.note === undefined ? '' : ` (${s.note})`}`);
  }
  lines.push(
    '',
    renderTable(
      ['source', 'offset', 'event', 'counter', 'synchronizer', 'record time', ''],
      h.events.map((e) => [
        e.source,
        e.offset,
        e.kind,
        e.reassignmentCounter ?? '',
        shortUid(e.synchronizer),
        e.recordTime === undefined ? '' : formatMicros(e.recordTime),
        other(e),
      ]),
      { right: [1, 3] },
    ),
  );
  for (const f of h.findings)
    lines.push(`${f.level} ${f.code} at ${f.source} ${f.offset ?? ''}: ${f.detail}`);
  return lines.join('\n');
}

function other(e: HistoryEvent): string {
  if (e.from === undefined || e.to === undefined || e.from === e.to) return '';
  return e.kind.endsWith('unassign') || e.kind.endsWith('unassigned')
    ? `to ${shortUid(e.to)}`
    : `from ${shortUid(e.from)}`;
}
