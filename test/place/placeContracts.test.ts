import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../cli/runCommand.js';
import { readAll } from '../convert/readAll.js';
import { fixture } from '../fixtures.js';

const NEW_SYNC = 'new-sync::122051d9f2365780a6da997ea1880cd2545154536367a2a04bf6b095ce14bcf4d0ca';
const OLD_SYNC = 'old-sync::1220505b6d123bdb279b71a8ab16f71adce57b17b8f6526dc1db06da937f47afc3eb';
const dar = ['--dar', fixture('paint/acme-paint-1.0.0.dar'), '--no-cache'];
const map = fixture('paint/party-map.csv');

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acs-place-'));
  const { status } = await runCommand(
    'remap',
    fixture('paint/old-ledger.acs.gz'),
    ...[
      '--map',
      map,
      ...dar,
      '--rename-synchronizer',
      `${OLD_SYNC}=${NEW_SYNC}`,
      '-o',
      at('new.acs.gz'),
      '-q',
    ],
  );
  expect(status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Placed {
  placements: number;
  unplaced: number;
  files: { participant: string; file: string; contracts: number; byParty: Record<string, number> }[];
}

async function place(...args: string[]) {
  const result = await runCommand('place', ...args, '--json');
  return { ...result, placed: (result.stdout === '' ? undefined : JSON.parse(result.stdout)) as Placed };
}

const counts = (byParty: Record<string, number>, hints: string[]): number[] =>
  hints.map((hint) => Object.entries(byParty).find(([party]) => party.startsWith(`${hint}::`))?.[1] ?? 0);

describe('acs place and acs count', () => {
  it('gives every participant of the paint ledger its contracts', async () => {
    const { status, placed } = await place(at('new.acs.gz'), '--hosting', map, '-o', at('import'));
    expect(status).toBe(0);
    expect(placed).toMatchObject({ contracts: 36, placements: 72, unplaced: 0 });
    expect(placed.files.map((f) => [f.participant, f.contracts])).toEqual([
      ['participant1', 36],
      ['participant2', 32],
      ['participant3', 4],
    ]);
    const owners = ['Alice', 'Bob', 'Carol', 'Dylan'];
    const painters = ['Kahlo', 'OKeeffe', 'Renoir', 'vanGogh'];
    const banks = ['Citi', 'PostFinance'];
    const table = placed.files.map(({ byParty }) => [
      counts(byParty, owners),
      counts(byParty, painters),
      counts(byParty, banks),
    ]);
    expect(table).toEqual([
      [
        [9, 9, 9, 9],
        [8, 8, 8, 8],
        [2, 2],
      ],
      [
        [8, 8, 8, 8],
        [8, 8, 8, 8],
        [0, 0],
      ],
      [
        [1, 1, 1, 1],
        [0, 0, 0, 0],
        [2, 2],
      ],
    ]);
    const distinct = new Set<string>();
    for (const [i, file] of placed.files.entries()) {
      const made = (await readAll(file.file)).contracts;
      const real = (await readAll(fixture(`paint/new.participant${i + 1}.acs.gz`))).contracts;
      const blobs = (contracts: typeof made) => contracts.map((c) => c.blob?.toString('hex')).sort();
      expect(blobs(made)).toEqual(blobs(real));
      expect(made.every((c) => c.synchronizerId === NEW_SYNC)).toBe(true);
      for (const contract of made) distinct.add(contract.contractId);
    }
    expect(distinct.size).toBe(36);
  });

  it('count proves the files, and a file of the real code too', async () => {
    const expectations = ['--expect', at('import/placement.csv')];
    const files = [1, 2, 3].map((n) => at(`import/participant${n}.new-sync.acs.gz`));
    expect((await runCommand('count', ...files, ...expectations)).status).toBe(0);
    const real = [1, 2, 3].map((n) => `participant${n}=${fixture(`paint/new.participant${n}.acs.gz`)}`);
    expect((await runCommand('count', ...real, ...expectations)).status).toBe(0);
    const wrong = await runCommand('count', `participant2=${files[0]}`, ...expectations, '--json');
    expect(wrong.status).toBe(1);
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      participant: 'participant2',
      expected: 32,
      contracts: 36,
      missing: [],
      differences: expect.arrayContaining([
        { what: 'template', name: 'Acme.Paint:Iou', expected: 0, found: 4 },
      ]),
    });
    expect((JSON.parse(wrong.stdout) as { unexpected: string[] }).unexpected).toHaveLength(4);
    const nameless = await runCommand('count', at('new.acs.gz'), ...expectations);
    expect(nameless.status).toBe(2);
    expect(nameless.stderr).toContain('PARTICIPANT_UNKNOWN');
    expect((await runCommand('count', at('new.acs.gz'))).stdout).toContain('Acme.Paint:OfferToPaint');
  });

  it('count reads stores, at an offset', async () => {
    const db = at('acs.db');
    const file = at('import/participant3.new-sync.acs.gz');
    const loaded = await runCommand('store', 'load', db, '--source', 'p3', '--offset', '100', file);
    expect(loaded.status).toBe(0);
    const equal = await runCommand(
      'count',
      `participant3=${db}`,
      '--expect',
      at('import/placement.csv'),
      '--json',
    );
    expect(equal.status).toBe(0);
    const fromFile = await runCommand('count', file, '--expect', at('import/placement.csv'), '--json');
    const bare = (stdout: string) => ({ ...(JSON.parse(stdout) as object), file: '' });
    expect(bare(equal.stdout)).toEqual(bare(fromFile.stdout));
    const other = await runCommand('count', `participant2=${db}`, '--expect', at('import/placement.csv'));
    expect(other.status).toBe(1);
    expect((await runCommand('count', db, '--source', 'nobody')).status).toBeGreaterThan(1);
  });

  it('files of a participant on two synchronizers are each proved against their own part', async () => {
    const source = fixture('snapshots/two-synchronizers.acs.gz');
    const { contracts } = await readAll(source);
    const synchronizers = [...new Set(contracts.map((c) => c.synchronizerId ?? ''))].sort();
    const parties = [...new Set(contracts.flatMap((c) => [...c.signatories, ...c.observers]))];
    const hosting = at('two.csv');
    writeFileSync(hosting, ['old,new,participant', ...parties.map((p) => `${p},${p},p1`)].join('\n'));
    const { placed } = await place(source, '--hosting', hosting, '-o', at('two'));
    const expectations = ['--expect', at('two/placement.csv')];
    const files = placed.files.map(({ file }) => file);
    expect(files).toHaveLength(2);
    const both = await runCommand('count', ...files, ...expectations);
    expect(both).toMatchObject({ status: 0, stderr: '' });

    // A file that was forgotten is named; so is nothing when a whole export was compared.
    const one = await runCommand('count', files[0], ...expectations);
    expect(one.status).toBe(0);
    expect(one.stderr).toMatch(
      /no file was given for 1 import files of the placement: p1\..* \[NOT_COUNTED\]/,
    );
    expect(await runCommand('count', `p1=${source}`, ...expectations)).toMatchObject({
      status: 0,
      stderr: '',
    });

    // The contracts of the other synchronizer do not belong in this file.
    copyFileSync(source, files[0]);
    const mixed = await runCommand('count', files[0], ...expectations, '--json');
    expect(mixed.status).toBe(1);
    const others = contracts.filter((c) => c.synchronizerId !== synchronizers[0]).length;
    expect((JSON.parse(mixed.stdout) as { unexpected: string[] }).unexpected).toHaveLength(others);
    const half = await runCommand(
      'count',
      `p1=${source}`,
      ...expectations,
      '--synchronizer',
      synchronizers[0],
    );
    expect(half).toMatchObject({ status: 0, stderr: '' });
  });

  it('a synchronizer that the placement does not have proves nothing', async () => {
    const words = [at('import/participant1.new-sync.acs.gz'), '--synchronizer', OLD_SYNC];
    const none = await runCommand('count', ...words, '--expect', at('import/placement.csv'));
    expect(none.status).toBe(2);
    expect(none.stderr).toContain(`the placement has nothing on ${OLD_SYNC}`);
    expect((await runCommand('count', ...words)).status).toBe(2);
  });

  it('inputs that overlap give each contract once', async () => {
    const files = [1, 2, 3].map((n) => fixture(`paint/new.participant${n}.acs.gz`));
    const { placed, status } = await place(...files, '--hosting', map, '-o', at('again'));
    expect(status).toBe(0);
    expect(placed).toMatchObject({ contracts: 36, placements: 72, duplicates: 36 });
  });

  it('a file of an earlier placement is not replaced by what is made of it', async () => {
    const { placed } = await place(at('new.acs.gz'), '--hosting', map, '-o', at('twice'));
    const [{ file }] = placed.files;
    const before = readFileSync(file);
    const { status, stderr } = await place(file, '--hosting', map, '-o', at('twice'));
    expect(status).toBe(2);
    expect(stderr).toContain('is an input too');
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('a contract that nobody hosts is an error, and nothing is written', async () => {
    const partial = at('partial.csv');
    writeFileSync(
      partial,
      readFileSync(map, 'utf8')
        .split('\n')
        .filter((line) => !/^(Kahlo|Alice)::/.test(line))
        .join('\n'),
    );
    const refused = await place(at('new.acs.gz'), '--hosting', partial, '-o', at('none'));
    expect(refused.status).toBe(4);
    expect(refused.stderr).toContain('UNPLACED');
    expect(() => readFileSync(at('none/placement.csv'))).toThrow();
    expect(() => readFileSync(at('none/participant1.new-sync.acs.gz'))).toThrow();
    const allowed = await place(at('new.acs.gz'), '--hosting', partial, '-o', at('some'), '--allow-unplaced');
    expect(allowed.status).toBe(3);
    expect(allowed.placed).toMatchObject({ unplaced: 2 });
    expect(allowed.stderr).toContain('PARTLY_HOSTED');
  });

  it('a hosting map of one synchronizer places nothing on another', async () => {
    const hosting = at('hosting.json');
    const party = readFileSync(map, 'utf8').split('\n')[1].split(',')[1];
    const json = (synchronizer: string) => ({
      synchronizer_id: synchronizer,
      participants: { p1: { participant_uid: `p1::1220${'11'.repeat(32)}`, hosts: [party] } },
    });
    writeFileSync(hosting, JSON.stringify(json(OLD_SYNC)));
    const foreign = await place(at('new.acs.gz'), '--hosting', hosting, '-o', at('f'), '--allow-unplaced');
    expect(foreign.placed).toMatchObject({ unplaced: 36, files: [] });
    expect(foreign.stderr).toContain('NO_HOSTING');
    writeFileSync(hosting, JSON.stringify(json(NEW_SYNC)));
    const own = await place(at('new.acs.gz'), '--hosting', hosting, '-o', at('g'), '--allow-unplaced');
    expect(own.placed.files).toMatchObject([{ participant: 'p1', contracts: 9 }]);
  });

  it('two hosting maps for one synchronizer are refused, where the second was not looked at', async () => {
    const rows = readFileSync(map, 'utf8').trim().split('\n');
    const halves = [rows.slice(1, 5), rows.slice(5)].map((half, i) => {
      writeFileSync(at(`half${i}.csv`), [rows[0], ...half].join('\n'));
      return ['--hosting', at(`half${i}.csv`)];
    });
    const both = await place(at('new.acs.gz'), ...halves.flat(), '-o', at('halves'));
    expect(both.status).toBe(2);
    expect(both.stderr).toContain('HOSTING_AMBIGUOUS');
  });

  it('lists what was only witnessed, and does not import it', async () => {
    const hosting = at('witness.json');
    writeFileSync(
      hosting,
      JSON.stringify({
        participants: {
          a: {
            participant_uid: `a::1220${'11'.repeat(32)}`,
            hosts: ['bank::12204820f450d2c6afaf88465efc47de759fe31cde4a12c1f23d3979fd3ae3437472'],
          },
        },
      }),
    );
    const { placed } = await place(
      fixture('live/p1.export-acs.acme.acs.gz'),
      ...['--hosting', hosting, '--include-witnesses', '--allow-unplaced', '-o', at('w')],
    );
    expect(placed).toMatchObject({ witnesses: 0 });
    expect(readFileSync(at('w/witnesses.csv'), 'utf8').split('\n')[0]).toContain('contract_id');
  });
});

describe('acs parties', () => {
  it('names roles, templates and hosts', async () => {
    const { stdout, status } = await runCommand('parties', at('new.acs.gz'), '--hosting', map, '--json');
    expect(status).toBe(0);
    const result = JSON.parse(stdout) as { parties: { party: string }[] };
    expect(result.parties).toHaveLength(10);
    expect(result.parties.find(({ party }) => party.startsWith('Citi::'))).toMatchObject({
      signatory: 2,
      observer: 0,
      named: 18,
      templates: { 'Acme.Paint:Iou': 2 },
      hosts: ['participant3'],
    });
  });

  it('without types says that arguments were not looked into', async () => {
    const { stderr, status } = await runCommand('parties', fixture('paint/sandbox.query.json'), '--json');
    expect(status).toBe(1);
    expect(stderr).toContain('TYPES_MISSING');
  });

  it('completes a partial map: fingerprints per participant, allocation plan', async () => {
    const start = at('start.csv');
    writeFileSync(
      start,
      `old,participant\n${readFileSync(fixture('paint/party-map.plain.csv'), 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => `${line.split(',')[0]},${line.split(',')[2]}`)
        .join('\n')}\n`,
    );
    const namespaces = new Map(
      readFileSync(map, 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => [line.split(',')[2], line.split(',')[1].split('::')[1]]),
    );
    const flags = [...namespaces].flatMap(([participant, fingerprint]) => [
      '--namespace',
      `${participant}=${fingerprint}`,
    ]);
    const sandbox = fixture('paint/sandbox.query.json');
    const { status, stdout } = await runCommand(
      'parties',
      'map',
      sandbox,
      ...[...dar, '--map', start, ...flags, '-o', at('map.csv'), '--plan', at('plan.json'), '--json'],
    );
    expect(status).toBe(0);
    const lines = (file: string) => readFileSync(file, 'utf8').trim().split('\n').sort();
    expect(lines(at('map.csv'))).toEqual(lines(fixture('paint/party-map.plain.csv')));
    expect(JSON.parse(stdout)).toMatchObject({ unmapped: [], unused: [] });
    const plan = JSON.parse(readFileSync(at('plan.json'), 'utf8')) as Record<string, { hint: string }[]>;
    expect(plan.participant3.map(({ hint }) => hint)).toEqual(['Citi', 'PostFinance']);
    const incomplete = await runCommand('parties', 'map', sandbox, ...dar, '-o', at('m2.csv'), '--json');
    expect(incomplete.status).toBe(1);
    expect((JSON.parse(incomplete.stdout) as { unmapped: unknown[] }).unmapped).toHaveLength(10);
    const stripped = await runCommand(
      'parties',
      'map',
      at('new.acs.gz'),
      '--strip',
      '-o',
      at('m3.csv'),
      '--json',
    );
    expect(
      (JSON.parse(stripped.stdout) as { entries: { new: string }[] }).entries.map((e) => e.new).sort()[0],
    ).toBe('Alice');
  });
});
