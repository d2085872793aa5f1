/** `store check` while another process writes. */
import Database from 'better-sqlite3';
import { expect, it, vi } from 'vitest';
import { checkStore } from '../../src/store/check.js';
import { loadBase } from '../../src/store/load.js';
import { fixture, storePath } from './temporaryStore.js';

const meanwhile = vi.hoisted(() => ({ do: (_source: number): void => undefined }));
vi.mock('../../src/store/ledgerState.js', async (original) => {
  const real = await original<typeof import('../../src/store/ledgerState.js')>();
  return {
    ...real,
    ledgerState: (...args: Parameters<typeof real.ledgerState>) => {
      meanwhile.do(args[2]);
      return real.ledgerState(...args);
    },
  };
});

it('looks at one moment of the store', async () => {
  const path = storePath();
  await loadBase(path, fixture('snapshots/tiny.acs.gz'), { source: 'a', offset: 5n });
  await loadBase(path, fixture('snapshots/two-synchronizers.acs.gz'), { source: 'b', offset: 5n });
  const before = await checkStore(path);
  expect(before.problems).toEqual([]);
  const writer = new Database(path);
  let written = 0;
  // The events of the first source are replayed when those of the second one are begun with.
  meanwhile.do = (source) => {
    if (source === 2)
      written = writer.exec('UPDATE activation SET counter = counter + 1').inTransaction ? 0 : 1;
  };
  expect(await checkStore(path)).toEqual(before);
  expect(written).toBe(1);
  meanwhile.do = () => undefined;
  writer.close();
  expect((await checkStore(path)).problems).toMatchObject([
    { code: 'DERIVED_DIFFERS' },
    { code: 'DERIVED_DIFFERS' },
  ]);
});
