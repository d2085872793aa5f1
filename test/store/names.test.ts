import { describe, expect, it } from 'vitest';
import { loadBase } from '../../src/store/load.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture } from '../fixtures.js';
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
    expect(await count('--template', ':')).toContain('TEMPLATE_PATTERN');
  });
});
