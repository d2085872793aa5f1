/** Options of the commands that ask which packages a participant has. */
import type { Argv } from 'yargs';
import { isPackageId } from '../contract/identifier.js';
import type { RepresentativePackageOverrides } from '../dar/representativePackage.js';
import { parseOverrides } from '../inspect/packages.js';
import { AcsError } from '../io/error.js';
import { parseList, readTextFile } from './listOption.js';

export interface PackageArgs {
  known: string[] | undefined;
  overrides: string | undefined;
}

/** `--known` and `--overrides`. */
export function packageOptions<T>(y: Argv<T>): Argv<T & PackageArgs> {
  return y
    .option('known', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'file with the ids of the packages the participant has, one per line',
    })
    .option('overrides', {
      type: 'string',
      requiresArg: true,
      describe: 'JSON file with the representative package overrides of the import request',
    }) as unknown as Argv<T & PackageArgs>;
}

/** The ids of `--known` files, or undefined without them. Error: `KNOWN_IDS_MALFORMED`. */
export async function knownPackages(args: PackageArgs): Promise<Set<string> | undefined> {
  if (args.known === undefined) return undefined;
  const ids = new Set<string>();
  for (const file of args.known) {
    for (const line of parseList(await readTextFile(file))) {
      // Lists printed by other tools have the name behind the id.
      const [id] = line.split(/[\s,;]/);
      if (!isPackageId(id)) {
        throw new AcsError('KNOWN_IDS_MALFORMED', 'a line of the list does not start with a package id', {
          file,
          expected: 'a package id per line',
          found: line.slice(0, 80),
          exitCode: 2,
        });
      }
      ids.add(id);
    }
  }
  return ids;
}

export async function packageOverrides(
  args: PackageArgs,
): Promise<RepresentativePackageOverrides | undefined> {
  if (args.overrides === undefined) return undefined;
  try {
    return parseOverrides(await readTextFile(args.overrides));
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ file: args.overrides }) : error;
  }
}
