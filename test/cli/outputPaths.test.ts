import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures.js';
import { runCommand } from './runCommand.js';

let folder: string;
const path = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acs-keep-'));
  copyFileSync(fixture('snapshots/tiny.acs.gz'), path('a.acs.gz'));
  copyFileSync(fixture('snapshots/multi/participant1.acs.gz'), path('b.acs.gz'));
  writeFileSync(path('k.txt'), '');
  writeFileSync(path('m.csv'), 'old,new\n');
  await runCommand('store', 'load', path('t.db'), '--source', 'p1', '--offset', '7', path('a.acs.gz'));
  await runCommand('store', 'load', path('t.db'), '--source', 'p2', '--offset', '7', path('b.acs.gz'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('an output that is an input', () => {
  it.each([
    ['a.acs.gz', (a: string) => ['convert', a, '-o', a]],
    ['a.acs.gz', (a: string) => ['convert', path('[a]*.gz'), '-o', a]],
    ['a.acs.gz', (a: string) => ['filter', a, '-o', join(folder, '.', 'a.acs.gz')]],
    ['a.acs.gz', (a: string) => ['diff', a, path('b.acs.gz'), '-o', a]],
    ['b.acs.gz', (b: string) => ['diff', path('a.acs.gz'), `P2=${b}`, '--html', b]],
    ['t.db', (db: string) => ['diff', `${db}#p1@7`, `P2=${db}#p2`, '-o', db]],
    ['t.db', (db: string) => ['store', 'export', db, '--source', 'p1', '-o', db]],
    ['k.txt', (k: string) => ['packages', path('a.acs.gz'), '--known', k, '--write-overrides', k]],
    [
      'm.csv',
      (m: string) => ['parties', 'map', path('a.acs.gz'), '--map', m, '-o', path('n.csv'), '--plan', m],
    ],
    ['a.acs.gz', (a: string) => ['remap', path('b.acs.gz'), '--map', a, '-o', a]],
  ] as const)('is refused, and %s stays as it is: %#', async (name, words) => {
    const before = readFileSync(path(name));
    const { status, stderr } = await runCommand(...words(path(name)));
    expect(status).toBe(2);
    expect(stderr).toContain('is an input too');
    expect(readFileSync(path(name)).equals(before)).toBe(true);
  });

  it('and two outputs that are one file are refused', async () => {
    const one = path('one.csv');
    const { status, stderr } = await runCommand('parties', 'map', path('a.acs.gz'), '-o', one, '--plan', one);
    expect(status).toBe(2);
    expect(stderr).toContain(`--output and --plan are both ${one}`);
    expect(existsSync(one)).toBe(false);
  });

  it('does not keep a command from replacing anything else', async () => {
    for (let i = 0; i < 2; i++)
      expect((await runCommand('filter', path('a.acs.gz'), '-o', path('c.acs.gz'))).status).toBe(0);
  });
});
