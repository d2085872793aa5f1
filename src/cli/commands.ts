/** Every command, in the order the help lists them. A command's code is loaded when it is called or listed. */
import type { CliCommand } from './command.js';

type Load = () => Promise<CliCommand<never>>;

/** By the first word of the command line. */
export const COMMANDS: Readonly<Record<string, Load>> = {
  info: async () => (await import('./commands/info.js')).infoCommand,
  cat: async () => (await import('./commands/cat.js')).catCommand,
  filter: async () => (await import('./commands/filter.js')).filterCommand,
  split: async () => (await import('./commands/split.js')).splitCommand,
  merge: async () => (await import('./commands/merge.js')).mergeCommand,
  recover: async () => (await import('./commands/recover.js')).recoverCommand,
  convert: async () => (await import('./commands/convert.js')).convertCommand,
  remap: async () => (await import('./commands/remap.js')).remapCommand,
  parties: async () => (await import('./commands/parties.js')).partiesCommand,
  place: async () => (await import('./commands/place.js')).placeCommand,
  count: async () => (await import('./commands/count.js')).countCommand,
  verify: async () => (await import('./commands/verify.js')).verifyCommand,
  packages: async () => (await import('./commands/packages.js')).packagesCommand,
  preflight: async () => (await import('./commands/preflight.js')).preflightCommand,
  dar: async () => (await import('./commands/dar.js')).darCommand,
  diff: async () => (await import('./commands/diff.js')).diffCommand,
  plan: async () => (await import('./commands/plan.js')).planCommand,
  commitment: async () => (await import('./commands/commitment.js')).commitmentCommand,
  store: async () => (await import('./commands/store.js')).storeCommand,
};
