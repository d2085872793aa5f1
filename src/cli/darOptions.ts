/** Options of the commands that read DARs. */
import type { Argv } from 'yargs';
import { type DarCatalog, type LoadDarsOptions, loadDars } from '../dar/catalog.js';
import type { CliContext } from './context.js';
import { inputFiles } from './inputFiles.js';

export interface CacheArgs {
  cacheDir: string | undefined;
  cache: boolean;
}

/** `--cache-dir` and `--no-cache`: decoded packages are kept on disk by package id. */
export function cacheOptions<T>(y: Argv<T>): Argv<T & CacheArgs> {
  return y
    .option('cache-dir', {
      type: 'string',
      describe: 'folder for decoded packages (default: $XDG_CACHE_HOME/acskit or ~/.cache/acskit)',
    })
    .option('cache', {
      type: 'boolean',
      default: true,
      describe: 'keep decoded packages on disk; --no-cache neither reads nor writes them',
    }) as unknown as Argv<T & CacheArgs>;
}

export interface DarArgs extends CacheArgs {
  dar: string[];
}

/** `--dar`, which may be repeated, and the cache options. */
export function darOptions<T>(y: Argv<T>): Argv<T & DarArgs> {
  return cacheOptions(
    y.option('dar', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'DAR or DALF with the types, a folder of them, or a glob; may be repeated',
    }),
  ) as unknown as Argv<T & DarArgs>;
}

export function loadOptions(args: CacheArgs): LoadDarsOptions {
  if (!args.cache) return { cacheDir: false };
  return args.cacheDir === undefined ? {} : { cacheDir: args.cacheDir };
}

/** Loads the DARs given with `--dar`; what is wrong with the set is said as warnings. */
export async function loadDarArgs(args: DarArgs, context: CliContext): Promise<DarCatalog> {
  const catalog = await loadDars(await inputFiles(args.dar), loadOptions(args));
  for (const { code, message, file } of catalog.findings) {
    context.warn({ code, message, ...(file === undefined ? {} : { file }) });
  }
  return catalog;
}
