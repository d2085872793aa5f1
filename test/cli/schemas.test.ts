import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { CliCommand } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { startProgress } from '../../src/cli/progress.js';
import { fixture } from '../fixtures.js';
import { eachSubschema, jsonDocuments, resolveRef, SCHEMAS, schemaFaults } from './jsonSchemas.js';
import { runCommand } from './runCommand.js';

const folder = mkdtempSync(join(tmpdir(), 'acs-schemas-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const out = (name: string): string => join(folder, name);
const snapshot = (name: string): string => fixture(`snapshots/${name}`);
const participant = (n: number): string => snapshot(`multi/participant${n}.acs.gz`);
const paint = (name: string): string => fixture(`paint/${name}`);

const TINY = snapshot('tiny.acs.gz');
const TWO = snapshot('two-synchronizers.acs.gz');
const LIVE = fixture('live/p1.export-acs.no-party-filter.acs.gz');
const DARS = ['--dar', fixture('dars'), '--no-cache'];
const PAINT_DAR = ['--dar', paint('acme-paint-1.0.0.dar'), '--no-cache'];
const HOSTING = ['--hosting', snapshot('multi/hosting.json')];
const BETWEEN = [...HOSTING, '--participant', 'participant1', '--with', 'participant2'];
const dar = (name: string): string => fixture(`dars/${name}.dar`);

/** Shapes of others, or columns of tables: their words are joined by underscores. */
const SNAKE_CASE = ['hosting', 'store-export-line'];

/**
 * Definitions that several schemas extend, which close them with `unevaluatedProperties`; and an input, which may say
 * more than is read.
 */
const OPEN = ['common/$defs/diffSummary', 'plan-file/$defs/head', 'hosting'];

/** Schemas that some output was held against. */
const used = new Set<string>();

/** Runs a command with --json and holds everything it prints against the schemas. */
async function check(schema: string | null, status: number, ...argv: string[]): Promise<unknown[]> {
  const result = await runCommand(...argv, '--json');
  const said = `${argv.join(' ')}\n${result.stderr}${result.stdout.slice(0, 2000)}`;
  expect(result.status, said).toBe(status);
  for (const line of result.stderr.split('\n').filter((each) => each !== '')) {
    const talk = JSON.parse(line) as object;
    const kind = ['error', 'warning', 'note', 'progress'].find((each) => each in talk) ?? 'error';
    used.add(kind);
    expect(schemaFaults(kind, talk), line).toEqual([]);
  }
  const documents = jsonDocuments(result.stdout);
  if (schema === null) expect(documents, said).toEqual([]);
  else {
    expect(documents.length, said).toBeGreaterThan(0);
    used.add(schema);
    for (const document of documents)
      expect(schemaFaults(schema, document), `${argv.join(' ')}: ${JSON.stringify(document)}`).toEqual([]);
  }
  return documents;
}

/** Holds the lines of a file that a command wrote against a schema. */
function checkFile(schema: string, path: string): void {
  const lines = jsonDocuments(readFileSync(path, 'utf8'));
  expect(lines.length).toBeGreaterThan(0);
  used.add(schema);
  for (const line of lines) expect(schemaFaults(schema, line), JSON.stringify(line)).toEqual([]);
}

/** A snapshot with one byte wrong in the middle of its compressed data. */
function damaged(): string {
  const content = gunzipSync(readFileSync(TWO));
  const bytes = Buffer.concat([gzipSync(content.subarray(0, 40_000)), gzipSync(content.subarray(40_000))]);
  bytes[bytes.length >> 1] ^= 0xff;
  const path = out('damaged.acs.gz');
  writeFileSync(path, bytes);
  return path;
}

describe('every JSON output fits its schema', () => {
  it('info', async () => {
    await check('info', 0, 'info', TINY, TWO, LIVE);
    await check('info', 0, 'info', paint('sandbox.query.json'));
    await check('info', 0, 'info', fixture('live/p1.export-acs.nobody.acs.gz'));
    const two = out('two-members.acs.gz');
    writeFileSync(two, Buffer.concat([readFileSync(TINY), readFileSync(TINY), Buffer.from('junk')]));
    await check('info', 1, 'info', two);
    await check(null, 4, 'info', damaged());
  });

  it('cat', async () => {
    await check('cat', 0, 'cat', TINY, '--blob');
    await check('cat', 0, 'cat', TINY, ...DARS);
    await check('cat', 0, 'cat', LIVE);
    await check('cat', 0, 'cat', LIVE, '--fields', 'contractId,offset');
    await check(null, 1, 'cat', TINY, '--contract', 'ab'.repeat(69));
    await check(null, 2, 'cat', TINY, '--format', 'csv');
  });

  it('filter, with a manifest', async () => {
    const [result] = await check(
      'filter',
      0,
      'filter',
      TWO,
      '-o',
      out('f'),
      '--party',
      'alice::',
      '--manifest',
    );
    const { manifestFile } = result as { manifestFile: string };
    checkFile('manifest', manifestFile);
    await check('info', 0, 'info', out('f'));
    await check('verify', 0, 'verify', out('f'));
    await check('filter', 0, 'filter', LIVE, '-o', out('f'));
    await check('filter', 1, 'filter', LIVE, '-o', out('f'), '--contract', 'ab'.repeat(69));
    await check('filter', 1, 'filter', LIVE, '-o', out('f'), '--party', '=nobody::1220ab');
    await check(null, 2, 'filter', LIVE, '-o', out('f'), '--party', 'nobody::');
  });

  it('split and merge', async () => {
    await check('split', 0, 'split', TWO, '-d', out('parts'), '--by', 'synchronizer', '--manifest');
    await check('split', 0, 'split', LIVE, '-d', out('counted'), '--by', 'count', '--size', '5');
    await check('merge', 0, 'merge', TINY, TINY, LIVE, '-o', out('merged'));
    const moved = out('moved');
    const rename =
      'acme-sync::12200d8ea5dcacc1d9e65dc355a721dc7e95508220a3dcc4e18174349dc164c062a6=other::1220ab';
    await check(
      'remap',
      0,
      'remap',
      TINY,
      ...DARS,
      '--rename-synchronizer',
      rename,
      '--keep-ids',
      '-o',
      moved,
    );
    await check('merge', 1, 'merge', TINY, moved, '-o', out('merged'));
  });

  it('recover', async () => {
    await check('recover', 3, 'recover', damaged(), '-o', out('saved'));
    await check('recover', 0, 'recover', TINY, '-o', out('saved'));
    writeFileSync(out('hopeless'), readFileSync(TINY).subarray(0, 100));
    await check(null, 4, 'recover', out('hopeless'), '-o', out('saved'));
  });

  it('convert', async () => {
    await check('convert', 0, 'convert', paint('json-ledger-api-v2.active-contracts.json'), '-o', out('c'));
    await check('convert', 3, 'convert', paint('sandbox.query.json'), '--to', 'jsonl', '-o', out('c'));
    await check('convert', 3, 'convert', LIVE, TINY, '-o', out('c'));
    await check(null, 4, 'convert', paint('sandbox.query.json'), '-o', out('c'));
    const forms = [LIVE, paint('sandbox.query.json'), paint('json-ledger-api-v2.active-contracts.json')];
    for (const source of [...forms, snapshot('tiny-verbose.acs.gz')]) {
      await runCommand('convert', source, '--to', 'jsonl', '-o', out('lines'));
      checkFile('convert-line', out('lines'));
    }
  });

  it('remap', async () => {
    const map = ['--map', paint('party-map.csv'), ...PAINT_DAR];
    await check('remap', 0, 'remap', paint('old-ledger.acs.gz'), ...map, '-o', out('new'));
    const plain = ['--map', paint('party-map.plain.csv'), ...PAINT_DAR];
    const given = ['--synchronizer', 'new::1220ab', '--created-at', '2026-01-01T00:00:00Z'];
    const mint = ['--seed', 'a seed of sixteen bytes or more'];
    await check(
      'remap',
      0,
      'remap',
      paint('sandbox.query.json'),
      ...plain,
      ...given,
      ...mint,
      '-o',
      out('minted'),
    );
    await check('remap', 4, 'remap', TINY, '--map', paint('party-map.csv'), ...DARS, '-o', out('refused'));
  });

  it('parties, place and count', async () => {
    const hosting = ['--hosting', paint('party-map.csv')];
    await check('parties', 0, 'parties', paint('old-ledger.acs.gz'), TINY, ...hosting);
    await check('parties', 1, 'parties', paint('sandbox.query.json'));
    const plan = ['--plan', out('plan.json'), '-o', out('map.csv')];
    const files = [paint('old-ledger.acs.gz'), ...PAINT_DAR, '--namespace', 'participant1=1220ab'];
    await check(
      'parties-map',
      0,
      'parties',
      'map',
      ...files,
      '--default-participant',
      'participant1',
      ...plan,
    );
    checkFile('party-allocation', out('plan.json'));
    await check('parties-map', 0, 'parties', 'map', ...files, '--map', paint('party-map.csv'), ...plan);
    await check(
      'parties-map',
      1,
      'parties',
      'map',
      TINY,
      '--map',
      paint('party-map.csv'),
      '-o',
      out('map.csv'),
    );

    const multi = [participant(1), participant(2), ...HOSTING];
    await check('place', 1, 'place', ...multi, '-o', out('placed'), '--include-witnesses');
    await check('place', 3, 'place', TINY, ...hosting, '-o', out('unplaced'), '--allow-unplaced');
    await check('count', 0, 'count', TINY, LIVE);
    const expected = ['--expect', out('placed/placement.csv')];
    await check('count', 1, 'count', `participant1=${participant(3)}`, ...expected);
    await check(null, 2, 'count', TINY, ...expected);
  });

  it('verify', async () => {
    await check('verify', 0, 'verify', TINY, TWO);
    await check('verify', 0, 'verify', TINY, ...DARS);
    await check('verify', 1, 'verify', TINY, '--authenticate');
    await check('verify', 1, 'verify', LIVE, damaged(), '--max-findings', '2');
  });

  it('packages and preflight', async () => {
    writeFileSync(out('known'), `${'ab'.repeat(32)}\n`);
    const known = ['--known', out('known')];
    await check('packages', 0, 'packages', TINY, ...DARS);
    await check('packages', 1, 'packages', TINY, ...known, '--write-overrides', out('overrides.json'));
    checkFile('import-overrides', out('overrides.json'));
    const acme = 'acme-sync::12200d8ea5dcacc1d9e65dc355a721dc7e95508220a3dcc4e18174349dc164c062a6';
    await check('preflight', 1, 'preflight', TWO, '--synchronizer', acme, ...DARS);
    await check('preflight', 0, 'preflight', TINY, '--synchronizer', acme, '--multi-synchronizer', ...DARS);
    await check('preflight', 1, 'preflight', TINY, '--synchronizer', acme, '--hosted', 'x::1220', ...known);
    await check('preflight', 1, 'preflight', LIVE, '--synchronizer', acme);
    await check('preflight', 1, 'preflight', damaged(), '--synchronizer', acme);
    await check(null, 2, 'preflight', TINY, '--synchronizer', 'none');
  });

  it('dar', async () => {
    const files = [dar('acme-iou-1.0.0'), dar('acme-iou-1.1.0'), dar('acme-registry-1.0.0')];
    await check('dar-info', 0, 'dar', 'info', ...files, '--no-cache');
    await check('dar-types', 0, 'dar', 'types', ...files, '--internal', '--no-cache');
    await check('dar-templates', 0, 'dar', 'templates', ...files, dar('acme-keys-1.0.0'), '--no-cache');
    await check('dar-templates', 0, 'dar', 'templates', dar('acme-holding-api-1.0.0'), '--no-cache');
    await check('dar-diff', 0, 'dar', 'diff', files[0], files[1], '--no-cache');
    await check('dar-diff', 1, 'dar', 'diff', files[1], files[0], '--no-cache');
    await check(null, 2, 'dar', 'types', files[0], '--name', 'No:Such', '--no-cache');
  });

  it('diff', async () => {
    const all = [participant(1), participant(2), participant(3), ...HOSTING];
    await check('diff', 1, 'diff', ...all);
    await check('diff', 1, 'diff', TINY, TWO);
    await check('diff', 1, 'diff', LIVE, TINY, '--allow-skew');
    await check('diff-line', 1, 'diff', ...all, '--format', 'jsonl');
    const pair = [participant(1), participant(3), ...HOSTING];
    await check('canton-mismatch', 1, 'diff', ...pair, '--format', 'canton-mismatch');
    await check('diff', 1, 'diff', ...pair, '--format', 'jsonl', '-o', out('differences'));
    checkFile('diff-line', out('differences'));
    await check('diff', 1, 'diff', ...pair, '--format', 'html', '-o', out('report.html'));
    await check(null, 1, 'diff', ...pair, '-o', out('summary.json'));
    checkFile('diff', out('summary.json'));
    await check(null, 2, 'diff', ...pair, '--format', 'html');
  });

  it('plan', async () => {
    const files = [1, 2, 3].map(participant);
    const target = ['--target-synchronizer', 'new-sync::1220ab'];
    for (const [name, ...more] of [
      ['union', '--policy', 'union'],
      ['lost-synchronizer', '--policy', 'intersection', ...target],
    ] as const) {
      await check('plan', 0, 'plan', ...files, ...HOSTING, ...DARS, ...more, '-o', out(name));
      checkFile('plan-file', join(out(name), 'plan.json'));
      checkFile('plan-file', join(out(name), 'inverse', 'plan.json'));
      const [shown] = await check('plan-show', 0, 'plan', 'show', out(name));
      used.add('hosting');
      expect(schemaFaults('hosting', JSON.parse(readFileSync(HOSTING[1], 'utf8')))).toEqual([]);
      expect(schemaFaults('hosting', (shown as { hosting: unknown }).hosting)).toEqual([]);
      await check('plan-simulate', 0, 'plan', 'simulate', out(name), '--inverse');
    }
    await check(null, 4, 'plan', 'show', out('no-plan'));
  });

  it('store', async () => {
    const db = out('store.db');
    const store = (schema: string | null, status: number, word: string, ...words: string[]) =>
      check(schema, status, 'store', word, db, ...words);
    await store('store-load', 0, 'load', participant(1), '--source', 'p1', '--offset', '9007199254740993');
    await store('store-load', 0, 'load', LIVE, '--source', 'live', '--offset', '1', '--party', 'none::1220');
    const updates = fixture('live2/stream/p1.updates.acs-delta.bin.gz');
    const p2 = ['--source', 'p2'];
    await store('store-append', 0, 'append', updates, ...p2, '--begin', '0');
    await store('store-append', 0, 'append', updates, ...p2);
    const lines = await store('store-at', 0, 'at', '--source', 'p1');
    const { contractId } = lines[0] as { contractId: string };
    await store('store-at', 0, 'at', ...p2, '--offset', '1000');
    await store('store-at-count', 0, 'at', '--source', 'p1', '--count');
    const changes = await store('store-changes', 1, 'changes', ...p2, '--from', '0', '--to', '1551');
    await store('store-history', 0, 'history', contractId);
    for (const kind of ['transient', 'moved', 'added']) {
      const found = changes.find((each) => (each as { kind: string }).kind === kind);
      if (found === undefined) continue;
      await store('store-history', 0, 'history', (found as { contractId: string }).contractId);
    }
    await store('store-inflight', 1, 'inflight', ...p2);
    await store('store-export', 3, 'export', ...p2, '-o', out('exported'), '--manifest');
    checkFile('manifest', out('exported.manifest.json'));
    const columns = await store(
      'store-export',
      0,
      'export',
      '--format',
      'jsonl',
      '--blobs',
      '-o',
      out('columns'),
    );
    for (const { file } of (columns[0] as { files: { file: string }[] }).files)
      checkFile('store-export-line', file);
    await store('store-info', 0, 'info');
    await store('store-check', 0, 'check');
    await store('store-check', 1, 'check', ...p2, '--against', participant(2), '--offset', '1551');
    await store('store-prune', 0, 'prune', ...p2, '--before', '500', '--apply');
    await store('store-reset-to', 0, 'reset-to', ...p2, '--offset', '1000', '--apply');
    for (const view of ['active', 'events', 'reassignments', 'templates'])
      await store('store-sql', 0, 'sql', `SELECT * FROM ${view} LIMIT 20`);
    await store(null, 2, 'sql', 'DELETE FROM event');
    await store(null, 2, 'at', '--source', 'nobody');
  });

  it('commitment', async () => {
    await check('commitment', 0, 'commitment', participant(1), ...HOSTING, '--participant', 'participant1');
    await check('commitment', 0, 'commitment', participant(1), ...BETWEEN, '--scheme', 'blake3-pairs');
    const store = out('commitments.db');
    await check('store-load', 0, 'store', 'load', store, participant(1), '--source', 'p1', '--offset', '7');
    await check('commitment', 0, 'commitment', store, ...BETWEEN, '--keep');
    await check('commitment', 0, 'commitment', store, ...BETWEEN);
    await check(
      'commitment',
      1,
      'commitment',
      participant(1),
      ...BETWEEN,
      '--expect',
      `1220${'0'.repeat(64)}`,
    );
    const other = ['--synchronizer', 'other::1'];
    await check('commitment', 0, 'commitment', participant(1), ...BETWEEN, ...other);
    const swapped = [...HOSTING, '--participant', 'participant2', '--with', 'participant1'];
    for (const [n, words] of [
      [1, BETWEEN],
      [2, swapped],
    ] as const) {
      await check(
        'commitment-open',
        0,
        'commitment',
        'open',
        participant(n),
        ...words,
        '-o',
        out(`open${n}`),
      );
      if (n === 1) checkFile('commitment-open-line', out('open1'));
      const list = await check(
        ...([
          'commitment-group-digests',
          0,
          'commitment',
          participant(n),
          ...words,
          '--group-digests',
        ] as const),
        ...(n === 1 ? [] : ['--show-parties']),
      );
      writeFileSync(out(`groups${n}`), JSON.stringify(list[0]));
    }
    const [one, two] = [out('open1'), out('open2')];
    await check('commitment-diff', 1, 'commitment', 'diff', one, two);
    await check('commitment-diff', 1, 'commitment', 'diff', out('groups1'), out('groups2'));
    const counters = one.replace('open1', 'counters');
    writeFileSync(counters, readFileSync(one, 'utf8').replaceAll('"0"', '"9223372036854775807"'));
    await check('commitment-diff-line', 1, 'commitment', 'diff', one, counters, '--format', 'jsonl');
    await check('canton-mismatch', 1, 'commitment', 'diff', one, two, '--format', 'canton-mismatch');
  });

  it('mistakes and progress', async () => {
    await check(null, 2, 'info');
    await check(null, 2, 'no-such-command');
    await check(null, 4, 'verify', '/nonexistent/file');
    const lines: string[] = [];
    const stderr = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString('utf8'));
        done();
      },
    });
    const clock = vi.spyOn(Date, 'now').mockReturnValue(1_000_000);
    const progress = startProgress({
      label: 'info x',
      unit: 'records',
      extent: { total: 100 },
      mode: 'json',
      stderr,
    });
    clock.mockReturnValue(1_006_000);
    progress.update(50);
    clock.mockRestore();
    used.add('progress');
    expect(lines.map((line) => schemaFaults('progress', JSON.parse(line)))).toEqual([[]]);
  });
});

