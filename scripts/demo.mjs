// `npm run demo`: the main jobs on the files of fixtures/, each as the command a user would type.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'acskit-demo-'));
const F = 'fixtures/snapshots';

const P = [1, 2, 3].map((n) => `${F}/multi/participant${n}.acs.gz`);
const HOSTING = ['--hosting', `${F}/multi/hosting.json`];
const DARS = ['--dar', 'fixtures/dars'];
const STORE = join(work, 'acs.db');
const PLAN = join(work, 'repair');

/** Question, words of the command (with spaces: one word each), exit status, lines shown. */
const STEPS = [
  ['What is in this file that somebody sent me?', ['info', P[0], '--top', '4', '--largest', '2'], 0, 40],
  ['Is every contract in it genuine? (ids recomputed from the content)', ['verify', P[0], ...DARS], 0, 6],
  [
    'Show me contracts, with names.',
    ['cat', P[0], ...DARS, '--limit', '2', '--fields', 'createArgument'],
    0,
    2,
  ],
  [
    "Cut out one party's contracts.",
    ['filter', P[0], '-o', join(work, 'alice.acs.gz'), '--party', 'alice::', '--manifest'],
    0,
    3,
  ],
  ['Keep it in a store …', ['store', 'load', STORE, '--source', 'p1', '--offset', '1000', P[0]], 0, 2],
  [
    "… and ask for one party's contracts at an offset.",
    ['store', 'at', STORE, '--party', 'alice', '--count'],
    0,
    8,
  ],
  [
    'Where do two participants differ in what they must share?',
    ['diff', P[0], P[1], ...HOSTING, '--top', '2'],
    1,
    24,
  ],
  [
    'What commitments would participant1 send?',
    ['commitment', P[0], '--participant', 'participant1', ...HOSTING],
    0,
    6,
  ],
  [
    'Plan the repair of all three: what one lacks is added.',
    ['plan', ...P, ...HOSTING, '--policy', 'union', ...DARS, '-o', PLAN, '--quiet'],
    0,
    22,
  ],
  ['Prove it without a node.', ['plan', 'simulate', PLAN], 0, 18],
];

function short(arg) {
  return arg.startsWith(work) ? `/tmp/demo${arg.slice(work.length)}` : arg;
}

let failed = 0;
for (const [what, args, expected, lines] of STEPS) {
  process.stdout.write(`\n# ${what}\n$ acs ${args.map(short).join(' ')}\n`);
  const run = spawnSync(process.execPath, [join(root, 'dist/cli/acs.cjs'), ...args], {
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
