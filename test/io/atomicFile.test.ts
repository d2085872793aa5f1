import { execFileSync, spawn } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAtomicFile, writeFileAtomic } from '../../src/io/atomicFile.js';

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

  it.each(['x'.repeat(255), '語'.repeat(85)])('takes a name as long as there can be: %s', async (name) => {
    await writeFileAtomic(join(folder, name), 'content');
    expect(await readdir(folder)).toEqual([name]);
  });

  it('takes a name that ends as a folder does for one', async () => {
    await expect(createAtomicFile(join(folder, 'not-yet/'))).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['to a file', true],
    ['to nothing yet', false],
  ])('follows a symbolic link %s, and leaves the link', async (_, exists) => {
    await mkdir(join(folder, 'far'));
    const real = join(folder, 'far', 'real');
    if (exists) await writeFile(real, 'older');
    await symlink('real', join(folder, 'far', 'second'));
    await symlink(join('far', 'second'), join(folder, 'link'));
    await writeFileAtomic(join(folder, 'link'), 'newer');
    expect(await readFile(real, 'utf8')).toBe('newer');
    expect((await lstat(real)).isFile()).toBe(true);
    expect(await readlink(join(folder, 'link'))).toBe('far/second');
    expect((await readdir(join(folder, 'far'))).sort()).toEqual(['real', 'second']);
    expect((await readdir(folder)).sort()).toEqual(['far', 'link']);
  });

  it('says so when links go round in a circle', async () => {
    await symlink('b', join(folder, 'a'));
    await symlink('a', join(folder, 'b'));
    await expect(createAtomicFile(join(folder, 'a'))).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
  });

  it('refuses at once what exists and may not be replaced, a link that leads nowhere too', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'older');
    await symlink('nowhere', join(folder, 'link'));
    for (const existing of [path, join(folder, 'link')]) {
      await expect(createAtomicFile(existing, { overwrite: false })).rejects.toMatchObject({
        code: 'FILE_EXISTS',
        exitCode: 2,
      });
    }
    expect((await readdir(folder)).sort()).toEqual(['file', 'link']);
  });

  it('refuses what has come to exist while it was written', async () => {
    const path = join(folder, 'file');
    const file = await createAtomicFile(path, { overwrite: false });
    await writeFile(path, 'of somebody else');
    await expect(file.commit()).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await file.abort();
    expect(await readFile(path, 'utf8')).toBe('of somebody else');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('lets those read it who could read what it replaces', async () => {
    const path = join(folder, 'secret');
    await writeFile(path, 'older');
    await chmod(path, 0o440);
    const file = await createAtomicFile(path, { keepOpen: false });
    const [temporary] = (await readdir(folder)).filter((name) => name.endsWith('.tmp'));
    expect((await stat(join(folder, temporary))).mode & 0o077).toBe(0o040 & ~process.umask());
    await file.write(Buffer.from('newer'));
    await file.commit();
    expect((await stat(path)).mode & 0o777).toBe(0o440);
  });
});
