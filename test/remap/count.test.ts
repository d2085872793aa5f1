import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { countContracts } from '../../src/remap/countContracts.js';
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
