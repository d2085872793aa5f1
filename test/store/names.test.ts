import { describe, expect, it } from 'vitest';
import { appendUpdates } from '../../src/store/append.js';
import { loadBase } from '../../src/store/load.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture } from '../fixtures.js';
import { contract, on, oneByOne, S1, type Step, streamOf } from './streams.js';
import { storePath } from './temporaryStore.js';

describe('names in questions to a store', () => {
  it('are full ids or unambiguous prefixes; anything else is an error, never an empty answer', async () => {
    const db = storePath();
    await loadBase(db, fixture('snapshots/multi/participant1.acs.gz'), { source: 'p1', offset: 9n });
    const count = async (...words: string[]) => {
      const { status, stdout, stderr } = await runCommand('store', 'at', db, '--count', '--json', ...words);
      return status === 0 ? (JSON.parse(stdout) as { contracts: number }).contracts : stderr;
    };
    expect(await count('--party', 'alice')).toBe(156);
    expect(await count('--party', 'alice::1220')).toBe(156);
    expect(await count('--party', 'b')).toContain('NAME_AMBIGUOUS');
    expect(await count('--party', 'nobody')).toContain('NAME_NOT_FOUND');
    expect(await count('--party', 'nobody::1220ab')).toBe(0);
    expect(await count('--synchronizer', 'acme')).toBe(416);
    expect(await count('--synchronizer', 'other')).toContain('NAME_NOT_FOUND');
    expect(await count('--template', 'Iou')).toBe(await count('--template', 'Acme.Iou:Iou'));
    expect(await count('--template', 'Nothing')).toContain('NAME_NOT_FOUND');
    expect(await count('--template', 'Acme.Iou:Nothing')).toContain('NAME_NOT_FOUND');
    expect(await count('--template', '#no-such-package:Acme.Iou:Iou')).toBe(0);
    expect(await count('--template', ':')).toContain('TEMPLATE_PATTERN');
  });

  it('of contracts too, in hex of either case', async () => {
    const db = storePath();
    await loadBase(db, fixture('snapshots/multi/participant1.acs.gz'), { source: 'p1', offset: 9n });
    const { stdout } = await runCommand('store', 'sql', db, '--json', 'SELECT contract_id FROM active');
    const ids = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { contract_id: string }).contract_id);
    const history = async (text: string) => {
      const { status, stdout, stderr } = await runCommand('store', 'history', db, '--json', text);
      return status === 0 ? (JSON.parse(stdout) as { contractId: string }).contractId : stderr;
    };
    const id = ids[3]!;
    for (const text of [id, id.toUpperCase(), id.slice(0, 20), id.slice(0, 21)])
      expect(await history(text)).toBe(id);
    expect(await history(`${id.slice(0, 40)}00000000`)).toContain('CONTRACT_UNKNOWN');
    expect(await history(`${id}00`)).toContain('CONTRACT_UNKNOWN');
    expect(await history(id.slice(0, 6))).toContain('CONTRACT_ID');
    const together = storePath();
    const updates = [1, 2].map((n): Step => on(S1, { kind: 'create', contract: contract(n) }));
    await appendUpdates(together, [streamOf(oneByOne(updates))], { source: 'p', begin: 0n });
    const { status, stderr } = await runCommand('store', 'history', together, contract(1).id.slice(0, 10));
    expect(status).toBe(2);
    expect(stderr).toContain(contract(2).id);
  });
});
