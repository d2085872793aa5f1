/**
 * Running commitment states of one participant on one synchronizer (commitments spec, section 2.2): per stakeholder
 * group (or, in the alpha scheme, per pair of parties) an LtHash16 state and the number of contracts in it. Takes
 * 2 KiB and the party names per group, whatever the number of contracts.
 */
import { AcsError } from '../io/error.js';
import type { CommitmentScheme, GroupRow } from './commitmentScheme.js';
import { compareText } from './compareText.js';
import { MAX_ELEMENT_BYTES, writeContractElement, writeRawContractElement } from './contractElement.js';
import { type HashThreads, startHashThreads } from './hashThreads.js';
import type { EngineKind, LtHashEngine } from './ltHashEngine.js';
import { checkState, emptyState, isEmptyState } from './lthash16.js';
import { openEngine } from './openEngine.js';
import { SCHEMES } from './schemes.js';

/**
 * A contract became active or stopped being active on the synchronizer. The reassignment counter is the one the
 * contract has among the active contracts at that moment: 0 for a creation, the new one for an assignment, the one
 * BEFORE the unassignment for an unassignment.
 */
export interface CommitmentEvent {
  kind: 'activated' | 'deactivated';
  /** Lower-case hexadecimal. */
  contractId: string;
  reassignmentCounter: bigint;
  /** Signatories and observers, in any order. */
  stakeholders: readonly string[];
}

/** One running state. */
export interface GroupState {
  /** The parties in one text: order and identity of the group. */
  readonly key: string;
  /** The stakeholder set, sorted; in the alpha scheme an ordered pair of parties. */
  readonly parties: readonly string[];
  /** Contracts added minus contracts removed. */
  contracts: number;
  /** Where the engine keeps the state. */
  readonly slot: number;
}

const MAX_PARTY_BYTES = 255;

export interface GroupStatesOptions {
  /** Default: blake2xb-groups. */
  scheme?: CommitmentScheme;
  /** Default: the fastest on this machine. */
  engine?: EngineKind;
  /**
   * Where the states are kept between runs: asked once for every group that is touched for the first time. Then only
   * touched groups are in memory; {@link GroupStates.changed} gives what to write back.
   */
  load?: (parties: readonly string[]) => { contracts: number; state: Uint8Array } | undefined;
}

export class GroupStates {
  readonly scheme: CommitmentScheme;
  readonly engine: LtHashEngine;
  private readonly byKey = new Map<string, GroupState>();
  private readonly element = Buffer.alloc(MAX_ELEMENT_BYTES);
  /** Takes the changes: the engine itself, or threads that work for it. */
  private threads: HashThreads | undefined;

  private readonly load: GroupStatesOptions['load'];
  /** Groups touched since {@link markSaved}. */
  private readonly touched = new Set<GroupState>();

  constructor(options: GroupStatesOptions = {}) {
    this.load = options.load;
    this.scheme = options.scheme ?? SCHEMES['blake2xb-groups'];
    this.engine = openEngine(this.scheme.expansion, options.engine);
  }

  /** Takes one activation or deactivation into account. */
  apply(event: CommitmentEvent): void {
    this.change(
      event.contractId,
      event.reassignmentCounter,
      event.stakeholders,
      event.kind === 'activated' ? 1 : -1,
    );
  }

  add(contractId: string, reassignmentCounter: bigint, stakeholders: readonly string[]): void {
    this.change(contractId, reassignmentCounter, stakeholders, 1);
  }

  remove(contractId: string, reassignmentCounter: bigint, stakeholders: readonly string[]): void {
    this.change(contractId, reassignmentCounter, stakeholders, -1);
  }

  private change(
    contractId: string,
    reassignmentCounter: bigint,
    stakeholders: readonly string[],
    sign: 1 | -1,
  ): void {
    if (stakeholders.length === 0) {
      throw new AcsError('COMMITMENT_NO_STAKEHOLDERS', 'a contract without stakeholders', { contractId });
    }
    this.changeStates(this.statesFor(stakeholders), contractId, reassignmentCounter, sign);
  }

  /** The states that contracts of these stakeholders change; opened when they are new. May be kept by the caller. */
  statesFor(stakeholders: readonly string[]): readonly GroupState[] {
    return this.scheme.statesOf(stakeholderSet(stakeholders)).map((parties) => this.groupOf(parties));
  }

  /** Adds (sign 1) or removes (sign -1) a contract whose {@link statesFor} the caller has at hand. */
  changeStates(
    states: readonly GroupState[],
    contractId: string,
    reassignmentCounter: bigint,
    sign: 1 | -1,
  ): void {
    this.changeWith(states, writeContractElement(this.element, contractId, reassignmentCounter), sign);
  }

  /** The same for a contract id given as the bytes `buf[start, end)`. */
  changeStatesRaw(
    states: readonly GroupState[],
    buf: Uint8Array,
    start: number,
    end: number,
    reassignmentCounter: bigint,
    sign: 1 | -1,
  ): void {
    this.changeWith(
      states,
      writeRawContractElement(this.element, buf, start, end, reassignmentCounter),
      sign,
    );
  }

  private changeWith(states: readonly GroupState[], length: number, sign: 1 | -1): void {
    const sink = this.threads ?? this.engine;
    for (const state of states) {
      const end = this.scheme.finishElement(this.element, length, state.parties);
      state.contracts += sign;
      this.touched.add(state);
      sink.change(state.slot, this.element.subarray(0, end), sign);
    }
  }

