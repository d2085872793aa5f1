/** Contracts packed for another thread: what a verdict needs, copied out of the reader's buffers. */

export const AUTHENTICITY_BATCH_BYTES = 1 << 20;

const HEAD_BYTES = 4 + 8 + 4 + 4;

/** Appends a contract at `end`. Returns the new end, or -1 when it does not fit. */
export function packContract(
  batch: Buffer,
  end: number,
  record: number,
  byteOffset: number,
  representative: Buffer,
  blob: Buffer,
): number {
  const total = HEAD_BYTES + representative.length + blob.length;
  if (end + total > batch.length) return -1;
  batch.writeUInt32LE(record, end);
  batch.writeDoubleLE(byteOffset, end + 4);
  batch.writeUInt32LE(representative.length, end + 12);
  batch.writeUInt32LE(blob.length, end + 16);
  batch.set(representative, end + HEAD_BYTES);
  batch.set(blob, end + HEAD_BYTES + representative.length);
  return end + total;
}

export interface PackedContract {
  record: number;
  byteOffset: number;
  representativePackageId: string;
  /** The blob is `batch[blobStart, blobEnd)`. */
  blobStart: number;
  blobEnd: number;
}

/** Calls `use` for each contract with one object, which is used again. */
export function eachPacked(batch: Buffer, end: number, use: (contract: PackedContract) => void): void {
  const contract: PackedContract = {
    record: 0,
    byteOffset: 0,
    representativePackageId: '',
    blobStart: 0,
    blobEnd: 0,
  };
  let at = 0;
  while (at < end) {
    contract.record = batch.readUInt32LE(at);
    contract.byteOffset = batch.readDoubleLE(at + 4);
    const representativeBytes = batch.readUInt32LE(at + 12);
    const start = at + HEAD_BYTES;
    contract.representativePackageId = batch.toString('utf8', start, start + representativeBytes);
    contract.blobStart = start + representativeBytes;
    contract.blobEnd = contract.blobStart + batch.readUInt32LE(at + 16);
    at = contract.blobEnd;
    use(contract);
  }
}
