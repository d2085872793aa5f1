/** The shape of a command: thin over a library function, described well enough that help and docs write themselves. */
import type { Argv } from 'yargs';
import type { CliContext } from './context.js';

export const EXIT = {
  ok: 0,
  /** Differences or findings. */
  findings: 1,
  usage: 2,
  /** Done, but with loss. */
  loss: 3,
  failed: 4,
} as const;

export interface CliCommand<Args = Record<string, unknown>> {
  /** Words and positionals in yargs form, e.g. `info <files..>`; for a subcommand only its own word. */
  readonly command: string;
  /** One line for the list of commands. */
  readonly describe: string;
  /** Paragraphs shown in the command's own help: what it is for, what it promises. */
  readonly details?: string;
  /** Command line and what it does. At least one. */
  readonly examples: readonly (readonly [string, string])[];
  /** What each exit status means here; 2 is the same everywhere, 4 is named where a failure can leave output behind. */
  readonly exitStatus: Readonly<Partial<Record<0 | 1 | 3 | 4, string>>>;
  /** Declares positionals and options. */
  readonly options?: (y: Argv) => Argv<Args>;
  readonly subcommands?: readonly CliCommand<never>[];
  /** Returns the exit status. */
  readonly run?: (args: Args, context: CliContext) => Promise<number>;
}

/** Keeps the argument type between `options` and `run` without writing it down. */
export function defineCommand<Args>(command: CliCommand<Args>): CliCommand<never> {
  return command as unknown as CliCommand<never>;
}
