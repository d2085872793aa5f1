/** The second pass of a remap: reads an input again and writes its contracts with their new ids. */
import { encodeBlob } from '../contract/contractInstance.js';
import { ContractView } from '../contract/contractView.js';
import { createSnapshotFile, type SnapshotFile } from '../contract/snapshotFile.js';
import { readSource, type SourceFacts } from '../convert/readSource.js';
import type { SourceContract } from '../convert/sourceContract.js';
import { inputChanged } from '../io/readTwice.js';
import { encodeFrame } from '../snapshot/encodeRecord.js';
import type { RecordView } from '../snapshot/record.js';
import { ID_NEW, ID_PENDING } from './contractTable.js';
import { keptEvent } from './keptEvent.js';
import { ContractPreparer } from './prepareContract.js';
import { RecordRewriter } from './recordRewriter.js';
import type { RemapOutput } from './remapResult.js';
import { addFinding, hasShortWay, numberOf, type RemapState, resolvedId, SILENT } from './remapState.js';
import { rewriteEvent } from './rewriteEvent.js';
import { textParties } from './textParties.js';

/** An output that holds everything but does not have its name yet: to be finished or aborted. */
export interface Written {
  readonly output: RemapOutput;
  readonly file: SnapshotFile;
}

/** Writes one input to `output`. Error `INPUT_CHANGED` when it is not what the first pass read, given by `facts`. */
export async function secondPass(
  state: RemapState,
  input: string,
  facts: SourceFacts,
  output: string,
): Promise<Written> {
  const { options } = state;
  const file = await createSnapshotFile(output, options.file);
  let contracts = 0;
  let changed = 0;
  try {
    const counted = (isChanged: boolean): void => {
      contracts++;
      if (isChanged) changed++;
      if (contracts % 1024 === 0) options.onProgress?.(2, contracts);
    };
    const long = longWriter(state, (frame) => file.writeFrame(frame));
    await readSource(input, (contract) => counted(long(contract)), {
      ...options.read,
      ...(hasShortWay(options) ? { onRecord: shortWriter(state, file, counted) } : {}),
      afterChunk: () => file.ready(),
    });
    if (contracts !== facts.contracts) throw inputChanged({ file: input });
  } catch (error) {
    await file.abort();
    throw error;
  }
  return { output: { input, output, contracts, changed }, file };
}

/** The long way: writes one contract; true when its id or content changed. */
function longWriter(
  state: RemapState,
  write: (frame: Buffer) => void,
): (contract: SourceContract) => boolean {
  const { table, hasher } = state;
  const preparer = new ContractPreparer(
    state.prepareOptions,
    textParties([]),
    SILENT,
    (id) => resolvedId(table, id),
    state.renamed,
  );
  return (contract) => {
    const prepared = preparer.prepare(contract);
    const number = numberOf(table, prepared.tableId);
    const idState = table.stateOf(number);
    if (idState === ID_PENDING) throw inputChanged({ contractId: contract.contractId });
    const counter = contract.reassignmentCounter ?? 0n;
    const isNew = idState === ID_NEW;
    if (!isNew && contract.event !== undefined) {
      const event = keptEvent(contract.event, {
        witnesses: changedList(prepared.witnesses, contract.witnesses),
        representativePackageId:
          prepared.representativePackageId === contract.representativePackageId
            ? undefined
            : prepared.representativePackageId,
      });
      write(encodeFrame(event, prepared.synchronizerId, counter));
      return false;
    }
    const { instance } = prepared;
    instance.contractId = table.newId(number);
    if (instance.key !== undefined && (isNew || contract.key?.hash === undefined)) {
      const view = state.view.parse(encodeBlob(instance));
      const binding = hasher.binder.bind(view, prepared.representativePackageId);
      instance.key.hash = hasher.keyHash(view, binding);
    }
    const event = rewriteEvent(
      contract,
      prepared,
      instance.contractId,
      encodeBlob(instance),
      state.options.compiler,
      (code) => addFinding(state, code, contract.contractId),
    );
    write(encodeFrame(event, prepared.synchronizerId, counter));
    return isNew;
  };
}

/** The new list; undefined when it is the old one. */
function changedList(
  fresh: readonly string[] | undefined,
  old: readonly string[] | undefined,
): readonly string[] | undefined {
  if (fresh === undefined || old === undefined) return undefined;
  const once = [...new Set(old)];
  return fresh.length === once.length && fresh.every((item, i) => item === once[i]) ? undefined : fresh;
}

/** The short way: records of format A. False: declined. */
function shortWriter(
  { table, options, renamed }: RemapState,
  file: SnapshotFile,
  count: (changed: boolean) => void,
): (record: RecordView) => boolean {
  const { map, synchronizerMap } = options;
  const contract = new ContractView();
  const rewriter = new RecordRewriter({
    party: (party) => map.get(party) ?? party,
    reference: (buf, start, end) => {
      const number = table.number(buf, start, end);
      return table.stateOf(number) === ID_NEW ? table.newIdBytes(number) : undefined;
    },
    plainText: () => true,
    synchronizer: (id) => {
      const fresh = synchronizerMap?.get(id);
      if (fresh !== undefined) renamed.add(id);
      return fresh ?? id;
    },
  });
  return (record) => {
    const view = contract.of(record);
    if (!view.hasBlob || !rewriter.accepts(record, view.blob)) return false;
    const old = view.blob;
    const number = table.number(old.buf, old.contractIdStart, old.contractIdEnd);
    if (table.stateOf(number) !== ID_NEW) {
      if (synchronizerMap?.has(record.synchronizerId) || rewriter.witnessesChange(record)) return false;
      if (table.stateOf(number) === ID_PENDING) throw inputChanged({ contractId: old.contractId });
      file.writeRecord(record);
      count(false);
      return true;
    }
    const newId = table.newIdBytes(number);
    const blob = rewriter.blob(old, newId);
    const frame = blob === undefined ? undefined : rewriter.frame(record, newId);
    if (frame === undefined) return false;
    file.writeFrame(frame);
    count(true);
    return true;
  };
}
