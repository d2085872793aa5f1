/** A plan and its simulation as text, for people who review and sign it. */
import type { PlanDecision, PlanJson, PlanOperation } from './planJson.js';
import type { Simulation } from './simulate.js';

/** `decisions`: how many to list. */
export function describePlan(
  plan: Omit<PlanJson, 'decisions'> & { decisions?: readonly PlanDecision[] },
  decisions = 20,
): string {
  const lines = [
    `policy          ${plan.policy}`,
    `synchronizer    ${plan.synchronizerId}`,
    ...(plan.targetSynchronizerId === null ? [] : [`target          ${plan.targetSynchronizerId}`]),
    '',
    'inputs',
    ...plan.inputs.map(
      (i) =>
        `  ${i.name.padEnd(16)} ${String(i.contracts).padStart(9)} contracts  ${i.digest.slice(0, 16)}…  ${i.kind}`,
    ),
    '',
  ];
  if (plan.diff !== null) {
    const classes = Object.entries(plan.diff.byClass).map(([name, n]) => `${name} ${n}`);
    lines.push(
      `compared        ${plan.diff.compared}, different ${plan.diff.different}${classes.length > 0 ? ` (${classes.join(', ')})` : ''}`,
    );
  }
  lines.push(
    `touched         ${plan.counts.touched}${plan.counts.moved > 0 ? `, of which ${plan.counts.moved} only move` : ''}`,
  );
  if (plan.counts.left > 0) lines.push(`left as is      ${plan.counts.left}`);
  lines.push('', 'operations');
  for (const participant of plan.participants) {
    lines.push(`  ${participant.name}`);
    if (participant.operations.length === 0) lines.push('    nothing to do');
    for (const operation of participant.operations)
      lines.push(`    ${operationText(operation, participant.folder)}`);
  }
  if (plan.waived.length > 0) lines.push('', `waived          ${plan.waived.join(', ')}`);
  if (plan.warnings.length > 0) {
    lines.push('', 'warnings');
    for (const { code, name, message, count, examples } of plan.warnings) {
      lines.push(`  ${code} ${name} (${count}): ${message}`);
      for (const example of examples.slice(0, 3)) lines.push(`      ${example}`);
    }
  }
  lines.push('', 'not checked here');
  for (const { code, name, reason } of plan.notChecked) lines.push(`  ${code} ${name}: ${reason}`);
  const listed = plan.decisions?.slice(0, decisions) ?? [];
  if (listed.length > 0) {
    lines.push('', 'decisions');
    for (const decision of listed) lines.push(...decisionLines(decision));
    const more = (plan.decisions?.length ?? 0) - listed.length;
    if (more > 0) lines.push(`  … and ${more} more (--top, or plan.json)`);
  }
  return lines.join('\n');
}

function operationText(operation: PlanOperation, folder: string): string {
  const count = String(operation.contracts).padStart(8);
  const file = `${folder}/${operation.file}`;
  switch (operation.op) {
    case 'purge':
      return `${count}  purge from ${operation.alias}  ${file}`;
    case 'import':
      return `${count}  import into ${operation.alias}  ${file}`;
    case 'assign':
      return `${count}  assign from ${operation.alias} to ${operation.targetAlias}  ${file}`;
  }
}

function decisionLines(decision: PlanDecision): string[] {
  const { agreed } = decision;
  const states = Object.entries(decision.states).map(
    ([name, { state, reassignmentCounter }]) =>
      `${name}: ${state}${reassignmentCounter === undefined ? '' : ` counter ${reassignmentCounter}`}`,
  );
  const outcome =
    agreed === null
      ? 'left as it is'
      : agreed.state === 'inactive'
        ? 'inactive'
        : `active on ${agreed.synchronizerId!.split('::')[0]} with counter ${agreed.reassignmentCounter}`;
  const actions = Object.entries(decision.actions).map(
    ([name, list]) => `${name}: ${list.map((action) => action.do).join(', ')}`,
  );
  return [
    `  ${decision.contractId}`,
    `    ${decision.class}; ${states.join('; ')}`,
    `    ${outcome}: ${decision.reason}`,
    ...(actions.length > 0 ? [`    ${actions.join('; ')}`] : []),
  ];
}

export function describeSimulation(simulation: Simulation): string {
  const lines = ['operations'];
  for (const { name, operations } of simulation.participants) {
    if (operations.length === 0) lines.push(`  ${name}: nothing to do`);
    for (const o of operations) {
      const to = o.targetSynchronizerId === undefined ? '' : ` to ${o.targetSynchronizerId.split('::')[0]}`;
      const rest = [
        ...(o.skipped > 0 ? [`${o.skipped} skipped: active already`] : []),
        ...(o.dropped > 0 ? [`${o.dropped} dropped: of another synchronizer`] : []),
      ];
      lines.push(
        `  ${name}: ${o.op} ${o.done} of ${o.contracts} on ${o.synchronizerId.split('::')[0]}${to}${rest.length > 0 ? ` (${rest.join(', ')})` : ''}`,
      );
    }
  }
  lines.push('', 'after');
  for (const summary of simulation.after) {
    lines.push(`  ${summary.synchronizer}: compared ${summary.compared}, different ${summary.different}`);
  }
  if (simulation.differentOutside > 0) {
    lines.push(
      `  ${simulation.differentOutside} of them are on other synchronizers and no part of this plan`,
    );
  }
  for (const [name, count] of Object.entries(simulation.leftBehind)) {
    lines.push(`  ${name} still shows ${count} contracts on the synchronizer that was to be left`);
  }
  lines.push('', 'commitments (first 12 digits of the hash)');
  for (const pair of simulation.commitments) {
    const text = ([a, b]: readonly [string | null, string | null]): string =>
      a === b ? `${short(a)} on both sides` : `${short(a)} / ${short(b)}`;
    lines.push(
      `  ${pair.left} and ${pair.right} on ${pair.synchronizerId.split('::')[0]}: ${text(pair.before)}, then ${text(pair.after)}${pair.equal ? '' : '  DIFFERENT'}`,
    );
  }
  if (simulation.inverseDiffers !== null) {
    lines.push(
      '',
      simulation.inverseDiffers === 0
        ? 'the way back restores every input'
        : `after the way back ${simulation.inverseDiffers} contracts are not as before`,
    );
  }
  return lines.join('\n');
}

function short(commitment: string | null): string {
  return commitment === null ? 'none' : commitment.slice(4, 16);
}
