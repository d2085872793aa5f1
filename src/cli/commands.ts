/** Every command, in the order the help lists them. */
import type { CliCommand } from './command.js';
import { catCommand } from './commands/cat.js';
import { filterCommand } from './commands/filter.js';
import { infoCommand } from './commands/info.js';
import { verifyCommand } from './commands/verify.js';

export const COMMANDS: readonly CliCommand<never>[] = [infoCommand, catCommand, verifyCommand, filterCommand];
