import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ContractView } from '../../src/contract/contractView.js';
import { readManifest } from '../../src/contract/manifest.js';
import { createSnapshotFile } from '../../src/contract/snapshotFile.js';
import { parseMicros } from '../../src/contract/time.js';
import type { FilterConditions } from '../../src/reshape/conditions.js';
import { contractIdList, readContractIds } from '../../src/reshape/contractIdList.js';
import { filterSnapshot } from '../../src/reshape/filter.js';
import { encodeRecord } from '../../src/snapshot/encodeRecord.js';
import { IN_FLIGHT_FRAME } from '../../src/snapshot/recordBorders.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';

const fixture = (name: string): string => new URL(`../../fixtures/${name}`, import.meta.url).pathname;
const TINY = fixture('snapshots/tiny.acs.gz');
const TWO = fixture('snapshots/two-synchronizers.acs.gz');
const LIVE = fixture('live/p1.export-acs.no-party-filter.acs.gz');
const TINY_BLOBS = blobsOnly(TINY);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'acs-filter-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Contract {
  id: string;
  entity: string;
  packageName: string;
  packageId: string;
  signatories: string[];
  observers: string[];
  synchronizer: string;
  counter: bigint;
  createdAt: bigint;
  frame: string;
}

async function contracts(input: string | Uint8Array): Promise<Contract[]> {
  const list: Contract[] = [];
  const view = new ContractView();
  await scanSnapshot(input, (record) => {
    if (record.inFlight) return;
    const c = view.of(record);
    list.push({
      id: c.contractId,
      entity: c.templateId.entityName,
      packageId: c.templateId.packageId,
      packageName: c.packageName,
      signatories: c.signatories,
      observers: c.observers,
      synchronizer: record.synchronizerId,
      counter: record.reassignmentCounter,
      createdAt: c.createdAt,
      frame: record.buf.toString('hex', record.start, record.end),
    });
  });
  return list;
}

let runs = 0;
async function filtered(input: string | Uint8Array, conditions: FilterConditions) {
  const out = join(folder, `out-${runs++}.acs.gz`);
  const result = await filterSnapshot(input, out, conditions);
  return { result, out, kept: await contracts(out) };
}

/** The same contracts as minimal records: only what an import reads. */
async function blobsOnly(input: string): Promise<Buffer> {
  const frames: Buffer[] = [];
  await scanSnapshot(input, (record) => {
    frames.push(
      encodeRecord({
        synchronizerId: record.synchronizerId,
        reassignmentCounter: record.reassignmentCounter,
        createdEvent: {
          contractId: record.contractId,
          createdEventBlob: Buffer.from(record.createdEventBlob as Buffer),
          representativePackageId: record.representativePackageId,
        },
      }),
    );
  });
  return gzipSync(Buffer.concat(frames));
}

