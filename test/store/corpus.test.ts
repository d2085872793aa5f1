/** Recorded participants: what the store says at an offset is what the participant said there, byte for byte. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { contentDigest } from '../../src/contract/contentDigest.js';
import { readLedgerStream } from '../../src/ledger/ledgerStream.js';
import { RecordView } from '../../src/snapshot/record.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { frames } from '../../src/store/activeFrames.js';
import { appendUpdates } from '../../src/store/append.js';
import { inFlightAt, resolveQuestion } from '../../src/store/ask.js';
import { exportSnapshot } from '../../src/store/exportSnapshot.js';
import { loadBase } from '../../src/store/load.js';
import { withStore } from '../../src/store/open.js';
import { WireReader } from '../../src/wire/reader.js';
import { fixture, inflated, storePath } from './temporaryStore.js';

interface Scenario {
  synchronizers: Record<'acme' | 'other', string>;
  parties: Record<string, string>;
  acs_offsets: Record<string, number[]>;
}

const scenario = JSON.parse(
  gunzipSync(readFileSync(fixture('live2/stream/scenario.json.gz'))).toString(),
) as Scenario;

async function digestOf(path: string): Promise<{ hex: string; contracts: number }> {
  const digest = contentDigest();
  await scanSnapshot(path, (record) => {
    if (!record.inFlight) digest.add(record);
  });
  return { hex: digest.hex(), contracts: digest.count };
}

/** What `GetActiveContracts` answered: created events by contract and synchronizer, and who is in flight. */
async function recordedAcs(path: string) {
  const active = new Map<string, string>();
  const inFlight = new Set<string>();
  const view = new RecordView();
  await readLedgerStream(path, 'GetActiveContractsResponse', (buf, start, end) => {
    const r = new WireReader(buf, start, end);
    while (r.pos < r.end) {
      const tag = r.tag();
      if (tag !== 0x12 && tag !== 0x1a) {
        r.skip(tag & 7);
        continue;
      }
      const n = r.length();
      const [from, to] = [r.pos, r.pos + n];
      r.pos = to;
      if (tag === 0x12) {
        view.parseActive(buf, from, to);
        active.set(
          `${view.contractId} ${view.synchronizerId} ${view.reassignmentCounter}`,
          buf.toString('hex', view.eventStart, view.eventEnd),
        );
      } else {
        const inner = new WireReader(buf, from, to);
        inner.tag();
        const size = inner.length();
        inFlight.add(view.parseEvent(buf, inner.pos, inner.pos + size).contractId);
      }
    }
  });
  return { active, inFlight };
}

async function storedAcs(db: string, offset: bigint, parties?: string[]) {
  return withStore(db, {}, ({ db: opened }) => {
    const q = resolveQuestion(opened, undefined, { offset, parties });
    const active = new Map<string, string>();
    const view = new RecordView();
    for (const frame of frames(opened, q)) {
      let bodyStart = 0;
      while (frame[bodyStart++] >= 0x80);
      view.parse(frame, 0, bodyStart, frame.length, 0, 0);
      active.set(
        `${view.contractId} ${view.synchronizerId} ${view.reassignmentCounter}`,
        frame.toString('hex', view.eventStart, view.eventEnd),
      );
    }
    const inFlight = new Set(
      inFlightAt(opened, q)
        .filter((r) => r.kind === 'unassigned')
        .map((r) => r.contractId),
    );
    return { active, inFlight };
  });
}

describe('snapshots as a base', () => {
  const files = [
    'snapshots/tiny',
    'snapshots/tiny-verbose',
    'snapshots/two-synchronizers',
    'snapshots/multi/participant1',
    'snapshots/multi/participant2',
    'snapshots/multi/participant3',
    'live/p1.export-acs.no-party-filter',
    'live/p1.export-acs.alice',
    'live2/stream/p2.export-5',
  ];
  it.each(files)('%s: exported again it is the same stream of bytes', async (name) => {
    const db = storePath();
    const file = fixture(`${name}.acs.gz`);
    const loaded = await loadBase(db, file, { source: 'p', offset: 9007199254740993n });
    const out = `${db}.acs.gz`;
    const written = await exportSnapshot(db, out, { inFlight: 'keep', manifest: true });
    expect(inflated(out).equals(inflated(file))).toBe(true);
    expect(written.contracts).toBe(loaded.contracts);
    expect(written.offset).toBe(9007199254740993n);
    const [before, after] = [await digestOf(file), await digestOf(out)];
    expect(after).toEqual(before);
    expect(written.manifest?.contentDigest).toBe(before.hex);
    expect(written.manifest?.offset).toBe('9007199254740993');
  });

  it('holds several participants, each contract once', async () => {
    const db = storePath();
    for (const p of [1, 2, 3])
      await loadBase(db, fixture(`snapshots/multi/participant${p}.acs.gz`), { source: `p${p}`, offset: 10n });
    const counts = await withStore(db, {}, ({ db: opened }) => ({
      contracts: opened.prepare('SELECT count(*) FROM contract').pluck().get(),
      distinct: opened.prepare('SELECT count(DISTINCT contract_id) FROM contract').pluck().get(),
      activations: opened.prepare('SELECT count(*) FROM activation').pluck().get(),
    }));
    expect(counts.activations).toBe(416 + 387 + 327);
    expect(counts.contracts).toBe(counts.distinct);
    for (const p of [1, 2, 3]) {
      const out = `${db}.p${p}.acs.gz`;
      await exportSnapshot(db, out, { source: `p${p}` });
      expect(inflated(out).equals(inflated(fixture(`snapshots/multi/participant${p}.acs.gz`)))).toBe(true);
    }
  });
});

