/**
 * Comparing any number of inputs contract by contract. Memory is bounded: what does not fit goes to temporary files by
 * ranges of contract ids. The result does not depend on the order of records, on the memory given, or on chance:
 * differences come in ascending order of contract ids.
 */
import { AcsError, usageError } from '../io/error.js';
import type { DiffState } from './classes.js';
import { openDescriber } from './describer.js';
import type { ComparedContract, Difference } from './difference.js';
import type { DiffSource, DiffSourceFacts } from './diffSource.js';
import { FILE_THREAD_MEMORY } from './fileThread.js';
import { behindReaders, type KeptRows, openRows } from './keptRows.js';
import { planThreads, type ReadFacts, readInputs } from './readInputs.js';
import { RowTable } from './rowTable.js';
import { type DiffScope, openScope, type Scope } from './scope.js';
import { openSharing } from './sharing.js';
import { type DiffSummary, type DiffTally, openTally } from './summary.js';
import { openVocabulary, type Vocabulary } from './vocabulary.js';

export interface DiffOptions extends DiffScope {
  /** About how many bytes of memory to use, default {@link DEFAULT_DIFF_MEMORY}. */
  memoryBytes?: number | undefined;
  /** Folder for temporary files; default: that of the system. */
  temporaryFolder?: string | undefined;
  /** Awaited for every difference, in ascending order of contract ids. */
  onDifference?: ((difference: Difference) => Promise<void> | void) | undefined;
  /**
   * Awaited for every other contract on the synchronizer: those that are the same everywhere and those that fewer than
   * two inputs have to show. In order with the differences.
   */
  onOther?: ((contract: ComparedContract) => Promise<void> | void) | undefined;
  /** Called once, in front of the first contract, with what reading the inputs told; in the order of the inputs. */
  onFacts?: ((facts: readonly DiffSourceFacts[]) => void) | undefined;
  onProgress?: ((input: DiffSource, contracts: number) => void) | undefined;
  /**
   * How many snapshot files are read at once, each on a thread of its own; 0: one after the other on this one. Default:
   * all of them, as far as the memory allows and two per processor at most; none for files under 8 MB.
   */
  threads?: number | undefined;
  /** Compare inputs although they are known to be cut at different record times. */
  allowSkew?: boolean | undefined;
}

export const DEFAULT_DIFF_MEMORY = 512_000_000;

/** What the process takes without any row, and the least a table gets. */
const BASE_MEMORY = 150_000_000;
const LEAST_TABLE_MEMORY = 1 << 16;
/** Threads are not worth a smaller table than this: rows would go to disk. */
const WANTED_TABLE_MEMORY = 100_000_000;
/** A party takes about this much in the vocabulary, its set the same again. */
const BYTES_PER_PARTY = 200;
/** Of the memory for the table so large a part may go to what threads share. */
const MOST_OF_TABLE = 4;
const LOOKUP_BATCH = 500;

/**
 * Compares the inputs. Two inputs at least, each with a name of its own. Throws `DIFF_DUPLICATE_CONTRACT`,
 * `DIFF_TIME_SKEW`, `DIFF_BAD_CONTRACT_ID`, what reading an input throws, and usage errors.
 */
export async function diffInputs(
  sources: readonly DiffSource[],
  options: DiffOptions = {},
): Promise<DiffSummary> {
  checkSources(sources);
  const memory = options.memoryBytes ?? DEFAULT_DIFF_MEMORY;
  const plan = await planThreads(sources, memory - BASE_MEMORY - WANTED_TABLE_MEMORY, options.threads);
  const threadMemory = plan.threads * FILE_THREAD_MEMORY;
  const roomLeft = Math.max(LEAST_TABLE_MEMORY, memory - BASE_MEMORY - threadMemory);
  const vocabulary = openVocabulary(Math.max(1 << 17, Math.floor(memory / 2 / BYTES_PER_PARTY)));
  const scope = openScope(options, sources, vocabulary);
  const table = new RowTable(sources.map((source) => source.name));
  const droppable = scope.unlimited && options.onOther === undefined;
  let sharing = await openSharing(sources, plan, droppable, roomLeft / MOST_OF_TABLE);
  const tableMemory = Math.max(LEAST_TABLE_MEMORY, roomLeft - (sharing?.bytes ?? 0));
  const openedRows = (): KeptRows => openRows(table, tableMemory, options.temporaryFolder);
  let rows = openedRows();
  const read = (): Promise<ReadFacts> =>
    readInputs(sources, { vocabulary, table, rows, plan, sharing, onProgress: options.onProgress });
  try {
    let result = await read().catch((error) => {
      if (sharing === undefined || !(error instanceof AcsError)) throw error;
      return undefined;
    });
    if (result === undefined || result.unclear) {
      // What is wrong, and where, is found by reading the inputs one by one.
      rows.close();
      table.clear();
      sharing = undefined;
      rows = openedRows();
      result = await read();
    }
    const { facts } = result;
    if (options.allowSkew !== true) checkTimes(sources, facts, scope.synchronizer);
    options.onFacts?.(facts);
    const tally = openTally(sources, facts);
    if (rows.dropped > 0) tally.same(scope.everybody, false, rows.dropped);
    const differ = openDiffer(sources, table, vocabulary, scope, options.onOther !== undefined);
    await rows.eachTable(async () => {
      for await (const contract of differ(tally)) {
        if (isDifference(contract)) {
          tally.different(contract);
          await options.onDifference?.(contract);
        } else await options.onOther?.(contract);
      }
    });
    // How many of the rows were joined before the table was full depends on which thread was faster: told is the number
    // that depends on the inputs alone.
    const shown = facts.reduce((sum, { contracts }) => sum + contracts, 0);
    const spilled = rows.spilled() ? shown * table.rowWords * 4 : 0;
    return tally.finish(spilled, scope.synchronizer);
  } catch (error) {
    throw behindReaders(error);
  } finally {
    rows.close();
  }
}

