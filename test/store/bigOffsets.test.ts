/** Offsets and counters above 2^53 come out of an export as they went in. */
import { expect, it } from 'vitest';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { appendUpdates } from '../../src/store/append.js';
import { exportSnapshot } from '../../src/store/exportSnapshot.js';
import { contract, S1, S2, streamOf, updateJson } from './streams.js';
import { storePath } from './temporaryStore.js';

it('exports offsets and counters that no double holds', async () => {
  const db = storePath();
  const limit = 2n ** 53n;
  const offsets = [limit - 1n, limit, limit + 1n, limit + 3n];
  const recordTime = 1_767_000_000_000_000n;
  const counter = limit + 5n;
  const messages = offsets.map((offset, i) =>
    updateJson([{ kind: 'create', contract: contract(i + 1) }], {
      offset,
      synchronizer: S1,
      recordTime: recordTime + BigInt(i),
    }),
  );
  const moved = { kind: 'assign' as const, contract: contract(9), from: S1, to: S2, counter };
  messages.push(updateJson([moved], { offset: limit + 7n, synchronizer: S2, recordTime }));
  await appendUpdates(db, [streamOf(messages)], { source: 'p', begin: 0n, lenient: true });
  const out = `${db}.acs.gz`;
  await exportSnapshot(db, out, { source: 'p' });
  const seen: [bigint, bigint][] = [];
  await scanSnapshot(out, (record) => {
    seen.push([record.ledgerOffset, record.reassignmentCounter]);
  });
  expect(seen).toEqual([...offsets.map((offset) => [offset, 0n]), [limit + 7n, counter]]);
});
