/**
 * No command may replace what it reads, or one of its outputs by another: refused before anything is done. The functions
 * of the library do so for the paths they are given; only the command line knows the files it reads for them.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { usageError } from '../io/error.js';
import { refuseInputAsOutput } from '../io/inputAsOutput.js';
import { inputFiles } from './inputFiles.js';

const OUTPUTS = ['output', 'html', 'id-map', 'plan', 'write-overrides'];

/** Words and options that name files to be read. */
const INPUTS = [
  ...['file', 'files', 'inputs', 'db', 'updates', 'local', 'remote'],
  ...['hosting', 'map', 'contracts', 'dar', 'packages', 'expect', 'salt-file', 'seed-file', 'policy'],
  ...['known', 'overrides', 'package-map'],
];

/** Error `USAGE`. `args`: as parsed, by option. */
export async function checkOutputPaths(args: Readonly<Record<string, unknown>>): Promise<void> {
  const options = new Map<string, string>();
  for (const option of OUTPUTS) {
    const output = args[option];
    if (typeof output !== 'string' || output === '-') continue;
    const other = options.get(resolve(output));
    if (other !== undefined)
      throw usageError(`--${other} and --${option} are both ${output}`, 'give each a file of its own');
    options.set(resolve(output), option);
    const status = await stat(output).catch(() => undefined);
    if (status?.isFile()) await refuseInputAsOutput(await namedInputs(args), output);
  }
}

async function namedInputs(args: Readonly<Record<string, unknown>>): Promise<string[]> {
  const paths: string[] = [];
  for (const word of INPUTS.flatMap((name) => args[name])) {
    if (typeof word !== 'string') continue;
    // PARTICIPANT=FILE, STORE#SOURCE@OFFSET
    for (const named of [word, word.slice(word.indexOf('=') + 1)])
      paths.push(named, named.replace(/[#@].*$/s, ''), ...(await inputFiles([named]).catch(() => [])));
  }
  return paths.filter((path) => path !== '');
}
