import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commitmentsOf } from '../../src/commitment/commitments.js';
import { type CommitmentEvent, GroupStates } from '../../src/commitment/groups.js';
import { type HostingMap, hostingMapOf } from '../../src/commitment/hostingMap.js';
import type { EngineKind } from '../../src/commitment/ltHashEngine.js';
import { commitmentOf, isEmptyState, statesEqual, stateToHex } from '../../src/commitment/lthash16.js';
import { SCHEMES, schemeOf } from '../../src/commitment/schemes.js';
import {
  type CorpusCommitment,
  type CorpusGroup,
  type CorpusHosting,
  hex,
  json,
  jsonLines,
  sha256,
} from './vectors.js';

const hostingJson = json<CorpusHosting>('snapshots/multi/hosting.json');
const hosting = hostingMapOf(hostingJson);
const corpusGroups = jsonLines<CorpusGroup>('commitments/groups.jsonl.gz');
const corpusCommitments = json<CorpusCommitment[]>('commitments/commitments.json');
const KINDS: EngineKind[] = ['wasm', 'javascript'];
const PARTICIPANTS = ['participant1', 'participant2', 'participant3'];
const uidOf = (name: string) => hostingJson.participants[name]!.participant_uid;

function statesOfCorpus(participant: string, engine?: EngineKind): GroupStates {
  const states = new GroupStates(engine === undefined ? {} : { engine });
  for (const group of corpusGroups.filter((g) => g.participant === participant)) {
    for (const c of group.contracts) {
      states.add(c.contract_id, BigInt(c.reassignment_counter), group.stakeholders);
    }
  }
  return states;
}

interface Scenario {
  parties: Record<string, string>;
  participants: Record<string, string>;
  hosting: Record<string, Record<string, string>>;
  contracts: { contractId: string; reassignmentCounter: number; stakeholders: string[] }[];
  groupDigests: { stakeholders: string[]; first16Hex: string; sha256: string; digestHex?: string }[];
  commitments: {
    from: string;
    to: string;
    sharedGroups: string[][];
    digestSha256: string;
    commitmentHex: string;
    sent: boolean;
  }[];
}

interface Vectors {
  scenario: Scenario;
  singleGroupOpenCommitment: {
    contractIds: string[];
    reassignmentCounter: number;
    commitmentHex: string;
    withoutFourth: string;
  };
  alphaBlake3: {
    commitments: { from: string; to: string; entries: number; digestSha256: string; commitmentHex: string }[];
  };
}

const vectors = json<Vectors>('commitments/lthash16-vectors.json');

/** The hosting map of the scenario in the shape the library reads. */
function scenarioHosting(scenario: Scenario): HostingMap {
  const participants = Object.entries(scenario.participants).map(([name, uid]) => {
    const hosts = Object.entries(scenario.hosting)
      .filter(([, at]) => at[name] !== undefined)
      .map(([party, at]) => ({ party: scenario.parties[party], permission: at[name] }));
    return [name, { participant_uid: uid, hosts }];
  });
  return hostingMapOf({ participants: Object.fromEntries(participants) });
}

describe.each(KINDS)('stakeholder groups (%s)', (engine) => {
  it.each(PARTICIPANTS)('of %s have the digests the real implementation computed', (participant) => {
    const states = statesOfCorpus(participant, engine);
    const expected = corpusGroups.filter((g) => g.participant === participant);
    const found = [...states.groups()];
    expect(found).toHaveLength(expected.length);
    for (const group of expected) {
      const state = states.stateOf(group.stakeholders)!;
      expect(sha256(state)).toBe(group.digest_sha256);
      expect(hex(state.subarray(0, 32))).toBe(group.digest_first_32_bytes);
      expect(hex(state.subarray(-32))).toBe(group.digest_last_32_bytes);
      const own = found.find((g) => g.parties.join() === [...group.stakeholders].sort().join())!;
      expect(own.contracts).toBe(group.contracts.length);
    }
  });

  it('combine into every commitment of the snapshots as they are', () => {
    for (const participant of PARTICIPANTS) {
      const found = commitmentsOf(statesOfCorpus(participant, engine), hosting, participant);
      const expected = corpusCommitments.filter(
        (c) => c.data === 'as-snapshotted' && c.sender === participant,
      );
      expect(found).toHaveLength(2);
      expect(expected).toHaveLength(4);
      for (const c of expected) {
        const own = found.find((f) => f.counterParticipant === uidOf(c.counter_participant))!;
        expect(hex(own.commitment)).toBe(c.commitment_multihash);
        expect(sha256(own.digest)).toBe(c.combined_sha256);
        expect(hex(own.digest.subarray(0, 32))).toBe(c.combined_first_32_bytes);
        expect(own.elements).toBe(c.shared_stakeholder_groups);
        expect(own.contracts).toBe(c.shared_contracts);
      }
    }
  });
});

