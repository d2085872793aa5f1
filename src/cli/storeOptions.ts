/** Options that the store's subcommands share. Offsets are read as text: they may exceed 2^53. */
import type { Argv } from 'yargs';
import { usageError } from '../io/error.js';
import type { AskFilter } from '../store/ask.js';

export function parseOffset(text: string | undefined, option: string): bigint | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,19}$/.test(text) || BigInt(text) > 2n ** 63n - 1n)
    throw usageError(`${option} is no offset: ${text}`, 'a whole number from 0 to 2^63 - 1');
  return BigInt(text);
}

/** Like {@link parseOffset}, for an option that yargs has made sure of. */
export function requiredOffset(text: string, option: string): bigint {
  return parseOffset(text, option) as bigint;
}

export interface SourceArgs {
  db: string;
  source: string | undefined;
}

export function dbPositional<T>(y: Argv<T>): Argv<T & { db: string }> {
  return y.positional('db', {
    type: 'string',
    demandOption: true,
    describe: 'the store, a file',
  }) as unknown as Argv<T & { db: string }>;
}

export function sourceOption<T>(y: Argv<T>): Argv<T & { source: string | undefined }> {
  return y.option('source', {
    type: 'string',
    describe: 'participant; may be left out when the store holds one',
  }) as unknown as Argv<T & { source: string | undefined }>;
}

export interface AskArgs {
  offset: string | undefined;
  party: string[] | undefined;
  template: string[] | undefined;
  synchronizer: string[] | undefined;
  partial: boolean;
}

export function filterOptions<T>(y: Argv<T>): Argv<T & Omit<AskArgs, 'offset'>> {
  return y
    .option('party', {
      type: 'string',
      array: true,
      describe: 'contracts with this stakeholder (repeatable)',
    })
    .option('template', {
      type: 'string',
      array: true,
      describe: 'Module:Entity, package-id:Module:Entity or #package-name:Module:Entity (repeatable)',
    })
    .option('synchronizer', { type: 'string', array: true, describe: 'logical synchronizer id (repeatable)' })
    .option('partial', {
      type: 'boolean',
      default: false,
      describe: 'answer although the base was filtered by other parties',
    }) as unknown as Argv<T & Omit<AskArgs, 'offset'>>;
}

export function askOptions<T>(y: Argv<T>): Argv<T & AskArgs> {
  return filterOptions(y).option('offset', {
    type: 'string',
    describe: 'ledger offset, inclusive; default: the last one known',
  }) as unknown as Argv<T & AskArgs>;
}

export function askFilter(args: Omit<AskArgs, 'offset'> & { offset?: string | undefined }): AskFilter {
  return {
    offset: parseOffset(args.offset, '--offset'),
    parties: args.party,
    templates: args.template,
    synchronizers: args.synchronizer,
    allowPartial: args.partial,
  };
}
