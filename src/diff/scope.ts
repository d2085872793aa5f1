/**
 * Which contracts are compared, and between which inputs (commitments spec, section 5.5): with a hosting map, or with
 * the parties each input was exported for, a contract has to be at every input that hosts one of its stakeholders and
 * is private when fewer than two inputs do.
 */

import { partiesHostedBy, partiesLeftOut } from '../commitment/hostedParties.js';
import type { HostingMap } from '../commitment/hostingMap.js';
import { usageError } from '../io/error.js';
import type { DiffSource } from './diffSource.js';
import { HAS_CONTENT, ROW } from './row.js';
import type { RowTable } from './rowTable.js';
import type { Vocabulary } from './vocabulary.js';

export interface DiffScope {
  hosting?: HostingMap | undefined;
  /** Compare what two inputs must share; without a hosting map the inputs have to know their parties. */
  shared?: boolean | undefined;
  /** Only contracts on this synchronizer (logical id), or on it in at least one input. */
  synchronizer?: string | undefined;
  /** Only contracts that have all these stakeholders. */
  parties?: readonly string[] | undefined;
}

/** Inputs as a bit set, with a number of its own. */
export interface InputSet {
  readonly number: number;
  readonly words: Int32Array;
  readonly members: readonly number[];
}

export interface Scope {
  readonly synchronizer: string | undefined;
  /** Which inputs have to show the contract whose first row is `row`; undefined when it is not asked for. */
  expected(table: RowTable, row: number): InputSet | undefined;
  /** True when the contract is on the wanted synchronizer in at least one input. */
  onSynchronizer(table: RowTable, row: number): boolean;
  has(set: InputSet, input: number): boolean;
  /** The set of all inputs. */
  readonly everybody: InputSet;
  /** True when every contract is compared and has to be at every input, whatever it is. */
  readonly unlimited: boolean;
}

/** Throws a usage error when the inputs do not say enough for what is asked. */
export function openScope(scope: DiffScope, sources: readonly DiffSource[], vocabulary: Vocabulary): Scope {
  const hosts = hostedParties(scope, sources);
  const sets: InputSet[] = [];
  const numbers = new Map<string, InputSet>();
  const everybody = setOf(sources.map((_, i) => i));
  /** Per party set; null: not asked for. */
  const perParties: (InputSet | null | undefined)[] = [];
  const synchronizer = scope.synchronizer ?? scope.hosting?.synchronizerId;

  function setOf(members: readonly number[]): InputSet {
    const key = members.join();
    let set = numbers.get(key);
    if (set === undefined) {
      const words = new Int32Array((sources.length + 31) >>> 5);
      for (const input of members) words[input >>> 5]! |= 1 << (input & 31);
      set = { number: sets.length, words, members };
      sets.push(set);
      numbers.set(key, set);
    }
    return set;
  }

  function forParties(number: number): InputSet | null {
    let set = perParties[number];
    if (set === undefined) {
      const stakeholders = vocabulary.parties.stakeholdersOf(number);
      if (scope.parties?.some((party) => !stakeholders.includes(party))) set = null;
      else if (hosts === undefined) set = everybody;
      else set = setOf(inputsHosting(hosts, stakeholders));
      perParties[number] = set;
    }
    return set;
  }

  return {
    synchronizer,
    everybody,
    unlimited: hosts === undefined && scope.parties === undefined && synchronizer === undefined,
    expected(table, first) {
      let union: InputSet | undefined;
      let refused = false;
      for (let row = first; row >= 0; row = table.nextOf(row)) {
        const block = table.blockOf(row);
        const offset = table.offsetOf(row);
        if ((block[offset + ROW.flags]! & HAS_CONTENT) === 0) continue;
        const set = forParties(block[offset + ROW.parties]!);
        if (set === null) refused = true;
        else if (union === undefined || union === set) union = set;
        else union = setOf([...new Set([...union.members, ...set.members])].sort((a, b) => a - b));
      }
      // Nobody shows the stakeholders: only opened commitments name the contract, and those hold shared ones only.
      if (union === undefined && !refused) return scope.parties === undefined ? everybody : undefined;
      return union;
    },
    onSynchronizer(table, first) {
      if (synchronizer === undefined) return true;
      for (let row = first; row >= 0; row = table.nextOf(row)) {
        const number = table.blockOf(row)[table.offsetOf(row) + ROW.synchronizer]!;
        if (number < 0 || vocabulary.synchronizers.text(number) === synchronizer) return true;
      }
      return false;
    },
    has: (set, input) => (set.words[input >>> 5]! & (1 << (input & 31))) !== 0,
  };
}

function inputsHosting(hosts: readonly ReadonlySet<string>[], stakeholders: readonly string[]): number[] {
  const members: number[] = [];
  hosts.forEach((parties, input) => {
    if (stakeholders.some((party) => parties.has(party))) members.push(input);
  });
  return members;
}

/** The parties each input hosts, or undefined when everything is compared. */
function hostedParties(scope: DiffScope, sources: readonly DiffSource[]): Set<string>[] | undefined {
  const { hosting } = scope;
  if (hosting !== undefined) {
    return sources.map((source) => {
      if (source.participant === undefined) {
        throw usageError(
          `the input ${source.name} does not say whose view it is`,
          'write it as PARTICIPANT=FILE, with a participant of the hosting map',
        );
      }
      const parties = new Set(partiesHostedBy(hosting, source.participant));
      // What is not in the input by intention cannot be missed there.
      for (const party of partiesLeftOut(hosting, source)) parties.delete(party);
      return parties;
    });
  }
  if (scope.shared !== true) return undefined;
  return sources.map((source) => {
    if (source.parties === undefined || source.parties.length === 0) {
      throw usageError(
        `the input ${source.name} does not say for which parties it was exported`,
        'give a hosting map with --hosting',
      );
    }
    return new Set(source.parties);
  });
}
