/** The second pass of a remap: reads an input again and writes its contracts with their new ids. */
import { encodeBlob } from '../contract/contractInstance.js';
import { ContractView } from '../contract/contractView.js';
import { createSnapshotFile, type SnapshotFile } from '../contract/snapshotFile.js';
import { readSource, type SourceFacts } from '../convert/readSource.js';
import type { SourceContract } from '../convert/sourceContract.js';
import { inputChanged } from '../io/readTwice.js';
import { encodeFrame } from '../snapshot/encodeRecord.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { ID_NEW, ID_PENDING } from './contractTable.js';
import { keptEvent } from './keptEvent.js';
import { ContractPreparer } from './prepareContract.js';
import { RecordRewriter } from './recordRewriter.js';
import type { RemapOutput } from './remapResult.js';
import { addFinding, hasShortWay, numberOf, type RemapState, resolvedId, SILENT } from './remapState.js';
import { rewriteEvent } from './rewriteEvent.js';
import { textParties } from './textParties.js';
import { type WrittenContracts, writtenContracts } from './writtenContracts.js';

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
  const written = writtenContracts(state.table.size);
  let contracts = 0;
  let changed = 0;
  let duplicates = 0;
  try {
    const counted = (became: Became): void => {
      if (++contracts % 1024 === 0) options.onProgress?.(2, contracts);
      if (became === 'duplicate') duplicates++;
      else if (became === 'changed') changed++;
    };
    const long = longWriter(state, written, (frame) => file.writeFrame(frame));
    await readSource(input, (contract) => counted(long(contract)), {
      ...options.read,
      ...(hasShortWay(options) ? { onRecord: shortWriter(state, written, file, counted) } : {}),
      afterChunk: () => file.ready(),
    });
    if (contracts !== facts.contracts) throw inputChanged({ file: input });
  } catch (error) {
    await file.abort();
    throw error;
  }
  return { output: { input, output, contracts: contracts - duplicates, changed, duplicates }, file };
}

/** What became of a contract: `changed` is its id or content; a `duplicate` is not written. */
type Became = 'changed' | 'kept' | 'duplicate';

/** The long way: writes one contract. */
function longWriter(
  state: RemapState,
  written: WrittenContracts,
  write: (frame: Buffer) => void,
): (contract: SourceContract) => Became {
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
    const synchronizer = Buffer.from(prepared.synchronizerId);
    const represented = Buffer.from(prepared.representativePackageId);
    const isFirst = written.add(
      number,
      written.synchronizer(synchronizer, 0, synchronizer.length),
      written.representative(represented, 0, represented.length),
      counter,
      () => contract.contractId,
    );
    if (!isFirst) return 'duplicate';
    if (!isNew && contract.event !== undefined) {
      const event = keptEvent(contract.event, {
        witnesses: changedList(prepared.witnesses, contract.witnesses),
        representativePackageId:
          prepared.representativePackageId === contract.representativePackageId
            ? undefined
            : prepared.representativePackageId,
      });
      write(encodeFrame(event, prepared.synchronizerId, counter));
      return 'kept';
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
    return isNew ? 'changed' : 'kept';
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
  written: WrittenContracts,
  file: SnapshotFile,
  count: (became: Became) => void,
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
  const isFirst = (record: RecordView, number: number): boolean => {
    const { buf, eventFields } = record;
    const synchronizer = rewriter.synchronizer(record);
    const at = 2 * EVENT.representativePackageId;
    return written.add(
      number,
      written.synchronizer(synchronizer, 0, synchronizer.length),
      written.representative(buf, Math.max(0, eventFields[at]), Math.max(0, eventFields[at + 1])),
      record.counterIsZero ? 0n : record.reassignmentCounter,
      () => record.contractId,
    );
  };
  return (record) => {
    const view = contract.of(record);
    if (!view.hasBlob || !rewriter.accepts(record, view.blob)) return false;
    const old = view.blob;
    const number = table.number(old.buf, old.contractIdStart, old.contractIdEnd);
    if (table.stateOf(number) !== ID_NEW) {
      if (synchronizerMap?.has(record.synchronizerId) || rewriter.witnessesChange(record)) return false;
      if (table.stateOf(number) === ID_PENDING) throw inputChanged({ contractId: old.contractId });
      const isKept = isFirst(record, number);
      if (isKept) file.writeRecord(record);
      count(isKept ? 'kept' : 'duplicate');
      return true;
    }
    const newId = table.newIdBytes(number);
    const blob = rewriter.blob(old, newId);
    const frame = blob === undefined ? undefined : rewriter.frame(record, newId);
    if (frame === undefined) return false;
    const isNew = isFirst(record, number);
    if (isNew) file.writeFrame(frame);
    count(isNew ? 'changed' : 'duplicate');
    return true;
  };
}