describe('the schemas', () => {
  it('exist for every command, and each was used above', async () => {
    const names = async (): Promise<string[]> => {
      const flat = (command: CliCommand<never>, before: string): string[] => {
        const path = `${before}${command.command.split(' ')[0]}`;
        const own = command.run === undefined ? [] : [path];
        return [...own, ...(command.subcommands ?? []).flatMap((sub) => flat(sub, `${path}-`))];
      };
      const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
      return commands.flatMap((command) => flat(command, ''));
    };
    const missing = (await names()).filter((name) => !SCHEMAS.has(name));
    expect(missing).toEqual([]);
    expect([...SCHEMAS.keys()].filter((name) => name !== 'common' && !used.has(name))).toEqual([]);
  });

  it('are strict and say what each field means', () => {
    for (const [name, schema] of SCHEMAS) {
      expect(schema.$id, name).toBe(`${name}.schema.json`);
      expect([typeof schema.title, typeof schema.description], name).toEqual(['string', 'string']);
      eachSubschema(schema, (node, place) => {
        const properties = node.properties as Record<string, { description?: string }> | undefined;
        if (properties === undefined) return;
        const open = OPEN.includes(`${name}${place}`);
        if (!open)
          expect(node.additionalProperties ?? node.unevaluatedProperties, `${name}${place}`).toBe(false);
        for (const [field, each] of Object.entries(properties)) {
          expect(field, `${name}${place}`).toMatch(
            SNAKE_CASE.includes(name)
              ? /^[a-z]+(_[a-z]+)*$/
              : /^[a-z][A-Za-z0-9]*$|^[A-Z_]+$|^[a-z]+(-[a-z]+)+$/,
          );
          expect((each.description ?? '').length, `${name}${place}/${field}`).toBeGreaterThan(5);
        }
      });
    }
  });

  it('have 64-bit integers as strings', () => {
    for (const [name, schema] of SCHEMAS) {
      eachSubschema(schema, (node, place) => {
        for (const [field, each] of Object.entries((node.properties ?? {}) as Record<string, never>)) {
          if (
            !/^offset|[a-z]Offset$|[cC]ounter$|[mM]icros|[tT]ime$|At$/.test(field) ||
            field === 'byteOffset'
          )
            continue;
          for (const type of typesOf(name, each)) {
            const where = `${name}${place}/${field}`;
            expect(['integer', 'number'], where).not.toContain(type);
          }
        }
      });
    }
  });
});

/** The JSON types a subschema allows. */
function typesOf(name: string, node: { $ref?: string; type?: string | string[]; anyOf?: never[] }): string[] {
  if (node.$ref !== undefined) {
    const file = node.$ref.split('#')[0];
    return typesOf(file === '' ? name : file.slice(0, -'.schema.json'.length), resolveRef(name, node.$ref));
  }
  if (node.anyOf !== undefined) return node.anyOf.flatMap((each) => typesOf(name, each));
  return node.type === undefined ? [] : [node.type].flat();
}