describe('without the deliberate differences', () => {
  /** The corpus' contracts with the planted differences undone, as each participant should have them. */
  function idealStates(participant: string): GroupStates {
    const extra = new Set(hostingJson.deliberate_differences.extra_on_participant1);
    const all = new Map<string, { counter: bigint; stakeholders: string[] }>();
    for (const group of corpusGroups) {
      for (const c of group.contracts) {
        const counter = BigInt(c.reassignment_counter);
        const known = all.get(c.contract_id);
        if (extra.has(c.contract_id) || (known !== undefined && known.counter <= counter)) continue;
        all.set(c.contract_id, { counter, stakeholders: group.stakeholders });
      }
    }
    const states = new GroupStates();
    const hosts = new Set(hostingJson.participants[participant]!.hosts);
    for (const [id, { counter, stakeholders }] of all) {
      if (stakeholders.some((party) => hosts.has(party))) states.add(id, counter, stakeholders);
    }
    return states;
  }

  it('the commitments are those of the ideal data, equal in both directions', () => {
    const ideal = corpusCommitments.filter((c) => c.data === 'ideal');
    expect(ideal).toHaveLength(12);
    for (const participant of PARTICIPANTS) {
      const found = commitmentsOf(idealStates(participant), hosting, participant);
      for (const c of ideal.filter((x) => x.sender === participant)) {
        const own = found.find((f) => f.counterParticipant === uidOf(c.counter_participant))!;
        expect(hex(own.commitment)).toBe(c.commitment_multihash);
        const back = ideal.find(
          (x) => x.sender === c.counter_participant && x.counter_participant === participant,
        )!;
        expect(hex(own.commitment)).toBe(back.commitment_multihash);
      }
    }
  });
});

