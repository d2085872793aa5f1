/**
 * The first pass of a remap: reads every contract, gives those that refer to nothing their new ids, and keeps the others
 * for {@link resolveReferences}.
 */
import { encodeBlob } from '../contract/contractInstance.js';
import { completeContract } from '../convert/completeContract.js';
import { readSource, type SourceFacts } from '../convert/readSource.js';
import type { SourceContract } from '../convert/sourceContract.js';
import { RecordView } from '../snapshot/record.js';
import { authenticityFault } from './newContractId.js';
import { ContractPreparer, type PrepareReport } from './prepareContract.js';
import { REMAP_CODES } from './remapFindings.js';
import { addFinding, hasShortWay, numberOf, type RemapState, SILENT } from './remapState.js';
import { conflict, notAuthentic, settle } from './settleContract.js';
import { shortReader } from './shortReader.js';
import { textParties } from './textParties.js';

const REPORTED_COLLISIONS = 100_000;

/** Reads all inputs once. */
export async function firstPass(state: RemapState, inputs: readonly string[]): Promise<SourceFacts[]> {
  const { options } = state;
  const report = reportInto(state);
  const long = longReader(state, report);
  let seen = 0;
  const count = (): void => {
    if (++seen % 1024 === 0) options.onProgress?.(1, seen);
  };
  const short = hasShortWay(options) ? shortReader(state, report, count) : undefined;
  const facts: SourceFacts[] = [];
  try {
    for (const input of inputs) {
      facts.push(
        await readSource(
          input,
          (contract) => {
            long(contract);
            count();
          },
          { ...options.read, ...short?.reading },
        ),
      );
    }
  } finally {
    await short?.close();
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
        const view = state.view.parse(old);
        const fault = authenticityFault(state.hasher, view, representative, representativePackageId);
        if (fault !== undefined) notAuthentic(state, view.contractId, fault);
      }
    }
    const references = [...new Set(prepared.references)].map((id) => numberOf(table, id));
    settle(state, number, blob, references, changed, version, representativePackageId);
  };
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
