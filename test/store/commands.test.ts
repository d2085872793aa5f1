/** `acs store …` as typed. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/run.js';
import { fixture, inflated, storePath } from './temporaryStore.js';

async function acs(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  const text = { out: '', err: '' };
  const sink = (key: 'out' | 'err') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        text[key] += chunk.toString();
        done();
      },
    });
  const status = await runCli(['store', ...words], { stdout: sink('out'), stderr: sink('err') });
  return { status, ...text };
}

const lines = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('acs store', () => {
  it('load, append, at, export, inflight, changes, info, check', async () => {
    const db = storePath();
    const base = fixture('live2/stream/p1.acs-3.bin.gz');
    const updates = fixture('live2/stream/p1.updates.acs-delta.bin.gz');
    const loaded = await acs('load', db, base, '--source', 'p1', '--offset', '938', '--json');
    expect(loaded.status).toBe(0);
    expect(lines(loaded.out)[0]).toMatchObject({ contracts: 130, offset: '938', inFlight: 1 });
    const appended = await acs('append', db, updates, '--source', 'p1', '--until', '1574');
    expect(appended).toMatchObject({ status: 0 });
    expect(appended.out).toContain('now at offset 1574');
    expect((await acs('at', db, '--offset', '1258', '--count')).out).toMatch(/^177 contracts of p1/);
    const all = lines((await acs('at', db, '--json')).out);
    expect(all.length).toBe(260);
    const bank = (all[0].signatories as string[])[0];
    const some = lines((await acs('at', db, '--party', bank, '--json')).out);
    expect(some.length).toBeLessThan(260);
    expect(some).toEqual(
      all.filter((c) => [...(c.signatories as string[]), ...(c.observers as string[])].includes(bank)),
    );
    const out = `${db}.acs.gz`;
    const exported = await acs('export', db, '--offset', '1258', '-o', out, '--json');
    expect(exported.status).toBe(3);
    expect(exported.err).toContain('IN_FLIGHT');
    expect((lines(exported.out)[0].reassignments as unknown[]).length).toBe(2);
    expect((await acs('export', db, '--offset', '1258', '-o', out, '--in-flight', 'keep')).status).toBe(3);
    expect(inflated(out).equals(inflated(fixture('live2/stream/p1.export-4.acs.gz')))).toBe(true);
    expect((await acs('export', db, '--offset', '1258', '-o', out, '--in-flight', 'refuse')).status).toBe(4);
    const inflight = await acs('inflight', db, '--offset', '1258', '--json');
    expect(inflight.status).toBe(1);
    const changes = await acs('changes', db, '--from', '938', '--to', '1258', '--json');
    expect(changes.status).toBe(1);
    const history = await acs('history', db, String(all[0].contractId));
    expect(history.out).toContain('p1: active on');
    expect((await acs('info', db)).out).toContain('938 to 1574');
    const check = await acs(
      'check',
      db,
      '--against',
      fixture('live2/stream/p1.acs-5.bin.gz'),
      '--offset',
      '1574',
      '--json',
    );
    expect(lines(check.out)[0].findings).toEqual([]);
    const differs = await acs('check', db, '--against', base, '--offset', '1574', '--limit', '2', '--json');
    expect(differs.status).toBe(1);
    expect(lines(differs.out)[0].findings).toMatchObject([
      { code: 'BASE_DISAGREES' },
      { code: 'BASE_DISAGREES' },
    ]);
    const sql = await acs('sql', db, 'SELECT count(*) AS n, max(since_offset) AS last FROM active', '--json');
    expect(lines(sql.out)).toEqual([{ n: '260', last: '1551' }]);
    expect((await acs('sql', db, 'DELETE FROM event')).status).toBe(2);
    expect((await acs('prune', db, '--before', '1258')).out).toContain('nothing was changed');
    expect((await acs('reset-to', db, '--offset', '1258')).out).toContain('nothing was changed');
  });

  it('columns: one file per source and synchronizer, in three formats', async () => {
    const db = storePath();
    const big = (2n ** 53n + 1n).toString();
    await acs('load', db, fixture('snapshots/two-synchronizers.acs.gz'), '--source', 'p', '--offset', big);
    for (const format of ['parquet', 'csv', 'jsonl']) {
      const made = await acs('export', db, '--format', format, '-o', `${db}.${format}`, '--json');
      expect(made.status).toBe(0);
      const { rows, files } = lines(made.out)[0] as { rows: number; files: { file: string; rows: number }[] };
      expect(rows).toBe(60);
      expect(files.length).toBe(2);
      expect(files[0].file).toMatch(
        new RegExp(`/source=p/synchronizer=[^/]*%3A%3A1220[0-9a-f]+/part-0.${format}$`),
      );
      const { readFileSync } = await import('node:fs');
      const bytes = readFileSync(files[0].file);
      if (format === 'jsonl') {
        const first = lines(bytes.toString());
        expect(first.length).toBe(files[0].rows);
        expect(first[0]).toMatchObject({ from_offset: big, to_offset: null });
      } else if (format === 'csv') {
        expect(bytes.toString().split('\n').length).toBe(files[0].rows + 2);
        expect(bytes.toString()).toContain(`,${big},`);
      } else {
        const { parquetReadObjects } = await import('hyparquet');
        const read = await parquetReadObjects({
          file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
        });
        expect(read.length).toBe(files[0].rows);
        expect(read[0]).toMatchObject({ from_offset: BigInt(big), to_offset: null });
        expect((read[0].signatories as string[]).length).toBeGreaterThan(0);
      }
    }
    const again = (...words: string[]) => acs('export', db, '--format', 'csv', '-o', `${db}.csv`, ...words);
    expect((await again()).err).not.toContain('COLUMNS_LEFT_OVER');
    const { synchronizerId } = lines((await acs('at', db, '--json')).out)[0];
    expect((await again('--synchronizer', synchronizerId as string)).err).toContain('COLUMNS_LEFT_OVER');
  });

  it('export of a party named by a prefix is that of its full id, manifest included', async () => {
    const db = storePath();
    const updates = fixture('live2/stream/p1.updates.acs-delta.bin.gz');
    await acs('append', db, '--source', 'p1', updates, '--begin', '0');
    const { out } = await acs('at', db, '--json');
    const party = (lines(out)[0].signatories as string[])[0];
    const short = party.slice(0, party.indexOf('::') + 4);
    const manifest = (file: string) => JSON.parse(readFileSync(`${file}.manifest.json`, 'utf8'));
    const [a, b, all] = ['a', 'b', 'all'].map((name) => `${db}.${name}.acs.gz`);
    await acs('export', db, '--party', short, '-o', a, '--manifest');
    await acs('export', db, '--party', party, '-o', b, '--manifest');
    expect(inflated(a).equals(inflated(b))).toBe(true);
    expect(manifest(a).parties).toEqual([party]);
    // A source that knows no others says so in what it gives away.
    await acs('load', db, '--source', 'own', '--offset', '9', a);
    expect((await acs('export', db, '--source', 'own', '-o', all, '--manifest')).status).toBe(0);
    expect(manifest(all).parties).toEqual([party]);
    const other = ['--party', 'nobody::1220aa', '--partial', '-o', `${db}.c.acs.gz`];
    expect((await acs('export', db, '--source', 'own', ...other)).status).toBe(0);
    expect((await acs('export', db, '--source', 'own', ...other, '--manifest')).status).toBe(2);
  });

  it('load says when no contract is of the parties given', async () => {
    const tiny = fixture('snapshots/tiny.acs.gz');
    const none = await acs('load', storePath(), tiny, '--source', 'p', '--offset', '5', '--party', 'alice');
    expect(none.status).toBe(0);
    expect(none.err).toContain('NOTHING_KEPT');
    const alice = 'alice::1220ac2d0e6402287ca2a8322f63a87d78e95f15ec6505aaa1cc9871da143d9da5f6';
    const some = await acs('load', storePath(), tiny, '--source', 'p', '--offset', '5', '--party', alice);
    expect(some).toMatchObject({ status: 0, err: '' });
  });

  it('mistakes are usage errors', async () => {
    const db = storePath();
    const tiny = fixture('snapshots/tiny.acs.gz');
    expect((await acs('load', db, tiny, '--source', 'p', '--offset', '1.5')).status).toBe(2);
    expect((await acs('load', db, tiny, '--source', 'a b', '--offset', '1')).status).toBe(2);
    expect((await acs('at', db)).err).toContain('no source yet');
    expect((await acs('at', `${db}.no`)).err).toContain('STORE_MISSING');
    await acs('load', db, tiny, '--source', 'p', '--offset', '9007199254740993');
    const beyond = await acs('at', db, '--offset', '9007199254740994', '--json');
    expect(beyond.status).toBe(2);
    expect(beyond.err).toContain('9007199254740993 to 9007199254740993');
    expect((await acs('history', db, 'zz')).status).toBe(2);
    expect((await acs('check', db, '--source', 'zz')).status).toBe(2);
    expect((await acs('check', db, '--offset', '5')).status).toBe(2);
    expect((await acs('info', dirname(db))).err).toContain('this is a directory');
    expect((await acs('at', db, '--template', 'nonsense:')).status).toBe(2);
  });
});