describe('the recorded run of two participants', () => {
  it.each([
    [1, 'acs-delta'],
    [1, 'ledger-effects'],
    [2, 'acs-delta'],
  ] as const)('participant%s, %s: every recorded export, byte for byte', async (p, shape) => {
    const db = storePath();
    const file = fixture(`live2/stream/p${p}.updates.${shape}.bin.gz`);
    const offsets = scenario.acs_offsets[p].map(BigInt);
    const result = await appendUpdates(db, [file], { source: 'x', begin: 0n, until: offsets[4] });
    expect(Object.keys(result.findings).filter((code) => code !== 'WITNESS_OUTSIDE')).toEqual([]);
    const out = `${db}.acs.gz`;
    for (let k = 1; k <= 5; k++) {
      await exportSnapshot(db, out, { offset: offsets[k - 1], inFlight: 'keep' });
      expect(
        inflated(out).equals(inflated(fixture(`live2/stream/p${p}.export-${k}.acs.gz`))),
        `export ${k}`,
      ).toBe(true);
      if (p !== 1 || (k !== 3 && k !== 5)) continue;
      for (const name of ['acme', 'other'] as const) {
        await exportSnapshot(db, out, {
          offset: offsets[k - 1],
          inFlight: 'keep',
          synchronizers: [scenario.synchronizers[name]],
        });
        expect(inflated(out).equals(inflated(fixture(`live2/stream/p${p}.export-${k}.${name}.acs.gz`)))).toBe(
          true,
        );
      }
    }
    const again = await appendUpdates(db, [file], { source: 'x' });
    expect(again).toMatchObject({ updates: 0, events: 0, replayed: result.updates });
  });

  it.each([
    [1, [1, 2, 3, 4, 5]],
    [2, [3, 5]],
  ])('participant%s: what GetActiveContracts said, contracts in flight included', async (p, ks) => {
    const db = storePath();
    const offsets = scenario.acs_offsets[p].map(BigInt);
    await appendUpdates(db, [fixture(`live2/stream/p${p}.updates.acs-delta.bin.gz`)], {
      source: 'x',
      begin: 0n,
      until: offsets[4],
    });
    for (const k of ks) {
      const recorded = await recordedAcs(fixture(`live2/stream/p${p}.acs-${k}.bin.gz`));
      expect(await storedAcs(db, offsets[k - 1])).toEqual(recorded);
    }
  });

  it.each([1, 2, 3, 4])(
    'GetActiveContracts %s as the base, the rest of the stream on top: the same as from the beginning',
    async (k) => {
      const db = storePath();
      const offsets = scenario.acs_offsets[1].map(BigInt);
      const base = await loadBase(db, fixture(`live2/stream/p1.acs-${k}.bin.gz`), {
        source: 'p1',
        offset: offsets[k - 1],
      });
      expect(base.format).toBe('active-contracts');
      const appended = await appendUpdates(db, [fixture('live2/stream/p1.updates.acs-delta.bin.gz')], {
        source: 'p1',
        until: offsets[4],
      });
      expect(appended.beforeBase).toBeGreaterThan(0);
      expect(appended.findings).toEqual({});
      for (let later = k; later <= 5; later++)
        expect(await storedAcs(db, offsets[later - 1])).toEqual(
          await recordedAcs(fixture(`live2/stream/p1.acs-${later}.bin.gz`)),
        );
      const out = `${db}.acs.gz`;
      await exportSnapshot(db, out, { offset: offsets[4], inFlight: 'keep' });
      expect(inflated(out).equals(inflated(fixture('live2/stream/p1.export-5.acs.gz')))).toBe(true);
    },
  );

  it('a recorded export as the base, the rest of the stream on top', async () => {
    const db = storePath();
    const offsets = scenario.acs_offsets[1].map(BigInt);
    const loaded = await loadBase(db, fixture('live2/stream/p1.export-3.acs.gz'), {
      source: 'p1',
      offset: offsets[2],
    });
    expect(loaded.inFlight).toEqual({ named: 0, unnamed: 1 });
    await appendUpdates(db, [fixture('live2/stream/p1.updates.acs-delta.bin.gz')], {
      source: 'p1',
      until: offsets[4],
    });
    const out = `${db}.acs.gz`;
    await exportSnapshot(db, out, { offset: offsets[4] });
    expect(await digestOf(out)).toEqual(await digestOf(fixture('live2/stream/p1.export-5.acs.gz')));
  });
});

