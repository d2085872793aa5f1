/** What follows the last gzip member is left out by commands that copy or print records; they say so. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fixture } from '../fixtures.js';
import { runCommand } from './runCommand.js';

let folder: string;
let tail: string;
let padded: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'acs-trailing-'));
  tail = join(folder, 'tail.acs.gz');
  padded = join(folder, 'padded.acs.gz');
  const bytes = await readFile(fixture('snapshots/tiny.acs.gz'));
  await writeFile(tail, Buffer.concat([bytes, Buffer.alloc(512), bytes]));
  await writeFile(padded, Buffer.concat([bytes, Buffer.alloc(512)]));
});
afterAll(() => rm(folder, { recursive: true }));

it.each([
  ['filter', ['filter', '-o', 'out']],
  ['split', ['split', '--by', 'count', '--size', '5', '-d', 'parts']],
  ['merge', ['merge', '-o', 'merged']],
  ['cat', ['cat', '--fields', 'record']],
])('%s', async (_, words) => {
  const [command, ...options] = words.map((word) =>
    /^(out|parts|merged)$/.test(word) ? join(folder, word) : word,
  );
  const { status, stderr } = await runCommand(command, tail, ...options);
  expect(stderr).toMatch(/^warning: \d+ bytes behind the last gzip member of .*\[GZIP_TRAILING_BYTES\]$/m);
  expect(status).toBe(0);
  expect((await runCommand(command, padded, ...options)).stderr).toBe('');
});

it('recover, which the others point to, finds the contracts behind them', async () => {
  const { stdout } = await runCommand('recover', tail, '-o', join(folder, 'recovered'), '--json');
  expect(JSON.parse(stdout)).toMatchObject({ contracts: 24, laterMembers: { records: 12 } });
});