describe('the scenario of the vectors', () => {
  const { scenario } = vectors;
  const map = scenarioHosting(scenario);
  const partiesOf = (names: string[]) => names.map((name) => scenario.parties[name]!);
  const build = (options: ConstructorParameters<typeof GroupStates>[0]) => {
    const states = new GroupStates(options);
    for (const c of scenario.contracts) {
      states.add(c.contractId, BigInt(c.reassignmentCounter), partiesOf(c.stakeholders));
    }
    return states;
  };

  it.each(KINDS)('gives all group digests and commitments (%s)', (engine) => {
    const states = build({ engine });
    for (const group of scenario.groupDigests) {
      const state = states.stateOf([...partiesOf(group.stakeholders)].sort())!;
      expect(sha256(state)).toBe(group.sha256);
      if (typeof group.digestHex === 'string') expect(stateToHex(state)).toBe(group.digestHex);
    }
    expect(scenario.commitments).toHaveLength(6);
    for (const c of scenario.commitments) {
      const own = commitmentsOf(states, map, c.from).find(
        (x) => x.counterParticipant === scenario.participants[c.to],
      )!;
      expect(hex(own.commitment), `${c.from}<->${c.to}`).toBe(c.commitmentHex);
      expect(sha256(own.digest)).toBe(c.digestSha256);
      expect(own.elements).toBe(c.sharedGroups.length);
    }
  });

  it('gives the commitments of the alpha scheme', () => {
    const states = build({ scheme: schemeOf('blake3-pairs') });
    for (const c of vectors.alphaBlake3.commitments) {
      const own = commitmentsOf(states, map, c.from).find(
        (x) => x.counterParticipant === scenario.participants[c.to],
      )!;
      expect(hex(own.commitment), `${c.from}<->${c.to}`).toBe(c.commitmentHex);
      expect(sha256(own.digest)).toBe(c.digestSha256);
      expect(own.elements).toBe(c.entries);
    }
  });

  it('has an observing host count, and an onboarding one only outside the alpha scheme', () => {
    const onboarding = hostingMapOf({
      participants: Object.fromEntries(
        Object.entries(scenario.participants).map(([name, uid]) => [
          name,
          {
            participant_uid: uid,
            hosts: Object.entries(scenario.hosting)
              .filter(([, at]) => at[name] !== undefined)
              .map(([party]) => ({ party: scenario.parties[party], onboarding: name === 'participant2' })),
          },
        ]),
      ),
    });
    const withP2 = (scheme: (typeof SCHEMES)[keyof typeof SCHEMES]) =>
      commitmentsOf(build({ scheme }), onboarding, 'participant1').map((c) => c.counterParticipant);
    expect(withP2(SCHEMES['blake2xb-groups'])).toContain(scenario.participants.participant2);
    expect(withP2(SCHEMES['blake3-pairs'])).not.toContain(scenario.participants.participant2);
    // bob is only observed at participant3, and participant2 and participant3 share him.
    expect(commitmentsOf(build({}), map, 'participant3').map((c) => c.counterParticipant)).toContain(
      scenario.participants.participant2,
    );
  });
});

describe('the published single-group example', () => {
  const { contractIds, commitmentHex, withoutFourth } = vectors.singleGroupOpenCommitment;
  it('gives its commitment, with and without the fourth contract', () => {
    const states = new GroupStates();
    const party = ['p::1'];
    for (const id of contractIds) states.add(id, 0n, party);
    const commitment = () => {
      const second = new GroupStates();
      const slot = second.engine.open();
      second.engine.change(slot, states.stateOf(party)!, 1);
      return hex(commitmentOf(second.engine.read(slot)));
    };
    expect(commitment()).toBe(commitmentHex);
    states.remove(contractIds[3]!, 0n, party);
    expect(commitment()).toBe(withoutFourth);
  });
});

describe('the worked example', () => {
  interface Worked {
    contracts: {
      contract_id: string;
      reassignment_counter: string;
      stakeholders: string[];
      element_state: string;
    }[];
    groups: { stakeholders: string[]; state: string }[];
    combined_state: string;
    commitment_multihash: string;
  }
  const worked = json<Worked>('commitments/worked-example.json');
  it('is reproduced in all its values', () => {
    const states = new GroupStates();
    for (const c of worked.contracts) {
      states.add(c.contract_id, BigInt(c.reassignment_counter), c.stakeholders);
      const alone = new GroupStates();
      alone.add(c.contract_id, BigInt(c.reassignment_counter), c.stakeholders);
      expect(stateToHex(alone.stateOf([...c.stakeholders].sort())!)).toBe(c.element_state);
    }
    for (const g of worked.groups)
      expect(stateToHex(states.stateOf([...g.stakeholders].sort())!)).toBe(g.state);
    // Two participants that share everything.
    const everyone = [...new Set(worked.contracts.flatMap((c) => c.stakeholders))];
    const map = hostingMapOf({
      participants: {
        a: { participant_uid: 'a::1', hosts: everyone },
        b: { participant_uid: 'b::1', hosts: everyone },
      },
    });
    const [one] = commitmentsOf(states, map, 'a');
    expect(stateToHex(one!.digest)).toBe(worked.combined_state);
    expect(hex(one!.commitment)).toBe(worked.commitment_multihash);
  });
});

