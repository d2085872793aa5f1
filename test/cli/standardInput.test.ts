/** A producer that goes on is not waited for by a command that has what it wants. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, openSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures.js';
import { runCommand } from './runCommand.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/acs.cjs', import.meta.url));
let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
});

/** Feeds bytes to a command and leaves its standard input open; its exit status. */
function fed(bytes: Buffer, ...words: string[]): Promise<number | null> {
  const started = spawn(process.execPath, [MAIN, ...words], { stdio: ['pipe', 'ignore', 'ignore'] });
  child = started;
  started.stdin.on('error', () => undefined);
  started.stdin.write(bytes);
  return new Promise((done) => {
    started.once('exit', done);
  });
}

describe('standard input that does not end', () => {
  it('is let go of when enough was read', async () => {
    expect(await fed(readFileSync(fixture('snapshots/tiny.acs.gz')), 'cat', '--limit', '1', '-')).toBe(0);
  });

  it('is let go of when its content is refused', async () => {
    const bytes = readFileSync(fixture('snapshots/tiny.acs.gz'));
    expect(await fed(Buffer.concat([bytes.subarray(0, 400), Buffer.alloc(9000, 0xff)]), 'cat', '-')).toBe(4);
  });
});

describe('standard error that takes nothing', () => {
  it('costs the talk and not the exit status', () => {
    const live = fixture('live/p1.export-acs.no-party-filter.acs.gz');
    const full = openSync('/dev/full', 'w');
    try {
      const run = spawnSync(process.execPath, [MAIN, 'cat', '--fields', 'record', live], {
        stdio: ['ignore', 'pipe', full],
      });
      expect(run.stdout.toString().split('\n').length).toBe(19);
      expect(run.status).toBe(0);
    } finally {
      closeSync(full);
    }
  });
});

it('what follows -- is a file, whatever it begins with', async () => {
  const file = `-dash-${process.pid}.acs.gz`;
  copyFileSync(fixture('snapshots/tiny.acs.gz'), file);
  try {
    const { status, stdout } = await runCommand('info', '--json', '--', file);
    expect(JSON.parse(stdout)).toMatchObject({ file, contracts: 12 });
    expect(status).toBe(0);
    const missing = await runCommand('filter', '-o', 'x', '--', '--party');
    expect(missing.stderr).toMatch(/no such file .*\n.*where: +--party\n/);
  } finally {
    rmSync(file);
  }
});

it('standard input for the file and for the list of ids is a mistake', async () => {
  const { status, stderr } = await runCommand('filter', '-', '--contracts', '-', '-o', '-');
  expect(status).toBe(2);
  expect(stderr).toContain('standard input can be read only once');
});
