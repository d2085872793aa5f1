/** docs/CLI.md, made from the real help of every command. */
import { Writable } from 'node:stream';
import type { CliCommand } from './command.js';
import { COMMANDS } from './commands.js';
import { runCli } from './run.js';

/** The text of docs/CLI.md. */
export async function commandReference(): Promise<string> {
  const parts = [
    '# Command line',
    '',
    'This page is the real help of every command; a test keeps it so (`node scripts/cli-docs.mjs` rewrites it).',
    '',
    '- stdout is the result, stderr is talk. `--json` turns results into JSON; 64-bit integers are strings.',
    '- Exit status: 0 ok or equal, 1 differences or findings, 2 usage, 3 done with loss, 4 failed; 130 after Ctrl-C.',
    '- A file may be `-` (standard input). Globs are expanded when the shell has not done it.',
    '- Outputs appear under their name only when complete.',
    '',
    '## acs',
    '',
    fenced(await helpOf([])),
  ];
  for (const load of Object.values(COMMANDS)) {
    const command = await load();
    for (const path of paths(command, []))
      parts.push('', `## acs ${path.join(' ')}`, '', fenced(await helpOf(path)));
  }
  return `${parts.join('\n')}\n`;
}

function paths(command: CliCommand<never>, before: readonly string[]): string[][] {
  const path = [...before, command.command.split(' ')[0]];
  return [path, ...(command.subcommands ?? []).flatMap((sub) => paths(sub, path))];
}

async function helpOf(path: readonly string[]): Promise<string> {
  const chunks: string[] = [];
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString('utf8'));
      done();
    },
  });
  await runCli([...path, '--help'], { stdout, stderr: stdout });
  return chunks.join('').trimEnd();
}

function fenced(text: string): string {
  return `\`\`\`text\n${text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n\`\`\``;
}
