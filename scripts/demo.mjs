// `npm run demo`: the main jobs on the files of fixtures/, each as the command a user would type.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'acskit-demo-'));
const F = 'fixtures/snapshots';

/** What each step shows, the command, the exit status it must have, and how many lines to print. */
const STEPS = [
  [
    'What is in this file that somebody sent me?',
    ['info', `${F}/multi/participant1.acs.gz`, '--top', '4', '--largest', '2'],
    0,
    40,
  ],
  [
    'Is every contract in it genuine? (ids recomputed from the content, with the packages)',
    ['verify', `${F}/multi/participant1.acs.gz`, '--dar', 'fixtures/dars'],
    0,
    6,
  ],
  [
    'Show me a contract, with names.',
    [
      'cat',
      `${F}/tiny.acs.gz`,
      '--dar',
      'fixtures/dars',
      '--limit',
      '1',
      '--fields',
      'contractId,argumentForm,createArgument',
    ],
    0,
    2,
  ],
  [
    "Cut out one party's contracts.",
    [
      'filter',
      `${F}/multi/participant1.acs.gz`,
      '-o',
      join(work, 'alice.acs.gz'),
      '--party',
      'alice::',
      '--manifest',
    ],
    0,
    3,
  ],
  [
    'Where do two participants differ in what they must share?',
    [
      'diff',
      `${F}/multi/participant1.acs.gz`,
      `${F}/multi/participant2.acs.gz`,
      '--hosting',
      `${F}/multi/hosting.json`,
      '--top',
      '2',
    ],
    1,
    24,
  ],
  [
    'What commitments would participant1 send?',
    [
      'commitment',
      `${F}/multi/participant1.acs.gz`,
      '--participant',
      'participant1',
      '--hosting',
      `${F}/multi/hosting.json`,
    ],
    0,
    6,
  ],
];

function short(arg) {
  return arg.startsWith(work) ? `/tmp/demo${arg.slice(work.length)}` : arg;
}

let failed = 0;
for (const [what, args, expected, lines] of STEPS) {
  process.stdout.write(`\n# ${what}\n$ acs ${args.map(short).join(' ')}\n`);
  const run = spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  const output = run.stdout.trimEnd().split('\n');
  for (const line of output.slice(0, lines))
    process.stdout.write(`${line.length > 160 ? `${line.slice(0, 157)}…` : line}\n`);
  if (output.length > lines) process.stdout.write(`… ${output.length - lines} more lines\n`);
  process.stdout.write(run.stderr);
  if (run.status !== expected) {
    failed++;
    process.stdout.write(`!! exit status ${run.status}, expected ${expected}\n`);
  }
}
rmSync(work, { recursive: true, force: true });
process.stdout.write(failed === 0 ? '\nEvery step did what it should.\n' : `\n${failed} steps failed.\n`);
process.exitCode = failed === 0 ? 0 : 1;
