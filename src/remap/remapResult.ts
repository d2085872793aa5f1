/** What a remap tells about its inputs and what became of them. */
import { contractIdLabel } from '../contract/contractId.js';
import { commonCutFinding } from '../convert/commonCut.js';
import type { Finding } from '../convert/findingCollector.js';
import { type Importability, importabilityOf } from '../convert/importability.js';
import type { SourceFacts } from '../convert/readSource.js';
import type { SourceFinding } from '../convert/sourceContract.js';
import { ID_NEW } from './contractTable.js';
import { partyIdProblem } from './partyMap.js';
import { type KeyCollision, REFUSED_BY_DEFAULT, type RemapCode } from './remapFindings.js';
import { addFinding, type RemapState } from './remapState.js';

/** What a target participant of the 3.5 line does with the contracts of one id version. */
export interface IdVersionReport extends Importability {
  contracts: number;
}

export interface RemapOutput {
  input: string;
  output: string;
  /** Contracts in it. */
  contracts: number;
  /** Of those: anything changed. */
  changed: number;
  /** Records left out, because the input held the same contract on the same synchronizer before. */
  duplicates: number;
}

export interface RemapResult {
  inputs: SourceFacts[];
  outputs: RemapOutput[];
  /** Different contracts over all inputs. */
  contracts: number;
  /** Of those: ids that changed. */
  newIds: number;
  minted: number;
  /** Contracts that refer to others. */
  referring: number;
  idMap: string | null;
  idVersions: IdVersionReport[];
  findings: Finding<RemapCode>[];
  sourceFindings: SourceFinding[];
  /** Every party of the inputs that the map does not have, sorted. */
  unmappedParties: string[];
  collisions: KeyCollision[];
  /** Codes for which nothing was written; empty when the output is there. */
  refused: RemapCode[];
}

/** The result before anything is written. */
export function remapResult(state: RemapState, inputs: SourceFacts[]): RemapResult {
  const { table, options } = state;
  addMapFindings(state);
  const versions = new Map<string, IdVersionReport>();
  let newIds = 0;
  for (let number = 0; number < table.size; number++) {
    if (!table.isContract(number)) continue;
    if (table.stateOf(number) === ID_NEW) newIds++;
    const kind = table.newIdKind(number);
    const label = contractIdLabel(kind);
    const known = versions.get(label);
    if (known === undefined) versions.set(label, { ...importabilityOf(kind), contracts: 1 });
    else known.contracts++;
  }
  const allowed = options.allow ?? new Set();
  const cut = commonCutFinding(inputs);
  const findings = state.findings.list();
  return {
    inputs,
    outputs: [],
    contracts: state.contracts,
    newIds,
    minted: state.minted,
    referring: state.pending.length,
    idMap: null,
    idVersions: [...versions.values()].sort((a, b) => (a.label < b.label ? -1 : 1)),
    findings,
    sourceFindings: cut === undefined ? [] : [cut],
    unmappedParties: [...state.parties].filter((party) => options.map.get(party) === undefined).sort(),
    collisions: state.collisions,
    refused: REFUSED_BY_DEFAULT.filter((code) => !allowed.has(code) && findings.some((f) => f.code === code)),
  };
}

/** What is to be said about the party map, now that all parties are known. */
function addMapFindings(state: RemapState): void {
  const { map } = state.options;
  const { parties } = state;
  const unused = map.entries.filter((entry) => !parties.has(entry.old));
  for (const entry of unused) addFinding(state, 'UNUSED_MAPPING', entry.old);
  for (const entry of map.entries) {
    if (parties.has(entry.old) && partyIdProblem(entry.new) !== undefined) {
      addFinding(state, 'NOT_A_CANTON_PARTY', entry.new);
    }
  }
  // Only parties that occur count; one that stays as it is can be merged with too.
  const byNew = new Map<string, string[]>();
  for (const party of parties) {
    const fresh = map.get(party) ?? party;
    const olds = byNew.get(fresh);
    if (olds === undefined) byNew.set(fresh, [party]);
    else olds.push(party);
  }
  for (const [fresh, olds] of byNew) {
    if (olds.length > 1) addFinding(state, 'MERGED_PARTIES', `${olds.sort().join(', ')} → ${fresh}`);
  }
}