function checkSources(sources: readonly DiffSource[]): void {
  if (sources.length < 2) throw usageError('a comparison needs at least two inputs');
  if (sources.length > 2 && sources.some(({ kind }) => kind === 'opened-commitment')) {
    throw usageError(
      'an opened commitment holds what two participants share, and nothing of what a third one has',
      'compare two inputs at a time',
    );
  }
  const names = new Set<string>();
  const participants = new Map<string, string>();
  for (const { name, participant } of sources) {
    if (names.has(name)) {
      throw usageError(`two inputs are called ${name}`, 'name them: PARTICIPANT=FILE');
    }
    names.add(name);
    if (participant === undefined) continue;
    const other = participants.get(participant);
    if (other !== undefined) {
      throw usageError(
        `${other} and ${name} are views of the same participant`,
        'give one view per participant',
      );
    }
    participants.set(participant, name);
  }
}

/** Views cut at different times differ by what happened between (commitments spec, section 5.1, time rule). */
function checkTimes(
  sources: readonly DiffSource[],
  facts: readonly DiffSourceFacts[],
  synchronizer: string | undefined,
): void {
  const first = new Map<string, { time: bigint; name: string }>();
  facts.forEach(({ recordTimes }, input) => {
    for (const [id, time] of recordTimes) {
      if (synchronizer !== undefined && id !== synchronizer) continue;
      const other = first.get(id);
      if (other === undefined) first.set(id, { time, name: sources[input]!.name });
      else if (other.time !== time) {
        throw new AcsError('DIFF_TIME_SKEW', 'the inputs were cut at different record times', {
          expected: `${other.time} microseconds on ${id}, as in ${other.name}`,
          found: `${time} microseconds in ${sources[input]!.name}`,
          hint: 'export all participants at the same record time of the synchronizer, or allow the skew (D8): then differences may be mere events in between',
        });
      }
    }
  });
}

type Differ = (tally: DiffTally) => AsyncGenerator<ComparedContract | Difference>;

/** Goes through the contracts of the table: equal ones are counted at once, the others come out in order of their ids. */
function openDiffer(
  sources: readonly DiffSource[],
  table: RowTable,
  vocabulary: Vocabulary,
  scope: Scope,
  others: boolean,
): Differ {
  const describe = openDescriber(sources, table, vocabulary, scope);
  return async function* differ(tally) {
    const pending: number[] = [];
    /** Rows in `pending` that the tally knows already. */
    const counted = new Set<number>();
    table.eachContract((row) => {
      if (!scope.onSynchronizer(table, row)) {
        tally.skipped('otherSynchronizer');
        return;
      }
      const expected = scope.expected(table, row);
      if (expected === undefined) {
        tally.skipped('notAsked');
        return;
      }
      if (table.isBeyond(row, expected.words)) tally.beyond();
      const shared = expected.members.length >= 2;
      if (!shared) tally.skipped('notShared');
      else if (table.isUniform(row, expected.words)) tally.same(expected, false);
      else {
        pending.push(row);
        return;
      }
      if (others) {
        counted.add(row);
        pending.push(row);
      }
    });
    pending.sort((a, b) => table.compareIds(a, b));
    for (let from = 0; from < pending.length; from += LOOKUP_BATCH) {
      const batch = pending.slice(from, from + LOOKUP_BATCH).map(describe.begin);
      await describe.lookUp(batch);
      for (const draft of batch) {
        const contract = describe.finish(draft);
        if (!isDifference(contract) && !counted.has(draft.row)) {
          // Shown only where it need not be, or different in nothing that counts.
          if (contract.states.some(isShownWhereExpected))
            tally.same(draft.expected, contract.representativeDiffers);
          else tally.skipped('notShared');
        }
        if (others || isDifference(contract)) yield contract;
      }
    }
  };
}

function isDifference(contract: ComparedContract | Difference): contract is Difference {
  return 'pairs' in contract;
}

function isShownWhereExpected(state: DiffState): boolean {
  return state.expected && (state.state === 'active' || state.state === 'in-flight');
}
