/** Record times and offsets, also after the updates that told them are forgotten. */
import { describe, expect, it } from 'vitest';
import { appendUpdates } from '../../src/store/append.js';
import { lastSeenTime, offsetAtTime } from '../../src/store/knownTime.js';
import { withStore } from '../../src/store/open.js';
import { pruneBefore } from '../../src/store/prune.js';
import { resetTo } from '../../src/store/rewind.js';
import { type ReadySource, readySource } from '../../src/store/source.js';
import { contract, on, S1, S2, type Step, streamOf, updateJson } from './streams.js';
import { storePath } from './temporaryStore.js';

const create = (n: number, synchronizer: string): Step =>
  on(synchronizer, { kind: 'create', contract: contract(n) });
/** On the first synchronizer at the times 100, 200 and 300, on the other in between. */
const UPDATES = [
  [10n, S1, 100n],
  [20n, S2, 900n],
  [30n, S1, 200n],
  [40n, S2, 900n],
  [50n, S1, 300n],
  [60n, S2, 901n],
] as const;

async function stored(): Promise<string> {
  const path = storePath();
  const updates = UPDATES.map(([offset, synchronizer, recordTime]) =>
    updateJson([create(Number(offset), synchronizer)], { offset, synchronizer, recordTime }),
  );
  await appendUpdates(path, [streamOf(updates)], { source: 'p', begin: 5n });
  return path;
}

/** The offset at each time, or the code of what was thrown. */
async function offsets(path: string, ...times: bigint[]): Promise<(bigint | string)[]> {
  return withStore(path, {}, ({ db }) => {
    const source: ReadySource = readySource(db, 'p');
    return times.map((time) => {
      try {
        return offsetAtTime(db, source, S1, time, 'p@5');
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
  });
}

const seen = (path: string) =>
  withStore(path, {}, ({ db }) => [S1, S2].map((s) => lastSeenTime(db, readySource(db, 'p'), s)));

describe('the offset at a record time', () => {
  it('is the last before the next update of the synchronizer', async () => {
    const path = await stored();
    expect(await offsets(path, 99n, 100n, 199n, 200n, 299n, 300n, 10n ** 18n)).toEqual([
      'OFFSET_BEFORE_BASE',
      29n,
      29n,
      49n,
      49n,
      60n,
      60n,
    ]);
    expect(await seen(path)).toEqual([300n, 901n]);
  });

  it('is known of the new base after a prune, and the last times after a reset', async () => {
    const path = await stored();
    await pruneBefore(path, { before: 30n, apply: true });
    expect(await offsets(path, 199n, 200n, 299n, 300n)).toEqual(['OFFSET_BEFORE_BASE', 49n, 49n, 60n]);
    await resetTo(path, { offset: 45n, apply: true });
    expect(await seen(path)).toEqual([200n, 900n]);
    expect(await offsets(path, 199n, 200n, 300n)).toEqual(['OFFSET_BEFORE_BASE', 45n, 45n]);
  });
});
