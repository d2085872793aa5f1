/** `acs store inflight` */
import { inFlightAt, resolveQuestion, unnamedInFlight } from '../../store/ask.js';
import { describeInFlight } from '../../store/history.js';
import { withStore } from '../../store/open.js';
import { defineCommand, EXIT } from '../command.js';
import { inFlightJson } from '../storeJson.js';
import { askFilter, askOptions, dbPositional, sourceOption } from '../storeOptions.js';

export const storeInflightCommand = defineCommand({
  command: 'inflight <db>',
  describe: 'reassignments of which one half is missing at an offset',
  details:
    'unassigned: the contract has left its synchronizer and is not yet on the other; it cannot be used and is\n' +
    'in no export. assigned: it has arrived, but its leaving has not been seen; when that never comes, it\n' +
    'entered the view of this participant (marked uncertain).',
  examples: [['acs store inflight acs.db --source p1 --offset 1050', 'before a move']],
  exitStatus: { 0: 'nothing is in flight', 1: 'something is' },
  options: (y) => askOptions(sourceOption(dbPositional(y))),
  async run(args, context) {
    const found = await withStore(args.db, {}, ({ db }) => {
      const q = resolveQuestion(db, args.source, askFilter(args));
      return {
        source: q.source.name,
        offset: q.offset,
        inFlight: inFlightAt(db, q),
        unnamed: unnamedInFlight(db, q),
      };
    });
    await context.result(
      {
        source: found.source,
        offset: found.offset,
        unnamedInFlight: found.unnamed,
        reassignments: found.inFlight.map(inFlightJson),
      },
      () =>
        [
          `${found.inFlight.length} in flight at ${found.source}, offset ${found.offset}`,
          ...found.inFlight.map(
            (r) => `${r.contractId}\n  ${describeInFlight(r)}${r.certain ? '' : ' (uncertain)'}`,
          ),
          ...(found.unnamed > 0
            ? [`up to ${found.unnamed} more, counted by the snapshot and not named`]
            : []),
        ].join('\n'),
    );
    return found.inFlight.length + found.unnamed > 0 ? EXIT.findings : EXIT.ok;
  },
});
