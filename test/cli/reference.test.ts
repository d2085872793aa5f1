import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { CliCommand } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { commandReference } from '../../src/cli/reference.js';
import { fixture } from '../fixtures.js';
import { runCommand } from './runCommand.js';

async function all(): Promise<CliCommand<never>[]> {
  const flat = (command: CliCommand<never>): CliCommand<never>[] => [
    command,
    ...(command.subcommands ?? []).flatMap(flat),
  ];
  return (await Promise.all(Object.values(COMMANDS).map((load) => load()))).flatMap(flat);
}

describe('help', () => {
  it('docs/CLI.md is the real help', async () => {
    const page = readFileSync(new URL('../../docs/CLI.md', import.meta.url), 'utf8');
    expect(page).toBe(await commandReference());
  });

  it('every command says what it is for, shows examples and its exit status', async () => {
    for (const command of await all()) {
      expect(command.describe.length, command.command).toBeGreaterThan(10);
      if (command.run === undefined) continue;
      expect(command.examples.length, command.command).toBeGreaterThan(0);
      expect(command.exitStatus[0], command.command).toBeDefined();
    }
  });

  it('every example can be copied as it stands', async () => {
    const help = (await commandReference()).replaceAll(/ \\\n +/g, ' ').split('\n');
    for (const command of await all()) {
      for (const [line, what] of command.examples) {
        expect(help).toContain(`  ${line}`);
        expect(help).toContain(`  # ${what}`);
      }
    }
  });

  it('the registry word is the command word', async () => {
    for (const [word, load] of Object.entries(COMMANDS))
      expect((await load()).command.split(' ')[0]).toBe(word);
  });
});

describe('standard input', () => {
  it('is read for a lone dash', () => {
    const main = fileURLToPath(new URL('../../dist/cli/acs.cjs', import.meta.url));
    const input = readFileSync(fixture('snapshots/tiny.acs.gz'));
    const run = (...argv: string[]) => spawnSync(process.execPath, [main, ...argv], { input });
    expect(JSON.parse(run('info', '--json', '-').stdout.toString())).toMatchObject({
      file: '-',
      contracts: 12,
    });
    expect(run('verify', '-').status).toBe(0);
    expect(run('cat', '-', '--limit', '1', '--fields', 'record').stdout.toString()).toBe('{"record":0}\n');
    const copy = run('filter', '-', '-o', '-').stdout;
    expect(gunzipSync(copy).equals(gunzipSync(input))).toBe(true);
    const map = readFileSync(fixture('snapshots/multi/hosting.json'));
    const participants = [1, 2].map((n) => fixture(`snapshots/multi/participant${n}.acs.gz`));
    const diff = [main, 'diff', ...participants, '--hosting', '-'];
    expect(spawnSync(process.execPath, diff, { input: map }).status).toBe(1);
    const [one, two] = participants;
    const piped = `"${process.execPath}" "${main}" diff a=<(cat "${one}") b=<(cat "${two}") --json`;
    const compared = spawnSync('bash', ['-c', piped]);
    expect(JSON.parse(compared.stdout.toString()), compared.stderr.toString()).toMatchObject({
      compared: 462,
    });
    expect(run('parties', '-', '--json').status).toBe(0);
    expect(run('info', '-', '-').status).toBe(2);
  });
});