describe('the recorded traffic of three participants', () => {
  it('participant1: verbose streams, binary and JSON, give the export made at 279', async () => {
    for (const name of ['live/p1.updates.acs-delta.bin.gz', 'live/p1.updates.acs-delta.jsonl.gz']) {
      const db = storePath();
      const result = await appendUpdates(db, [fixture(name)], { source: 'p1', begin: 0n, until: 279n });
      expect(result.findings).toEqual({});
      const out = `${db}.acs.gz`;
      await exportSnapshot(db, out, { inFlight: 'keep' });
      expect(inflated(out).equals(inflated(fixture('live/p1.export-acs.no-party-filter.acs.gz')))).toBe(true);
      const local = ['alice', 'bank', 'broker'].map((hint) => partyOf(hint));
      expect(await storedAcs(db, 279n, local)).toEqual(
        await recordedAcs(fixture('live/p1.active-contracts.plain.bin')),
      );
      await exportSnapshot(db, out, { inFlight: 'keep', parties: local });
      expect(inflated(out).equals(inflated(fixture('live/p1.export-acs.all-parties.acs.gz')))).toBe(true);
    }
  });

  it('participant1: a change of assignation moves everything, counters included', async () => {
    const db = storePath();
    const files = ['updates.acs-delta', 'party-replication.updates', 'change-assignation.updates'];
    const result = await appendUpdates(
      db,
      files.map((name) => fixture(`live/p1.${name}.bin.gz`)),
      { source: 'p1', begin: 0n },
    );
    expect(result.findings).toEqual({});
    const local = ['alice', 'bank', 'broker'].map((hint) => partyOf(hint));
    const stored = await storedAcs(db, 498n, local);
    const recorded = await recordedAcs(fixture('live/p1.change-assignation.active-contracts.bin.gz'));
    // The assignment at offset 367 of the contract in flight was not recorded.
    const [missing] = stored.inFlight;
    const expected = [...recorded.active].filter(([key]) => !key.startsWith(missing));
    expect(expected.length).toBe(recorded.active.size - 1);
    expect([...stored.active].sort()).toEqual(expected.sort());
  });

  it('participant3: a replicated party arrives as assignments to the same synchronizer', async () => {
    const db = storePath();
    const result = await appendUpdates(
      db,
      ['updates.acs-delta', 'party-replication.updates'].map((name) => fixture(`live/p3.${name}.bin.gz`)),
      { source: 'p3', begin: 0n },
    );
    expect(result.findings).toEqual({});
    const recorded = await recordedAcs(fixture('live/p3.party-replication.active-contracts.bin.gz'));
    const stored = await storedAcs(db, result.head);
    expect([...stored.active.keys()].sort()).toEqual([...recorded.active.keys()].sort());
  });

  it('repair: purge and import, as transactions and as reassignments with source = target', async () => {
    const p2 = storePath();
    const two = await appendUpdates(
      p2,
      ['updates.acs-delta', 'purge.updates', 'import.updates'].map((name) =>
        fixture(`live/p2.${name}.bin.gz`),
      ),
      { source: 'p2', begin: 0n },
    );
    expect(two.findings).toEqual({});
    const kinds = await withStore(p2, {}, ({ db }) =>
      db.prepare('SELECT kind FROM events WHERE offset > 192 ORDER BY offset').pluck().all(),
    );
    expect(kinds).toEqual(['archive', 'create']);
    const p3 = storePath();
    const three = await appendUpdates(
      p3,
      ['updates.acs-delta', 'purge.updates', 'import.updates', 'import-counter-7.updates'].map((name) =>
        fixture(`live/p3.${name}.bin.gz`),
      ),
      { source: 'p3', begin: 0n },
    );
    // The purge between the two imports was not recorded.
    expect(three.findings).toEqual({ DOUBLE_ACTIVATION: 1 });
    const [active, inFlight] = await withStore(p3, {}, ({ db }) => [
      db.prepare('SELECT counter FROM active WHERE since_offset = 382').pluck().all(),
      db
        .prepare('SELECT count(*) FROM reassignments WHERE source_synchronizer = target_synchronizer')
        .pluck()
        .get(),
    ]);
    expect(active).toEqual([7]);
    expect(inFlight).toBe(0);
  });
});

/** All three live on participant1, in one namespace. */
function partyOf(hint: string): string {
  const live = inflated(fixture('live/p1.updates.acs-delta.bin.gz')).toString('latin1');
  const found = /bank(::1220[0-9a-f]{64})/.exec(live);
  if (found === null) throw new Error('no party bank');
  return `${hint}${found[1]}`;
}
