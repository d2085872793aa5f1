import { describe, expect, it } from 'vitest';
import {
  hostingMapOf,
  hostsOfParties,
  parseHostingMap,
  participantUid,
} from '../../src/commitment/hostingMap.js';
import { AcsError } from '../../src/io/error.js';
import { type CorpusHosting, fixture, json } from './vectors.js';

function failureOf(map: unknown): AcsError {
  try {
    hostingMapOf(map);
  } catch (error) {
    if (error instanceof AcsError) return error;
    throw error;
  }
  throw new Error('accepted');
}

describe('the hosting map', () => {
  it('of the corpus is read, other keys beside it left alone', () => {
    const map = parseHostingMap(fixture('snapshots/multi/hosting.json').toString('utf8'));
    const corpus = json<CorpusHosting>('snapshots/multi/hosting.json');
    expect(map.physicalSynchronizerId).toBe(corpus.physical_synchronizer_id);
    expect(map.participants.map((p) => p.name)).toEqual(['participant1', 'participant2', 'participant3']);
    const bank = corpus.participants.participant1!.hosts.find((party) => party.startsWith('bank::'))!;
    expect([...hostsOfParties(map, [bank])]).toEqual(
      ['participant1', 'participant2'].map((name) => corpus.participants[name]!.participant_uid),
    );
    for (const { name, uid } of map.participants) {
      expect(participantUid(map, name)).toBe(uid);
      expect(participantUid(map, uid)).toBe(uid);
      expect(participantUid(map, `PAR::${uid}`)).toBe(uid);
    }
    expect(() => participantUid(map, 'participant9')).toThrow(
      expect.objectContaining({ code: 'HOSTING_UNKNOWN_PARTICIPANT', exitCode: 2 }),
    );
  });

  it('takes permission and onboarding per party', () => {
    const map = hostingMapOf({
      synchronizer_id: 's::1',
      participants: {
        p: { participant_uid: 'p::1', participant_id: 'PAR::p::1', hosts: ['a::1', { party: 'b::1' }] },
        q: {
          participant_uid: 'q::1',
          hosts: [{ party: 'a::1', permission: 'Observation', onboarding: true }],
        },
      },
    });
    expect(map.synchronizerId).toBe('s::1');
    expect(map.parties.get('a::1')).toEqual([
      { participant: 'p::1', permission: 'Submission', onboarding: false },
      { participant: 'q::1', permission: 'Observation', onboarding: true },
    ]);
    expect([...hostsOfParties(map, ['a::1', 'nobody::1'])]).toEqual(['p::1', 'q::1']);
    expect([...hostsOfParties(map, ['a::1'], { onboarded: true })]).toEqual(['p::1']);
  });

  it('gives an admin party to its participant, whatever a mapping says', () => {
    const map = hostingMapOf({
      participants: {
        p: { participant_uid: 'p::1', hosts: ['q::1'] },
        q: { participant_uid: 'q::1', hosts: [] },
      },
    });
    expect([...hostsOfParties(map, ['q::1'])]).toEqual(['q::1']);
    expect([...hostsOfParties(map, ['p::1'])]).toEqual(['p::1']);
  });

  it('names the place of every fault', () => {
    const ok = { participant_uid: 'p::1', hosts: ['a::1'] };
    const cases: [unknown, string][] = [
      [[], ''],
      ['x', ''],
      [null, ''],
      [{}, 'participants'],
      [{ participants: [] }, 'participants'],
      [{ participants: {} }, 'participants'],
      [{ synchronizer_id: 7, participants: { p: ok } }, 'synchronizer_id'],
      [{ participants: { p: 7 } }, 'participants.p'],
      [{ participants: { 'my p': { ...ok, participant_uid: 'p' } } }, 'participants["my p"].participant_uid'],
      [{ participants: { p: { ...ok, participant_uid: 'PAR::p::1' } } }, 'participants.p.participant_uid'],
      [{ participants: { p: { ...ok, participant_id: 'p::1' } } }, 'participants.p.participant_id'],
      [{ participants: { p: { ...ok, host: [] } } }, 'participants.p.host'],
      [{ participants: { p: { participant_uid: 'p::1' } } }, 'participants.p.hosts'],
      [{ participants: { p: { ...ok, hosts: {} } } }, 'participants.p.hosts'],
      [{ participants: { p: { ...ok, hosts: ['a::1', 'b'] } } }, 'participants.p.hosts[1]'],
      [{ participants: { p: { ...ok, hosts: ['a::1', 'a::1'] } } }, 'participants.p.hosts[1]'],
      [{ participants: { p: { ...ok, hosts: [{}] } } }, 'participants.p.hosts[0].party'],
      [{ participants: { p: { ...ok, hosts: [{ party: 'a::1', x: 1 }] } } }, 'participants.p.hosts[0].x'],
      [
        { participants: { p: { ...ok, hosts: [{ party: 'a::1', permission: 'submission' }] } } },
        'participants.p.hosts[0].permission',
      ],
      [
        { participants: { p: { ...ok, hosts: [{ party: 'a::1', onboarding: 'no' }] } } },
        'participants.p.hosts[0].onboarding',
      ],
      [{ participants: { p: ok, q: ok } }, 'participants.q.participant_uid'],
    ];
    for (const [map, path] of cases) {
      const error = failureOf(map);
      expect(error.code, JSON.stringify(map)).toBe('HOSTING_MALFORMED');
      expect(error.place.path, JSON.stringify(map)).toBe(path);
      expect(error.expected).toBeDefined();
      expect(error.found).toBeDefined();
    }
    const p = '"p":{"participant_uid":"p::1","hosts":[]}';
    expect(parseHostingMap(`\uFEFF{"participants":{${p}}}`).participants).toHaveLength(1);
    expect(() => parseHostingMap(`{"participants":{${p},${p}}}`)).toThrow(
      expect.objectContaining({ code: 'HOSTING_MALFORMED', place: { path: 'participants.p' } }),
    );
    expect(() => parseHostingMap('{"participants":')).toThrow(
      expect.objectContaining({ code: 'HOSTING_NOT_JSON' }),
    );
  });
});
