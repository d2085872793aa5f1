/** What an operator does with one participant, in order (commitments spec, section 5.7, item 7). */
import type { PlanOperation } from './planJson.js';

export function repairSteps(
  kind: 'plan' | 'inverse',
  name: string,
  operations: readonly PlanOperation[],
): string[] {
  if (operations.length === 0) return [`Nothing has to be done on ${name}.`];
  const touched = [
    ...new Set(
      operations.flatMap((operation) =>
        operation.op === 'assign' ? [operation.alias, operation.targetAlias] : [operation.alias],
      ),
    ),
  ];
  return [
    `Stop applications that write to ${name}; wait until nothing is in flight on ${touched.join(', ')} (CountInFlight).`,
    `Disconnect ${name} from every synchronizer: repair is refused while one is connected (D15).`,
    `Back up the database of ${name}.`,
    `Export the active contracts again and run \`acs plan simulate\` with that file: it refuses when they have changed.`,
    ...operations.map(operationStep),
    `Export the active contracts of ${name} and check them: \`acs diff\` against the other participants shows no difference${kind === 'inverse' ? ' but those of before' : ''}.`,
    `Reconnect ${name} when every participant of the plan is done; watch the commitments of the next two ticks.`,
  ];
}

function operationStep(operation: PlanOperation): string {
  const { contracts, file, alias } = operation;
  switch (operation.op) {
    case 'purge':
      return `Purge ${plural(contracts)} from ${alias}: ${file}. Ignore already purged ones only when repeating this step.`;
    case 'import':
      return (
        `Import ${plural(contracts)} into ${alias}: ${file}, mode VALIDATION.` +
        (operation.highestCounter === '0'
          ? ''
          : ' Some have a reassignment counter above 0: the participant needs enable-all-ledger-api-reassignments (D4).')
      );
    case 'assign':
      return (
        `Change the assignation of ${plural(contracts)} from ${alias} to ${operation.targetAlias}: ${file}, ` +
        'with the counters given there. Skip inactive ones only when repeating this step.'
      );
  }
}

function plural(contracts: number): string {
  return contracts === 1 ? '1 contract' : `${contracts} contracts`;
}
