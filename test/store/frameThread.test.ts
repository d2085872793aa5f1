/** An export whose frames are read on another thread is the same file. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { AcsError } from '../../src/io/error.js';
import { appendUpdates } from '../../src/store/append.js';
import { resolveQuestion } from '../../src/store/ask.js';
import { exportSnapshot } from '../../src/store/exportSnapshot.js';
import { frameBlocks } from '../../src/store/frameThread.js';
import { openStore, withStore } from '../../src/store/open.js';
import { PIECE_BYTES } from '../../src/wire/deflate.js';
import { contract, S1, streamOf, updateJson } from './streams.js';
import { storePath } from './temporaryStore.js';

/** More than fit the blocks at once, some longer than a block, archived and active. */
async function store(): Promise<string> {
  const path = storePath();
  const messages = [];
  for (let i = 1; i <= 60; i++) {
    const long = i % 20 === 0 ? PIECE_BYTES : 100_000;
    const made = contract(i, { text: String(i % 10).repeat(long), observers: [`owner-${i % 3}::1220bb`] });
    const at = { offset: BigInt(i * 2), synchronizer: S1 };
    messages.push(updateJson([{ kind: 'create', contract: made }], at));
    if (i % 7 === 0)
      messages.push(updateJson([{ kind: 'archive', contract: made }], { ...at, offset: BigInt(i * 2 + 1) }));
  }
  await appendUpdates(path, [streamOf(messages)], { source: 'p', begin: 0n });
  return path;
}

it.each([
  ['everything', {}],
  ['at an offset', { offset: 77n }],
  ['one party', { parties: ['owner-1::1220bb'] }],
  ['nothing', { offset: 0n }],
])('%s: the same bytes', async (_, filter) => {
  const path = await store();
  const [here, there] = [`${storePath()}.gz`, `${storePath()}.gz`];
  const expected = await exportSnapshot(path, here, { ...filter, manifest: true });
  const result = await exportSnapshot(path, there, { ...filter, manifest: true, threadFrom: -1 });
  expect(result.contracts).toBe(expected.contracts);
  expect({ ...result.manifest, createdAt: 0 }).toEqual({ ...expected.manifest, createdAt: 0 });
  expect(readFileSync(there).equals(readFileSync(here))).toBe(true);
});

it('a fault is told as it is', async () => {
  const path = await store();
  const question = await withStore(path, {}, ({ db }) => resolveQuestion(db, undefined, {}));
  const writer = openStore(path, { write: true });
  writer.db.exec('DELETE FROM contract_blob WHERE blob_pk = (SELECT min(blob_pk) + 29 FROM contract_blob)');
  writer.close();
  const read = async (): Promise<number> => {
    let frames = 0;
    for await (const { ends, release } of frameBlocks(path, question)) {
      frames += ends.length;
      release();
    }
    return frames;
  };
  const error = await read().catch((e) => e);
  expect(error).toBeInstanceOf(AcsError);
  expect(error.code).toBe('STORE_CORRUPT');
});

it('a reader may stop early', async () => {
  const path = await store();
  const question = await withStore(path, {}, ({ db }) => resolveQuestion(db, undefined, {}));
  for await (const block of frameBlocks(path, question)) {
    expect(block.ends.length).toBeGreaterThan(0);
    expect(block.ends.at(-1)).toBe(block.bytes.length);
    break;
  }
});
