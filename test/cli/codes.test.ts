import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { codesPage, collectCodes } from '../../scripts/code-docs.mjs';

describe('codes', () => {
  it('docs/CODES.md lists every code of the source', () => {
    const page = readFileSync(new URL('../../docs/CODES.md', import.meta.url), 'utf8');
    expect(page).toBe(codesPage());
    expect(collectCodes().length).toBeGreaterThan(200);
  });
});
