/**
 * Loads saved states of 10 000 stakeholder groups, applies 10 000 changes and writes the changed groups' bytes. Prints how
 * long the changes took, and fails above the promised 200 ms: nothing is warm, this is what a fresh process does.
 */
import { existsSync } from 'node:fs';
import { GroupStates } from '../../dist/commitment/groups.js';
import { readStates, writeStates } from '../../dist/commitment/savedStates.js';

const PROMISED_MS = 200;
const GROUPS = 10_000;
const CONTRACTS = 50_000;
const CHANGES = 10_000;

const path = process.argv[2];
const idOf = (n) =>
  `00${n.toString(16).padStart(64, '0')}ca121220${(n * 7919).toString(16).padStart(64, '0')}`;
const stakeholdersOf = (n) => [
  `issuer::1220${'ab'.repeat(32)}`,
  `owner${n % GROUPS}::1220${'cd'.repeat(32)}`,
];

if (!existsSync(path)) {
  const states = new GroupStates();
  for (let n = 0; n < CONTRACTS; n++) states.add(idOf(n), 0n, stakeholdersOf(n));
  await writeStates(path, { states, synchronizer: 'bench::1220' });
}
const { states } = await readStates(path);
const started = performance.now();
states.markSaved();
for (let n = 0; n < CHANGES / 2; n++) {
  states.remove(idOf(n), 0n, stakeholdersOf(n));
  states.add(idOf(CONTRACTS + n), 0n, stakeholdersOf(7 * n));
}
let bytes = 0;
for (const row of states.changed()) bytes += row.state.length;
const milliseconds = performance.now() - started;
process.stdout.write(`${JSON.stringify({ changes: CHANGES, milliseconds, bytes })}\n`);
if (milliseconds > PROMISED_MS) process.exitCode = 1;
