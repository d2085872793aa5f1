import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../cli/runCommand.js';
import { fixture } from '../fixtures.js';

const LIVE = new URL('../../fixtures/live/p1.export-acs.no-party-filter.acs.gz', import.meta.url).pathname;
const TINY = fixture('snapshots/tiny.acs.gz');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'acs-filter-command-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('acs filter', () => {
  it('copies, warning about the in-flight record', async () => {
    const out = join(folder, 'copy.acs.gz');
    const { status, stderr, stdout } = await runCommand('filter', LIVE, '-o', out);
    expect(status).toBe(0);
    expect(stdout).toContain('18 of 18 contracts');
    expect(stderr).toContain('[IN_FLIGHT_KEPT]');
    expect(gunzipSync(await readFile(out))).toEqual(gunzipSync(await readFile(LIVE)));
  });

  it('filters with options before the file, JSON result', async () => {
    const out = join(folder, 'some.acs.gz');
    const { status, stdout, stderr } = await runCommand(
      ...[
        'filter',
        '--json',
        '--party',
        'alice::',
        '--template',
        'Iou',
        '--counter',
        '0..1',
        LIVE,
        '-o',
        out,
      ],
    );
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ contracts: 18, output: out, inFlight: 1, inFlightKept: 0 });
    expect(JSON.parse(stderr)).toMatchObject({ warning: { code: 'IN_FLIGHT_DROPPED', records: [18] } });
  });

  it('says 1 when nothing was kept or a listed contract is missing', async () => {
    const out = join(folder, 'none.acs.gz');
    const { status, stderr } = await runCommand('filter', LIVE, '-o', out, '--contract', 'ab'.repeat(69));
    expect(status).toBe(1);
    expect(stderr).toContain('[NOTHING_KEPT]');
    expect(stderr).toContain('[CONTRACTS_NOT_FOUND]');
  });

  it.each([
    ['--counter', 'x'],
    ['--created-from', 'yesterday'],
    ['--template', 'a:b:c:d'],
    ['--party', 'b'],
    ['--level', '10'],
    ['--contract', 'XY'],
  ])('refuses %s %s as usage', async (option, value) => {
    const { status, stderr } = await runCommand(
      'filter',
      LIVE,
      '-o',
      join(folder, 'x.acs.gz'),
      option,
      value,
    );
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: /);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('the output', () => {
  it.each(['-', '/dev/stdout'])('named %s carries the snapshot and nothing else', async (name) => {
    const main = new URL('../../dist/cli/acs.cjs', import.meta.url).pathname;
    const run = spawnSync(process.execPath, [main, 'filter', LIVE, '-o', name, '--in-flight', 'drop'], {
      maxBuffer: 1 << 24,
    });
    expect(run.status).toBe(0);
    expect(gunzipSync(run.stdout)).toEqual(gunzipSync(await readFile(LIVE)).subarray(0, -5));
    // Bytes behind a gzip member are no fault to gunzip.
    expect(run.stdout.toString('latin1')).not.toContain('contracts');
    const again = spawnSync(process.execPath, [main, 'info', '-', '--json'], { input: run.stdout });
    expect(JSON.parse(again.stdout.toString())).toMatchObject({ contracts: 18, inFlight: 0 });
  });

  it('--no-overwrite holds for the manifest too', async () => {
    const out = join(folder, 'kept.acs.gz');
    await writeFile(`${out}.manifest.json`, 'mine');
    const { status, stderr } = await runCommand('filter', LIVE, '-o', out, '--manifest', '--no-overwrite');
    expect(stderr).toMatch(/FILE_EXISTS.*\n.*kept\.acs\.gz\.manifest\.json/);
    expect(status).toBe(2);
    expect(await readFile(`${out}.manifest.json`, 'utf8')).toBe('mine');
    await expect(readFile(out)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each([['filter', '--party', 'alice::'], ['merge', TINY], ['recover']])(
    'of %s is pointed out when the manifest beside it is of another file',
    async (command, ...more) => {
      const out = join(folder, `${command}.acs.gz`);
      await runCommand('filter', LIVE, '-o', out, '--manifest');
      const input = command === 'recover' ? TINY : LIVE;
      const again = await runCommand(command, input, ...more, '-o', out);
      expect(again.stderr).toContain(`warning: ${out}.manifest.json describes the file that was replaced`);
      const anew = await runCommand(command, input, ...more, '-o', out, '--manifest');
      expect(anew.stderr).not.toContain('MANIFEST_STALE');
      // The same bytes again: the manifest fits.
      const same = await runCommand(command, input, ...more, '-o', out);
      expect(same.stderr).not.toContain('MANIFEST_STALE');
    },
  );

  it('cannot have a manifest', async () => {
    const { status } = await runCommand('filter', LIVE, '-o', '-', '--manifest');
    expect(status).toBe(2);
  });
});
