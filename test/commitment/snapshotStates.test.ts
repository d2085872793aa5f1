import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeCommitmentMessage, encodeCommitmentMessage } from '../../src/commitment/commitmentMessage.js';
import { commitmentsOf, commitmentsOfRows } from '../../src/commitment/commitments.js';
import {
  diffGroupDigests,
  type GroupDigestList,
  groupDigests,
  groupName,
  parseGroupDigests,
} from '../../src/commitment/groupDigests.js';
import { GroupStates } from '../../src/commitment/groups.js';
import { hostingMapOf, participantUid } from '../../src/commitment/hostingMap.js';
import { isEmptyState, subtractState } from '../../src/commitment/lthash16.js';
import { encodeStates, readStates, writeStates } from '../../src/commitment/savedStates.js';
import { SCHEMES } from '../../src/commitment/schemes.js';
import { commitmentsOfSnapshot, groupStatesOfSnapshot } from '../../src/commitment/snapshotStates.js';
import { isTick, tickBefore } from '../../src/commitment/ticks.js';
import { writeOpenCommitment } from '../../src/commitment/writeOpenCommitment.js';
import { AcsError } from '../../src/io/error.js';
import { filterSnapshot } from '../../src/reshape/filter.js';
import {
  type CorpusCommitment,
  type CorpusGroup,
  type CorpusHosting,
  fixture,
  fixturePath,
  hex,
  json,
  jsonLines,
  sha256,
} from './vectors.js';

const folder = mkdtempSync(join(tmpdir(), 'acs-states-'));
afterAll(() => rmSync(folder, { recursive: true }));

const hostingJson = json<CorpusHosting>('snapshots/multi/hosting.json');
const hosting = hostingMapOf(hostingJson);
const PARTICIPANTS = ['participant1', 'participant2', 'participant3'];
const snapshot = (participant: string) => fixturePath(`snapshots/multi/${participant}.acs.gz`);
const summary = (states: GroupStates) =>
  [...states.groups()].map((g) => [g.parties.join(), g.contracts, sha256(states.engine.read(g.slot))]);

