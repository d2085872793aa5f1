/** `acs store` */
import { defineCommand } from '../command.js';
import { storeAppendCommand } from './storeAppend.js';
import { storeAtCommand } from './storeAt.js';
import { storeChangesCommand } from './storeChanges.js';
import { storeCheckCommand } from './storeCheck.js';
import { storeExportCommand } from './storeExport.js';
import { storeHistoryCommand } from './storeHistory.js';
import { storeInflightCommand } from './storeInflight.js';
import { storeInfoCommand } from './storeInfo.js';
import { storeLoadCommand } from './storeLoad.js';
import { storePruneCommand } from './storePrune.js';
import { storeResetToCommand } from './storeResetTo.js';
import { storeSqlCommand } from './storeSql.js';

export const storeCommand = defineCommand({
  command: 'store',
  describe: 'a database of contracts over time: load, append, ask at any offset, export',
  details:
    'Keeps several participants (sources) in one SQLite file: contracts once, events in order, and from them\n' +
    'which contract was active where at which offset. docs/STORE.md describes tables and promises.',
  examples: [
    ['acs store load acs.db --source p1 --offset 1042 p1.acs.gz', 'a snapshot as base'],
    ['acs store append acs.db --source p1 updates.bin.gz', 'what happened since'],
    ['acs store at acs.db --source p1 --offset 1050 --party alice::1220ab…', 'one party’s contracts'],
  ],
  exitStatus: {},
  subcommands: [
    storeLoadCommand,
    storeAppendCommand,
    storeAtCommand,
    storeExportCommand,
    storeHistoryCommand,
    storeChangesCommand,
    storeInflightCommand,
    storeInfoCommand,
    storeCheckCommand,
    storeResetToCommand,
    storePruneCommand,
    storeSqlCommand,
  ],
});
