/** A finding goes on speaking of its contract, whatever becomes of the contract's events. */
import { expect, it } from 'vitest';
import { appendUpdates } from '../../src/store/append.js';
import { contractHistory } from '../../src/store/history.js';
import { withStore } from '../../src/store/open.js';
import { resetTo } from '../../src/store/rewind.js';
import { contract, oneByOne, type Step, streamOf } from './streams.js';
import { storePath } from './temporaryStore.js';

it('the number of a contract that a finding of another source names is not given again', async () => {
  const path = storePath();
  const [known, next] = [contract(1), contract(2)];
  const append = (source: string, steps: Step[]) =>
    appendUpdates(path, [streamOf(oneByOne(steps))], { source, begin: 0n });
  await append('p', [{ kind: 'create', contract: known }]);
  // Refused: an event of the other source is not stored, a finding about the contract is.
  await expect(
    append('q', [{ kind: 'archive', contract: { ...known, entity: 'Deal' } }]),
  ).rejects.toMatchObject({ code: 'TEMPLATE_PACKAGE_DIFFERS' });
  await resetTo(path, { source: 'p', offset: 0n, apply: true });
  await append('p', [{ kind: 'create', contract: next }]);
  await withStore(path, {}, ({ db }) => {
    expect(contractHistory(db, next.id).findings).toEqual([]);
    expect(contractHistory(db, known.id).findings).toMatchObject([
      { source: 'q', code: 'TEMPLATE_PACKAGE_DIFFERS' },
    ]);
  });
});
