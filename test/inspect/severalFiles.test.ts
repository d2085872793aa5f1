/** One bad file among several does not keep the others from being looked at. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand } from '../cli/runCommand.js';
import { fixture } from '../fixtures.js';

const TINY = fixture('snapshots/tiny.acs.gz');
const TWO = fixture('snapshots/two-synchronizers.acs.gz');
let folder: string;
let cut: string;
let twice: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'acs-several-'));
  cut = join(folder, 'cut.acs.gz');
  twice = join(folder, 'twice.acs.gz');
  const bytes = await readFile(TINY);
  await writeFile(cut, bytes.subarray(0, 2000));
  await writeFile(twice, Buffer.concat([bytes, bytes]));
});
afterAll(() => rm(folder, { recursive: true }));

const files = (stdout: string): string[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).file);

it('info', async () => {
  const missing = join(folder, 'missing');
  const { status, stdout, stderr } = await runCommand('info', '--json', TINY, cut, missing, twice, TWO);
  expect(files(stdout)).toEqual([TINY, twice, TWO]);
  expect(
    stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).error),
  ).toMatchObject([
    { code: 'GZIP_TRUNCATED', place: { file: cut } },
    { code: 'FILE_UNREADABLE', place: { file: missing } },
  ]);
  expect(status).toBe(4);
});

it('verify', async () => {
  const { status, stdout, stderr } = await runCommand('verify', '--json', TINY, folder, cut, TWO);
  expect(files(stdout)).toEqual([TINY, cut, TWO]);
  expect(JSON.parse(stderr).error).toMatchObject({ code: 'FILE_UNREADABLE', place: { file: folder } });
  expect(status).toBe(4);
  const allowed = await runCommand('verify', '--allow', 'NO_SUCH_CODE', TINY, folder);
  expect(allowed.stderr).not.toContain('ALLOWED_NOT_FOUND');
  expect(allowed.status).toBe(4);
});
