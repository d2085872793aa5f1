/**
 * The commitments that running participants sent and received (two runs, protocol version 35, two synchronizers, in the
 * second a party on two participants and an observing host, contracts moving between the synchronizers), recomputed from
 * nothing but their update streams and the hosting.
 */
import { describe, expect, it } from 'vitest';
import { commitmentsOf } from '../../src/commitment/commitments.js';
import { type CommitmentEvent, GroupStates } from '../../src/commitment/groups.js';
import { commitmentsOfSnapshot } from '../../src/commitment/snapshotStates.js';
import { isTick } from '../../src/commitment/ticks.js';
import { EVENT } from '../../src/snapshot/recordBorders.js';
import {
  delimited,
  exchangedBy,
  FIRST_HOSTING,
  type Fields,
  first,
  hostingOf,
  integer,
  messages,
  micros,
  type Scenario,
  scenario,
  text,
  texts,
} from './exchanged.js';
import { fixture, fixturePath } from './vectors.js';

interface TimedEvent extends CommitmentEvent {
  synchronizer: string;
  recordTime: bigint;
}

/** Activations and deactivations of an ACS_DELTA stream, in order. */
function eventsOf(stream: Buffer): TimedEvent[] {
  const events: TimedEvent[] = [];
  /** Where each contract is active, with the counter and stakeholders it was added with. */
  const active = new Map<string, TimedEvent>();
  const activate = (created: Fields, synchronizer: string, counter: bigint, recordTime: bigint): void => {
    const event: TimedEvent = {
      kind: 'activated',
      contractId: text(created, EVENT.contractId),
      reassignmentCounter: counter,
      stakeholders: [...texts(created, EVENT.signatories), ...texts(created, EVENT.observers)],
      synchronizer,
      recordTime,
    };
    active.set(event.contractId, event);
    events.push(event);
  };
  const deactivate = (contractId: string, recordTime: bigint): void => {
    const event = active.get(contractId)!;
    active.delete(contractId);
    events.push({ ...event, kind: 'deactivated', recordTime });
  };
  for (const response of delimited(stream)) {
    for (const transaction of messages(response, 1)) {
      const recordTime = micros(transaction, 9);
      for (const event of messages(transaction, 5)) {
        for (const created of messages(event, 1)) activate(created, text(transaction, 7), 0n, recordTime);
        for (const archived of messages(event, 2)) deactivate(text(archived, 3), recordTime);
      }
    }
    for (const reassignment of messages(response, 2)) {
      const recordTime = micros(reassignment, 7);
      for (const event of messages(reassignment, 5)) {
        for (const unassigned of messages(event, 1)) deactivate(text(unassigned, 2), recordTime);
        for (const assigned of messages(event, 2)) {
          const [created] = messages(assigned, 6);
          activate(created!, text(assigned, 2), integer(assigned, 5), recordTime);
        }
      }
    }
  }
  return events;
}

/** Checks every commitment against the states at its tick; returns how many there are. */
function recompute(folder: string, n: number, run: Scenario): { checked: number; events: TimedEvent[] } {
  const hosting = hostingOf(run);
  const events = eventsOf(fixture(`${folder}/p${n}.updates.acs-delta.bin.gz`));
  const exchanged = exchangedBy(folder, n);
  let checked = 0;
  for (const synchronizer of Object.values(run.synchronizers)) {
    const own = events.filter((e) => e.synchronizer === synchronizer);
    const states = new GroupStates();
    let next = 0;
    const due = exchanged
      .filter((c) => c.synchronizer === synchronizer)
      .sort((a, b) => Number(a.tick - b.tick));
    for (const c of due) {
      expect(isTick(c.tick, [{ seconds: 5, validFrom: 0n }])).toBe(true);
      while (next < own.length && own[next]!.recordTime <= c.tick) states.apply(own[next++]!);
      const found = commitmentsOf(states, hosting, `participant${n}`).find(
        (x) => x.counterParticipant === c.counterParticipant,
      );
      // One only when the other side's had not arrived yet.
      expect(c.commitments.length).toBeGreaterThan(0);
      for (const commitment of c.commitments) {
        expect(found?.commitment.toString('hex')).toBe(commitment);
        checked++;
      }
    }
  }
  expect(checked).toBeGreaterThanOrEqual(2 * exchanged.length - 4);
  return { checked, events };
}

describe('what running participants exchanged', () => {
  it.each([1, 2, 3])('in the first run is what the update stream gives at each tick: participant%i', (n) => {
    const { checked } = recompute('live', n, { ...first, hosting: FIRST_HOSTING });
    expect(checked).toBeGreaterThan(30);
  });

  it.each([1, 2])('in the second run is what the update stream gives at each tick: participant%i', (n) => {
    const { checked, events } = recompute('live2/stream', n, scenario);
    expect(checked).toBeGreaterThan(300);
    expect(events.some((e) => e.reassignmentCounter > 1n)).toBe(true);
  });

  it.each([1, 2])('in the end is what the last export gives: participant%i', async (n) => {
    const exchanged = exchangedBy('live2/stream', n);
    for (const synchronizer of Object.values(scenario.synchronizers)) {
      const found = await commitmentsOfSnapshot(fixturePath(`live2/stream/p${n}.export-5.acs.gz`), {
        hosting: hostingOf(scenario),
        participant: `participant${n}`,
        synchronizer,
      });
      expect(found.commitments).toHaveLength(2);
      for (const c of found.commitments) {
        const last = exchanged
          .filter((x) => x.synchronizer === synchronizer && x.counterParticipant === c.counterParticipant)
          .reduce((a, b) => (b.tick >= a.tick ? b : a));
        expect(last.commitments).toContain(c.commitment.toString('hex'));
      }
    }
  });
});
