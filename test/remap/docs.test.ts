import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../cli/runCommand.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${root}docs/import-legacy-ledger.md`, 'utf8');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'acs-docs-'));
  cpSync(`${root}fixtures/paint`, join(folder, 'fixtures/paint'), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Commands of the page, in order; paths lead into a folder of their own. */
const commands = [...page.matchAll(/^```sh( fails)?\n([\s\S]*?)^```$/gm)].flatMap(([, fails, body]) =>
  body
    .trim()
    .split('\n')
    .map((line) => ({ line, fails: fails !== undefined })),
);

describe('docs/import-legacy-ledger.md', () => {
  it('has its commands', () => {
    expect(commands.length).toBeGreaterThanOrEqual(8);
    for (const { line } of commands) expect(line).toMatch(/^acs /);
  });

  it.each(commands.map((command) => [command.line.slice(0, 60), command] as const))(
    '%s',
    async (_name, command) => {
      const words = command.line
        .split(' ')
        .slice(1)
        .map((word) =>
          word.replace(
            /(^|=)(fixtures|import)\//,
            (_all, before: string, top: string) => `${before}${folder}/${top}/`,
          ),
        );
      const { status, stdout, stderr } = await runCommand(
        ...words,
        ...(command.line.includes('--dar') ? ['--no-cache'] : []),
      );
      expect({ status, stderr: status === 0 || command.fails ? '' : stderr }).toEqual({
        status: command.fails ? 4 : 0,
        stderr: '',
      });
      if (command.fails) expect(stderr).toContain('36 lack contract-id');
      if (command.line.startsWith('acs place')) {
        expect(stdout).toContain('36 contracts, 72 placements, 0 unplaced');
        for (const n of [36, 32, 4]) expect(stdout).toMatch(new RegExp(`^ *${n} {2}participant`, 'm'));
      }
      if (command.line.startsWith('acs count')) expect(stdout).not.toContain('DIFFERENT');
    },
  );

  it('mentions only options that exist', async () => {
    for (const name of ['convert', 'remap', 'place', 'count', 'parties']) {
      const { stdout } = await runCommand(name, '--help');
      const help =
        name === 'parties' ? stdout + (await runCommand('parties', 'map', '--help')).stdout : stdout;
      for (const { line } of commands.filter((c) => c.line.startsWith(`acs ${name}`))) {
        for (const [option] of line.matchAll(/--[a-z-]+/g)) expect(help).toContain(option);
      }
    }
  });
});
