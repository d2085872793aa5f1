/**
 * The first pass over records of format A that are of the ordinary kind: drafted on this thread or on further ones, then
 * put in their place in the order of the records.
 */
import { availableParallelism } from 'node:os';
import { classifyContractId, V1_CANTON_BYTES } from '../contract/contractId.js';
import { locatedInFrame } from '../convert/readSource.js';
import type { ReadSourceOptions, Revisit } from '../convert/sourceReading.js';
import { RecordView } from '../snapshot/record.js';
import { DraftReader, type PackedDraft, packedEnd, packedOrdinal, unpackRecord } from './draftBatch.js';
import { type Drafts, recordsDrafter } from './draftRecords.js';
import { type DraftThreads, startDraftThreads } from './draftThreads.js';
import type { PrepareReport } from './prepareContract.js';
import { RecordDrafter } from './recordDrafter.js';
import { addFinding, type RemapState } from './remapState.js';
import { conflict, notAuthentic, settle } from './settleContract.js';

/** Contracts from which further threads pay. */
const THREADS_FROM = 8192;
/** Reading feeds about three. */
const MOST_THREADS = 3;

export interface ShortReader {
  reading: Pick<ReadSourceOptions, 'onRecord' | 'afterChunk' | 'beforeEnd'>;
  close(): Promise<void>;
}

/** The short way: records of format A. `count` is called for those that go it. */
export function shortReader(state: RemapState, report: PrepareReport, count: () => void): ShortReader {
  const { map, compiler, read, threads: wanted } = state.options;
  const sighted = (party: string, contractId: string): void => {
    if (map.get(party) === undefined) report.add('UNMAPPED_PARTY', contractId, party);
    report.party(party);
  };
  const drafter = new RecordDrafter(map, state.texts, state.hasher, sighted);
  /** False: declined. */
  const here = (record: RecordView): boolean => {
    if (!drafter.rewrite(record)) return false;
    const { old, blob } = drafter;
    const number = state.table.number(old.buf, old.contractIdStart, old.contractIdEnd);
    const known = state.table.isContract(number);
    if (!state.table.addContract(number, blob)) throw conflict(old.contractId);
    if (!known) {
      drafter.settle();
      take(state, number, drafter);
    }
    count();
    return true;
  };
  const view = new RecordView();
  let revisit: Revisit = () => undefined;
  const takeDrafts = (batch: Buffer, end: number, { drafts, sightings }: Drafts): void => {
    const reader = new DraftReader(drafts);
    let sighting = 0;
    for (let at = 0; at < end; at = packedEnd(batch, at)) {
      const ordinal = packedOrdinal(batch, at);
      for (; sighting < sightings.length && sightings[sighting].ordinal === ordinal; sighting++) {
        sighted(sightings[sighting].party, sightings[sighting].contractId);
      }
      const draft = reader.next();
      try {
        if (draft !== undefined) {
          takeDraft(state, batch, draft);
          count();
        } else if (!here(unpackRecord(batch, at, view))) revisit(view, ordinal);
      } catch (error) {
        const record = unpackRecord(batch, at, view);
        throw locatedInFrame(error, record.start, record.offset, record.index);
      }
    }
  };
  // Where no party changes, no id does.
  const most = map.entries.length === 0 ? 0 : (wanted ?? Math.min(availableParallelism() - 1, MOST_THREADS));
  const from = wanted === undefined ? THREADS_FROM : 0;
  let threads: DraftThreads | undefined;
  let records = 0;
  const start = (): DraftThreads => {
    const draftHere = recordsDrafter(map, state.texts, state.hasher);
    return startDraftThreads(compiler?.packages, map.entries, most, draftHere, takeDrafts);
  };
  return {
    reading: {
      onRecord(record, ordinal, later) {
        if (most === 0 || records++ < from) return here(record);
        revisit = later;
        threads ??= start();
        threads.add(record, ordinal);
        return true;
      },
      afterChunk: async () => {
        await threads?.ready();
        await read?.afterChunk?.();
      },
      beforeEnd: async () => threads?.drain(),
    },
    close: async () => threads?.close(),
  };
}

/** What the short way found out about a contract. */
type Draft = Pick<
  PackedDraft,
  'changed' | 'signatoriesChanged' | 'newId' | 'fault' | 'references' | 'blob' | 'representativePackageId'
>;

/** A draft of another thread: what must be shared between records happens here. */
function takeDraft(state: RemapState, batch: Buffer, draft: PackedDraft): void {
  const { table } = state;
  const number = table.number(batch, draft.idStart, draft.idStart + V1_CANTON_BYTES);
  const known = table.isContract(number);
  if (!table.addDigest(number, draft.high, draft.low)) throw conflict(table.oldId(number));
  if (!known) take(state, number, draft);
}

/** A contract seen for the first time. */
function take(state: RemapState, number: number, draft: Draft): void {
  const { table } = state;
  const { references, changed, newId, blob, representativePackageId } = draft;
  state.contracts++;
  if (draft.signatoriesChanged) {
    const wanted = state.findings.wants('SIGNATORIES_CHANGED');
    addFinding(state, 'SIGNATORIES_CHANGED', wanted ? table.oldId(number) : undefined);
  }
  if (draft.fault !== undefined) notAuthentic(state, table.oldId(number), draft.fault);
  if (references.length > 0) {
    const numbers = [...new Set(references.map((id) => table.number(id)))];
    const version = classifyContractId(Buffer.from(table.oldId(number), 'hex'));
    settle(
      state,
      number,
      blob as Buffer,
      numbers,
      changed,
      version.kind === 'canton' ? version.version : undefined,
      representativePackageId,
    );
  } else if (newId !== undefined) table.setNewId(number, newId);
  else table.keepId(number);
}