  /** Has the coming changes hashed on `count` further threads. Until {@link settle} no state can be read. */
  startThreads(count: number): void {
    if (this.threads === undefined && count > 0) {
      this.threads = startHashThreads(this.engine, this.scheme.expansion, count);
    }
  }

  /** Waits until all changes are in the states, and ends the threads. */
  async settle(): Promise<void> {
    const threads = this.threads;
    if (threads === undefined) return;
    await threads.finish();
    this.threads = undefined;
  }

  /** Ends the threads and leaves the states unusable: for when the work failed anyway. */
  async abandon(): Promise<void> {
    await this.threads?.abandon();
  }

  private checkSettled(): void {
    if (this.threads !== undefined) throw new Error('states are read while threads still work on them');
  }

  private groupOf(parties: readonly string[]): GroupState {
    const key = keyOf(parties);
    let group = this.byKey.get(key);
    if (group === undefined) {
      for (const party of parties) {
        if (party === '' || party.includes('\n') || Buffer.byteLength(party) > MAX_PARTY_BYTES)
          badParty(party);
      }
      const saved = this.load?.(parties);
      group = { key, parties: [...parties], contracts: saved?.contracts ?? 0, slot: this.engine.open() };
      if (saved !== undefined) this.engine.write(group.slot, saved.state);
      this.byKey.set(key, group);
    } else if (group.parties.length !== parties.length) {
      // Known groups hold no party with a line break, so only such a party can lead to a group of another size.
      badParty(parties.find((party) => party.includes('\n')) ?? '');
    }
    return group;
  }

  /** Number of states kept, empty ones included. */
  get size(): number {
    return this.byKey.size;
  }

  /**
   * The states that hold contracts, sorted by their parties. Throws `COMMITMENT_SET_VIOLATED` when more contracts were
   * removed from a group than added, or when a group without contracts is not empty: then a contract was added twice,
   * or removed with another counter than it was added with.
   */
  *groups(): Generator<GroupState> {
    this.checkSettled();
    if (this.load !== undefined)
      throw new Error('only the touched groups are here; the others are where load reads');
    for (const key of [...this.byKey.keys()].sort(compareText)) {
      const group = this.byKey.get(key)!;
      this.checkSet(group);
      if (group.contracts > 0) yield group;
    }
  }

  private checkSet(group: GroupState): void {
    if (group.contracts > 0) return;
    if (group.contracts < 0 || !isEmptyState(this.engine.read(group.slot))) {
      throw new AcsError('COMMITMENT_SET_VIOLATED', 'a stakeholder group lost contracts it never had', {
        expected: 'every contract added once and removed with the counter it was added with',
        found: `${group.contracts} contracts with stakeholders ${group.parties.join(', ')}`,
      });
    }
  }

  /** The 2048-byte state of a group, named as in {@link GroupState.parties}; undefined when it was never touched. */
  stateOf(parties: readonly string[]): Uint8Array | undefined {
    this.checkSettled();
    const group = this.byKey.get(keyOf(parties));
    return group === undefined ? undefined : this.engine.read(group.slot);
  }

  /**
   * Adds a saved state to what is there: the states of disjoint sets of contracts simply add up. `parties` as in
   * {@link GroupState.parties}. Throws `COMMITMENT_BAD_STATE` on a wrong size.
   */
  merge(parties: readonly string[], contracts: number, state: Uint8Array): void {
    checkState(state);
    const group = this.groupOf(parties);
    this.engine.combine(group.slot, state, 1);
    group.contracts += contracts;
    this.touched.add(group);
  }

  /** The states that hold contracts, with their bytes, sorted by their parties; throws as {@link groups} does. */
  *rows(): Generator<GroupRow> {
    const state = emptyState();
    for (const { parties, contracts, slot } of this.groups()) {
      yield { parties, contracts, state: this.engine.read(slot, state) };
    }
  }

  /**
   * The groups changed since {@link markSaved}, sorted by their parties, with the state each has now; one without contracts
   * is to be deleted. Throws `COMMITMENT_SET_VIOLATED` as {@link groups} does.
   */
  *changed(): Generator<GroupRow> {
    this.checkSettled();
    const state = emptyState();
    const groups = [...this.touched].sort((a, b) => compareText(a.key, b.key));
    for (const group of groups) {
      this.checkSet(group);
      yield {
        parties: group.parties,
        contracts: group.contracts,
        state: this.engine.read(group.slot, state),
      };
    }
  }

  /** Forgets which groups were changed: they have been written. */
  markSaved(): void {
    this.touched.clear();
  }

  /** Forgets groups without contracts, also that they were changed. */
  prune(): void {
    this.checkSettled();
    for (const [key, group] of this.byKey) {
      if (group.contracts === 0 && isEmptyState(this.engine.read(group.slot))) {
        this.engine.close(group.slot);
        this.byKey.delete(key);
        this.touched.delete(group);
      }
    }
  }
}

/** The parties sorted and each once; the same array when it is so already. */
export function stakeholderSet(parties: readonly string[]): readonly string[] {
  for (let i = 1; i < parties.length; i++) {
    if (parties[i - 1]! >= parties[i]!) return [...new Set(parties)].sort(compareText);
  }
  return parties;
}

function keyOf(parties: readonly string[]): string {
  return parties.length === 1 ? parties[0]! : parties.join('\n');
}

function badParty(party: string): never {
  throw new AcsError('COMMITMENT_BAD_PARTY', 'not a party id', {
    expected: `one line of text of 1 … ${MAX_PARTY_BYTES} bytes`,
    found: JSON.stringify(party),
  });
}
