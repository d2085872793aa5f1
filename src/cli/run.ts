/** The command line as a function: words in, exit status out. */
import type { Writable } from 'node:stream';
import type { Argv } from 'yargs';
import { AcsError } from '../io/error.js';
import { toolVersion } from '../io/toolVersion.js';
import { type CliCommand, EXIT } from './command.js';
import { COMMANDS } from './commands.js';
import { type CliContext, createContext, describeError, stringifyJson } from './context.js';
import { checkOutputPaths } from './outputPaths.js';
import type { ProgressMode } from './progress.js';
import { checkValues, type DeclaredOptions, explainMistake } from './usageMistake.js';
import { yargs } from './yargs.js';

export interface CliStreams {
  stdout: Writable;
  stderr: Writable & { isTTY?: boolean };
}

interface GlobalArgs {
  json: boolean;
  quiet: boolean;
  progress: ProgressMode;
}

/** The command a command line names, with its arguments. */
interface Call {
  command: CliCommand<never>;
  args: GlobalArgs;
}

/** Runs one command line (without `node acs`). Never throws for a user's mistake and never calls `process.exit`. */
export async function runCli(
  argv: readonly string[],
  streams: CliStreams = { stdout: process.stdout, stderr: process.stderr },
): Promise<number> {
  try {
    if (argv.length === 0) {
      streams.stderr.write(`${await buildParser(await loadCommands([]), [], () => {}).getHelp()}\n`);
      return EXIT.usage;
    }
    const call = await parseWords(argv, streams);
    if (typeof call === 'number') return call;
    const args = nameStandardOutput(showDashes(call.args));
    const { json, quiet, progress } = args;
    const context = createContext({ ...streams, json, quiet, progress });
    try {
      await checkOutputPaths(args as unknown as Record<string, unknown>);
      const status = await (call.command.run as (a: unknown, c: CliContext) => Promise<number>)(
        args,
        context,
      );
      await context.written();
      return status;
    } finally {
      context.endProgress();
    }
  } catch (error) {
    return reportError(error, argv.includes('--json'), streams.stderr);
  }
}

/** How the completion script asks. */
const COMPLETE = '--get-yargs-completions';

/** With nothing to offer the shell completes file names; options are offered to who begins one. */
function completions(offered: string, word: string): string {
  const lines = offered.split('\n').filter((line) => line !== '');
  return lines.length === 0 || (word === '' && lines.every((line) => line.startsWith('-')))
    ? ''
    : `${lines.join('\n')}\n`;
}

/** The call meant; or, when help was asked for or is due, prints that and returns the exit status. */
async function parseWords(argv: readonly string[], streams: CliStreams): Promise<Call | number> {
  let call: Call | undefined;
  let helpText = '';
  const asked = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
  // The parser makes this command itself and gives it no page.
  const line = asked[0] === 'completion' && /^(--help|-h)$/.test(asked[1] ?? '') ? ['--help'] : asked;
  const parser = buildParser(await loadCommands(line), line, (command, args) => {
    call = { command, args };
    // Leaves the parser at once: behind a handler that returns it lays out the help, which takes longer than parsing.
    throw call;
  });
  try {
    await parser.parseAsync(
      line[0] === COMPLETE ? line : hideDashes(line),
      {},
      (error: Error | undefined, _args: unknown, output: string) => {
        if (error) throw error;
        helpText = output;
      },
    );
  } catch (error) {
    if (call === undefined || error !== call) throw error;
    return call;
  }
  const context = createContext({ ...streams, json: false, quiet: false, progress: 'none' });
  if (line[0] === COMPLETE) {
    await context.write(completions(helpText, line[line.length - 1]!));
    return EXIT.ok;
  }
  await context.write(`${helpText === '' ? await parser.getHelp() : helpText}\n`);
  await context.written();
  return helpText === '' ? EXIT.usage : EXIT.ok;
}

const HELP_COLUMNS = 100;

/** yargs drops a lone `-` and what follows `--`: a word that is no option though it looks like one travels marked. */
const MARK = '\u0001';

