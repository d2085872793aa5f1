/** Mistakes of usage: found where yargs finds none, and said in our own words. */
import { type AcsError, usageError } from '../io/error.js';
import type { CliCommand } from './command.js';

/** What yargs knows of the options declared so far; its types leave it out. */
export interface DeclaredOptions {
  readonly array: readonly string[];
  readonly number: readonly string[];
}

/** All other numbers count something. */
const WITH_FRACTIONS = ['max-ratio'];

/** Refuses what yargs lets through: numbers that are none, half ones, and single values given twice. */
export function checkValues(
  args: Readonly<Record<string, unknown>>,
  declared: DeclaredOptions | undefined,
  command: string,
): void {
  const hint = `see \`${command} --help\``;
  for (const [name, value] of Object.entries(args)) {
    // Aliases of one letter and camel-case copies come along with the declared name.
    if (/^.$|[A-Z]/.test(name)) continue;
    if (Array.isArray(value) && !declared?.array.includes(name)) {
      if (name !== '_' && value.some((item) => typeof item !== 'boolean'))
        throw usageError(`--${name} is given more than once`, hint);
    }
    if (typeof value !== 'number' || !declared?.number.includes(name)) continue;
    if (Number.isNaN(value)) throw usageError(`--${name} needs a number`, hint);
    if (value < 0) throw usageError(`--${name} ${value} is below 0`, hint);
    if (Math.floor(value) !== value && !WITH_FRACTIONS.includes(name))
      throw usageError(`--${name} ${value} is no whole number`, hint);
  }
}

/** The mistake in our own words, with the help page that applies. */
export function explainMistake(
  message: string,
  words: readonly string[],
  commands: readonly CliCommand<never>[],
): AcsError {
  let path = 'acs';
  let called: CliCommand<never> | undefined;
  let level = commands;
  for (const word of words) {
    const next = level.find((command) => command.command.split(' ')[0] === word);
    if (next === undefined) break;
    called = next;
    path += ` ${word}`;
    level = next.subcommands ?? [];
  }
  const hint = `see \`${path} --help\``;
  if (called?.run === undefined && /^(Unknown|Did you mean)/.test(message)) {
    const word = words[path.split(' ').length - 1];
    if (word !== undefined) {
      const close = /^Did you mean (.*)\?$/.exec(message);
      return usageError(
        `there is no command \`${path} ${word}\`${close === null ? '' : `; did you mean ${close[1]}?`}`,
        hint,
      );
    }
  }
  if (message.startsWith('Not enough non-option arguments') && called !== undefined) {
    return usageError(
      `an argument is missing: ${path} ${called.command.split(' ').slice(1).join(' ')}`,
      hint,
    );
  }
  const missing = /^Missing required arguments?: (.*)$/.exec(message);
  if (missing !== null) {
    return usageError(`missing: ${missing[1].replace(/[^, ]+/g, (name) => `--${name}`)}`, hint);
  }
  const empty = /^Not enough arguments following: (.*)$/.exec(message);
  if (empty !== null) {
    const [, name] = empty;
    return usageError(`${name.length === 1 ? '-' : '--'}${name} needs a value`, hint);
  }
  const invalid = /Argument: (.*), Given: (.*), Choices: (.*)/.exec(message);
  if (invalid !== null) {
    return usageError(`--${invalid[1]} cannot be ${invalid[2]}; it is one of ${invalid[3]}`, hint);
  }
  return usageError(message.trim(), hint);
}
