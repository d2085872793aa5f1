import { expect, it } from 'vitest';
import { infoTally } from '../../src/inspect/infoTally.js';
import { RecordView } from '../../src/snapshot/record.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { fixture } from '../fixtures.js';

it('counts synchronizers beyond its bound together and leaves none out', async () => {
  const tally = infoTally(0);
  let frame: Buffer | undefined;
  let bodyStart = 0;
  let at = 0;
  await scanSnapshot(fixture('snapshots/tiny.acs.gz'), (record) => {
    frame = Buffer.from(record.buf.subarray(record.start, record.end));
    bodyStart = record.bodyStart - record.start;
    at = record.synchronizerStart - record.start;
    return false;
  });
  if (frame === undefined) throw new Error('no record');
  const view = new RecordView();
  for (let i = 0; i < 100_003; i++) {
    frame.write(String(i).padStart(8, '0'), at, 'latin1');
    tally.add(view.parse(frame, 0, bodyStart, frame.length, 0, i));
  }
  frame.write('00000007', at, 'latin1');
  tally.add(view.parse(frame, 0, bodyStart, frame.length, 0, 100_003));
  const { bySynchronizer } = tally.finish();
  expect(bySynchronizer.length).toBe(100_001);
  expect(bySynchronizer[0]?.contracts).toBe(2);
  expect(bySynchronizer.at(-1)).toEqual({ synchronizerId: '(others)', contracts: 3 });
});