describe('a copy without conditions', () => {
  it.each([
    'snapshots/tiny.acs.gz',
    'snapshots/tiny-verbose.acs.gz',
    'snapshots/two-synchronizers.acs.gz',
    'live/p1.export-acs.no-party-filter.acs.gz',
    'live/p1.export-acs.err-unknown-party.acs.gz',
  ])('%s keeps the inflated bytes', async (name) => {
    const { out, result } = await filtered(fixture(name), {});
    const bytes = await readFile(out);
    expect(gunzipSync(bytes)).toEqual(gunzipSync(await readFile(fixture(name))));
    expect(bytes.subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff');
    expect(result.dropped).toBe(0);
    expect(result.inFlightKept).toBe(result.inFlight);
  });

  it('drops the in-flight record when asked, and says where it was', async () => {
    const out = join(folder, 'no-in-flight.acs.gz');
    const result = await filterSnapshot(LIVE, out, {}, { inFlight: 'drop' });
    expect(result).toMatchObject({ inFlight: 1, inFlightKept: 0, inFlightRecords: [18] });
    const before = gunzipSync(await readFile(LIVE));
    expect(before.subarray(-5)).toEqual(IN_FLIGHT_FRAME);
    expect(gunzipSync(await readFile(out))).toEqual(before.subarray(0, -5));
  });

  it('writes a manifest and uses it when the copy is read again', async () => {
    const out = join(folder, 'with-manifest.acs.gz');
    const first = await filterSnapshot(TWO, out, {}, { write: { manifest: true, pieceBytes: 20_000 } });
    expect(first.manifestFile).toBe(`${out}.manifest.json`);
    expect((await readManifest(out))?.pieces.length).toBeGreaterThan(3);
    const again = join(folder, 'again.acs.gz');
    await filterSnapshot(out, again);
    expect(gunzipSync(await readFile(again))).toEqual(gunzipSync(await readFile(TWO)));
  });

  it('refuses to replace its own input', async () => {
    const path = join(folder, 'own.acs.gz');
    await writeFile(path, await readFile(TINY));
    await expect(filterSnapshot(path, path)).rejects.toMatchObject({ code: 'USAGE', exitCode: 2 });
  });
});

describe('conditions', () => {
  const full = async (hint: string): Promise<string> => {
    const all = (await contracts(TWO)).flatMap((c) => [...c.signatories, ...c.observers]);
    return all.find((party) => party.startsWith(`${hint}::`)) as string;
  };

  /** Filters both as exported and as minimal records, and compares with the same condition written on plain data. */
  async function agrees(conditions: FilterConditions, wanted: (c: Contract) => boolean): Promise<number> {
    const all = await contracts(TWO);
    const { kept, result } = await filtered(TWO, conditions);
    expect(kept).toEqual(all.filter(wanted));
    expect(result.contracts).toBe(all.length);
    expect(result.kept + result.dropped).toBe(all.length);
    const minimal = await filtered(await blobsOnly(TWO), conditions);
    expect(minimal.kept.map((c) => c.id)).toEqual(kept.map((c) => c.id));
    const rest = await filtered(TWO, { ...conditions, invert: true });
    expect(rest.kept).toEqual(all.filter((c) => !wanted(c)));
    expect(kept.length).toBeGreaterThan(0);
    expect(rest.kept.length).toBeGreaterThan(0);
    return kept.length;
  }

  it('stakeholder, by full id and by prefix', async () => {
    const alice = await full('alice');
    const has = (c: Contract): boolean => c.signatories.includes(alice) || c.observers.includes(alice);
    await agrees({ parties: [alice] }, has);
    await agrees({ parties: ['alice:'] }, has);
    await agrees({ parties: [`=${alice}`] }, has);
    expect((await filtered(TWO, { parties: ['ali'] })).result.resolved).toEqual({ ali: alice });
  });

  it('any and all of several stakeholders', async () => {
    const [bank, bob] = [await full('bank'), await full('bob')];
    const of = (c: Contract): string[] => [...c.signatories, ...c.observers];
    await agrees({ parties: ['bank', 'bob'] }, (c) => of(c).includes(bank) || of(c).includes(bob));
    await agrees(
      { parties: ['bank', 'bob'], match: 'all' },
      (c) => of(c).includes(bank) && of(c).includes(bob),
    );
  });

  it('signatory and observer', async () => {
    const carol = await full('carol');
    const asSignatory = await agrees({ signatories: ['carol'] }, (c) => c.signatories.includes(carol));
    const asObserver = await agrees({ observers: ['carol'] }, (c) => c.observers.includes(carol));
    expect(asSignatory + asObserver).toBe((await filtered(TWO, { parties: ['carol'] })).kept.length);
  });

  it('excluded stakeholder', async () => {
    const dave = await full('dave');
    await agrees(
      { excludedStakeholders: ['dave'] },
      (c) => !c.signatories.includes(dave) && !c.observers.includes(dave),
    );
  });

  it('template patterns', async () => {
    await agrees({ templates: ['Iou'] }, (c) => c.entity === 'Iou');
    await agrees({ templates: ['Acme.Iou:D*', 'Acc?unt'] }, (c) => ['Deal', 'Account'].includes(c.entity));
    await agrees({ templates: ['#acme-registry:*:*'] }, (c) => c.packageName === 'acme-registry');
    const [{ packageId }] = (await contracts(TWO)).filter((c) => c.entity === 'Iou');
    await agrees({ packages: [packageId] }, (c) => c.packageId === packageId);
    await agrees(
      { packages: ['acme-i*'], templates: ['I*'] },
      (c) => c.packageName === 'acme-iou' && c.entity === 'Iou',
    );
  });

  it('synchronizer, counter, creation time', async () => {
    await agrees({ synchronizers: ['other'] }, (c) => c.synchronizer.startsWith('other-sync'));
    await agrees({ counterFrom: 1n, counterTo: 2n }, (c) => c.counter >= 1n && c.counter <= 2n);
    const from = parseMicros('2026-01-01T00:01:00.010Z');
    const before = parseMicros('2026-01-01T00:01:00.030662Z');
    await agrees(
      { createdFrom: from, createdBefore: before },
      (c) => c.createdAt >= from && c.createdAt < before,
    );
  });

  it('a list of contract ids; what is not there is reported', async () => {
    const ids = (await contracts(TWO)).filter((_, i) => i % 7 === 0).map((c) => c.id);
    await agrees({ contractIds: contractIdList(ids) }, (c) => ids.includes(c.id));
    const file = join(folder, 'ids.txt');
    const stranger = `00${'ab'.repeat(32)}ca121220${'cd'.repeat(32)}`;
    await writeFile(
      file,
      `contract_id,why\n# chosen by hand\n${ids[0]},first\n\n"${ids[1]}"\n${stranger}\n${ids[0]}`,
    );
    const listed = await filtered(TWO, { contractIds: contractIdList(await readContractIds(file)) });
    expect(listed.kept.map((c) => c.id).sort()).toEqual([ids[0], ids[1]].sort());
    expect(listed.result.missingContractIds).toEqual({ count: 1, first: [stranger] });
    await writeFile(file, `${ids[0]}\nXYZ\n`);
    await expect(readContractIds(file)).rejects.toMatchObject({
      code: 'CONTRACT_ID_MALFORMED',
      place: { line: 2 },
    });
  });

  it('a listed contract that another condition drops is in the file all the same', async () => {
    const [{ id }] = (await contracts(TWO)).filter((c) => c.entity !== 'Iou');
    const { kept, result } = await filtered(TWO, {
      contractIds: contractIdList([id]),
      parties: ['bank'],
      templates: ['Iou'],
      counterFrom: 99n,
    });
    expect(kept).toEqual([]);
    expect(result.missingContractIds.count).toBe(0);
    const dropped = await filtered(TWO, {
      contractIds: contractIdList([id]),
      excludedStakeholders: (await contracts(TWO)).filter((c) => c.id === id)[0].signatories,
    });
    expect(dropped.kept).toEqual([]);
    expect(dropped.result.missingContractIds.count).toBe(0);
  });

  it('a pattern that nothing meets is told, also beside others and where another condition drops all', async () => {
    const { result } = await filtered(TWO, {
      templates: ['Iou', 'Iuo', 'Acme.*:Deal'],
      packages: ['acme-*', 'amce-*'],
      counterFrom: 99n,
    });
    expect(result).toMatchObject({ kept: 0, unmatched: ['Iuo', 'amce-*'] });
    expect((await filtered(TWO, { templates: ['Iou'] })).result.unmatched).toEqual([]);
  });

  it('a list of ids may begin with the byte order mark of a spreadsheet', async () => {
    const file = join(folder, 'bom.csv');
    const [{ id }] = await contracts(TINY);
    await writeFile(file, `\ufeffcontractId;why\r\n${id};x\r\n`);
    expect(await readContractIds(file)).toEqual([id]);
    await writeFile(file, `\ufeff"${id}"\r\n`);
    expect(await readContractIds(file)).toEqual([id]);
  });

  it('all of a party named twice is that party', async () => {
    const bank = await full('bank');
    const once = await filtered(TWO, { parties: [bank], match: 'all' });
    for (const parties of [
      [bank, bank],
      [bank, `=${bank}`],
      ['bank::', bank],
    ]) {
      expect((await filtered(TWO, { parties, match: 'all' })).kept).toEqual(once.kept);
    }
    expect(once.kept.length).toBeGreaterThan(0);
  });

  it('a counter is what Canton reads: above 2^63 it is negative', async () => {
    const frames: Buffer[] = [];
    await scanSnapshot(TINY, (record) => {
      frames.push(
        encodeRecord({
          synchronizerId: record.synchronizerId,
          reassignmentCounter: [2n ** 64n - 1n, 2n ** 63n, 2n ** 63n - 1n, 0n][record.index % 4],
          createdEvent: {
            contractId: record.contractId,
            createdEventBlob: record.createdEventBlob as Buffer,
          },
        }),
      );
    });
    const file = gzipSync(Buffer.concat(frames));
    expect((await filtered(file, { counterFrom: 1n })).result.kept).toBe(3);
    expect((await filtered(file, { counterTo: 0n })).result.kept).toBe(9);
  });

  it('conditions add up', async () => {
    const bob = await full('bob');
    await agrees(
      { parties: ['bob'], synchronizers: ['acme'], templates: ['Iou'] },
      (c) =>
        [...c.signatories, ...c.observers].includes(bob) &&
        c.synchronizer.startsWith('acme') &&
        c.entity === 'Iou',
    );
  });

  it('works on a file without blobs and on one without events', async () => {
    const frames: Buffer[] = [];
    await scanSnapshot(TINY, (record) => {
      const event = {
        contractId: record.contractId,
        signatories: record.signatories,
        observers: record.observers,
        createdAt: record.createdAtMicros as bigint,
        packageName: record.packageName,
        templateId: record.templateId as NonNullable<typeof record.templateId>,
        createdEventBlob: Buffer.alloc(0),
      };
      const encoded = encodeRecord({
        synchronizerId: record.synchronizerId,
        reassignmentCounter: record.reassignmentCounter,
        createdEvent: event,
      });
      frames.push(withoutBlob(encoded));
    });
    const bare = gzipSync(Buffer.concat(frames));
    for (const conditions of [
      { parties: ['carol'] },
      { templates: ['acme-keys:*:*'] },
      { createdBefore: parseMicros('2026-01-01T00:00:00.005Z') },
      { contractIds: contractIdList([(await contracts(TINY))[3].id]) },
    ] satisfies FilterConditions[]) {
      const ids = (await filtered(TINY, conditions)).kept.map((c) => c.id);
      expect((await filtered(bare, conditions)).kept.map((c) => c.id)).toEqual(ids);
      expect((await filtered(await TINY_BLOBS, conditions)).kept.map((c) => c.id)).toEqual(ids);
      expect(ids.length).toBeGreaterThan(0);
    }
  });
});

/** Takes the empty blob field (`3a 00`) out of a frame that `encodeRecord` made. */
function withoutBlob(frame: Buffer): Buffer {
  const event = frame.indexOf(Buffer.from('3a00', 'hex'));
  expect(event).toBeGreaterThan(0);
  const shorten = (at: number): void => {
    // Every length prefix around the event is two bytes long here.
    const length = (frame[at] & 0x7f) | (frame[at + 1] << 7);
    frame[at] = ((length - 2) & 0x7f) | 0x80;
    frame[at + 1] = (length - 2) >> 7;
  };
  for (const at of [0, 3, 6, 9]) shorten(at);
  return Buffer.concat([frame.subarray(0, event), frame.subarray(event + 2)]);
}

describe('as a real participant filtered', () => {
  const sorted = (list: Contract[]): string[] => list.map((c) => c.id).sort();

  it('by party', async () => {
    const { kept } = await filtered(LIVE, { parties: ['alice::'] });
    expect(sorted(kept)).toEqual(sorted(await contracts(fixture('live/p1.export-acs.alice.acs.gz'))));
  });

  it('by synchronizer', async () => {
    const { kept } = await filtered(LIVE, { synchronizers: ['other-sync'] });
    expect(sorted(kept)).toEqual(sorted(await contracts(fixture('live/p1.export-acs.other.acs.gz'))));
  });

  it('excluding a stakeholder; the in-flight record goes too, as an import needs it', async () => {
    const { kept, result } = await filtered(LIVE, { parties: ['bank::'], excludedStakeholders: ['alice::'] });
    expect(sorted(kept)).toEqual(
      sorted(await contracts(fixture('live/p1.export-acs.bank-excluding-alice.acs.gz'))),
    );
    expect(result).toMatchObject({ inFlight: 1, inFlightKept: 0, inFlightRecords: [18] });
  });
});

describe('what protects the user', () => {
  it('an ambiguous prefix is refused with the candidates, and nothing is written', async () => {
    const before = await readdir(folder);
    await expect(filterSnapshot(TWO, join(folder, 'none.acs.gz'), { parties: ['b'] })).rejects.toMatchObject({
      code: 'NAME_AMBIGUOUS',
      exitCode: 2,
      found: expect.stringMatching(/bank::.*bob::.*broker::/),
    });
    expect(await readdir(folder)).toEqual(before);
  });

  it('a prefix of nobody is refused; a full id of nobody is reported', async () => {
    await expect(filtered(TWO, { parties: ['zoe'] })).rejects.toMatchObject({ code: 'NAME_NOT_FOUND' });
    const zoe = `zoe::1220${'0'.repeat(64)}`;
    const { result } = await filtered(TWO, { parties: [zoe] });
    expect(result).toMatchObject({ kept: 0, unmatched: [zoe] });
  });

  it('a damaged input leaves no output', async () => {
    const before = await readdir(folder);
    const bytes = await readFile(TWO);
    const cut = bytes.subarray(0, bytes.length >> 1);
    await expect(filterSnapshot(cut, join(folder, 'cut.acs.gz'))).rejects.toMatchObject({
      code: 'GZIP_TRUNCATED',
    });
    expect(await readdir(folder)).toEqual(before);
  });

  it('the blob decides when the event says otherwise', async () => {
    const file = await createSnapshotFile(join(folder, 'lying.acs.gz'));
    let blobParty = '';
    await scanSnapshot(TINY, (record) => {
      if (record.index > 0) return false;
      blobParty = record.signatories[0];
      file.writeFrame(
        encodeRecord({
          synchronizerId: record.synchronizerId,
          reassignmentCounter: 0n,
          createdEvent: {
            contractId: record.contractId,
            createdEventBlob: Buffer.from(record.createdEventBlob as Buffer),
            signatories: ['mallory::default'],
            observers: [],
          },
        }),
      );
      return true;
    });
    await file.finish();
    const input = join(folder, 'lying.acs.gz');
    expect((await filtered(input, { parties: [blobParty] })).kept).toHaveLength(1);
    expect((await filtered(input, { parties: ['=mallory::default'] })).kept).toHaveLength(0);
  });
});
