/**
 * The parser of command lines. `npm run build` puts the same parser in one file in the place of this module
 * (scripts/bundle-yargs.mjs): as some sixty files it takes a third of the time in which a short command is done.
 */
import yargs from 'yargs';

export { yargs };
