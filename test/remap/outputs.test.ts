import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadDars } from '../../src/dar/catalog.js';
import { readPartyMap } from '../../src/remap/partyMap.js';
import { remapContracts } from '../../src/remap/remap.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture } from '../fixtures.js';

const map = fixture('paint/party-map.csv');
const input = fixture('paint/old-ledger.acs.gz');
const words = ['--map', map, '--dar', fixture('paint/acme-paint-1.0.0.dar'), '--no-cache', '-q'];

let top: string;
let folder: string;
let runs = 0;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'acs-outputs-'));
});
beforeEach(() => {
  folder = join(top, `${runs++}`);
  mkdirSync(folder);
});
afterAll(() => rmSync(top, { recursive: true }));

describe('the files that a remap writes', () => {
  it('an id map never takes the place of an output or an input', async () => {
    writeFileSync(at('in.acs.gz'), readFileSync(input));
    for (const idMap of ['out.acs.gz', 'in.acs.gz']) {
      const paths = [at('in.acs.gz'), '-o', at('out.acs.gz'), '--id-map', at(`../${runs - 1}/${idMap}`)];
      const run = await runCommand('remap', ...paths, ...words);
      expect(run.status).toBe(2);
      expect(run.stderr).toMatch(/USAGE/);
    }
    const several = [input, fixture('paint/old-ledger-with-references.acs.gz')];
    const within = ['-o', at('out'), '--id-map', at('out/old-ledger.acs.gz')];
    const run = await runCommand('remap', ...several, ...within, ...words);
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/OUTPUT_NAMES_CLASH/);
    expect(existsSync(at('out'))).toBe(false);
    expect(existsSync(at('out.acs.gz'))).toBe(false);
    expect(readFileSync(at('in.acs.gz'))).toEqual(readFileSync(input));
  });

  it('nothing is written when the id map cannot be', async () => {
    writeFileSync(at('file'), '');
    const run = await runCommand(
      'remap',
      input,
      ...['-o', at('out.acs.gz'), '--id-map', at('file/map.csv'), ...words],
    );
    expect(run.status).toBe(4);
    expect(run.stderr).toContain('FILE_UNWRITABLE');
    expect(existsSync(at('out.acs.gz'))).toBe(false);
  });

  it('nor when a later input changes while it is read', async () => {
    const [first, second] = [at('first.acs.gz'), at('second.acs.gz')];
    writeFileSync(first, readFileSync(input));
    writeFileSync(second, readFileSync(fixture('paint/old-ledger-with-references.acs.gz')));
    let chunks = 0;
    const afterChunk = (): void => {
      // Both have been read once.
      if (++chunks === 2) writeFileSync(second, readFileSync(input));
    };
    const dars = await loadDars([fixture('paint/acme-paint-1.0.0.dar')], { cacheDir: false });
    const run = remapContracts([first, second], {
      map: await readPartyMap(map),
      compiler: new PlanCompiler(dars),
      output: at('out'),
      read: { afterChunk },
    });
    await expect(run).rejects.toMatchObject({ code: 'INPUT_CHANGED', place: { file: second } });
    expect(readdirSync(at('out'))).toEqual([]);
  });

  it('standard output takes one file', async () => {
    const references = fixture('paint/old-ledger-with-references.acs.gz');
    const run = await runCommand('remap', input, references, '-o', '-', ...words);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('standard output takes one');
  });

  it('--no-overwrite holds for every one of them, before anything is written', async () => {
    const remap = [input, '-o', at('out.acs.gz'), ...words, '--no-overwrite'];
    writeFileSync(at('out.acs.gz.id-map.csv'), 'mine');
    const run = await runCommand('remap', ...remap);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('FILE_EXISTS');
    expect(existsSync(at('out.acs.gz'))).toBe(false);
    expect(readFileSync(at('out.acs.gz.id-map.csv'), 'utf8')).toBe('mine');

    const several = [input, fixture('paint/old-ledger-with-references.acs.gz'), ...words, '--no-overwrite'];
    mkdirSync(at('several'));
    writeFileSync(at('several/old-ledger-with-references.acs.gz'), 'mine');
    expect((await runCommand('remap', ...several, '-o', at('several'))).status).toBe(2);
    expect(existsSync(at('several/old-ledger.acs.gz'))).toBe(false);
  });

  it('… and for the placement and its files', async () => {
    await runCommand('remap', input, '-o', at('new.acs.gz'), ...words);
    const place = [at('new.acs.gz'), '--hosting', map, '-o', at('import'), '--no-overwrite', '-q'];
    mkdirSync(at('import'));
    writeFileSync(at('import/placement.csv'), 'mine');
    const run = await runCommand('place', ...place);
    expect(run.status).toBe(2);
    expect(readFileSync(at('import/placement.csv'), 'utf8')).toBe('mine');
    expect(existsSync(at('import/participant1.old-sync.acs.gz'))).toBe(false);
    rmSync(at('import/placement.csv'));
    expect((await runCommand('place', ...place)).status).toBe(0);
    expect((await runCommand('place', ...place)).status).toBe(2);
  });
});
