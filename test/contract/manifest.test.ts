import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Manifest, manifestPath, parseManifest } from '../../src/contract/manifest.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture } from '../fixtures.js';

let folder: string;
let file: string;
let text: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acs-manifest-'));
  file = join(folder, 'a.acs.gz');
  await runCommand('filter', fixture('snapshots/tiny.acs.gz'), '-o', file, '--manifest');
  text = readFileSync(manifestPath(file), 'utf8');
});
afterAll(() => rmSync(folder, { recursive: true }));

const HOSTILE: Record<string, (manifest: Manifest) => void> = {
  'a piece of more compressed bytes than the file has': ({ pieces }) => {
    pieces[0]!.compressedBytes = 10 ** 12;
  },
  'a piece behind the end of the file': ({ pieces }) => {
    pieces[0]!.at = 10 ** 12;
  },
  'a piece that claims 4 GB': ({ pieces }) => {
    pieces[0]!.inflatedBytes = 2 ** 32 - 1;
  },
  'a piece of more bytes than a trailer can count': ({ pieces }) => {
    pieces[0]!.inflatedBytes = 2 ** 40;
  },
  'an offset that is none': (manifest) => {
    manifest.offset = 'abc';
  },
  'parties that are none': (manifest) => {
    manifest.parties = [1 as unknown as string];
  },
};

describe('a manifest', () => {
  it('is read as it was written', () => {
    expect(parseManifest(text, 'x')).toEqual(JSON.parse(text));
  });

  it.each(Object.entries(HOSTILE))('with %s is not used', async (_, change) => {
    const manifest = JSON.parse(text) as Manifest;
    change(manifest);
    writeFileSync(manifestPath(file), JSON.stringify(manifest));
    expect(() => parseManifest(JSON.stringify(manifest), 'x')).toThrowError(
      expect.objectContaining({ code: 'MANIFEST_UNREADABLE' }),
    );
    const info = await runCommand('info', file);
    expect(info.status).toBe(0);
    expect(info.stdout).toContain('not used: the manifest has another shape');
    const filtered = await runCommand('filter', file, '-o', join(folder, 'b.acs.gz'), '--manifest');
    expect(filtered.status).toBe(0);
  });
});
