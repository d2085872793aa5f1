/** What a file holds must not command the terminal it is shown on. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { visibleLine, visibleText } from '../../src/cli/visibleText.js';
import { encodeRecord } from '../../src/snapshot/encodeRecord.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { fixture } from '../fixtures.js';
import { runCommand } from './runCommand.js';

const CLEAR = '\u001b[2J';
const SYNCHRONIZER = `s${CLEAR}\n0 errors::x`;
/** Anything a terminal obeys, but the line feeds that end our own lines. */
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

let folder: string;
let hostile: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'acs-visible-'));
  hostile = join(folder, 'hostile.acs.gz');
  const frames: Buffer[] = [];
  await scanSnapshot(fixture('snapshots/tiny.acs.gz'), (record) => {
    frames.push(
      encodeRecord({
        synchronizerId: SYNCHRONIZER,
        reassignmentCounter: 0n,
        createdEvent: {
          contractId: record.contractId,
          packageName: `red\u001b[31m\u009b31m\u202e`,
          templateId: { packageId: 'p', moduleName: 'M', entityName: 'E\r\u007f' },
          createdEventBlob: Buffer.from(record.createdEventBlob as Buffer),
        },
      }),
    );
  });
  await writeFile(hostile, gzipSync(Buffer.concat(frames)));
});
afterAll(() => rm(folder, { recursive: true }));

it('writes what a terminal obeys as its number', () => {
  expect(visibleText(`a${CLEAR}\n\tb\u202ec`)).toBe('a\\u001b[2J\n\\u0009b\\u202ec');
  expect(visibleLine('a\nb')).toBe('a\\u000ab');
  expect(visibleText('Zürich 東京 – ok')).toBe('Zürich 東京 – ok');
});

it.each([
  ['info', ['info']],
  ['a table of cat', ['cat', '--format', 'table', '--fields', 'packageName,templateId,synchronizerId']],
  ['the findings of verify', ['verify']],
  ['an error', ['filter', '-o', 'out', '--synchronizer', CLEAR]],
  ['a candidate', ['filter', '-o', 'out', '--party', 'b']],
  ['preflight', ['preflight', '--synchronizer', 's']],
  ['packages', ['packages']],
  ['diff', ['diff', fixture('snapshots/tiny.acs.gz')]],
  ['parties', ['parties']],
  ['split', ['split', '--by', 'synchronizer', '-d', 'SPLIT']],
])('%s shows nothing of a hostile file that a terminal obeys', async (_, words) => {
  const [command, ...options] = words.map((word) => (/^(SPLIT|out)$/.test(word) ? join(folder, word) : word));
  const { stdout, stderr } = await runCommand(command, hostile, ...options);
  expect(stdout + stderr).not.toMatch(OBEYED);
  expect(stdout + stderr).not.toMatch(/^0 errors/m);
});
