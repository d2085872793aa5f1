#!/usr/bin/env node
/** Turns a snapshot of format A into one of format B with the same contracts: node oldSnapshot.mjs IN OUT */
import { ContractView } from '../../dist/contract/contractView.js';
import { writeTimestamp } from '../../dist/snapshot/encodeRecord.js';
import { scanSnapshot } from '../../dist/snapshot/scan.js';
import { openSnapshotWriter } from '../../dist/snapshot/writer.js';
import { WireWriter } from '../../dist/wire/writer.js';

const [input, output] = process.argv.slice(2);
const writer = await openSnapshotWriter(output);
const view = new ContractView();
const w = new WireWriter(4096);
const frame = new WireWriter(4096);
await scanSnapshot(
  input,
  (record) => {
    const { blob } = view.of(record);
    w.clear().messageField(1, () => {
      w.stringField(1, record.synchronizerId);
      w.messageField(2, () => {
        w.stringField(1, blob.contractId);
        w.messageField(2, () => {
          w.bytesField(1, blob.buf.subarray(blob.templateStart, blob.templateEnd));
          w.messageField(2, () => w.stringField(1, '2.1').bytesField(2, blob.createArgument));
          w.stringField(4, blob.packageName);
        });
        w.messageField(3, () => {
          for (const party of blob.signatories) w.stringField(1, party);
          for (const party of blob.nonSignatoryStakeholders) w.stringField(2, party);
        });
        w.messageField(4, () => writeTimestamp(w, blob.createdAt));
        // The salt message inside its two envelopes: 0a26 0a24 <36 bytes> 101e.
        w.bytesField(5, blob.authenticationData.subarray(4, 40));
      });
      if (record.reassignmentCounter !== 0n) w.tag(3, 0).varint64(record.reassignmentCounter);
    });
    w.byte(0x10).byte(30);
    const body = w.view();
    writer.writeFrame(frame.clear().varint(body.length).raw(body).view());
  },
  { afterChunk: () => writer.ready() },
);
await writer.finish();