function hideDashes(line: readonly string[]): string[] {
  const end = line.indexOf('--');
  const words = end < 0 ? line : line.slice(0, end);
  const files = end < 0 ? [] : line.slice(end + 1);
  return [
    ...words.map((word) => (word === '-' ? `${MARK}${word}` : word)),
    ...files.map((word) => (word.startsWith('-') ? `${MARK}${word}` : word)),
  ];
}

function showDashes<T extends object>(args: T): T {
  const show = (value: unknown): unknown => {
    if (typeof value === 'string' && value.startsWith(MARK)) return value.slice(MARK.length);
    return Array.isArray(value) ? value.map(show) : value;
  };
  return Object.fromEntries(Object.entries(args).map(([key, value]) => [key, show(value)])) as T;
}

const STANDARD_OUTPUT = new Set(['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']);

/** An output that is standard output under another name is called `-`: then no report is printed behind its bytes. */
function nameStandardOutput<T extends object>(args: T): T {
  const { output } = args as { output?: unknown };
  return typeof output === 'string' && STANDARD_OUTPUT.has(output) ? { ...args, output: '-' } : args;
}

/** Prints an error as the command line does and returns its exit status. */
export function reportError(error: unknown, json: boolean, stderr: Writable): number {
  if (error instanceof AcsError) {
    stderr.write(json ? `${stringifyJson({ error })}\n` : `${describeError(error)}\n`);
    return error.exitCode;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  stderr.write(
    json
      ? `${stringifyJson({ error: { code: 'INTERNAL', message: text } })}\n`
      : `internal error: ${text}\nThis is a fault of acs itself; please report it with the command and the file.\n`,
  );
  return EXIT.failed;
}

/** The command that is called; all of them when none is, or for help, completion and suggestions; none for the version. */
async function loadCommands(argv: readonly string[]): Promise<CliCommand<never>[]> {
  if (argv.length === 1 && argv[0] === '--version') return [];
  const word = argv.find((arg) => !arg.startsWith('-'));
  const called = word === undefined ? undefined : COMMANDS[word];
  return called === undefined ? Promise.all(Object.values(COMMANDS).map((load) => load())) : [await called()];
}

/** The yargs tree of the given commands, for one command line; `choose` takes the command called. */
function buildParser(
  commands: readonly CliCommand<never>[],
  argv: readonly string[],
  choose: (command: CliCommand<never>, args: GlobalArgs) => void,
): Argv {
  const parser = yargs([])
    .scriptName('acs')
    .usage('acs <command>\n\nRead, compare, repair and move the active contracts of Canton participants.')
    .parserConfiguration({
      'duplicate-arguments-array': true,
      'parse-numbers': true,
      'camel-case-expansion': true,
      'greedy-arrays': false,
    })
    .option('json', { type: 'boolean', default: false, describe: 'print results as JSON', global: true })
    .option('quiet', {
      type: 'boolean',
      default: false,
      alias: 'q',
      describe: 'no notes and no progress on standard error; warnings stay',
      global: true,
    })
    .option('progress', {
      choices: ['auto', 'bar', 'json', 'none'] as const,
      default: 'auto' as const,
      describe: 'progress on standard error',
      global: true,
    })
    .locale('en')
    .wrap(HELP_COLUMNS)
    .version(toolVersion())
    .help()
    .alias('help', 'h')
    .strict()
    .demandCommand(1, 'Name a command; `acs --help` lists them.')
    .recommendCommands()
    .completion('completion', 'print a shell completion script (source it in your shell profile)')
    .epilogue(
      'Exit status: 0 ok or equal, 1 differences or findings, 2 usage, 3 done with loss, 4 failed.\n' +
        '`acs <command> --help` shows examples. A file may be `-` for standard input.',
    )
    .exitProcess(false)
    .fail((message, error) => {
      // yargs throws some mistakes itself instead of telling them.
      if (error && error.name !== 'YError') throw error;
      throw explainMistake(message || error.message, words, commands);
    });
  const words = argv.filter((arg) => !arg.startsWith('-'));
  for (const command of commands) addCommand(parser, command, words, choose);
  return parser;
}

function addCommand(
  parent: Argv,
  command: CliCommand<never>,
  words: readonly string[],
  choose: (command: CliCommand<never>, args: GlobalArgs) => void,
  path = 'acs',
): void {
  let declared: DeclaredOptions | undefined;
  parent.command(
    command.command,
    command.describe,
    (y) => {
      let child = y as Argv;
      const [own] = command.command.split(' ');
      const rest = words.slice(words.indexOf(own) + 1);
      // yargs hands a command's options down to its subcommands: declare them only when none of those is called.
      const subcalled = (command.subcommands ?? []).some((sub) => sub.command.split(' ')[0] === rest[0]);
      if (command.details !== undefined)
        child.usage(`${path} ${command.command}\n\n${reflow(command.details)}`);
      if (command.options !== undefined && !subcalled) {
        child = command.options(child as never) as unknown as Argv;
      }
      declared = (child as unknown as { getOptions(): DeclaredOptions }).getOptions();
      for (const sub of command.subcommands ?? []) addCommand(child, sub, rest, choose, `${path} ${own}`);
      // A word after a command that takes files is a file, however close to the name of a subcommand: `parties -`.
      if (command.run !== undefined && command.subcommands !== undefined)
        (child as unknown as { recommendCommands(on: boolean): void }).recommendCommands(false);
      if (command.run === undefined) child.demandCommand(1, 'Name a subcommand.');
      return child.epilogue([...examplesText(command), exitStatusText(command)].join('\n\n')) as never;
    },
    (args) => {
      if (command.run === undefined) return;
      checkValues(args, declared, `${path} ${command.command.split(' ')[0]}`);
      choose(command, args as unknown as GlobalArgs);
    },
  );
}

/** Moves what a line has too much to the next one: of the paragraph, or of the row of a list (`NAME  text`). */
function reflow(text: string): string {
  const lines: string[] = [];
  let carried = '';
  for (const line of text.split('\n')) {
    const row = /^ *\S+ {2,}/.exec(line);
    if (carried !== '' && (line === '' || row !== null)) {
      lines.push(carried);
      carried = '';
    }
    let rest = carried === '' ? line : `${carried} ${line}`;
    carried = '';
    if (rest.length > HELP_COLUMNS) {
      const cut = rest.lastIndexOf(' ', HELP_COLUMNS);
      carried = `${' '.repeat(row === null ? 0 : row[0].length)}${rest.slice(cut + 1)}`;
      rest = rest.slice(0, cut);
    }
    lines.push(rest);
    if (row !== null && carried !== '') {
      lines.push(carried);
      carried = '';
    }
  }
  return [...lines, ...(carried === '' ? [] : [carried])].join('\n');
}

/** Each example can be copied as it stands; the parser would set it in a column and break it. */
function examplesText({ examples }: CliCommand<never>): string[] {
  if (examples.length === 0) return [];
  return [['Examples:', ...examples.map(([line, what]) => `  # ${what}\n  ${shellLines(line)}`)].join('\n')];
}

/** A long command line as several that the shell reads as one, broken between words, before an option if possible. */
function shellLines(line: string): string {
  const room = HELP_COLUMNS - 4;
  if (line.length <= room) return line;
  const breaks = [...line.matchAll(/'[^']*'|"[^"]*"| /g)]
    .filter(({ 0: found, index }) => found === ' ' && index <= room - 2)
    .map(({ index }) => index);
  const at = breaks.findLast((index) => line[index + 1] === '-') ?? breaks.at(-1);
  return at === undefined ? line : `${line.slice(0, at)} \\\n    ${shellLines(line.slice(at + 1))}`;
}

function exitStatusText(command: CliCommand<never>): string {
  const lines = Object.entries({
    2: 'wrong usage',
    4: 'failed; nothing was written',
    ...command.exitStatus,
  })
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([code, meaning]) => `  ${code}  ${meaning}`);
  return `Exit status:\n${lines.join('\n')}`;
}
