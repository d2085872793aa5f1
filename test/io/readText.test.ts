import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readText } from '../../src/io/input.js';

it('a text is read whole, but not one that never ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'acs-text-'));
  try {
    const path = join(folder, 'text');
    writeFileSync(path, 'ten bytes.');
    expect(await readText(path, 10)).toBe('ten bytes.');
    await expect(readText(path, 9)).rejects.toMatchObject({ code: 'TEXT_TOO_LONG', place: { file: path } });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
