import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/acs.cjs', import.meta.url));

/** A snapshot whose copy is several pieces long. */
async function longSnapshot(): Promise<Buffer> {
  const frames = gunzipSync(await readFile(fixture('snapshots/two-synchronizers.acs.gz')));
  return gzipSync(Buffer.concat(Array.from({ length: 60 }, () => frames)), { level: 1 });
}

let folder: string;
let child: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'acs-interrupted-'));
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

/** Starts a command that reads standard input, feeds it most of a snapshot, and waits until some of the output is on disk. */
async function inTheMiddle(...words: string[]): Promise<{ ended: Promise<number | NodeJS.Signals | null> }> {
  expect(existsSync(MAIN), 'this test runs the build: npm run build').toBe(true);
  const bytes = await longSnapshot();
  const started = spawn(process.execPath, [MAIN, ...words, '--quiet'], { stdio: ['pipe', 'ignore', 'pipe'] });
  child = started;
  let stderr = '';
  started.stderr.on('data', (data) => {
    stderr += data;
  });
  const ended = new Promise<number | NodeJS.Signals | null>((done) => {
    started.once('exit', (code, signal) => done(code ?? signal));
  });
  started.stdin.on('error', () => undefined);
  started.stdin.write(bytes.subarray(0, bytes.length - 1000));
  for (let waited = 0; ; waited += 20) {
    const unfinished = (await readdir(folder)).filter((name) => name.endsWith('.tmp'));
    if (unfinished.some((name) => statSync(join(folder, name)).size > 10)) return { ended };
    expect(started.exitCode, stderr).toBeNull();
    expect(waited).toBeLessThan(20_000);
    await new Promise((done) => setTimeout(done, 20));
  }
}

describe.each([
  ['filter', (): string[] => ['filter', '-', '-o', join(folder, 'out.acs.gz'), '--manifest']],
  [
    'split',
    (): string[] => ['split', '-', '--by', 'count', '--size', '3000', '-d', folder, '--prefix', 'out'],
  ],
] as const)('%s, interrupted while it writes', (_, words) => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('by %s leaves nothing behind', async (signal, status) => {
    const { ended } = await inTheMiddle(...words());
    child?.kill(signal);
    expect(await ended).toBe(status);
    expect(await readdir(folder)).toEqual([]);
  });

  it('by kill -9 leaves no file under a final name, and an older file untouched', async () => {
    const older = join(folder, 'out.acs.gz');
    await writeFile(older, 'older');
    const { ended } = await inTheMiddle(...words());
    child?.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    const left = (await readdir(folder)).filter((name) => !name.startsWith('.'));
    expect(left).toEqual(['out.acs.gz']);
    expect(await readFile(older, 'utf8')).toBe('older');
  });
});

describe('recover from a pipe, which needs a temporary copy', () => {
  it('leaves nothing of it behind when interrupted', async () => {
    const env = { ...process.env, TMPDIR: folder };
    const started = spawn(process.execPath, [MAIN, 'recover', '-', '-o', join(folder, 'out.acs.gz')], {
      env,
    });
    child = started;
    started.stdin.on('error', () => undefined);
    const ended = new Promise((done) => started.once('exit', done));
    // More than a pipe holds: once it is gone, the copy is being written.
    const bytes = (await longSnapshot()).subarray(0, 300_000);
    await new Promise((done) => started.stdin.write(bytes, done));
    started.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(await readdir(folder)).toEqual([]);
  });

  it('names the place when there is no room for it', async () => {
    const source = join(folder, 'long.acs.gz');
    await writeFile(source, await longSnapshot());
    const run = (limit: string, input: string) =>
      spawnSync(
        'bash',
        ['-c', `${limit} "${process.execPath}" "${MAIN}" recover ${input} -o "${folder}/out.acs.gz"`],
        { env: { ...process.env, TMPDIR: folder } },
      );
    const full = run('ulimit -f 8;', `- < "${source}"`);
    expect(full.stderr.toString()).toMatch(/^error: .*\n {2}where: {4}/);
    expect(full.status).toBe(4);
    expect(await readdir(folder)).toEqual(['long.acs.gz']);
    const substituted = run('', `<(cat "${source}")`);
    expect(substituted.stderr.toString()).toBe('');
    expect(substituted.status).toBe(0);
  });
});