describe('the commitments of a snapshot file', () => {
  it.each(PARTICIPANTS)('of %s are those the real implementation computed', async (participant) => {
    const found = await commitmentsOfSnapshot(snapshot(participant), { hosting, participant });
    expect(found.synchronizer).toBe(hosting.synchronizerId);
    expect(found.elsewhere).toBe(0);
    const expected = json<CorpusCommitment[]>('commitments/commitments.json').filter(
      (c) => c.data === 'as-snapshotted' && c.sender === participant,
    );
    const byUid = new Map(found.commitments.map((c) => [c.counterParticipant, c]));
    expect(byUid.size).toBe(2);
    for (const c of expected) {
      const own = byUid.get(hostingJson.participants[c.counter_participant]!.participant_uid)!;
      expect(hex(own.commitment)).toBe(c.commitment_multihash);
      expect(own.contracts).toBe(c.shared_contracts);
    }
    const groups = jsonLines<CorpusGroup>('commitments/groups.jsonl.gz').filter(
      (g) => g.participant === participant,
    );
    expect(summary(found.states)).toEqual(
      groups
        .map((g) => [[...g.stakeholders].sort().join(), g.contracts.length, g.digest_sha256])
        .sort((a, b) => (a[0]! < b[0]! ? -1 : 1)),
    );
  });

  it('agree between the engines and, in both directions, between participants without differences', async () => {
    const wasm = await commitmentsOfSnapshot(snapshot('participant1'), {
      hosting,
      participant: 'participant1',
    });
    const plain = await commitmentsOfSnapshot(snapshot('participant1'), {
      hosting,
      participant: 'participant1',
      engine: 'javascript',
    });
    expect(plain.commitments).toEqual(wasm.commitments);
    expect(plain.states.engine.kind).toBe('javascript');
  });

  it('count each synchronizer by itself', async () => {
    const file = fixturePath('snapshots/two-synchronizers.acs.gz');
    const both = await groupStatesOfSnapshot(file);
    expect(both.states.size).toBe(2);
    const [one, other] = [...both.states.keys()] as [string, string];
    const alone = await groupStatesOfSnapshot(file, { synchronizer: other });
    expect([...alone.states.keys()]).toEqual([other]);
    expect(alone.contracts).toEqual(both.contracts);
    expect(summary(alone.states.get(other)!)).toEqual(summary(both.states.get(other)!));
    const map = hostingMapOf({ participants: { p: { participant_uid: 'p::1', hosts: [] } } });
    await expect(commitmentsOfSnapshot(file, { hosting: map, participant: 'p' })).rejects.toMatchObject({
      code: 'COMMITMENT_WHICH_SYNCHRONIZER',
      exitCode: 2,
    });
    const named = await commitmentsOfSnapshot(file, { hosting: map, participant: 'p', synchronizer: one });
    expect(named.commitments).toEqual([]);
    expect(named.contracts + named.elsewhere).toBe(named.facts.records - named.facts.inFlight);
    await expect(commitmentsOfSnapshot(file, { hosting: map, participant: 'q' })).rejects.toMatchObject({
      code: 'HOSTING_UNKNOWN_PARTICIPANT',
    });
  });

  it('are refused for a file in which contracts stand twice', async () => {
    const bytes = gunzipSync(fixture('snapshots/multi/participant1.acs.gz'));
    const twice = gzipSync(Buffer.concat([bytes, bytes]));
    await expect(
      commitmentsOfSnapshot(twice, { hosting, participant: 'participant1' }),
    ).rejects.toMatchObject({
      code: 'COMMITMENT_DUPLICATE_CONTRACT',
      found: '416 that do not',
    });
    const { repeated } = await groupStatesOfSnapshot(fixturePath('snapshots/two-synchronizers.acs.gz'));
    expect(repeated.size).toBe(0);
  });

  it('are refused for an export of some of the parties, and written for the other side', async () => {
    const some = join(folder, 'alice.acs.gz');
    const whole = snapshot('participant1');
    await filterSnapshot(
      whole,
      some,
      { parties: ['alice'] },
      { write: { manifest: true, origin: { parties: ['alice'] } } },
    );
    await expect(commitmentsOfSnapshot(some, { hosting, participant: 'participant1' })).rejects.toMatchObject(
      { code: 'COMMITMENT_PARTIAL', place: { file: some } },
    );

    const opened = join(folder, 'opened');
    const pair = { hosting, participant: 'participant1', counterParticipant: 'participant2' };
    const options = { ...pair, synchronizer: hosting.synchronizerId as string };
    const contracts = await writeOpenCommitment(whole, opened, 'node', options);
    const { commitments } = await commitmentsOfSnapshot(whole, { hosting, participant: 'participant1' });
    const uid = participantUid(hosting, 'participant2');
    expect(contracts).toBe(commitments.find((each) => each.counterParticipant === uid)?.contracts);
    await expect(writeOpenCommitment(opened, opened, 'node', options)).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  it('are the same on any number of threads', async () => {
    // The corpus file many times over: the sums wrap, but whoever sums must get the same.
    const bytes = gunzipSync(fixture('snapshots/multi/participant1.acs.gz'));
    const file = gzipSync(Buffer.concat(Array.from({ length: 80 }, () => bytes)), { level: 1 });
    const scan = { maxRatio: 1e6 };
    const alone = await groupStatesOfSnapshot(file, { threads: 0, scan });
    expect(alone.facts.records).toBe(80 * 416);
    for (const threads of [1, 3]) {
      const shared = await groupStatesOfSnapshot(file, { threads, scan });
      const [a, b] = [[...alone.states.values()][0]!, [...shared.states.values()][0]!];
      expect(summary(b)).toEqual(summary(a));
    }
  });

  it('fail as the file does, also with threads at work', async () => {
    const bytes = gunzipSync(fixture('snapshots/multi/participant1.acs.gz'));
    const broken = Buffer.concat([...Array.from({ length: 60 }, () => bytes), Buffer.from([0x7f, 1])]);
    await expect(
      groupStatesOfSnapshot(gzipSync(broken, { level: 1 }), { threads: 1, scan: { maxRatio: 1e6 } }),
    ).rejects.toMatchObject({ code: 'FRAME_TRUNCATED' });
  });
});

describe('hash threads', () => {
  it('keep states from being read before they are complete', async () => {
    const states = new GroupStates();
    const direct = new GroupStates();
    states.startThreads(2);
    for (let i = 0; i < 20_000; i++) {
      const id = `00${i.toString(16).padStart(68, '0')}`;
      for (const s of [states, direct]) s.add(id, BigInt(i % 3), [`p${i % 50}::1`, 'q::1']);
    }
    expect(() => states.stateOf(['q::1'])).toThrow();
    expect(() => [...states.groups()]).toThrow();
    await states.settle();
    expect(summary(states)).toEqual(summary(direct));
    await states.settle();
    // Further changes go on without threads.
    for (const s of [states, direct]) s.remove(`00${'0'.repeat(68)}`, 0n, ['p0::1', 'q::1']);
    expect(summary(states)).toEqual(summary(direct));
    const given = new GroupStates();
    given.startThreads(1);
    given.add('00aa', 0n, ['a::1']);
    await given.abandon();
    expect(() => given.stateOf(['a::1'])).toThrow();
  });
});

describe('saved group states', () => {
  it('continue where they were left', async () => {
    for (const scheme of Object.values(SCHEMES)) {
      const path = join(folder, `${scheme.name}.states`);
      const states = new GroupStates({ scheme });
      const changes = Array.from({ length: 40 }, (_, i) => ({
        kind: 'activated' as const,
        contractId: `00${i.toString(16).padStart(68, '0')}`,
        reassignmentCounter: BigInt(i),
        stakeholders: [`p${i % 5}::1`, 'q::1'],
      }));
      for (const c of changes.slice(0, 30)) states.apply(c);
      await writeStates(path, { states, synchronizer: 's::1' });
      const saved = await readStates(path);
      expect(saved.synchronizer).toBe('s::1');
      expect(saved.states.scheme).toBe(scheme);
      expect(summary(saved.states)).toEqual(summary(states));
      for (const s of [states, saved.states]) {
        for (const c of changes.slice(30)) s.apply(c);
        for (const c of changes.slice(0, 20)) s.apply({ ...c, kind: 'deactivated' });
      }
      expect(summary(saved.states)).toEqual(summary(states));
    }
  });

  it('are written the same way whatever the order of changes', () => {
    const build = (ids: string[]) => {
      const states = new GroupStates();
      for (const id of ids) states.add(id, 0n, [`p${id}::1`]);
      return Buffer.concat([...encodeStates({ states, synchronizer: 's::1' })]);
    };
    expect(build(['00', '01', '02'])).toEqual(build(['02', '00', '01']));
  });

  it('are refused when cut or damaged', async () => {
    const states = new GroupStates();
    states.add('00aa', 0n, ['a::1']);
    const bytes = Buffer.concat([...encodeStates({ states, synchronizer: 's::1' })]);
    for (let end = 0; end < bytes.length; end++) {
      await expect(readStates(bytes.subarray(0, end)), `${end}`).rejects.toMatchObject({
        code: 'GROUP_STATES_MALFORMED',
      });
    }
    for (let i = 0; i < bytes.length; i += i < 60 || i > 2080 ? 1 : 61) {
      const bad = Buffer.from(bytes);
      bad[i]! ^= 0x41;
      const error: unknown = await readStates(bad).catch((e: unknown) => e);
      expect(error, `${i}`).toBeInstanceOf(AcsError);
    }
    await expect(readStates(Buffer.concat([bytes, bytes]))).rejects.toMatchObject({
      code: 'GROUP_STATES_MALFORMED',
    });
    await expect(readStates(fixture('commitments/open-commitment.bin'))).rejects.toBeInstanceOf(AcsError);
  });
});

describe('states kept in a store', () => {
  it('are loaded when touched, and only what changed is written back', () => {
    const id = (i: number) => `00${i.toString(16).padStart(68, '0')}`;
    const party = fc.integer({ min: 0, max: 3 }).map((p) => `p${p}::1`);
    const change = fc.record({ contract: fc.nat(12), stakeholders: fc.uniqueArray(party, { minLength: 1 }) });
    fc.assert(
      fc.property(
        fc.array(fc.array(change, { maxLength: 10 }), { maxLength: 6 }),
        fc.constantFrom(...Object.values(SCHEMES)),
        (rounds, scheme) => {
          const store = new Map<
            string,
            { parties: readonly string[]; contracts: number; state: Uint8Array }
          >();
          const whole = new GroupStates({ scheme });
          const active = new Map<number, readonly string[]>();
          for (const round of rounds) {
            const states = new GroupStates({ scheme, load: (parties) => store.get(parties.join()) });
            const before = new Map([...store].map(([key, row]) => [key, sha256(row.state)]));
            for (const { contract, stakeholders } of round) {
              const kind = active.has(contract) ? ('deactivated' as const) : ('activated' as const);
              const event = {
                kind,
                contractId: id(contract),
                reassignmentCounter: 0n,
                stakeholders: active.get(contract) ?? stakeholders,
              };
              if (kind === 'activated') active.set(contract, stakeholders);
              else active.delete(contract);
              states.apply(event);
              whole.apply(event);
            }
            const written = new Set<string>();
            for (const row of states.changed()) {
              const key = row.parties.join();
              written.add(key);
              if (row.contracts === 0) store.delete(key);
              else store.set(key, { ...row, state: row.state.slice() });
            }
            states.markSaved();
            expect([...states.changed()]).toEqual([]);
            for (const [key, digest] of before) {
              if (!written.has(key)) expect(sha256(store.get(key)!.state)).toBe(digest);
            }
          }
          const rows = [...store.values()];
          expect(
            rows
              .map((r) => [r.parties.join(), r.contracts, sha256(r.state)])
              .sort((a, b) => (a[0]! < b[0]! ? -1 : 1)),
          ).toEqual(summary(whole).sort((a, b) => (a[0]! < b[0]! ? -1 : 1)));
          const map = hostingMapOf({
            participants: {
              p: { participant_uid: 'p::9', hosts: ['p0::1', 'p1::1'] },
              q: { participant_uid: 'q::9', hosts: ['p1::1', 'p2::1'] },
            },
          });
          expect(commitmentsOfRows(scheme, rows, map, 'p')).toEqual(commitmentsOf(whole, map, 'p'));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are checked before they are written', () => {
    const states = new GroupStates({ load: () => undefined });
    states.remove('00aa', 0n, ['a::1']);
    expect(() => [...states.changed()]).toThrow(expect.objectContaining({ code: 'COMMITMENT_SET_VIOLATED' }));
    // What is not loaded must not go missing unnoticed.
    expect(() => [...states.rows()]).toThrow();
  });
});

describe('group digests', () => {
  const list = async (own: string, other: string, salt?: string) => {
    const { states, synchronizer } = await commitmentsOfSnapshot(snapshot(own), {
      hosting,
      participant: own,
    });
    return groupDigests(states.scheme, states.rows(), {
      hosting,
      participant: own,
      counterParticipant: other,
      synchronizer,
      ...(salt === undefined ? {} : { salt }),
    });
  };

  it('differ exactly in the groups of the planted differences', async () => {
    const groups = jsonLines<CorpusGroup>('commitments/groups.jsonl.gz');
    for (const [p, q] of [
      ['participant1', 'participant2'],
      ['participant1', 'participant3'],
      ['participant2', 'participant3'],
    ] as const) {
      const shared = (own: string, other: string) =>
        new Map(
          groups
            .filter((g) => g.participant === own && g.hosting_participants.includes(other))
            .map((g) => [groupName([...g.stakeholders].sort(), 'pepper'), g]),
        );
      const [mine, theirs] = [shared(p, q), shared(q, p)];
      const expected = [...new Set([...mine.keys(), ...theirs.keys()])]
        .filter((name) => mine.get(name)?.digest_sha256 !== theirs.get(name)?.digest_sha256)
        .sort();
      expect(expected.length).toBeGreaterThan(0);
      const local = parseGroupDigests(JSON.stringify(await list(p, q, 'pepper')));
      const found = diffGroupDigests(local, await list(q, p, 'pepper'));
      expect(found.map((d) => d.group)).toEqual(expected);
      for (const d of found) {
        expect(d.localContracts).toBe(mine.get(d.group)?.contracts.length ?? 0);
        expect(d.remoteContracts).toBe(theirs.get(d.group)?.contracts.length ?? 0);
      }
      expect(JSON.stringify(local)).not.toMatch(/alice|bank|carol/);
    }
  });

  it('are not compared when they do not belong together', async () => {
    const mine = await list('participant1', 'participant2', 'a');
    const unrelated = expect.objectContaining({ code: 'GROUP_DIGESTS_UNRELATED' });
    expect(() => diffGroupDigests(mine, mine)).toThrow(unrelated);
    for (const change of [{ scheme: 'x' }, { synchronizerId: 'x' }, { saltCheck: 'x' }]) {
      const theirs: GroupDigestList = {
        ...mine,
        participant: mine.counterParticipant,
        counterParticipant: mine.participant,
      };
      expect(diffGroupDigests(mine, theirs)).toEqual([]);
      expect(() => diffGroupDigests(mine, { ...theirs, ...change })).toThrow(unrelated);
    }
  });

  it('name the place of a fault', async () => {
    const mine = await list('participant1', 'participant2');
    const cases: [unknown, string][] = [
      [[], 'format'],
      [null, ''],
      [{ ...mine, format: 'x' }, 'format'],
      [{ ...mine, scheme: 1 }, 'scheme'],
      [{ ...mine, groups: {} }, 'groups'],
      [{ ...mine, groups: [1] }, 'groups[0]'],
      [{ ...mine, groups: [{ ...mine.groups[0], contracts: 0 }] }, 'groups[0].contracts'],
      [{ ...mine, groups: [mine.groups[0], mine.groups[0]] }, 'groups[1].group'],
      [{ ...mine, groups: [{ ...mine.groups[0], digest: 'x' }] }, 'groups[0].digest'],
    ];
    for (const [value, path] of cases) {
      expect(() => parseGroupDigests(JSON.stringify(value))).toThrow(
        expect.objectContaining({ code: 'GROUP_DIGESTS_MALFORMED', place: { path } }),
      );
    }
    expect(() => parseGroupDigests('{')).toThrow(
      expect.objectContaining({ code: 'GROUP_DIGESTS_MALFORMED' }),
    );
  });
});

describe('the commitment message', () => {
  it('of the real implementation is read and written byte for byte', () => {
    const all = json<CorpusCommitment[]>('commitments/commitments.json');
    expect(all).toHaveLength(24);
    for (const c of all) {
      const bytes = Buffer.from(c.acs_commitment_message_proto_versioned, 'hex');
      const message = decodeCommitmentMessage(bytes);
      expect(message).toEqual({
        physicalSynchronizerId: hostingJson.physical_synchronizer_id,
        sender: hostingJson.participants[c.sender]!.participant_uid,
        counterParticipant: hostingJson.participants[c.counter_participant]!.participant_uid,
        fromExclusive: BigInt(c.from_exclusive_micros),
        toInclusive: BigInt(c.to_inclusive_micros),
        commitment: Buffer.from(c.commitment_multihash, 'hex'),
      });
      expect(hex(encodeCommitmentMessage(message))).toBe(c.acs_commitment_message_proto_versioned);
    }
  });

  it('cut or damaged gives an error, or says something else', () => {
    const [first] = json<CorpusCommitment[]>('commitments/commitments.json');
    const bytes = Buffer.from(first!.acs_commitment_message_proto_versioned, 'hex');
    for (let end = 0; end < bytes.length; end++) {
      expect(() => decodeCommitmentMessage(bytes.subarray(0, end))).toThrow(AcsError);
    }
    const whole = decodeCommitmentMessage(bytes);
    for (let i = 0; i < bytes.length; i++) {
      const bad = Buffer.from(bytes);
      bad[i]! ^= 0x41;
      try {
        expect(decodeCommitmentMessage(bad)).not.toEqual(whole);
      } catch (error) {
        if (!(error instanceof AcsError)) throw error;
      }
    }
  });
});

describe('the state of a removed remainder', () => {
  it('is empty: what was added and removed in any split leaves nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (elements) => {
        const states = new GroupStates();
        const [a, b] = [states.engine.open(), states.engine.open()];
        elements.forEach((e, i) => {
          states.engine.change(i % 2 === 0 ? a : b, e, 1);
        });
        const sum = states.engine.open();
        for (const e of elements) states.engine.change(sum, e, 1);
        const rest = states.engine.read(sum);
        subtractState(rest, states.engine.read(a));
        subtractState(rest, states.engine.read(b));
        expect(isEmptyState(rest)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe('ticks', () => {
  const s = (n: number) => BigInt(n) * 1_000_000n;
  const intervals = [
    { seconds: 3, validFrom: s(0), validUntil: s(49) },
    { seconds: 10, validFrom: s(49) },
  ];

  it('follow the interval in force, also over a change', () => {
    const ticks = [];
    for (let t = 0; t <= 70; t++) if (isTick(s(t), intervals)) ticks.push(t);
    expect(ticks.slice(-6)).toEqual([42, 45, 48, 50, 60, 70]);
    expect(isTick(s(45) + 1n, intervals)).toBe(false);
    expect(isTick(s(0), intervals)).toBe(false);
  });

  it('before a moment are strictly before it', () => {
    for (const [time, tick] of [
      [s(61), 60],
      [s(60) + 1n, 60],
      [s(60), 50],
      [s(50), 48],
      [s(49), 48],
      [s(48), 45],
      [s(4), 3],
    ] as const) {
      expect(tickBefore(time, intervals)).toBe(s(tick));
    }
    expect(tickBefore(s(3), intervals)).toBeUndefined();
    expect(tickBefore(s(-5), [{ seconds: 5, validFrom: s(-100) }])).toBe(s(-10));
  });

  it('agree with each other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200_000_000 }), (time) => {
        const tick = tickBefore(BigInt(time), intervals);
        if (tick === undefined) return;
        expect(isTick(tick, intervals)).toBe(true);
        expect(tick < BigInt(time)).toBe(true);
        for (let t = tick / 1_000_000n + 1n; s(Number(t)) < BigInt(time); t++) {
          expect(isTick(s(Number(t)), intervals)).toBe(false);
        }
      }),
    );
  });

  it('refuse impossible intervals', () => {
    for (const bad of [
      [{ seconds: 0, validFrom: 0n }],
      [{ seconds: 1.5, validFrom: 0n }],
      [{ seconds: 5, validFrom: 10n, validUntil: 10n }],
      [
        { seconds: 5, validFrom: 0n },
        { seconds: 5, validFrom: 10n },
      ],
    ]) {
      expect(() => isTick(0n, bad)).toThrow(expect.objectContaining({ code: 'TICK_BAD_INTERVAL' }));
    }
  });
});

describe('commitments from states kept up to date', () => {
  it('follow a mismatch and its repair', async () => {
    const { states } = await commitmentsOfSnapshot(snapshot('participant2'), {
      hosting,
      participant: 'participant2',
    });
    const before = commitmentsOf(states, hosting, 'participant2');
    const group = [...states.groups()].find((g) => g.parties.some((p) => p.startsWith('bank::')))!;
    states.remove('00aa', 5n, group.parties);
    const broken = commitmentsOf(states, hosting, 'participant2');
    expect(broken.map((c) => hex(c.commitment))).not.toEqual(before.map((c) => hex(c.commitment)));
    states.add('00aa', 5n, group.parties);
    expect(commitmentsOf(states, hosting, 'participant2')).toEqual(before);
  });
});
