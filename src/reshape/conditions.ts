/**
 * Which contracts a filter keeps. The blob is authoritative where it exists, because it is what an import uses; the
 * event is asked only when there is no blob (snapshot-format spec, section 10.4).
 */
import { ContractView } from '../contract/contractView.js';
import type { TemplateId } from '../snapshot/eventValues.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { Interner } from '../wire/interner.js';
import type { ContractIdList } from './contractIdList.js';
import { type NameSelection, nameSelection } from './nameSelection.js';
import { packagePattern, type TemplatePattern, templatePattern } from './templatePattern.js';

/** All conditions given must hold. Parties and synchronizers: full id, unique prefix, or `=exact`. */
export interface FilterConditions {
  /** Stakeholders: signatories and observers. */
  parties?: readonly string[];
  signatories?: readonly string[];
  /** Stakeholders that are not signatories. */
  observers?: readonly string[];
  /** Whether one party of each list suffices (default) or every one must be there. */
  match?: 'any' | 'all';
  /** See {@link templatePattern}; one suffices. The package is that of the creation. */
  templates?: readonly string[];
  /** Package ids or names with globs; one suffices. */
  packages?: readonly string[];
  synchronizers?: readonly string[];
  contractIds?: ContractIdList;
  /** Microseconds since the epoch, inclusive. */
  createdFrom?: bigint;
  /** Microseconds since the epoch, exclusive. */
  createdBefore?: bigint;
  /** Reassignment counter as a signed number, inclusive. */
  counterFrom?: bigint;
  counterTo?: bigint;
  /** As in the export RPC: drops a contract with any of these among its signatories or observers. */
  excludedStakeholders?: readonly string[];
  /** Keeps exactly the contracts that would be dropped. */
  invert?: boolean;
}

export interface CompiledConditions {
  /** True when nothing is asked: every contract is kept. */
  readonly none: boolean;
  keeps(record: RecordView): boolean;
  /** True once a prefix is ambiguous: {@link finish} will throw, the result is worth nothing. */
  readonly ambiguous: boolean;
  /** What prefixes stood for, and full ids and patterns met nowhere. Throws `NAME_AMBIGUOUS` and `NAME_NOT_FOUND`. */
  finish(): { resolved: Record<string, string>; unmatched: string[] };
}

/** Different parties whose matches are remembered; further ones are matched anew each time. */
const REMEMBERED_PARTIES = 1 << 18;
const REMEMBERED_TEMPLATES = 1 << 16;

/** What the lists say about one party; null when none names it. */
interface PartyMatches {
  party: readonly number[];
  signatory: readonly number[];
  observer: readonly number[];
  excluded: boolean;
}

export function compileConditions(conditions: FilterConditions): CompiledConditions {
  const contract = new ContractView();
  const parties = partyCondition(conditions, contract);
  const synchronizers = synchronizerCondition(conditions.synchronizers ?? []);
  const templates = templateCondition(conditions, contract);
  const { createdFrom, createdBefore, counterFrom, counterTo, contractIds } = conditions;
  const byTime = createdFrom !== undefined || createdBefore !== undefined;
  const byCounter = counterFrom !== undefined || counterTo !== undefined;
  const invert = conditions.invert ?? false;
  const none =
    !invert &&
    !byTime &&
    !byCounter &&
    contractIds === undefined &&
    parties === undefined &&
    synchronizers === undefined &&
    templates === undefined;
  const selections = [...(parties?.selections ?? []), ...(synchronizers?.selections ?? [])];

  function holds(record: RecordView): boolean {
    contract.of(record);
    // Parties and synchronizers come first and are never skipped: a prefix must see every id of the file.
    const named = parties === undefined || parties.holds();
    const placed = synchronizers === undefined || synchronizers.holds(record);
    // So do the list of ids and the patterns: what another condition drops is in the file all the same.
    const listed = contractIds === undefined || takeId(contractIds, contract);
    const typed = templates === undefined || templates.holds();
    if (!named || !placed || !listed || !typed) return false;
    if (byCounter) {
      // As Canton reads it.
      const counter = BigInt.asIntN(64, record.reassignmentCounter);
      if (counterFrom !== undefined && counter < counterFrom) return false;
      if (counterTo !== undefined && counter > counterTo) return false;
    }
    if (byTime) {
      const createdAt = contract.hasBlob ? contract.blob.createdAt : contract.createdAt;
      if (createdFrom !== undefined && createdAt < createdFrom) return false;
      if (createdBefore !== undefined && createdAt >= createdBefore) return false;
    }
    return true;
  }

  return {
    none,
    keeps: none ? () => true : (record) => holds(record) !== invert,
    get ambiguous() {
      return selections.some((selection) => selection.ambiguous);
    },
    finish() {
      const resolved: Record<string, string> = {};
      const unmatched: string[] = [];
      for (const selection of selections) {
        const outcome = selection.finish();
        Object.assign(resolved, outcome.resolved);
        unmatched.push(...outcome.unmatched);
      }
      unmatched.push(...(templates?.unmatched() ?? []));
      return { resolved, unmatched: [...new Set(unmatched)] };
    },
  };
}

