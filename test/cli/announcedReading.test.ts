/** The ETA is only as good as what a command says it will read: held here against what it does read. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FilesToRead, ProgressOptions } from '../../src/cli/progress.js';
import { onReadOf } from '../../src/io/readMeter.js';
import { fixture } from '../fixtures.js';
import { runCommand } from './runCommand.js';

/** Per file a command announced: how often it was to be read, its size, what was read of it since. */
const announced: { file: string; passes: number; size: number; read: number; stop: () => void }[] = [];
vi.mock('../../src/cli/progress.js', async (original) => {
  const module = await original<typeof import('../../src/cli/progress.js')>();
  return {
    ...module,
    startProgress(options: ProgressOptions) {
      const { extent } = options;
      for (const file of extent !== undefined && 'files' in extent ? extent.files : []) {
        const entry = {
          file,
          passes: (extent as FilesToRead).passes ?? 1,
          size: statSync(file).size,
          read: 0,
        };
        const stop = onReadOf([file], (bytes) => {
          entry.read += bytes;
        });
        announced.push(Object.assign(entry, { stop }));
      }
      return module.startProgress(options);
    },
  };
});

const folder = mkdtempSync(join(tmpdir(), 'acs-progress-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const out = (name: string): string => join(folder, name);
const snapshot = (name: string): string => fixture(`snapshots/${name}`);
const paint = (name: string): string => fixture(`paint/${name}`);
const participants = [1, 2, 3].map((n) => snapshot(`multi/participant${n}.acs.gz`));
const HOSTING = ['--hosting', snapshot('multi/hosting.json')];
const DARS = ['--dar', fixture('dars'), '--no-cache'];
const TWO = snapshot('two-synchronizers.acs.gz');
const JSON_API = paint('json-ledger-api-v2.active-contracts.json');
const CUT = out('cut.acs.gz');
const INDEXED = out('indexed.acs.gz');
const PLAN = out('plan');
const SYNC = 'acme-sync::12200d8ea5dcacc1d9e65dc355a721dc7e95508220a3dcc4e18174349dc164c062a6';

describe('what a command says it will read, it reads', () => {
  beforeAll(async () => {
    await runCommand('filter', TWO, '-o', INDEXED, '--manifest');
    writeFileSync(CUT, readFileSync(TWO).subarray(0, -1000));
  });
  afterEach(() => {
    for (const { stop } of announced.splice(0)) stop();
  });

  /**
   * `look`: the beginning is looked at first, which is all of a file as small as these. `atMost`: how much is needed
   * depends on the files.
   */
  const commands: [name: string, words: string[], how?: 'look' | 'atMost'][] = [
    ['info', ['info', TWO]],
    ['info by the piece index', ['info', INDEXED]],
    ['cat', ['cat', TWO]],
    ['filter', ['filter', TWO, '-o', out('filtered')]],
    ['filter by the piece index', ['filter', INDEXED, '-o', out('filtered')]],
    ['split', ['split', TWO, '-d', out('parts'), '--by', 'synchronizer']],
    ['merge', ['merge', TWO, snapshot('tiny.acs.gz'), '-o', out('merged')]],
    ['verify', ['verify', TWO]],
    ['verify with a manifest', ['verify', INDEXED]],
    ['verify ids', ['verify', TWO, '--authenticate', '--threads', '1']],
    ['packages', ['packages', TWO]],
    ['preflight', ['preflight', TWO, '--synchronizer', SYNC]],
    ['recover', ['recover', CUT, '-o', out('recovered')], 'look'],
    ['recover a whole file', ['recover', INDEXED, '-o', out('recovered')], 'atMost'],
    ['convert a snapshot', ['convert', TWO, '-o', out('converted')]],
    ['convert JSON', ['convert', JSON_API, '-o', out('converted')]],
    ['remap', ['remap', TWO, '-o', out('remapped'), '--rename-synchronizer', `${SYNC}=other::1220ab`]],
    ['parties', ['parties', TWO]],
    ['place', ['place', participants[0], ...HOSTING, '-o', out('placed'), '--allow-unplaced']],
    ['count', ['count', TWO]],
    ['store load', ['store', 'load', out('a.db'), '--source', 'p', TWO, '--offset', '7'], 'look'],
    [
      'store append',
      [
        'store',
        'append',
        out('b.db'),
        '--source',
        'p',
        '--begin',
        '0',
        fixture('live/p1.updates.acs-delta.bin.gz'),
      ],
    ],
    ['diff', ['diff', ...participants, ...HOSTING]],
    ['commitment', ['commitment', participants[0], ...HOSTING, '--participant', 'participant1']],
    [
      'commitment open',
      [
        'commitment',
        'open',
        participants[0],
        ...HOSTING,
        '--participant',
        'participant1',
        '--with',
        'participant2',
        '-o',
        out('opened'),
      ],
    ],
    ['plan', ['plan', ...participants, ...HOSTING, ...DARS, '--policy', 'union', '-o', PLAN], 'atMost'],
    ['simulate', ['plan', 'simulate', PLAN], 'atMost'],
    ['simulate the way back', ['plan', 'simulate', PLAN, '--inverse'], 'atMost'],
  ];
  it.each(commands)('%s', async (_name, words, how) => {
    announced.splice(0);
    const { status, stderr } = await runCommand(...words);
    expect(status, stderr).toBeLessThan(4);
    expect(announced.length).toBeGreaterThan(0);
    for (const { file, passes, size, read } of announced) {
      const times = read / size - (how === 'look' ? 1 : 0);
      expect(times, file).toBeLessThanOrEqual(passes);
      expect(times, file).toBeGreaterThan(how === 'atMost' ? 0 : passes - 0.01);
    }
  });
});
