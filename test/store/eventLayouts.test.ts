/** Created events that are written in another way than Canton's: legal protobuf, to be stored and given back as it is. */
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/snapshot/encodeRecord.js';
import { EVENT } from '../../src/snapshot/recordBorders.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { checkStore } from '../../src/store/check.js';
import { exportSnapshot } from '../../src/store/exportSnapshot.js';
import { loadBase } from '../../src/store/load.js';
import { WireReader } from '../../src/wire/reader.js';
import { fixture, inflated, storePath } from './temporaryStore.js';

interface Field {
  number: number;
  bytes: Buffer;
}

function fieldsOf(event: Buffer): Field[] {
  const fields: Field[] = [];
  const r = new WireReader(event);
  while (r.pos < r.end) {
    const start = r.pos;
    const tag = r.tag();
    r.skip(tag & 7);
    fields.push({ number: tag >>> 3, bytes: event.subarray(start, r.pos) });
  }
  return fields;
}

const LAYOUTS: Record<string, (fields: Field[]) => Field[]> = {
  'a witness behind all else': (fields) => {
    const witness = fields.find(({ number }) => number === EVENT.witnessParties) as Field;
    return [...fields.filter((field) => field !== witness), witness];
  },
  'the blob between the party lists': (fields) => {
    const blob = fields.find(({ number }) => number === EVENT.createdEventBlob) as Field;
    const rest = fields.filter((field) => field !== blob);
    rest.splice(
      rest.findIndex(({ number }) => number === EVENT.signatories),
      0,
      blob,
    );
    return rest;
  },
  'the lists in another order': (fields) => [...fields].sort((a, b) => b.number - a.number),
};

describe('created events in another layout', () => {
  it.each(Object.entries(LAYOUTS))('%s: stored, and exported byte for byte', async (_, arrange) => {
    const path = storePath();
    const file = `${path}.acs.gz`;
    const frames: Buffer[] = [];
    await scanSnapshot(fixture('snapshots/tiny.acs.gz'), (record) => {
      const event = record.buf.subarray(record.eventStart, record.eventEnd);
      const arranged = Buffer.concat(arrange(fieldsOf(event)).map(({ bytes }) => bytes));
      frames.push(Buffer.from(encodeFrame(arranged, record.synchronizerId, record.reassignmentCounter)));
    });
    writeFileSync(file, gzipSync(Buffer.concat(frames)));
    const loaded = await loadBase(path, file, { source: 'p', offset: 1000n });
    expect(loaded).toMatchObject({ contracts: frames.length, findings: {} });
    await exportSnapshot(path, `${path}.out.acs.gz`, {});
    expect(inflated(`${path}.out.acs.gz`).equals(inflated(file))).toBe(true);
    expect((await checkStore(path)).problems).toEqual([]);
  });
});
