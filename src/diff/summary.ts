/** Counts of a comparison: by class, by pair of inputs, by template and by party. */
import { DIFF_CLASSES, type DiffClass } from './classes.js';
import type { Difference } from './difference.js';
import type { DiffSource, DiffSourceFacts, DiffSourceKind } from './diffSource.js';
import type { InputSet } from './scope.js';

export interface DiffInputSummary {
  name: string;
  kind: DiffSourceKind;
  /** Uid of the participant, when known. */
  participant: string | null;
  contracts: number;
  /** Empty records of contracts in flight: nothing can be said about them (pitfall D2). */
  inFlightUnknown: number;
  /** Record time (microseconds) per synchronizer at which the input was cut, where known. */
  recordTimes: Record<string, string>;
}

export type ClassCounts = Partial<Record<DiffClass, number>>;

export interface DiffPairSummary {
  left: string;
  right: string;
  /** Contracts both have to show. */
  shared: number;
  same: number;
  different: number;
  byClass: ClassCounts;
  /** `only-in` (and its kin) by the input that has the contract. */
  onlyLeft: number;
  onlyRight: number;
}

export interface DiffSummary {
  inputs: DiffInputSummary[];
  /** The synchronizer compared, or null for all. */
  synchronizer: string | null;
  /** Contracts at least two inputs have to show. */
  compared: number;
  same: number;
  different: number;
  /** Differing contracts by their first class. */
  byClass: ClassCounts;
  pairs: DiffPairSummary[];
  /** Differing contracts by template, then by class; ascending. */
  byTemplate: { template: string; different: number; byClass: ClassCounts }[];
  /** Differing contracts by stakeholder, most first. */
  byParty: { party: string; different: number }[];
  /** Contracts left out: that fewer than two inputs have to show, on other synchronizers only, or filtered out. */
  notCompared: { notShared: number; otherSynchronizer: number; notAsked: number };
  /** Contracts shown by an input whose participant hosts none of their stakeholders. */
  shownWithoutHosting: number;
  /** Contracts alike everywhere but for the package that represents them. */
  representativeDiffers: number;
  /** Bytes of rows, when they did not fit into memory and temporary files were used; else 0. */
  spilledBytes: number;
}

export interface DiffTally {
  /** `contracts`: how many, 1 unless told. */
  same(expected: InputSet, representativeDiffers: boolean, contracts?: number): void;
  different(difference: Difference): void;
  skipped(why: keyof DiffSummary['notCompared']): void;
  beyond(): void;
  finish(spilledBytes: number, synchronizer: string | undefined): DiffSummary;
}

/** Counted under this name: contracts of which only the id is known. */
export const UNKNOWN_TEMPLATE = '(unknown)';

export function openTally(sources: readonly DiffSource[], facts: readonly DiffSourceFacts[]): DiffTally {
  const count = sources.length;
  const sameBySet = new Map<InputSet, number>();
  const byClass: ClassCounts = {};
  const byTemplate = new Map<string, { different: number; byClass: ClassCounts }>();
  const byParty = new Map<string, number>();
  const pairs = new Map<number, DiffPairSummary>();
  const notCompared = { notShared: 0, otherSynchronizer: 0, notAsked: 0 };
  let same = 0;
  let different = 0;
  let shownWithoutHosting = 0;
  let representativeDiffers = 0;

  for (let left = 0; left < count; left++) {
    for (let right = left + 1; right < count; right++) {
      pairs.set(left * count + right, {
        left: sources[left]!.name,
        right: sources[right]!.name,
        shared: 0,
        same: 0,
        different: 0,
        byClass: {},
        onlyLeft: 0,
        onlyRight: 0,
      });
    }
  }

  function eachPair(members: readonly number[], use: (pair: DiffPairSummary, key: number) => void): void {
    for (let i = 0; i < members.length; i++) {
      for (let j = i + 1; j < members.length; j++) {
        const key = members[i]! * count + members[j]!;
        use(pairs.get(key)!, key);
      }
    }
  }

  return {
    same(expected, representative, contracts = 1) {
      same += contracts;
      if (representative) representativeDiffers += contracts;
      sameBySet.set(expected, (sameBySet.get(expected) ?? 0) + contracts);
    },

    different(difference) {
      different++;
      if (difference.representativeDiffers) representativeDiffers++;
      increment(byClass, difference.class);
      const template = difference.template ?? UNKNOWN_TEMPLATE;
      let entry = byTemplate.get(template);
      if (entry === undefined) {
        entry = { different: 0, byClass: {} };
        byTemplate.set(template, entry);
      }
      entry.different++;
      increment(entry.byClass, difference.class);
      for (const party of difference.stakeholders ?? []) byParty.set(party, (byParty.get(party) ?? 0) + 1);
      const shown = new Set<number>();
      const members: number[] = [];
      for (const state of difference.states) {
        if (state.expected) members.push(state.input);
        if (state.state === 'active' || state.state === 'in-flight') shown.add(state.input);
      }
      const differing = new Map(difference.pairs.map((pair) => [pair.left * count + pair.right, pair]));
      eachPair(members, (pair, key) => {
        const found = differing.get(key);
        if (found === undefined) {
          // Two inputs that both lack the contract do not share it.
          if (!shown.has(Math.floor(key / count))) return;
          pair.shared++;
          pair.same++;
          return;
        }
        pair.shared++;
        pair.different++;
        increment(pair.byClass, found.class);
        if (!shown.has(found.right)) pair.onlyLeft++;
        else if (!shown.has(found.left)) pair.onlyRight++;
      });
    },

    skipped(why) {
      notCompared[why]++;
    },

    beyond() {
      shownWithoutHosting++;
    },

    finish(spilledBytes, synchronizer) {
      for (const [expected, contracts] of sameBySet) {
        eachPair(expected.members, (pair) => {
          pair.shared += contracts;
          pair.same += contracts;
        });
      }
      return {
        inputs: sources.map((source, i) => ({
          name: source.name,
          kind: source.kind,
          participant: source.participant ?? null,
          contracts: facts[i]!.contracts,
          inFlightUnknown: facts[i]!.inFlightUnknown,
          recordTimes: Object.fromEntries(
            [...facts[i]!.recordTimes].map(([id, time]) => [id, time.toString()]).sort(),
          ),
        })),
        synchronizer: synchronizer ?? null,
        compared: same + different,
        same,
        different,
        byClass: ordered(byClass),
        pairs: [...pairs.values()].map((pair) => ({ ...pair, byClass: ordered(pair.byClass) })),
        byTemplate: [...byTemplate]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([template, counts]) => ({
            template,
            different: counts.different,
            byClass: ordered(counts.byClass),
          })),
        byParty: [...byParty]
          .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
          .map(([party, n]) => ({ party, different: n })),
        notCompared,
        shownWithoutHosting,
        representativeDiffers,
        spilledBytes,
      };
    },
  };
}

function increment(counts: ClassCounts, name: DiffClass): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function ordered(counts: ClassCounts): ClassCounts {
  const sorted: ClassCounts = {};
  for (const name of DIFF_CLASSES) if (counts[name] !== undefined) sorted[name] = counts[name];
  return sorted;
}