describe('standard output', () => {
  it.each(['info', 'cat', 'filter -o -', 'parties', '--help'])('a full disk is an error: %s', (words) => {
    const main = fileURLToPath(new URL('../../dist/cli/acs.cjs', import.meta.url));
    const full = openSync('/dev/full', 'w');
    const argv = [main, ...words.split(' '), fixture('snapshots/tiny.acs.gz')];
    const { status, stderr } = spawnSync(process.execPath, argv, { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    expect(stderr.toString()).toBe(
      'error: no space left on the device [DISK_FULL]\n  where:    standard output\n' +
        '  next:     make room, or write to another device\n',
    );
    expect(status).toBe(4);
  });
});

describe('mistakes', () => {
  it('of usage have status 2 and no stack trace', async () => {
    for (const argv of [
      ['nothing'],
      ['info'],
      ['info', '--colour', 'x'],
      ['verify', '--sample', 'half', 'x'],
    ]) {
      const { status, stdout, stderr } = await runCommand(...argv);
      expect(status, argv.join(' ')).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^error: /);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
  });

  it.each([
    ['inof', 'there is no command `acs inof`; did you mean info?'],
    ['dar nothing', 'there is no command `acs dar nothing`'],
    ['cat', 'an argument is missing: acs cat <file>'],
    ['commitment diff a', 'an argument is missing: acs commitment diff <local> <remote>'],
    ['split x', 'missing: --by, --directory'],
    ['info x --progress loud', '--progress cannot be "loud"; it is one of'],
    ['cat x --limit some', '--limit needs a number'],
    ['info x --top -1', '--top -1 is below 0'],
    ['diff a b --threads 1.5', '--threads 1.5 is no whole number'],
    ['filter x -o a -o b', '--output is given more than once'],
    ['cat x --contract zz', 'not a contract id'],
    ['filter x -o y --counter 3..1', 'the range ends before it begins'],
  ])('%s: %s', async (line, message) => {
    const { status, stderr } = await runCommand(...line.split(' '));
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });

  it('an output inside a file is said to be that', async () => {
    const tiny = fixture('snapshots/tiny.acs.gz');
    const { status, stderr } = await runCommand('filter', tiny, '-o', `${tiny}/x`);
    expect(status).toBe(4);
    expect(stderr).toContain('a part of the path is not a directory');
  });

  it.each([
    ['acs fil', /^filter$/m],
    ['acs split x --by ', /^party$/m],
    ['acs filter --pa', /^--party$/m],
    ['acs info ', /^$/],
    ['acs info f', /^$/],
    ['acs plan s', /^show$/m],
  ])('completion of "%s"', async (line, offered) => {
    const { status, stdout } = await runCommand('--get-yargs-completions', ...line.split(' '));
    expect(status).toBe(0);
    expect(stdout).toMatch(offered);
  });

  it('`acs completion --help` is the help', async () => {
    expect(await runCommand('completion', '--help')).toEqual(await runCommand('--help'));
  });

  it('no word at all shows the help, as talk', async () => {
    const { status, stdout, stderr } = await runCommand();
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe((await runCommand('--help')).stdout);
  });

  it.each([
    ['dars/acme-iou-1.0.0.dar', '`acs dar info`'],
    ['dars/packages.json', 'acs convert'],
    ['live2/stream/p1.acs-1.bin.gz', '`acs convert`'],
    ['live2/stream/p1.updates.acs-delta.bin.gz', '`acs store append`'],
  ])('a file of another kind is named for what it is: %s', async (path, command) => {
    const { status, stderr } = await runCommand('cat', fixture(path));
    expect(status).toBe(4);
    expect(stderr).toContain(command);
  });

  it('`acs help info` is `acs info --help`', async () => {
    expect(await runCommand('help', 'info')).toEqual(await runCommand('info', '--help'));
  });

  it('an output that cannot be written is named as such', async () => {
    const tiny = fixture('snapshots/tiny.acs.gz');
    const { status, stderr } = await runCommand('filter', tiny, '-o', join(tiny, 'out.acs.gz'));
    expect(status).toBe(4);
    expect(stderr).toContain('a part of the path is not a directory [FILE_UNWRITABLE]');
  });

  it('an unreadable file has status 4, in JSON with --json', async () => {
    const text = await runCommand('info', '/nonexistent/file');
    expect(text.status).toBe(4);
    expect(text.stderr).toContain('[FILE_UNREADABLE]');
    const json = await runCommand('info', '--json', '/nonexistent/file');
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { code: 'FILE_UNREADABLE', place: { file: '/nonexistent/file' } },
    });
  });
});