function takeId(ids: ContractIdList, contract: ContractView): boolean {
  if (contract.hasBlob) {
    const blob = contract.blob;
    return ids.take(blob.buf, blob.contractIdStart, blob.contractIdEnd);
  }
  const raw = Buffer.from(contract.record.contractId, 'hex');
  return ids.take(raw, 0, raw.length);
}

function partyCondition(conditions: FilterConditions, contract: ContractView) {
  const wanted = nameSelection(conditions.parties ?? [], 'party');
  const signatories = nameSelection(conditions.signatories ?? [], 'party');
  const observers = nameSelection(conditions.observers ?? [], 'party');
  const excluded = nameSelection(conditions.excludedStakeholders ?? [], 'party');
  const selections: NameSelection[] = [wanted, signatories, observers, excluded];
  if (selections.every((selection) => selection.texts.length === 0)) return undefined;
  const all = conditions.match === 'all';
  const interner = new Interner(REMEMBERED_PARTIES);
  const known: (PartyMatches | null)[] = [];
  const partyHits = hits(wanted.texts.length, all);
  const signatoryHits = hits(signatories.texts.length, all);
  const observerHits = hits(observers.texts.length, all);
  let isExcluded = false;

  function lookUp(party: string): PartyMatches | null {
    const matches: PartyMatches = {
      party: wanted.matches(party),
      signatory: signatories.matches(party),
      observer: observers.matches(party),
      excluded: excluded.matches(party).length > 0,
    };
    const named = matches.party.length + matches.signatory.length + matches.observer.length > 0;
    return named || matches.excluded ? matches : null;
  }

  function use(buf: Buffer, start: number, end: number, signatory: boolean): void {
    const id = interner.id(buf, start, end);
    let matches: PartyMatches | null | undefined = id < 0 ? undefined : known[id];
    if (matches === undefined) {
      matches = lookUp(buf.toString('latin1', start, end));
      if (id >= 0) known[id] = matches;
    }
    if (matches === null) return;
    partyHits.add(matches.party);
    if (signatory) signatoryHits.add(matches.signatory);
    else observerHits.add(matches.observer);
    if (matches.excluded) isExcluded = true;
  }

  return {
    selections,
    holds(): boolean {
      partyHits.reset();
      signatoryHits.reset();
      observerHits.reset();
      isExcluded = false;
      eachStakeholder(contract, use);
      return !isExcluded && partyHits.enough() && signatoryHits.enough() && observerHits.enough();
    },
  };
}

/** Counts which of `wanted` texts were met in the current contract. */
function hits(wanted: number, all: boolean) {
  const metIn = new Uint32Array(wanted);
  const needed = all ? wanted : Math.min(wanted, 1);
  let contract = 0;
  let met = 0;
  return {
    reset(): void {
      contract++;
      met = 0;
    },
    add(indexes: readonly number[]): void {
      for (const index of indexes) {
        if (metIn[index] === contract) continue;
        metIn[index] = contract;
        met++;
      }
    },
    enough: () => met >= needed,
  };
}

