/** Turns what an input shows into rows. */
import { BlobView } from '../contract/blob.js';
import { ContractView } from '../contract/contractView.js';
import { AcsError } from '../io/error.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import type { DiffSink } from './diffSource.js';
import type { RowBuilder } from './rowBuilder.js';
import type { RowTable } from './rowTable.js';

/** The row of a record, all of it. */
export function fillRow(builder: RowBuilder, view: ContractView, input: number): void {
  const { record, blob } = view;
  const { eventFields } = record;
  const start = eventFields[2 * EVENT.createdEventBlob]!;
  builder.begin(input).content(blob, start, eventFields[2 * EVENT.createdEventBlob + 1]!);
  fillSurroundings(builder, record);
}

/** What is not in the blob. */
function fillSurroundings(builder: RowBuilder, record: RecordView): void {
  builder.synchronizer(record.buf, record.synchronizerStart, record.synchronizerEnd);
  if (!record.counterIsZero) builder.counter(record.reassignmentCounter);
  const representative = record.eventFields[2 * EVENT.representativePackageId]!;
  if (representative >= 0) {
    const end = record.eventFields[2 * EVENT.representativePackageId + 1]!;
    builder.representative(record.buf, representative, end);
  }
}

/**
 * `add` takes the row `words[at …]`; with a table, contents that it holds already are not decoded again and rows that say
 * the same are noted there.
 */
export function openSink(
  builder: RowBuilder,
  table: RowTable | undefined,
  add: (words: Int32Array, at: number) => void,
  input: number,
  name: string,
): DiffSink {
  const view = new ContractView();
  const blobView = new BlobView();
  return {
    record(record) {
      if (record.inFlight) return;
      const fields = record.eventFields;
      const start = fields[2 * EVENT.createdEventBlob]!;
      const end = fields[2 * EVENT.createdEventBlob + 1]!;
      builder.begin(input);
      const glanced = table !== undefined && input > 0 && builder.glance(record.buf, start, end);
      const known = glanced ? table.findContent(builder.words) : -1;
      if (table !== undefined && known >= 0) builder.contentOf(table.blockOf(known), table.offsetOf(known));
      else builder.content(view.of(record).blob, start, end, glanced);
      fillSurroundings(builder, record);
      if (table !== undefined && known >= 0 && table.showAgain(known, builder.words, input)) return;
      add(builder.words, 0);
    },
    opened(contractId, reassignmentCounter) {
      const id = Buffer.from(contractId, 'hex');
      try {
        builder.begin(input).id(id, 0, id.length).counter(reassignmentCounter);
      } catch (error) {
        // The bytes of the id are those of no file.
        if (error instanceof AcsError) delete error.place.byteOffset;
        throw error instanceof AcsError ? error.locate({ file: name, contractId }) : error;
      }
      add(builder.words, 0);
    },
    contract(contract) {
      const blob = contract.createdEventBlob;
      try {
        blobView.parse(blob);
      } catch (error) {
        throw error instanceof AcsError ? error.locate({ file: name, stream: 'blob' }) : error;
      }
      const synchronizer = Buffer.from(contract.synchronizerId);
      const representative = Buffer.from(contract.representativePackageId);
      builder.begin(input).content(blobView, 0, blob.length);
      builder.synchronizer(synchronizer, 0, synchronizer.length);
      builder.counter(contract.reassignmentCounter).representative(representative, 0, representative.length);
      if (contract.inFlight === true) builder.inFlight();
      add(builder.words, 0);
    },
  };
}
