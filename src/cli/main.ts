/** The `acs` program, started by acs.cts. */
import { removeUnfinished } from '../io/atomicFile.js';
import { runCli } from './run.js';

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    removeUnfinished();
    process.exit(status);
  });
}

process.exitCode = await runCli(process.argv.slice(2));
