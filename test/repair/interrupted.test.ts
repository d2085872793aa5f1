/** Plans interrupted while their folder is being filled. Runs the build. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { fixture } from '../fixtures.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/acs.cjs', import.meta.url));

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s leaves nothing of a plan behind', async (signal, status) => {
  const folder = mkdtempSync(join(tmpdir(), 'acs-plan-interrupted-'));
  try {
    const inputs = [1, 2, 3].map((n) => fixture(`snapshots/multi/participant${n}.acs.gz`));
    const options = ['--hosting', fixture('snapshots/multi/hosting.json'), '--policy', 'union', '--quiet'];
    const types = ['--dar', fixture('dars'), '--no-cache', '-o', join(folder, 'plan')];
    const child = spawn(process.execPath, [MAIN, 'plan', ...inputs, ...options, ...types], {
      stdio: 'ignore',
    });
    const ended = new Promise((done) => child.once('exit', done));
    while (child.exitCode === null && readdirSync(folder).length === 0)
      await new Promise((done) => setTimeout(done, 2));
    child.kill(signal);
    expect(await ended).toBe(status);
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
