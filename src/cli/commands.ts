/** Every command, in the order the help lists them. */
import type { CliCommand } from './command.js';
import { infoCommand } from './commands/info.js';

export const COMMANDS: readonly CliCommand<never>[] = [infoCommand];
