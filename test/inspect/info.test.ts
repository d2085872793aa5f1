import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { manifestPath } from '../../src/contract/manifest.js';
import { createSnapshotFile } from '../../src/contract/snapshotFile.js';
import { snapshotInfo } from '../../src/inspect/info.js';
import { verifySnapshot } from '../../src/inspect/verify.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture, jsonLines } from '../fixtures.js';

interface Expected {
  contract_id: string;
  contract_id_version: string;
  template_id: string;
  package_name: string;
  signatories: string[];
  observers: string[];
  created_at: string;
  synchronizer_id: string;
  reassignment_counter: number | string;
  representative_package_id: string;
  created_event_blob: string;
}

const work = mkdtempSync(join(tmpdir(), 'acskit-info-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

function count(values: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

function byKey<T extends { contracts: number }>(rows: T[], key: keyof T): Record<string, number> {
  return Object.fromEntries(rows.map((row) => [String(row[key]), row.contracts]));
}

describe('info against the sidecars', () => {
  it.each([
    ['snapshots/tiny.acs.gz', 'snapshots/tiny.expected.jsonl'],
    ['snapshots/tiny-verbose.acs.gz', 'snapshots/tiny.expected.jsonl'],
    ['snapshots/two-synchronizers.acs.gz', 'snapshots/two-synchronizers.expected.jsonl.gz'],
    ['snapshots/multi/participant1.acs.gz', 'snapshots/multi/participant1.expected.jsonl.gz'],
    ['snapshots/multi/participant2.acs.gz', 'snapshots/multi/participant2.expected.jsonl.gz'],
    ['snapshots/multi/participant3.acs.gz', 'snapshots/multi/participant3.expected.jsonl.gz'],
  ])('%s', async (file, sidecar) => {
    const info = await snapshotInfo(fixture(file));
    const expected = jsonLines<Expected>(fixture(sidecar));
    expect(info).toMatchObject({
      format: 'A',
      records: expected.length,
      contracts: expected.length,
      inFlight: 0,
      manifest: 'none',
    });
    expect(byKey(info.byTemplate, 'templateId')).toEqual(count(expected.map((e) => e.template_id)));
    expect(byKey(info.byPackage, 'packageId')).toEqual(
      count(expected.map((e) => e.template_id.split(':')[0])),
    );
    expect(byKey(info.bySynchronizer, 'synchronizerId')).toEqual(
      count(expected.map((e) => e.synchronizer_id)),
    );
    expect(byKey(info.byReassignmentCounter, 'reassignmentCounter')).toEqual(
      count(expected.map((e) => String(e.reassignment_counter))),
    );
    expect(byKey(info.byContractIdVersion, 'version')).toEqual(
      count(expected.map((e) => e.contract_id_version)),
    );
    expect(info.representedByOtherPackage).toBe(
      expected.filter((e) => e.representative_package_id !== e.template_id.split(':')[0]).length,
    );
    expect(
      Object.fromEntries(info.parties.byRole.map((p) => [p.party, p.signatory]).filter(([, n]) => n !== 0)),
    ).toEqual(count(expected.flatMap((e) => e.signatories)));
    expect(
      Object.fromEntries(info.parties.byRole.map((p) => [p.party, p.observer]).filter(([, n]) => n !== 0)),
    ).toEqual(count(expected.flatMap((e) => e.observers)));
    const times = expected
      .map((e) => e.created_at)
      .sort((a, b) => Date.parse(a) - Date.parse(b) || (a < b ? -1 : 1));
    expect(info.createdAt).toEqual({ first: times[0], last: times[times.length - 1] });
    const sizes = expected.map((e) => e.created_event_blob.length / 2).sort((a, b) => a - b);
    expect(info.blobBytes).toMatchObject({
      min: sizes[0],
      max: sizes[sizes.length - 1],
      p50: sizes[Math.ceil(sizes.length / 2) - 1],
    });
    const inflated = gunzipSync(readFileSync(fixture(file)));
    expect(info.gzip).toMatchObject({ inflatedBytes: inflated.length, trailingBytes: 0 });
    expect(info.gzip.members).toHaveLength(1);
    expect(info.recordBytes?.total).toBe(inflated.length);
  });

  it('has the same content digest whatever the order, witnesses and compression', async () => {
    const file = fixture('snapshots/multi/participant1.acs.gz');
    const frames: Buffer[] = [];
    await scanSnapshot(file, (r) => {
      frames.push(Buffer.from(r.buf.subarray(r.start, r.end)));
    });
    const { contentDigest } = await snapshotInfo(file);
    const reversed = await snapshotInfo(gzipSync(Buffer.concat([...frames].reverse()), { level: 1 }));
    expect(reversed.contentDigest).toBe(contentDigest);
    const shorter = await snapshotInfo(gzipSync(Buffer.concat(frames.slice(1))));
    expect(shorter.contentDigest).not.toBe(contentDigest);
    const twice = await snapshotInfo(gzipSync(Buffer.concat([...frames, frames[0]])));
    expect(twice.contentDigest).not.toBe(contentDigest);
  });
});

describe('a manifest', () => {
  it('is used by info and verify, and a stale one is called stale', async () => {
    const file = join(work, 'copy.acs.gz');
    const out = await createSnapshotFile(file, {
      manifest: true,
      pieceBytes: 4096,
      origin: { offset: 2n ** 60n, participant: 'p::1220' },
    });
    await scanSnapshot(fixture('snapshots/multi/participant1.acs.gz'), (r) => out.writeRecord(r), {
      afterChunk: () => out.ready(),
    });
    const written = await out.finish();
    expect(written.pieces.length).toBeGreaterThan(50);
    const info = await snapshotInfo(file);
    const plain = await snapshotInfo(fixture('snapshots/multi/participant1.acs.gz'));
    expect(info.manifest).toBe('used');
    expect(info.origin).toEqual({ offset: (2n ** 60n).toString(), participant: 'p::1220' });
    expect({ ...info, file: '', gzip: null, manifest: '', origin: null }).toEqual({
      ...plain,
      file: '',
      gzip: null,
      manifest: '',
      origin: null,
    });
    expect(
      gunzipSync(readFileSync(file)).equals(
        gunzipSync(readFileSync(fixture('snapshots/multi/participant1.acs.gz'))),
      ),
    ).toBe(true);
    expect(await verifySnapshot(file)).toMatchObject({ manifest: 'agrees', errors: 0, warnings: 0 });

    const manifest = readFileSync(manifestPath(file), 'utf8');
    writeFileSync(manifestPath(file), manifest.replace(/"contentDigest": "..../, '"contentDigest": "0000'));
    await expect(snapshotInfo(file)).rejects.toMatchObject({ code: 'MANIFEST_STALE' });
    expect((await verifySnapshot(file)).findings).toEqual({ MANIFEST_STALE: 1 });
    const [piece] = written.pieces;
    for (const [part, other] of [
      ['"contracts": ', '"contracts": 1'],
      ['"inFlight": ', '"inFlight": 1'],
      [`"crc32": ${written.crc32}`, '"crc32": 7'],
      [`"crc32": ${piece?.crc32}`, '"crc32": 7'],
      [`"inflatedBytes": ${piece?.inflatedBytes}`, '"inflatedBytes": 7'],
      [`"at": ${written.pieces[3]?.at}`, '"at": 11'],
    ] as const) {
      expect(manifest).toContain(part);
      writeFileSync(manifestPath(file), manifest.replace(part, other));
      expect((await verifySnapshot(file)).findings).toEqual({ MANIFEST_STALE: 1 });
    }
    writeFileSync(manifestPath(file), manifest);
    writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.alloc(1)]));
    expect((await snapshotInfo(file)).manifest).toContain('not used');
    writeFileSync(manifestPath(file), '{');
    expect((await snapshotInfo(file)).manifest).toContain('not JSON');
  });
});

describe('acs info', () => {
  it('reads several files and globs, and prints JSON', async () => {
    const result = await runCommand('info', '--json', fixture('snapshots/multi/*.acs.gz'));
    expect(result.status).toBe(0);
    const infos = result.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { contracts: number });
    expect(infos.map((i) => i.contracts)).toEqual([416, 387, 327]);
  });

  it('points out a second member and names other formats', async () => {
    const one = readFileSync(fixture('snapshots/tiny.acs.gz'));
    const two = join(work, 'two.acs.gz');
    writeFileSync(two, Buffer.concat([one, one]));
    const result = await runCommand('info', two);
    expect(result.status).toBe(1);
    expect(result.stdout).toContain('would ignore 12 records');
    const e = join(work, 'dump.txt');
    writeFileSync(e, 'domain-id:mydomain::1220ab\n');
    const other = await runCommand('info', '--json', e);
    expect(JSON.parse(other.stdout)).toMatchObject({
      format: 'E, text dump of Canton 2.5 to 2.6 (repair.download)',
    });
  });
});
