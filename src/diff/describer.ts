/** What is told of contracts that are not the same everywhere, made of their rows. */
import { classifyPair, type DiffState, sortClasses } from './classes.js';
import { type ContentField, differingFields } from './contentFields.js';
import type { ComparedContract, Difference, PairDifference } from './difference.js';
import type { DiffSource } from './diffSource.js';
import { contentDigestOf, counterOf, createdAtOf, HAS_CONTENT, IN_FLIGHT, idOf, ROW } from './row.js';
import type { RowTable } from './rowTable.js';
import type { InputSet, Scope } from './scope.js';
import type { Vocabulary } from './vocabulary.js';

/** Sets of parties whose names are kept: neighbouring contracts mostly have few. */
const REMEMBERED = 4096;

/** A contract whose rows are found; {@link Describer.finish} makes of it what is told. */
export interface Draft {
  row: number;
  contractId: string;
  expected: InputSet;
  /** Per input the row shown, or -1. */
  rows: number[];
  /** Per input what it shows; undefined when it shows nothing and need not. */
  states: (DiffState | undefined)[];
}

export interface Describer {
  begin(row: number): Draft;
  /** Asks the inputs that can tell why a contract is not active. */
  lookUp(batch: readonly Draft[]): Promise<void>;
  finish(draft: Draft): ComparedContract | Difference;
}

