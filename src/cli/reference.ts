/** docs/CLI.md, made from the real help of every command. */
import { readdirSync } from 'node:fs';
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
    '- Text shows characters that a terminal obeys by their number (`\\u001b`); JSON and CSV hold them as they are.',
    '- The shape of every JSON output is a [JSON Schema](../schemas/json), linked below. With `--json` every line on',
    `  stderr is JSON too: ${['error', 'warning', 'note', 'progress'].map(schemaLink).join(', ')}.`,
    '- Long work shows a bar with rate and time left on a terminal, and a JSON line every five seconds otherwise',
    '  (`--progress bar|json|none`). The time left is known for files, not for standard input or a store.',
    '- Exit status: 0 ok or equal, 1 differences or findings, 2 usage, 3 done with loss, 4 failed; 130 after Ctrl-C.',
    '- A file may be `-` (standard input). Globs are expanded when the shell has not done it. Behind `--` every word is a file.',
    '- Outputs appear under their name only when complete.',
    '',
    '## acs',
    '',
    fenced(await helpOf([])),
  ];
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const all = commands.flatMap((command) => paths(command, []));
  const shapes = shapesOf(all.map((path) => path.join('-')));
  for (const path of all) {
    parts.push('', `## acs ${path.join(' ')}`, '', fenced(await helpOf(path)));
    const own = shapes.get(path.join('-')) ?? [];
    if (own.length > 0) parts.push('', `JSON: ${own.map(schemaLink).join(', ')}`);
  }
  return `${parts.join('\n')}\n`;
}

function paths(command: CliCommand<never>, before: readonly string[]): string[][] {
  const path = [...before, command.command.split(' ')[0]];
  return [path, ...(command.subcommands ?? []).flatMap((sub) => paths(sub, path))];
}

const SCHEMA_ENDING = '.schema.json';

function schemaLink(name: string): string {
  return `[${name}](../schemas/json/${name}${SCHEMA_ENDING})`;
}

/**
 * The schemas of each command: the one of its name and those that add a word for another form of its output
 * (`diff-line`), unless the word is a subcommand.
 */
function shapesOf(commands: readonly string[]): Map<string, string[]> {
  const shapes = new Map<string, string[]>();
  const files = readdirSync(new URL('../../schemas/json/', import.meta.url));
  for (const name of files.map((file) => file.slice(0, -SCHEMA_ENDING.length)).sort()) {
    const owner = commands
      .filter((command) => name === command || name.startsWith(`${command}-`))
      .reduce((longest, command) => (command.length > longest.length ? command : longest), '');
    if (owner !== '') shapes.set(owner, [...(shapes.get(owner) ?? []), name]);
  }
  return shapes;
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