const PARTIES = ['a::1', 'b::1', 'c::1', 'd::1'];
const contracts = fc.uniqueArray(
  fc.record({
    contractId: fc.uint8Array({ minLength: 33, maxLength: 69 }).map((b) => Buffer.from(b).toString('hex')),
    reassignmentCounter: fc.bigInt(0n, (1n << 63n) - 1n),
    stakeholders: fc.subarray(PARTIES, { minLength: 1 }),
  }),
  { selector: (c) => c.contractId, maxLength: 25 },
);

describe('running states', () => {
  it('do not depend on the order of changes and equal a fresh sum of what is left', () => {
    fc.assert(
      fc.property(
        contracts.chain((all) =>
          fc.record({
            all: fc.constant(all),
            gone: fc.subarray(all),
            order: fc.shuffledSubarray(all, { minLength: all.length }),
          }),
        ),
        fc.constantFrom(...Object.values(SCHEMES)),
        ({ all, gone, order }, scheme) => {
          const running = new GroupStates({ scheme });
          const events: CommitmentEvent[] = [
            // Removed before added is as good as removed after.
            ...gone.map((c) => ({ ...c, kind: 'deactivated' as const })),
            ...order.map((c) => ({
              ...c,
              stakeholders: [...c.stakeholders].reverse(),
              kind: 'activated' as const,
            })),
          ];
          for (const event of events) running.apply(event);
          const fresh = new GroupStates({ scheme });
          for (const c of all.filter((x) => !gone.includes(x))) {
            fresh.add(c.contractId, c.reassignmentCounter, c.stakeholders);
          }
          const left = [...fresh.groups()];
          expect([...running.groups()].map((g) => [g.parties, g.contracts])).toEqual(
            left.map((g) => [g.parties, g.contracts]),
          );
          for (const g of left) {
            expect(statesEqual(running.stateOf(g.parties)!, fresh.engine.read(g.slot))).toBe(true);
          }
          running.prune();
          expect(running.size).toBe(left.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('of disjoint parts merge into the states of the whole', () => {
    fc.assert(
      fc.property(contracts, fc.integer({ min: 1, max: 4 }), (all, shards) => {
        const whole = new GroupStates();
        const parts = Array.from({ length: shards }, () => new GroupStates());
        all.forEach((c, i) => {
          whole.add(c.contractId, c.reassignmentCounter, c.stakeholders);
          parts[i % shards]!.add(c.contractId, c.reassignmentCounter, c.stakeholders);
        });
        const merged = new GroupStates();
        for (const part of parts) {
          for (const g of part.groups()) merged.merge(g.parties, g.contracts, part.engine.read(g.slot));
        }
        const summary = (s: GroupStates) =>
          [...s.groups()].map((g) => [g.parties, g.contracts, sha256(s.engine.read(g.slot))]);
        expect(summary(merged)).toEqual(summary(whole));
      }),
      { numRuns: 40 },
    );
  });

  it('give both sides of a pair the same commitment, whatever the hosting', () => {
    const uids = ['p::1', 'q::1', 'r::1'];
    const hostings = fc.record(
      Object.fromEntries(uids.map((uid) => [uid, fc.subarray(PARTIES)])) as Record<
        string,
        fc.Arbitrary<string[]>
      >,
    );
    fc.assert(
      fc.property(contracts, hostings, fc.constantFrom(...Object.values(SCHEMES)), (all, hosts, scheme) => {
        const map = hostingMapOf({
          participants: Object.fromEntries(
            uids.map((uid) => [uid, { participant_uid: uid, hosts: hosts[uid] }]),
          ),
        });
        const views = new Map(
          uids.map((uid) => {
            const states = new GroupStates({ scheme });
            for (const c of all) {
              if (c.stakeholders.some((party) => hosts[uid]!.includes(party))) {
                states.add(c.contractId, c.reassignmentCounter, c.stakeholders);
              }
            }
            return [uid, new Map(commitmentsOf(states, map, uid).map((c) => [c.counterParticipant, c]))];
          }),
        );
        for (const p of uids) {
          expect(views.get(p)!.has(p)).toBe(false);
          for (const q of uids) {
            if (p === q) continue;
            const shared = all.some(
              (c) =>
                c.stakeholders.some((x) => hosts[p]!.includes(x)) &&
                c.stakeholders.some((x) => hosts[q]!.includes(x)),
            );
            expect(views.get(p)!.has(q)).toBe(shared);
            expect(views.get(p)!.get(q)?.commitment).toEqual(views.get(q)!.get(p)?.commitment);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('leave out a group once none of its parties is hosted here, and keep it while one is', () => {
    const states = new GroupStates();
    states.add('00aa', 0n, ['a::1', 'b::1', 'c::1']);
    const at = (own: string[]) =>
      commitmentsOf(
        states,
        hostingMapOf({
          participants: {
            p: { participant_uid: 'p::1', hosts: own },
            q: { participant_uid: 'q::1', hosts: ['c::1'] },
          },
        }),
        'p',
      );
    expect(at(['a::1', 'b::1'])).toHaveLength(1);
    expect(at(['b::1'])[0]!.commitment).toEqual(at(['a::1', 'b::1'])[0]!.commitment);
    expect(at([])).toEqual([]);
  });

  it('notice that a contract was removed that was never added', () => {
    const violated = expect.objectContaining({ code: 'COMMITMENT_SET_VIOLATED' });
    const removed = new GroupStates();
    removed.remove('00aa', 0n, ['a::1']);
    expect(() => [...removed.groups()]).toThrow(violated);
    const counter = new GroupStates();
    counter.add('00aa', 0n, ['a::1']);
    counter.remove('00aa', 1n, ['a::1']);
    expect(() => [...counter.groups()]).toThrow(violated);
  });

  it('refuse impossible input and keep their state', () => {
    const states = new GroupStates();
    states.add('00aa', 0n, ['a::1', 'b::1']);
    const before = sha256(states.stateOf(['a::1', 'b::1'])!);
    expect(() => states.add('zz', 0n, ['a::1', 'b::1'])).toThrow(
      expect.objectContaining({ code: 'COMMITMENT_BAD_CONTRACT_ID' }),
    );
    expect(() => states.add('00aa', 0n, [])).toThrow(
      expect.objectContaining({ code: 'COMMITMENT_NO_STAKEHOLDERS' }),
    );
    const badParty = expect.objectContaining({ code: 'COMMITMENT_BAD_PARTY' });
    expect(() => states.add('00aa', 0n, ['a::1\nb::1'])).toThrow(badParty);
    expect(() => states.add('00aa', 0n, ['x\ny', 'z'])).toThrow(badParty);
    expect(() => states.add('00aa', 0n, [''])).toThrow(badParty);
    expect(() => states.add('00aa', 0n, ['a'.repeat(256)])).toThrow(badParty);
    expect(() => states.merge(['a::1'], 1, new Uint8Array(3))).toThrow(
      expect.objectContaining({ code: 'COMMITMENT_BAD_STATE' }),
    );
    expect(() => schemeOf('lthash32')).toThrow(
      expect.objectContaining({ code: 'COMMITMENT_UNKNOWN_SCHEME', exitCode: 2 }),
    );
    const pairs = new GroupStates({ scheme: schemeOf('blake3-pairs') });
    expect(() => pairs.add('00aa', 0n, ['a::1', 'b'.repeat(256)])).toThrow(badParty);
    expect(() => pairs.add('0', 0n, ['a::1', 'b::1'])).toThrow(
      expect.objectContaining({ code: 'COMMITMENT_BAD_CONTRACT_ID' }),
    );
    expect([...pairs.groups()]).toEqual([]);
    expect([...pairs.changed()]).toEqual([]);
    expect(sha256(states.stateOf(['a::1', 'b::1'])!)).toBe(before);
    expect(states.stateOf(['c::1'])).toBeUndefined();
    states.remove('00aa', 0n, ['b::1', 'a::1', 'a::1']);
    expect(isEmptyState(states.stateOf(['a::1', 'b::1'])!)).toBe(true);
  });
});