export function openDescriber(
  sources: readonly DiffSource[],
  table: RowTable,
  { parties, headers, packages, synchronizers, templateNames }: Vocabulary,
  scope: Scope,
): Describer {
  const wordOf = (row: number, word: number): number => table.blockOf(row)[table.offsetOf(row) + word]!;
  const counter = (row: number): bigint => counterOf(table.blockOf(row), table.offsetOf(row));
  const shows = (row: number, input: number): boolean =>
    (wordOf(row, ROW.inputs + (input >>> 5)) & (1 << (input & 31))) !== 0;
  const synchronizerOf = (row: number): string | undefined => {
    const number = wordOf(row, ROW.synchronizer);
    // An opened commitment does not say its synchronizer: it was made for the one compared.
    return number < 0 ? scope.synchronizer : synchronizers.text(number);
  };
  const stakeholdersOf = remembered((set) => parties.stakeholdersOf(set));
  const signatoriesOf = remembered((set) => parties.signatoriesOf(set));

  /** Of several rows of one input: that on the wanted synchronizer, else the one with the highest counter. */
  function rowOf(first: number, input: number, wanted: string | undefined): number {
    let best = -1;
    for (let row = first; row >= 0; row = table.nextOf(row)) {
      if (!shows(row, input)) continue;
      if (best < 0) best = row;
      else if (wanted !== undefined && synchronizerOf(row) === wanted) best = row;
      else if (wanted === undefined || synchronizerOf(best) !== wanted) {
        const [a, b] = [counter(row), counter(best)];
        if (a > b || (a === b && (synchronizerOf(row) ?? '') < (synchronizerOf(best) ?? ''))) best = row;
      }
    }
    return best;
  }

  /** The row of an input on one synchronizer, or -1. */
  function rowOn(first: number, input: number, synchronizer: string): number {
    for (let row = first; row >= 0; row = table.nextOf(row))
      if (shows(row, input) && synchronizerOf(row) === synchronizer) return row;
    return -1;
  }

  /** Where else than in `shown` an input shows the contract. */
  function elsewhere(first: number, input: number, shown: number): string[] | undefined {
    const others: string[] = [];
    for (let row = first; row >= 0; row = table.nextOf(row))
      if (row !== shown && shows(row, input)) others.push(synchronizerOf(row) ?? '');
    return others.length === 0 ? undefined : others.sort();
  }

  /** True when two rows on one synchronizer differ in nothing but the package that represents the contract. */
  function alike(a: number, b: number): boolean {
    if (a === b) return true;
    if (a < 0 || b < 0) return false;
    for (let word = 0; word < ROW.inputs; word++)
      if (word !== ROW.representative && wordOf(a, word) !== wordOf(b, word)) return false;
    return true;
  }

  /**
   * When an input shows the contract on several synchronizers and no one is asked for: the first on which the inputs do
   * not agree. One on which they do must not hide the others.
   */
  function disputed(first: number, members: readonly number[]): string | undefined {
    if (table.nextOf(first) < 0) return undefined;
    const all = new Set<string>();
    /** Without opened commitments, which do not say where a contract is. */
    const saying: number[] = [];
    let several = false;
    for (const input of members) {
      let rows = 0;
      let says = true;
      for (let row = first; row >= 0; row = table.nextOf(row)) {
        if (!shows(row, input)) continue;
        const synchronizer = synchronizerOf(row);
        if (synchronizer === undefined) says = false;
        else all.add(synchronizer);
        if (++rows > 1) several = true;
      }
      if (says) saying.push(input);
    }
    if (!several) return undefined;
    return [...all].sort().find((synchronizer) => {
      const [one, ...others] = saying.map((input) => rowOn(first, input, synchronizer));
      return !others.every((other) => alike(one!, other));
    });
  }

  function stateOf(row: number, input: number, expected: boolean): DiffState {
    if (row < 0) return { input, expected, state: 'absent' };
    const block = table.blockOf(row);
    const offset = table.offsetOf(row);
    const flags = block[offset + ROW.flags]!;
    const state: DiffState = {
      input,
      expected,
      state: (flags & IN_FLIGHT) === 0 ? 'active' : 'in-flight',
      synchronizer: synchronizerOf(row),
      reassignmentCounter: counterOf(block, offset),
    };
    if ((flags & HAS_CONTENT) !== 0) {
      state.contentDigest = contentDigestOf(block, offset);
      state.stakeholders = stakeholdersOf(block[offset + ROW.parties]!);
      const representative = block[offset + ROW.representative]!;
      state.representativePackageId = representative < 0 ? '' : packages.text(representative);
    }
    return state;
  }

  function differing(left: number, right: number): ContentField[] {
    return differingFields(
      table.blockOf(left),
      table.offsetOf(left),
      table.blockOf(right),
      table.offsetOf(right),
      parties,
    );
  }

  /** The contract as it is told when nothing of it differs. */
  function contractOf(draft: Draft): ComparedContract {
    const shown = draft.rows.find((row) => row >= 0 && (wordOf(row, ROW.flags) & HAS_CONTENT) !== 0);
    const states: DiffState[] = [];
    let representative: string | undefined;
    let representativeDiffers = false;
    for (const state of draft.states) {
      if (state === undefined) continue;
      states.push(state);
      if (state.representativePackageId === undefined) continue;
      representative ??= state.representativePackageId;
      if (state.representativePackageId !== representative) representativeDiffers = true;
    }
    return {
      contractId: draft.contractId,
      template: shown === undefined ? undefined : templateNames[wordOf(shown, ROW.template)]!,
      packageName: shown === undefined ? undefined : headers.text(wordOf(shown, ROW.header) >>> 2),
      stakeholders: shown === undefined ? undefined : joined(states),
      signatories: shown === undefined ? undefined : signatoriesOf(wordOf(shown, ROW.parties)),
      createdAt: shown === undefined ? undefined : createdAtOf(table.blockOf(shown), table.offsetOf(shown)),
      states,
      representativeDiffers,
    };
  }

  return {
    begin(row) {
      const expected = scope.expected(table, row)!;
      const synchronizer = scope.synchronizer ?? disputed(row, expected.members);
      const rows = sources.map((_, input) => rowOf(row, input, synchronizer));
      const states = rows.map((shown, input) => {
        const wanted = scope.has(expected, input);
        if (!wanted && shown < 0) return undefined;
        const state = stateOf(shown, input, wanted);
        if (shown >= 0 && table.nextOf(row) >= 0) state.alsoOn = elsewhere(row, input, shown);
        return state;
      });
      return { row, contractId: idOf(table.blockOf(row), table.offsetOf(row)), expected, rows, states };
    },

    async lookUp(batch) {
      for (const [input, source] of sources.entries()) {
        if (source.inactive === undefined) continue;
        const missing = batch.filter((draft) => draft.states[input]?.state === 'absent');
        if (missing.length === 0) continue;
        const known = await source.inactive(missing.map((draft) => draft.contractId));
        for (const draft of missing) {
          const status = known.get(draft.contractId);
          if (status === undefined) continue;
          const state = draft.states[input]!;
          state.state = status.state;
          state.at = status.at;
        }
      }
    },

    finish(draft) {
      const { members } = draft.expected;
      const pairs: PairDifference[] = [];
      for (let i = 0; i < members.length; i++) {
        for (let j = i + 1; j < members.length; j++) {
          const [left, right] = [members[i]!, members[j]!];
          const verdict = classifyPair(draft.states[left]!, draft.states[right]!, () =>
            differing(draft.rows[left]!, draft.rows[right]!),
          );
          if (verdict.class !== undefined)
            pairs.push({ left, right, class: verdict.class, fields: verdict.fields, also: verdict.also });
        }
      }
      const contract = contractOf(draft);
      if (pairs.length === 0) return contract;
      // Mostly one pair differs in one thing.
      const [{ class: first, also, fields: ofFirst }] = pairs as [PairDifference];
      const alone = pairs.length === 1;
      const classes =
        alone && also.length === 0
          ? [first]
          : sortClasses(pairs.flatMap((pair) => [pair.class, ...pair.also]));
      const fields = alone ? ofFirst : [...new Set(pairs.flatMap((pair) => pair.fields))];
      return { ...contract, class: classes[0]!, classes, fields, pairs };
    },
  };
}

/** The stakeholders of all states, ascending, each once. */
function joined(states: readonly DiffState[]): readonly string[] {
  let first: readonly string[] | undefined;
  for (const { stakeholders } of states) {
    if (stakeholders === undefined || stakeholders === first) continue;
    if (first !== undefined) return [...new Set(states.flatMap((s) => s.stakeholders ?? []))].sort();
    first = stakeholders;
  }
  return first ?? [];
}

/** The answers of `ask`, which gives the same for the same number; a few thousand of them are kept. */
function remembered<T>(ask: (n: number) => T): (n: number) => T {
  const known = new Map<number, T>();
  return (n) => {
    let answer = known.get(n);
    if (answer === undefined) {
      if (known.size >= REMEMBERED) known.clear();
      answer = ask(n);
      known.set(n, answer);
    }
    return answer;
  };
}
