/** Drafts for a batch of records, on whichever thread. */
import type { ContractHasher } from '../hash/contractHasher.js';
import { AcsError } from '../io/error.js';
import { RecordView } from '../snapshot/record.js';
import { DraftWriter, packedEnd, packedOrdinal, unpackRecord } from './draftBatch.js';
import type { PartyMap } from './partyMap.js';
import { RecordDrafter } from './recordDrafter.js';
import type { TextParties } from './textParties.js';

/** A party that this thread met for the first time. */
export interface PartySighting {
  /** Of the contract in its file. */
  ordinal: number;
  contractId: string;
  party: string;
}

export interface Drafts {
  /** See {@link DraftReader}. */
  drafts: Uint8Array;
  sightings: PartySighting[];
}

/** Drafts the batch `batch[0, end)`; `into` is where the drafts go if there is room. */
export type DraftBatch = (batch: Buffer, end: number, into: Uint8Array) => Drafts;

/** The batches given to it must come in the order of the records. */
export function recordsDrafter(map: PartyMap, texts: TextParties, hasher: ContractHasher): DraftBatch {
  const record = new RecordView();
  const writer = new DraftWriter();
  let sightings: PartySighting[] = [];
  let ordinal = 0;
  const drafter = new RecordDrafter(map, texts, hasher, (party, contractId) => {
    sightings.push({ ordinal, contractId, party });
  });
  /** False for what its own thread has to look at in its turn: also for an error, which is told by who meets it first. */
  const draft = (): boolean => {
    try {
      if (!drafter.rewrite(record)) return false;
      drafter.settle();
      return true;
    } catch (error) {
      if (error instanceof AcsError) return false;
      throw error;
    }
  };
  return (batch, end, into) => {
    sightings = [];
    writer.clear();
    for (let at = 0; at < end; at = packedEnd(batch, at)) {
      ordinal = packedOrdinal(batch, at);
      unpackRecord(batch, at, record);
      if (draft()) writer.draft(drafter);
      else writer.declined();
    }
    return { drafts: writer.finish(into), sightings };
  };
}