/** From the blob when there is one, else from the event. */
export function eachStakeholder(
  contract: ContractView,
  use: (buf: Buffer, start: number, end: number, signatory: boolean) => void,
): void {
  if (!contract.hasBlob) {
    contract.eachStakeholder(use);
    return;
  }
  const { buf, signatoryBorders, maintainerBorders, observerBorders } = contract.blob;
  for (let i = 0; i < signatoryBorders.length; i += 2)
    use(buf, signatoryBorders[i], signatoryBorders[i + 1], true);
  for (let i = 0; i < maintainerBorders.length; i += 2)
    use(buf, maintainerBorders[i], maintainerBorders[i + 1], true);
  for (let i = 0; i < observerBorders.length; i += 2)
    use(buf, observerBorders[i], observerBorders[i + 1], false);
}

function synchronizerCondition(texts: readonly string[]) {
  if (texts.length === 0) return undefined;
  const selection = nameSelection(texts, 'synchronizer');
  const interner = new Interner(REMEMBERED_TEMPLATES);
  const known: (boolean | undefined)[] = [];
  return {
    selections: [selection],
    holds(record: RecordView): boolean {
      const id = interner.id(record.buf, record.synchronizerStart, record.synchronizerEnd);
      let matches = id < 0 ? undefined : known[id];
      if (matches === undefined) {
        matches = selection.matches(record.synchronizerId).length > 0;
        if (id >= 0) known[id] = matches;
      }
      return matches;
    },
  };
}

function templateCondition(conditions: FilterConditions, contract: ContractView) {
  const templates = patternList(conditions.templates ?? [], templatePattern);
  const packages = patternList(conditions.packages ?? [], packagePattern);
  if (templates.none && packages.none) return undefined;
  const interner = new Interner(REMEMBERED_TEMPLATES);
  const known = new Map<number, boolean>();

  function matches(): boolean {
    const view = contract.hasBlob ? contract.blob : contract;
    const template = view.templateId;
    const name = view.packageName;
    // Both are asked always: each learns which of its patterns are met.
    const typed = templates.match(template, name);
    return packages.match(template, name) && typed;
  }

  /** A number for template and package name together, or -1 when there are too many to remember. */
  function key(): number {
    let template: number;
    let name: number;
    if (contract.hasBlob) {
      const blob = contract.blob;
      template = interner.id(blob.buf, blob.templateStart, blob.templateEnd);
      name = interner.id(blob.buf, blob.packageNameStart, blob.packageNameEnd);
    } else {
      const { buf, eventFields } = contract.record;
      const [t, n] = [2 * EVENT.templateId, 2 * EVENT.packageName];
      if (eventFields[t] < 0 || eventFields[n] < 0) return -1;
      template = interner.id(buf, eventFields[t], eventFields[t + 1]);
      name = interner.id(buf, eventFields[n], eventFields[n + 1]);
    }
    return template < 0 || name < 0 ? -1 : template * REMEMBERED_TEMPLATES + name;
  }

  return {
    /** Patterns that no contract met. */
    unmatched: () => [...templates.unmet(), ...packages.unmet()],
    holds(): boolean {
      const number = key();
      if (number < 0) return matches();
      let kept = known.get(number);
      if (kept === undefined) {
        kept = matches();
        known.set(number, kept);
      }
      return kept;
    },
  };
}

/** Patterns of which one suffices, with those that never did. */
function patternList(texts: readonly string[], compile: (text: string) => TemplatePattern) {
  const patterns = texts.map(compile);
  const met = new Set<string>();
  return {
    none: texts.length === 0,
    match(template: TemplateId, packageName: string): boolean {
      let found = texts.length === 0;
      for (let i = 0; i < patterns.length; i++) {
        if (!patterns[i](template, packageName)) continue;
        found = true;
        met.add(texts[i]);
      }
      return found;
    },
    unmet: () => texts.filter((text) => !met.has(text)),
  };
}
