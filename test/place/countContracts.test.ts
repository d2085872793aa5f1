import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { countContracts } from '../../src/place/countContracts.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture } from '../fixtures.js';

it('counts what comes through a pipe with a name, which is opened once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'acs-count-'));
  const file = fixture('snapshots/multi/participant1.acs.gz');
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const writer = spawn('sh', ['-c', 'cat "$0" > "$1"', file, pipe]);
  try {
    const { contracts, byTemplate } = await countContracts(file);
    expect(await countContracts(pipe)).toMatchObject({ file: pipe, contracts, byTemplate });
  } finally {
    writer.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

it('does not count what Canton would not read: contracts behind the first gzip member', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'acs-count-'));
  try {
    const twice = join(folder, 'twice.acs.gz');
    const once = readFileSync(fixture('snapshots/tiny.acs.gz'));
    writeFileSync(twice, Buffer.concat([once, once]));
    const { status, stderr } = await runCommand('count', twice);
    expect(status).toBe(4);
    expect(stderr).toContain('GZIP_SECOND_MEMBER');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
