/**
 * The first pass of a remap: reads every contract, gives those that refer to nothing their new ids, and keeps the others
 * for {@link resolveReferences}.
 */
import { type BlobView, encodeBlob } from '../contract/blob.js';
import type { ContractIdVersion } from '../contract/contractId.js';
import { ContractView } from '../contract/contractView.js';
import { completeContract } from '../convert/completeContract.js';
import { readSource, type SourceFacts } from '../convert/readSource.js';
import type { SourceContract } from '../convert/sourceContract.js';
import { AcsError } from '../io/error.js';
import { RecordView } from '../snapshot/record.js';
import { checkAuthentic, computeNewId } from './newContractId.js';
import { ContractPreparer, type PrepareReport } from './prepareContract.js';
import { RecordRewriter } from './recordRewriter.js';
import { REMAP_CODES, type RemapCode } from './remapFindings.js';
import { addFinding, numberOf, type RemapState, SILENT, shortWay } from './remapState.js';
import { textParties } from './textParties.js';

const REPORTED_COLLISIONS = 100_000;
/** By the last byte of the suffix prefix, less `10` hex. */
const V1_VERSIONS: readonly ContractIdVersion[] = ['V10', 'V11', 'V12'];

/** Reads all inputs once. */
export async function firstPass(state: RemapState, inputs: readonly string[]): Promise<SourceFacts[]> {
  const { options } = state;
  const report = reportInto(state);
  const long = longReader(state, report);
  const short = shortReader(state, report);
  const facts: SourceFacts[] = [];
  let seen = 0;
  const count = (): void => {
    if (++seen % 1024 === 0) options.onProgress?.(1, seen);
  };
  for (const input of inputs) {
    facts.push(
      await readSource(
        input,
        (contract) => {
          long(contract);
          count();
        },
        {
          ...options.read,
          ...shortWay(options, (record) => {
            const done = short(record);
            if (done) count();
            return done;
          }),
        },
      ),
    );
  }
  for (const { findings } of facts) {
    const inFlight = findings.find(({ code }) => code === 'IN_FLIGHT');
    if (inFlight !== undefined) {
      state.findings.add('IN_FLIGHT', REMAP_CODES.IN_FLIGHT, inFlight.examples[0], inFlight.count);
    }
  }
  return facts;
}

function reportInto(state: RemapState): PrepareReport {
  const { parties, collisions } = state;
  return {
    add: (code, contractId, detail) => {
      if (code === 'UNMAPPED_PARTY' && parties.has(detail ?? '')) return;
      addFinding(state, code, detail === undefined ? contractId : `${contractId} ${detail}`);
    },
    collision: (collision) => {
      if (collisions.length < REPORTED_COLLISIONS) collisions.push(collision);
    },
    party: (party) => parties.add(party),
  };
}

/** The long way: any source contract. One that another input held already is compared, not reported again. */
function longReader(state: RemapState, report: PrepareReport): (contract: SourceContract) => void {
  const { table, prepareOptions } = state;
  const loud = new ContractPreparer(prepareOptions, state.texts, report);
  const silent = new ContractPreparer(prepareOptions, textParties([]), SILENT);
  return (contract) => {
    const number = numberOf(table, loud.tableId(contract.contractId));
    const known = table.isContract(number);
    const prepared = (known ? silent : loud).prepare(contract);
    const blob = encodeBlob(prepared.instance);
    if (!table.addContract(number, blob)) throw conflict(contract.contractId);
    if (known) return;
    state.contracts++;
    if (prepared.minted) {
      state.minted++;
      addFinding(state, 'MINTED', contract.contractId);
    }
    if (prepared.sourceId !== prepared.tableId) state.sourceIds.set(number, prepared.sourceId);
    const { changed, version, representativePackageId } = prepared;
    if (changed && !prepared.minted) {
      const old = contract.blob ?? oldBlob(contract);
      if (old !== undefined) {
        const representative = contract.representativePackageId ?? '';
        checkAuthentic(state, state.view.parse(old), representative, representativePackageId);
      }
    }
    const references = [...new Set(prepared.references)].map((id) => numberOf(table, id));
    settle(state, number, blob, references, changed, version, representativePackageId);
  };
}

/** The short way: records of format A. False: declined. */
function shortReader(state: RemapState, report: PrepareReport): (record: RecordView) => boolean {
  const { table } = state;
  const { map, synchronizerMap } = state.options;
  const { looksInto } = state.texts;
  const contract = new ContractView();
  /** Of the contract at hand. */
  const references: number[] = [];
  const rewriter = new RecordRewriter({
    party: (party) => {
      const fresh = map.get(party);
      if (fresh === undefined) report.add('UNMAPPED_PARTY', contract.contractId, party);
      report.party(party);
      return fresh ?? party;
    },
    reference: (buf, start, end) => {
      references.push(table.number(buf, start, end));
      return undefined;
    },
    plainText: (buf, start, end) => !looksInto(buf, start, end),
    synchronizer: (id) => synchronizerMap?.get(id) ?? id,
  });
  return (record) => {
    const view = contract.of(record);
    if (!view.hasBlob || !rewriter.accepts(record, view.blob)) return false;
    const old = view.blob;
    references.length = 0;
    const blob = rewriter.blob(old);
    if (blob === undefined) return false;
    const number = table.number(old.buf, old.contractIdStart, old.contractIdEnd);
    const known = table.isContract(number);
    if (!table.addContract(number, blob)) throw conflict(old.contractId);
    if (known) return true;
    state.contracts++;
    if (rewriter.signatoriesChanged) note(state, 'SIGNATORIES_CHANGED', old);
    const representative = record.representativePackageId;
    if (rewriter.changed) checkAuthentic(state, old, representative, representative);
    const version = V1_VERSIONS[old.buf[old.contractIdStart + 34] - 0x10];
    const distinct = references.length === 0 ? references : [...new Set(references)];
    settle(state, number, blob, distinct, rewriter.changed, version, representative);
    return true;
  };
}

/** Gives a contract its new id, or keeps it until those it refers to have theirs. */
function settle(
  state: RemapState,
  number: number,
  blob: Buffer,
  references: number[],
  changed: boolean,
  version: ContractIdVersion | undefined,
  representativePackageId: string,
): void {
  if (references.length > 0) {
    const handle = state.kept.put(blob);
    state.pending.push({ number, handle, references, changed, version, representativePackageId });
  } else if (changed) computeNewId(state, number, blob, version, representativePackageId);
  else state.table.keepId(number);
}

function note(state: RemapState, code: RemapCode, blob: BlobView): void {
  addFinding(state, code, state.findings.wants(code) ? blob.contractId : undefined);
}

/** The blob as it was before the remap, for sources that have its parts only (format B). */
function oldBlob(contract: SourceContract): Buffer | undefined {
  const completed = completeContract(contract);
  if (!('frame' in completed)) return undefined;
  const record = new RecordView();
  let bodyStart = 0;
  while (completed.frame[bodyStart++] >= 0x80);
  return record.parse(completed.frame, 0, bodyStart, completed.frame.length, 0, 0).createdEventBlob;
}

function conflict(contractId: string): AcsError {
  return new AcsError('CONTENT_CONFLICT', 'two records hold the same contract with different content', {
    contractId,
    hint: 'find out which one is genuine with `acs verify` before going on',
  });
}
