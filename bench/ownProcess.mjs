/**
 * Calls an exported function of a module in a process of its own. The bench process has to stay small: the operating
 * system counts the memory of a process from the moment it is forked, so a large parent would show in every case.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** `args` travel as JSON; the function's result is not needed. Throws when the process fails. */
export function callInOwnProcess(module, name, ...args) {
  const { status } = spawnSync(
    process.execPath,
    [fileURLToPath(import.meta.url), module, name, JSON.stringify(args)],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  if (status !== 0) throw new Error(`${name} failed with status ${status}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [module, name, args] = process.argv.slice(2);
  const exported = await import(module);
  await exported[name](...JSON.parse(args));
}
