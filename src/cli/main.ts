/** The `acs` program, started by acs.cts. */
import { removeUnfinished } from '../io/atomicFile.js';
import { runCli } from './run.js';

/**
 * SQLite works where no handler of a signal could run: what only asks or changes a store is left to the signal itself, which
 * a store survives like a kill.
 */
function leavesFiles([group, command]: readonly string[]): boolean {
  return group !== 'store' || command === 'export';
}

if (leavesFiles(process.argv.slice(2).filter((word) => !word.startsWith('-')))) {
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    // The connection to the terminal was lost.
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => {
      removeUnfinished();
      process.exit(status);
    });
  }
}

// Talk that cannot be written (a full disk, a reader that went away) is lost; the work and its exit status are not.
process.stderr.on('error', () => undefined);

process.exitCode = await runCli(process.argv.slice(2));
