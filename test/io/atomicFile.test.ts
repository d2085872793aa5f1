import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAtomicFile } from '../../src/io/atomicFile.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'acs-atomic-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('a file that appears whole or not at all', () => {
  it('writes to a pipe with a name instead of putting a file in its place', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
    let read = '';
    reader.stdout.on('data', (data) => {
      read += data;
    });
    const ended = new Promise((done) => reader.once('close', done));
    const file = await createAtomicFile(pipe);
    await file.write(Buffer.from('some '));
    await file.write(Buffer.from('bytes'));
    await file.commit();
    await file.abort();
    await ended;
    expect(read).toBe('some bytes');
    expect((await stat(pipe)).isFIFO()).toBe(true);
    expect(await readdir(folder)).toEqual(['pipe']);
  });

  it('refuses a folder before anything is written', async () => {
    await expect(createAtomicFile(folder)).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
      message: 'this is a directory',
    });
    expect(await readdir(folder)).toEqual([]);
  });
});
