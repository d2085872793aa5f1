import { beforeAll, describe, expect, it } from 'vitest';
import { type DarCatalog, loadDars } from '../../src/dar/catalog.js';
import { catSnapshot, rowJson } from '../../src/inspect/cat.js';
import { labelledRenderer } from '../../src/inspect/labelledArgument.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture, jsonLines } from '../fixtures.js';

interface Expected {
  contract_id: string;
  representative_package_id: string;
  create_argument: unknown;
  contract_key?: unknown;
}

const FILES: [string, string][] = [
  ['snapshots/tiny.acs.gz', 'snapshots/tiny.expected.jsonl'],
  ['snapshots/tiny-verbose.acs.gz', 'snapshots/tiny.expected.jsonl'],
  ['snapshots/two-synchronizers.acs.gz', 'snapshots/two-synchronizers.expected.jsonl.gz'],
  ['snapshots/multi/participant1.acs.gz', 'snapshots/multi/participant1.expected.jsonl.gz'],
  ['snapshots/multi/participant2.acs.gz', 'snapshots/multi/participant2.expected.jsonl.gz'],
  ['snapshots/multi/participant3.acs.gz', 'snapshots/multi/participant3.expected.jsonl.gz'],
];

let catalog: DarCatalog;
beforeAll(async () => {
  catalog = await loadDars([fixture('dars')], { cacheDir: false });
});

describe('labelled arguments', () => {
  it.each(FILES)('%s: what the JSON Ledger API prints, key order included', async (file, sidecar) => {
    const lines: string[] = [];
    const render = labelledRenderer(catalog);
    await catSnapshot(fixture(file), (row, names) => lines.push(rowJson(row, names)), {
      fields: ['contractId', 'argumentForm', 'argumentPackageId', 'createArgument', 'contractKey'],
      render,
    });
    const want = jsonLines<Expected>(fixture(sidecar)).map((e) => {
      const row = {
        contractId: e.contract_id,
        argumentForm: 'labelled',
        argumentPackageId: e.representative_package_id,
        createArgument: e.create_argument,
        contractKey: e.contract_key,
      };
      return `${JSON.stringify(row)}\n`;
    });
    expect(lines).toEqual(want);
  });

  it('fall back to an older package, then to positions', async () => {
    const older = await loadDars([fixture('dars/acme-iou-1.0.0.dar')], { cacheDir: false });
    const reasons: string[] = [];
    const forms: string[] = [];
    const render = labelledRenderer(older, { onPositional: (_id, reason) => reasons.push(reason.code) });
    await catSnapshot(fixture('snapshots/tiny.acs.gz'), (row) => forms.push(row.join(' ')), {
      fields: ['templateId', 'argumentForm'],
      render,
    });
    const iou = forms.filter((line) => line.includes('Acme.Iou:Iou'));
    expect(iou.some((line) => line.includes('labelled'))).toBe(true);
    // A contract of 1.1.0 whose new fields are set does not fit 1.0.0.
    expect(iou.some((line) => line.includes('positional'))).toBe(true);
    expect(new Set(reasons)).toEqual(new Set(['PACKAGE_MISSING', 'TYPE_EXTRA_FIELD']));
  });

  it('acs cat --dar', async () => {
    const dar = ['--dar', fixture('dars'), '--no-cache'];
    const labelled = await runCommand('cat', fixture('snapshots/tiny.acs.gz'), ...dar);
    expect([labelled.status, labelled.stderr]).toEqual([0, '']);
    expect(labelled.stdout.match(/"argumentForm":"labelled"/g)).toHaveLength(12);
    const some = await runCommand(
      'cat',
      fixture('snapshots/tiny.acs.gz'),
      '--dar',
      fixture('dars/acme-keys-1.0.0.dar'),
      '--no-cache',
    );
    expect(some.status).toBe(0);
    expect(some.stderr).toMatch(/11 contracts are printed positionally, the first because: no package named/);
    const broken = await runCommand(
      'cat',
      fixture('snapshots/tiny.acs.gz'),
      '--dar',
      fixture('snapshots/tiny.acs.gz'),
      '--no-cache',
    );
    expect(broken.status).toBe(4);
    expect(broken.stderr).toMatch(/DALF_MALFORMED/);
  });
});
